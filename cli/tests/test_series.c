// SPDX-License-Identifier: GPL-2.0
/*
 * test_series.c - sources without end as a bounded number of series, none of which
 * ever goes backwards, and which add up.
 */
#include <stdlib.h>
#include <string.h>

#include "../quell.h"
#include "../record/series.h"
#include "tap.h"

static void received(struct summary *s, uint64_t ts, const char *task, const char *site)
{
	struct send x = { .id = 1, .ts = ts, .vec = VEC_CALL, .cause = CAUSE_CALL };
	struct receipt r = { .ts = ts, .vec = VEC_CALL, .cause = CAUSE_CALL,
			     .how = HOW_CSD };

	x.comm = strtab_str(s->strings, task);
	x.site = strtab_str(s->strings, site);
	summary_receipt(s, &r, &x);
}

static uint64_t sum(const struct series_set *t)
{
	uint64_t n = t->other;

	for (size_t i = 0; i < t->n; i++)
		n += t->item[i].shown ? t->item[i].value : 0;
	return n;
}

static size_t shown(const struct series_set *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->item[i].shown;
	return n;
}

static const struct series *of_task(const struct series_set *t, struct summary *s,
				    const char *task)
{
	uint32_t id = strtab_str(s->strings, task);

	for (size_t i = 0; i < t->n; i++)
		if (t->item[i].label[2] == id)
			return &t->item[i];
	return NULL;
}

void test_series(void)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	uint64_t before = 0, other = 0, back = 0, most = 0;
	struct series_set t, few;
	const struct series *x;
	size_t items = 0, rows = 0;
	struct summary s;
	char task[16];

	summary_init(&s, &strings, &stacks);
	series_init(&t, 10, DEFAULT_LABELS);
	series_init(&few, 10, LABEL_SITE);
	for (unsigned int i = 1; i <= 20000; i++) {
		/* One that stays, and a crowd of which each comes twice. */
		received(&s, i, "stays", "site");
		snprintf(task, sizeof(task), "task %u", i / 2 % 5000);
		received(&s, i, task, i % 2 ? "a" : "b");
		if (i % 100)
			continue;
		before = sum(&t);
		other = t.other;
		series_update(&t, &s, i * 10000000ull);
		back += t.other < other || sum(&t) < before;
		if (shown(&t) > most)
			most = shown(&t);
		if (t.n > items)
			items = t.n;
		summary_trim(&s, 500);
		if (s.nrows > rows)
			rows = s.nrows;
	}
	ok(most == 10, "of 10,000 sources 10 have a series (%zu)", (size_t)most);
	ok(!back, "what is other never goes backwards (%zu times)", (size_t)back);
	x = of_task(&t, &s, "stays");
	ok(x && x->shown && x->value == 20000, "one that stays has all of its own");
	ok(items < 2000 && rows <= 500, "memory has a limit (%zu, %zu rows)", items, rows);
	ok(s.total.irqs == 40000, "and the total is kept");

	/* A newcomer that is busier than the most quiet one gets its series. */
	for (unsigned int i = 0; i < 1000; i++)
		received(&s, 30000, "late", "site");
	series_update(&t, &s, 500000000000ull);
	series_update(&t, &s, 502000000000ull);
	received(&s, 30001, "late", "site");
	series_update(&t, &s, 504000000000ull);
	x = of_task(&t, &s, "late");
	ok(x && x->shown && x->value == 1 && shown(&t) == 10,
	   "a busy newcomer takes the place of a quiet one, from then on");
	ok(t.other >= 1000, "what it sent before stays where it was counted");

	for (size_t i = 0; i < s.nrows; i++)
		s.row[i]->exported = 0;
	series_update(&few, &s, 1);
	for (size_t i = 0; i < few.n; i++)
		for (size_t k = i + 1; k < few.n; k++)
			back += few.item[i].label[1] == few.item[k].label[1];
	ok(few.n == 3 && !back, "without the task there is one series per site");
	series_free(&t);
	series_free(&few);
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
}
