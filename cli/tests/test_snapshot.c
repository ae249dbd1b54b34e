// SPDX-License-Identifier: GPL-2.0
/* test_snapshot.c - what a viewer is told is what the service has seen, all of it. */
#include <stdlib.h>
#include <string.h>

#include "../cgroup.h"
#include "../quell.h"
#include "../show/show.h"
#include "../record/snapshot.h"
#include "tap.h"

static struct strtab strings, stacks;

/* What a task of group @from did to one of @to. */
static void see_groups(struct summary *s, uint64_t ts, unsigned int cpu, const char *task,
		       const char *from, const char *to, enum cause cause, uint32_t ns)
{
	struct send x = { .id = 1, .ts = ts, .vec = VEC_CALL, .cause = cause,
			  .cpu = 1, .ipis = 1, .wanted = 1 };
	struct receipt r = { .ts = ts, .vec = VEC_CALL, .cause = cause, .cpu = cpu,
			     .how = HOW_CSD, .ns = ns };

	x.comm = strtab_str(&strings, task);
	x.site = strtab_str(&strings, "somewhere");
	x.func = strtab_str(&strings, "something");
	x.cgroup = strtab_str(&strings, from);
	r.victim_cgroup = strtab_str(&strings, to);
	summary_send(s, &x);
	summary_receipt(s, &r, &x);
}

static void see(struct summary *s, uint64_t ts, unsigned int cpu, const char *task,
		enum cause cause, uint32_t ns)
{
	see_groups(s, ts, cpu, task, "/system.slice/a.service", "/", cause, ns);
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
	s->isolcpus = xstrdup("managed_irq,2");
	irqs_take(&s->irqs, "24 fixed 2-5 3 nvme 0000:00:04.0");
	irqs_take(&s->irqs, "25 free 0-3 - ");
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

	series_init(&series, 10, DEFAULT_LABELS | LABEL_CGROUP | LABEL_POD);
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
			 strtab_str(&mine, "somewhere"), strtab_str(&mine, "one"),
			 strtab_str(&mine, "/system.slice/a.service"), true);
	ok(r && row_count(r) == 3 && r->last == 2 && r->exported == 2 &&
	   second.cpu[300]->last == 2 && second.cpu[300]->irqs == 3,
	   "snapshot: what is new since the last one");
	/* The service has dropped that row meanwhile, and it came again. */
	r = summary_find(&first, CAUSE_PT_SYNC, strtab_str(&mine, "something"),
			 strtab_str(&mine, "somewhere"), strtab_str(&mine, "one"),
			 strtab_str(&mine, "/system.slice/a.service"), true);
	r->last = 100;
	summary_free(&second);
	second.strings = &mine;
	told(s, &second, &about);
	snapshot_inherit(&second, &first);
	r = summary_find(&second, CAUSE_PT_SYNC, r->func, r->site, r->comm, r->cgroup, true);
	ok(r && !r->last, "snapshot: a row that begins again is new, not negative");
	summary_free(&first);
	summary_free(&second);
	strtab_free(&mine);
}

/* Of devices: what the remedy of a row and its affinity are made of. */
static bool same_irqs(const struct summary *a, const struct summary *b)
{
	bool same = a->irqs.n == b->irqs.n && a->isolcpus && b->isolcpus &&
		    !strcmp(a->isolcpus, b->isolcpus);

	for (size_t i = 0; same && i < a->irqs.n; i++) {
		const struct irq_facts *f = irqs_find(&b->irqs, a->irqs.item[i].irq);
		char *x = irqs_line(&a->irqs.item[i]), *y = f ? irqs_line(f) : xstrdup("");

		same = !strcmp(x, y);
		free(x);
		free(y);
	}
	return same;
}

static struct source_row *of_group(const struct summary *s, const char *path)
{
	return summary_find(s, CAUSE_PT_SYNC, strtab_str(s->strings, "something"),
			    strtab_str(s->strings, "somewhere"),
			    strtab_str(s->strings, "one"), strtab_str(s->strings, path), true);
}

/* A victim, as no service of ours writes it. */
static size_t victims_of(bool named, uint64_t max)
{
	struct strtab theirs = { 0 }, mine = { 0 };
	static struct summary t;
	struct rec_end end = { 0 };
	struct snapshot about;
	struct rec_writer *w;
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	size_t took;

	w = rec_create_stream(f, &theirs, &stacks);
	rec_meta(w, "snapshot", "1.a");
	rec_entry(w, REC_VICTIM, (uint64_t[REC_FIELDS]){
		[VICTIM_CGROUP] = named ? strtab_str(&theirs, "/a.service") : 0,
		[VICTIM_TIMES] = 1, [VICTIM_LOST] = max, [VICTIM_MAX] = max });
	rec_close(w, &end);
	fclose(f);
	summary_init(&t, &mine, &stacks);
	f = fmemopen(text, len, "r");
	snapshot_read(&t, &about, f);
	fclose(f);
	took = t.nvictims;
	summary_free(&t);
	strtab_free(&theirs);
	strtab_free(&mine);
	free(text);
	return took;
}

/* Whose it was: told apart, on both sides, and no path but one. */
static void test_groups(void)
{
	static const char pod[] = "/kubepods/burstable/pod01234567-89ab-cdef-0123-456789abcdef/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static struct summary s, t;
	struct strtab mine = { 0 };
	struct snapshot about;
	char longest[CGROUP_LONGEST + 2], too_long[CGROUP_LONGEST + 2];
	const struct source_row *a, *b, *gone;
	const struct victim_row *v;
	struct cgroup_owner o;
	const char *wrong;

	memset(too_long, 'x', sizeof(too_long));
	*too_long = '/';
	too_long[CGROUP_LONGEST + 1] = '\0';
	memcpy(longest, too_long, sizeof(longest));
	longest[CGROUP_LONGEST] = '\0';
	fill(&s);
	see_groups(&s, 4000, 2, "one", pod, "/system.slice/b.service", CAUSE_PT_SYNC, 700);
	see_groups(&s, 5000, 2, "one", CGROUP_EXITED, pod, CAUSE_PT_SYNC, 900);
	see_groups(&s, 6000, 2, "one", CGROUP_OURS "/x.service", pod, CAUSE_PT_SYNC, 800);
	t.strings = &mine;
	wrong = told(&s, &t, &about);
	a = of_group(&t, "/system.slice/a.service");
	b = of_group(&t, pod);
	gone = of_group(&t, CGROUP_EXITED);
	ok(!wrong && t.nrows == 5 && a && a->t.irqs == 2 && b && b->t.irqs == 1 && gone &&
	   gone->t.irqs == 1 && of_group(&t, CGROUP_OURS "/x.service"),
	   "snapshot: one task in several groups is several rows%s%s", wrong ? ": " : "", wrong ? wrong : "");
	cgroup_owner(b ? strtab_get(&mine, b->cgroup) : "", &o);
	ok(!strcmp(o.pod, "01234567-89ab-cdef-0123-456789abcdef") && strlen(o.container) == 64 && !*o.unit,
	   "snapshot: pod and container of the sender");
	v = t.nvictims == 3 ? summary_victim(&t, strtab_str(&mine, pod)) : NULL;
	ok(v && t.nvictims == 3 && v->times == 2 && v->lost == 1700 && v->max == 900,
	   "snapshot: whom it cost, and how much");
	summary_free(&s);
	summary_free(&t);

	fill(&s);
	see_groups(&s, 4000, 2, "one", "no path", "(nonsense)", CAUSE_PT_SYNC, 0);
	see_groups(&s, 5000, 2, "one", too_long, "(ours)", CAUSE_PT_SYNC, 0);
	see_groups(&s, 5000, 2, "one", longest, too_long, CAUSE_PT_SYNC, 0);
	t.strings = &mine;
	wrong = told(&s, &t, &about);
	ok(!wrong && of_group(&t, longest) && of_group(&t, "") && !of_group(&t, "no path") &&
	   !of_group(&t, too_long) && t.nrows == 4 && t.nvictims == 1,
	   "snapshot: what is no path, or too long, is no group");
	summary_free(&s);
	summary_free(&t);
	ok(victims_of(true, UINT32_MAX) == 1 && !victims_of(true, 1ull << 32) &&
	   !victims_of(false, 1),
	   "snapshot: a time that is none, and nobody who waited, are left out");
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
	ok(t.irqs.n == 2 && same_irqs(&s, &t), "snapshot: devices, and where they may go");
	free(a);
	free(b);
	test_inherit(&s);
	test_groups();
	summary_free(&s);
	summary_free(&t);
	strtab_free(&theirs);
	strtab_free(&strings);
	strtab_free(&stacks);
}
