// SPDX-License-Identifier: GPL-2.0
/* test_snapshot.c - what a viewer is told is what the service has seen, all of it. */
#include <stdlib.h>
#include <string.h>

#include "../quell.h"
#include "../show.h"
#include "../snapshot.h"
#include "tap.h"

static struct strtab strings, stacks;

static void see(struct summary *s, uint64_t ts, unsigned int cpu, const char *task,
		enum cause cause, uint32_t ns)
{
	struct send x = { .id = 1, .ts = ts, .vec = VEC_CALL, .cause = cause,
			  .cpu = 1, .ipis = 1, .wanted = 1 };
	struct receipt r = { .ts = ts, .vec = VEC_CALL, .cause = cause, .cpu = cpu,
			     .how = HOW_CSD, .ns = ns };

	x.comm = strtab_str(&strings, task);
	x.site = strtab_str(&strings, "somewhere");
	x.func = strtab_str(&strings, "something");
	summary_send(s, &x);
	summary_receipt(s, &r, &x);
}

static void fill(struct summary *s)
{
	static const struct system sys = { .release = "7.0", .machine = "x86_64",
		.host = "here", .strategy = "stock", .flush = FLUSH_NATIVE, .pti = 1 };
	struct cpuset observed = { 0 };

	cpuset_add(&observed, 2);
	cpuset_add(&observed, 300);
	summary_init(s, &strings, &stacks);
	summary_system(s, &sys, &observed);
	see(s, 1000, 2, "one", CAUSE_PT_SYNC, 1500);
	see(s, 2000, 300, "one", CAUSE_PT_SYNC, 2500000);
	see(s, 3000, 300, "a\ttask\nof \x1b", CAUSE_CALL, 0);
	s->lost = 3;
	s->unaccounted = 4;
}

/* @s, as somebody hears of it who asks. */
static const char *told(const struct summary *s, struct summary *as, struct snapshot *about)
{
	struct snapshot now = { .id = "1.a", .age = 5000, .noticed = 4000, .notice = "trouble" };
	struct strtab *kept = as->strings;
	const char *wrong;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	snapshot_write(s, &now, f);
	fclose(f);
	summary_init(as, kept, &stacks);
	f = fmemopen(text, len, "r");
	wrong = snapshot_read(as, about, f);
	fclose(f);
	/* Cut anywhere, it is nothing. */
	for (size_t n = 1; n < len && !wrong; n += 7) {
		struct strtab some = { 0 };
		static struct summary cut;
		struct snapshot nothing;

		summary_init(&cut, &some, &stacks);
		f = fmemopen(text, n, "r");
		if (!snapshot_read(&cut, &nothing, f))
			wrong = "half of it is taken for all";
		fclose(f);
		summary_free(&cut);
		strtab_free(&some);
	}
	free(text);
	return wrong;
}

static char *metrics(const struct summary *s)
{
	struct series_set series;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct summary copy = *s;

	series_init(&series, 10, ALL_LABELS);
	series_update(&series, &copy, 0);
	series_rest(&series, s->total.irqs);
	show_metrics(s, &series, f, METRICS_PROMETHEUS);
	fclose(f);
	series_free(&series);
	for (size_t i = 0; i < s->nrows; i++)
		s->row[i]->exported = 0;
	return text;
}

static void test_inherit(struct summary *s)
{
	struct strtab mine = { 0 };
	static struct summary first, second;
	struct snapshot about;
	struct source_row *r;

	first.strings = second.strings = &mine;
	told(s, &first, &about);
	for (size_t i = 0; i < first.nrows; i++)
		first.row[i]->last = first.row[i]->exported = row_count(first.row[i]);
	first.cpu[300]->last = first.cpu[300]->irqs;
	see(s, 4000, 300, "one", CAUSE_PT_SYNC, 0);
	told(s, &second, &about);
	snapshot_inherit(&second, &first);
	r = summary_find(&second, CAUSE_PT_SYNC, strtab_str(&mine, "something"),
			 strtab_str(&mine, "somewhere"), strtab_str(&mine, "one"), true);
	ok(r && row_count(r) == 3 && r->last == 2 && r->exported == 2 &&
	   second.cpu[300]->last == 2 && second.cpu[300]->irqs == 3,
	   "snapshot: what is new since the last one");
	/* The service has dropped that row meanwhile, and it came again. */
	r = summary_find(&first, CAUSE_PT_SYNC, strtab_str(&mine, "something"),
			 strtab_str(&mine, "somewhere"), strtab_str(&mine, "one"), true);
	r->last = 100;
	summary_free(&second);
	second.strings = &mine;
	told(s, &second, &about);
	snapshot_inherit(&second, &first);
	r = summary_find(&second, CAUSE_PT_SYNC, r->func, r->site, r->comm, true);
	ok(r && !r->last, "snapshot: a row that begins again is new, not negative");
	summary_free(&first);
	summary_free(&second);
	strtab_free(&mine);
}

int write_snapshot(const char *path)
{
	struct snapshot now = { .id = "1.a", .age = 5000, .noticed = 4000, .notice = "trouble" };
	static struct summary s;
	FILE *f = fopen(path, "w");
	bool good;

	fill(&s);
	good = f && snapshot_write(&s, &now, f) && !fclose(f);
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
	return !good;
}

void test_snapshot(void)
{
	struct strtab theirs = { 0 };
	static struct summary s, t;
	struct snapshot about;
	const char *wrong;
	char *a, *b;

	fill(&s);
	t.strings = &theirs;
	wrong = told(&s, &t, &about);
	ok(!wrong, "snapshot: read, and never a half of it%s%s", wrong ? ": " : "", wrong ? wrong : "");
	a = metrics(&s);
	b = metrics(&t);
	ok(!strcmp(a, b), "snapshot: the viewer's metrics are the service's");
	ok(about.age == 5000 && about.noticed == 4000 && !strcmp(about.notice, "trouble") &&
	   !strcmp(about.id, "1.a"), "snapshot: its age, its window and the last trouble");
	ok(t.nrows == 2 && t.lost == 3 && t.unaccounted == 4 &&
	   hist_quantile(&t.lost_time, 0.99) == hist_quantile(&s.lost_time, 0.99) &&
	   cpuset_has(&t.row[0]->receivers, 300) && cpuset_has(&t.row[0]->senders, 1) &&
	   t.row[0]->lost && t.row[0]->lost->max == 2500000,
	   "snapshot: rows, CPUs, times, and what was not seen");
	free(a);
	free(b);
	test_inherit(&s);
	summary_free(&s);
	summary_free(&t);
	strtab_free(&theirs);
	strtab_free(&strings);
	strtab_free(&stacks);
}
