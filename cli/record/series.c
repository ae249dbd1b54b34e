// SPDX-License-Identifier: GPL-2.0
/* series.c - the sources of a summary as a bounded number of time series. */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "quell.h"
#include "record/series.h"

#define RANK_NS		1000000000ull
#define DECAY		0.95	/* per ranking: half of it after 14 s */
#define FORGET		0.5	/* a source this quiet is no candidate any more */

const char *const series_label_name[NR_LABELS] = {
	"function", "call_site", "task", "cgroup", "unit", "container", "pod"
};

void series_init(struct series_set *t, size_t limit, unsigned int labels)
{
	memset(t, 0, sizeof(*t));
	t->limit = limit;
	t->labels = labels;
}

static size_t hash(const struct series *x)
{
	uint64_t h = 1469598103934665603ull;

	h = (h ^ x->cause) * 1099511628211ull;
	for (int i = 0; i < NR_LABELS; i++)
		h = (h ^ x->label[i]) * 1099511628211ull;
	h = (h ^ x->known) * 1099511628211ull;
	return h >> 32 ^ h;
}

static bool same(const struct series *a, const struct series *b)
{
	return a->cause == b->cause && a->known == b->known &&
	       !memcmp(a->label, b->label, sizeof(a->label));
}

static void rebuild(struct series_set *t)
{
	size_t h;

	while (t->nslots < 2 * (t->n + 1))
		t->nslots = t->nslots ? 2 * t->nslots : 256;
	free(t->slot);
	t->slot = xcalloc(t->nslots, sizeof(*t->slot));
	for (size_t i = 0; i < t->n; i++) {
		for (h = hash(&t->item[i]) & (t->nslots - 1); t->slot[h];
		     h = (h + 1) & (t->nslots - 1))
			;
		t->slot[h] = i + 1;
	}
}

static void labels_of(struct series_set *t, struct strtab *strings,
		      const struct source_row *r, uint32_t label[NR_LABELS])
{
	struct cgroup_owner o = { "", "", "" };

	if (t->labels & (LABEL_UNIT | LABEL_CONTAINER | LABEL_POD))
		cgroup_owner(strtab_get(strings, r->cgroup), &o);
	label[0] = r->func;
	label[1] = r->known ? r->site : 0;
	label[2] = r->comm;
	label[3] = r->cgroup;
	label[4] = strtab_str(strings, o.unit);
	label[5] = strtab_str(strings, o.container);
	label[6] = strtab_str(strings, o.pod);
	for (int i = 0; i < NR_LABELS; i++)
		if (!(t->labels & 1u << i))
			label[i] = 0;
}

static struct series *find(struct series_set *t, struct strtab *strings,
			   const struct source_row *r)
{
	struct series key = { .cause = r->cause, .known = r->known };
	size_t h;

	labels_of(t, strings, r, key.label);
	if (2 * (t->n + 1) > t->nslots)
		rebuild(t);
	for (h = hash(&key) & (t->nslots - 1); t->slot[h];
	     h = (h + 1) & (t->nslots - 1))
		if (same(&t->item[t->slot[h] - 1], &key))
			return &t->item[t->slot[h] - 1];
	/* Whoever comes while there is room has a series from the start. */
	key.shown = t->shown < t->limit;
	t->shown += key.shown;
	t->item = grow(t->item, &t->room, t->n + 1, sizeof(*t->item));
	t->item[t->n] = key;
	t->slot[h] = ++t->n;
	return &t->item[t->n - 1];
}

/*
 * Once a second, the busiest source without a series may take that of the most
 * quiet one, if it is twice as busy: names that alternate must not make a new
 * series each time.
 */
static void rank(struct series_set *t)
{
	struct series *best = NULL, *worst = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct series *x = &t->item[i];

		x->score = x->score * DECAY + x->recent;
		x->recent = 0;
		if (x->shown && (!worst || x->score < worst->score))
			worst = x;
		if (!x->shown && (!best || x->score > best->score))
			best = x;
	}
	if (best && worst && best->score > 2 * worst->score && best->score >= 1) {
		worst->shown = false;
		worst->value = 0;
		best->shown = true;
	}
	for (size_t i = 0; i < t->n; i++)
		if (t->item[i].shown || t->item[i].score >= FORGET)
			t->item[kept++] = t->item[i];
	if (kept != t->n) {
		t->n = kept;
		rebuild(t);
	}
}

void series_update(struct series_set *t, struct summary *s, uint64_t now)
{
	for (size_t i = 0; i < s->nrows; i++) {
		struct source_row *r = s->row[i];
		uint64_t more = r->t.irqs - r->exported;
		struct series *x;

		if (!more)
			continue;
		r->exported = r->t.irqs;
		t->counted += more;
		x = find(t, s->strings, r);
		x->recent += more;
		if (x->shown)
			x->value += more;
		else
			t->other += more;
	}
	if (now - t->ranked >= RANK_NS) {
		rank(t);
		t->ranked = now;
	}
}

void series_rest(struct series_set *t, uint64_t total)
{
	if (total <= t->counted)
		return;
	t->other += total - t->counted;
	t->counted = total;
}

void series_free(struct series_set *t)
{
	free(t->item);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
