// SPDX-License-Identifier: GPL-2.0
/*
 * summary.c - what was received, by CPU, cause and source.
 *
 * Only RECEIPT_IRQ is counted as an interrupt, so that the sums are those of
 * /proc/interrupts; riders and polled requests stand beside them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quell.h"
#include "record/summary.h"

void summary_init(struct summary *s, struct strtab *strings, struct strtab *stacks)
{
	memset(s, 0, sizeof(*s));
	s->strings = strings;
	s->stacks = stacks;
}

void summary_system(struct summary *s, const struct system *sys,
		    const struct cpuset *observed)
{
	s->observed = *observed;
	s->quiet = sys->quiet;
	s->online = sys->online;
	system_facts(sys, &s->facts);
	s->pti_known = sys->pti >= 0;
	s->release = xstrdup(sys->release);
	s->machine = xstrdup(sys->machine);
	s->host = xstrdup(sys->host);
	s->processor = sys->processor ? xstrdup(sys->processor) : NULL;
	s->strategy = xstrdup(sys->strategy);
	s->flush = xstrdup(flush_name(sys->flush));
	s->live = sys->live_module;
}

static uint32_t row_hash(enum cause c, uint32_t func, uint32_t site,
			 uint32_t comm, uint32_t cgroup, bool known)
{
	uint64_t h = 1469598103934665603ull;

	h = (h ^ c) * 1099511628211ull;
	h = (h ^ func) * 1099511628211ull;
	h = (h ^ site) * 1099511628211ull;
	h = (h ^ comm) * 1099511628211ull;
	h = (h ^ cgroup) * 1099511628211ull;
	h = (h ^ known) * 1099511628211ull;
	return h >> 32 ^ h;
}

static void more_slots(struct summary *s)
{
	s->nslots = s->nslots ? s->nslots * 2 : 256;
	free(s->slot);
	s->slot = xcalloc(s->nslots, sizeof(*s->slot));
	for (size_t i = 0; i < s->nrows; i++) {
		struct source_row *r = s->row[i];
		size_t h = row_hash(r->cause, r->func, r->site, r->comm, r->cgroup,
				    r->known);

		for (h &= s->nslots - 1; s->slot[h]; h = (h + 1) & (s->nslots - 1))
			;
		s->slot[h] = i + 1;
	}
}

/* The slot it has, or would have. */
static size_t slot_of(const struct summary *s, enum cause c, uint32_t func,
		      uint32_t site, uint32_t comm, uint32_t cgroup, bool known)
{
	size_t h = row_hash(c, func, site, comm, cgroup, known) & (s->nslots - 1);

	for (; s->slot[h]; h = (h + 1) & (s->nslots - 1)) {
		const struct source_row *r = s->row[s->slot[h] - 1];

		if (r->cause == c && r->func == func && r->site == site &&
		    r->comm == comm && r->cgroup == cgroup && r->known == known)
			break;
	}
	return h;
}

struct source_row *summary_find(const struct summary *s, enum cause c, uint32_t func,
				uint32_t site, uint32_t comm, uint32_t cgroup,
				bool known)
{
	size_t h = s->nslots ? slot_of(s, c, func, site, comm, cgroup, known) : 0;

	return s->nslots && s->slot[h] ? s->row[s->slot[h] - 1] : NULL;
}

struct source_row *summary_row(struct summary *s, enum cause c, uint32_t func,
			       uint32_t site, uint32_t comm, uint32_t cgroup,
			       bool known)
{
	struct source_row *r;
	size_t h;

	if (2 * (s->nrows + 1) > s->nslots)
		more_slots(s);
	h = slot_of(s, c, func, site, comm, cgroup, known);
	if (s->slot[h])
		return s->row[s->slot[h] - 1];
	s->row = grow(s->row, &s->row_room, s->nrows + 1, sizeof(*s->row));
	r = s->row[s->nrows] = xcalloc(1, sizeof(*r));
	s->slot[h] = ++s->nrows;
	r->cause = c;
	r->func = func;
	r->site = site;
	r->comm = comm;
	r->cgroup = cgroup;
	r->known = known;
	return r;
}

static struct source_row *row_of_send(struct summary *s, const struct send *x)
{
	struct source_row *r;

	r = summary_row(s, x->cause, x->func, x->site, x->comm, x->cgroup, true);
	cpuset_add(&r->senders, x->cpu);
	r->active = x->ts;
	if (!r->stack)
		r->stack = x->stack;
	return r;
}

void summary_send(struct summary *s, const struct send *x)
{
	struct source_row *r;

	/* One that was sent before the window only explains what arrives in it. */
	if ((int64_t)x->ts < 0 || (s->duration && x->ts >= s->duration))
		return;
	r = row_of_send(s, x);
	r->t.sends++;
	r->t.ipis += x->wanted;
	s->cause[x->cause].sends++;
	s->cause[x->cause].ipis += x->wanted;
	/* To arm a timer is to send nobody anything. */
	if (x->fixed)
		return;
	s->total.sends++;
	s->total.ipis += x->wanted;
}

static void add(struct tally *t, const struct receipt *r, bool known, bool avoid)
{
	t->requests += r->how == HOW_CSD;
	switch (r->kind) {
	case RECEIPT_IRQ:
		t->irqs++;
		t->unknown += !known;
		t->avoidable += avoid;
		t->ns += r->ns;
		break;
	case RECEIPT_PART:
		t->parts++;
		t->ns += r->ns;
		break;
	case RECEIPT_RIDE:
		t->rides++;
		break;
	default:
		t->polled++;
	}
}

static void add_heat(struct summary *s, const struct receipt *r)
{
	uint64_t bin = (unsigned __int128)r->ts * HEAT_BINS / s->heat_span;
	uint32_t **h = &s->heat[r->cpu];

	if (bin >= HEAT_BINS)
		bin = HEAT_BINS - 1;
	if (!*h)
		*h = xcalloc((size_t)HEAT_BINS * NR_CAUSES, sizeof(**h));
	(*h)[bin * NR_CAUSES + r->cause]++;
}

struct cpu_row *summary_cpu(struct summary *s, unsigned int cpu)
{
	if (!s->cpu[cpu]) {
		s->cpu[cpu] = xcalloc(1, sizeof(*s->cpu[cpu]));
		s->cpu[cpu]->cpu = cpu;
	}
	return s->cpu[cpu];
}

struct victim_row *summary_victim(struct summary *s, uint32_t cgroup)
{
	size_t had = s->victims_of;

	s->victim_of = grow(s->victim_of, &s->victims_of, cgroup + 1,
			    sizeof(*s->victim_of));
	if (s->victims_of > had)
		memset(s->victim_of + had, 0, (s->victims_of - had) * sizeof(*s->victim_of));
	if (!s->victim_of[cgroup]) {
		s->victim = grow(s->victim, &s->victim_room, s->nvictims + 1,
				 sizeof(*s->victim));
		s->victim[s->nvictims] = (struct victim_row){ .cgroup = cgroup };
		s->victim_of[cgroup] = ++s->nvictims;
	}
	return &s->victim[s->victim_of[cgroup] - 1];
}

static void add_victim(struct summary *s, const struct receipt *r)
{
	struct victim_row *v;

	if (!r->victim_cgroup || r->idle)
		return;
	v = summary_victim(s, r->victim_cgroup);
	v->times++;
	v->lost += r->ns;
	if (r->ns > v->max)
		v->max = r->ns;
}

/* An idle CPU lost nothing. */
static void add_time(struct summary *s, struct source_row *row,
		     const struct receipt *r)
{
	if (r->ns > row->max_ns)
		row->max_ns = r->ns;
	if (!r->ns || r->idle)
		return;
	if (!row->lost)
		row->lost = xcalloc(1, sizeof(*row->lost));
	hist_add(row->lost, r->ns);
	hist_add(&s->lost_by_cause[r->cause], r->ns);
	hist_add(&s->lost_time, r->ns);
	summary_cpu(s, r->cpu)->lost += r->ns;
}

void summary_receipt(struct summary *s, const struct receipt *r,
		     const struct send *from)
{
	struct avoid_case x = {
		.isolated = cpuset_has(&s->quiet, r->cpu), .idle = r->idle,
		.deferrable = from && from->deferrable,
	};
	bool known = from || r->how == HOW_SOURCE, avoid;
	struct source_row *row;
	struct cpu_row *cpu;
	const char *why;

	avoid = avoidable(r->cause, &x, &s->facts, &why);
	if (from)
		row = row_of_send(s, from);
	else
		row = summary_row(s, r->cause, r->func ? r->func : r->name, 0, 0, 0,
				  known);
	cpuset_add(&row->receivers, r->cpu);
	row->active = r->ts;
	add(&row->t, r, known, avoid);
	add(&s->cause[r->cause], r, known, avoid);
	add(&s->total, r, known, avoid);
	if (r->kind == RECEIPT_IRQ || r->kind == RECEIPT_PART) {
		add_time(s, row, r);
		add_victim(s, r);
	}
	if (r->func && r->name)
		row->detail = r->name;
	if (r->kind != RECEIPT_IRQ)
		return;
	/* The reason of one that is avoidable, if any of them is. */
	if (avoid || !row->t.avoidable)
		row->why = why;
	cpu = summary_cpu(s, r->cpu);
	cpu->irqs++;
	cpu->avoidable += avoid;
	cpu->by_cause[r->cause]++;
	cpu->avoidable_by_cause[r->cause] += avoid;
	if (s->heat_span)
		add_heat(s, r);
}

void summary_agreement(struct summary *s, const struct agreement *a)
{
	s->agree = grow(s->agree, &s->agree_room, s->nagree + 1, sizeof(*a));
	s->agree[s->nagree++] = *a;
}

void summary_note(struct summary *s, uint64_t ts, const char *text)
{
	if (s->nnotes++ >= ARRAY_SIZE(s->note))
		return;
	s->note[s->nnotes - 1].ts = ts;
	s->note[s->nnotes - 1].text = xstrdup(text);
}

struct verdict summary_verdict(const struct summary *s)
{
	struct verdict v = { 0 };

	for (size_t i = 0; i < s->nagree; i++) {
		const struct agreement *a = &s->agree[i];

		if (!a->traced) {
			v.untraced++;
		} else if (a->kernel == a->counted) {
			v.exact++;
		} else if (agrees(a)) {
			v.within++;
		} else {
			v.off++;
			if (a->kernel > a->counted + a->slack)
				v.missing += a->kernel - a->counted - a->slack;
		}
	}
	return v;
}

static int by_irqs(const void *a, const void *b)
{
	const struct source_row *x = *(struct source_row *const *)a;
	const struct source_row *y = *(struct source_row *const *)b;

	if (row_count(x) != row_count(y))
		return row_count(x) < row_count(y) ? 1 : -1;
	if (x->t.sends != y->t.sends)
		return x->t.sends < y->t.sends ? 1 : -1;
	if (x->cause != y->cause)
		return x->cause < y->cause ? -1 : 1;
	return x->func < y->func ? -1 : x->func > y->func;
}

static int by_activity(const void *a, const void *b)
{
	const struct source_row *x = *(struct source_row *const *)a;
	const struct source_row *y = *(struct source_row *const *)b;

	return x->active < y->active ? 1 : x->active > y->active ? -1 : 0;
}

/* The hash points at places that have changed. */
static void rehash(struct summary *s)
{
	s->nslots /= 2;
	more_slots(s);
}

static void row_free(struct source_row *r)
{
	free(r->lost);
	free(r);
}

void summary_trim(struct summary *s, size_t most)
{
	if (s->nrows <= most)
		return;
	qsort(s->row, s->nrows, sizeof(*s->row), by_activity);
	while (s->nrows > most / 2)
		row_free(s->row[--s->nrows]);
	rehash(s);
}

void summary_keep_stacks(struct summary *s)
{
	struct strtab kept = { 0 };

	for (size_t i = 0; i < s->nrows; i++) {
		struct source_row *r = s->row[i];
		struct blob *b;

		if (!r->stack)
			continue;
		b = &s->stacks->item[r->stack];
		r->stack = strtab_put(&kept, b->data, b->len);
	}
	strtab_free(s->stacks);
	*s->stacks = kept;
}

static int by_times(const void *a, const void *b)
{
	const struct victim_row *x = a, *y = b;

	if (x->times != y->times)
		return x->times < y->times ? 1 : -1;
	return x->cgroup < y->cgroup ? -1 : x->cgroup > y->cgroup;
}

void summary_sort(struct summary *s)
{
	if (s->nvictims > 1)
		qsort(s->victim, s->nvictims, sizeof(*s->victim), by_times);
	for (size_t i = 0; i < s->nvictims; i++)
		s->victim_of[s->victim[i].cgroup] = i + 1;
	if (s->nrows < 2)
		return;
	qsort(s->row, s->nrows, sizeof(*s->row), by_irqs);
	rehash(s);
}

void summary_free(struct summary *s)
{
	for (size_t i = 0; i < s->nrows; i++)
		row_free(s->row[i]);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		free(s->cpu[cpu]);
		free(s->heat[cpu]);
	}
	for (size_t i = 0; i < s->nnotes && i < ARRAY_SIZE(s->note); i++)
		free(s->note[i].text);
	free(s->row);
	free(s->slot);
	free(s->agree);
	free(s->release);
	free(s->machine);
	free(s->host);
	free(s->processor);
	free(s->dump);
	free(s->strategy);
	free(s->flush);
	free(s->started);
	free(s->command);
	free(s->what);
	free(s->isolcpus);
	irqs_free(&s->irqs);
	free(s->only);
	free(s->victim);
	free(s->victim_of);
	memset(s, 0, sizeof(*s));
}
