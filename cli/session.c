// SPDX-License-Identifier: GPL-2.0
/*
 * session.c - observing the running kernel.
 *
 * The window lies between two readings of /proc/interrupts, with margins that
 * the trace covers too:
 *
 *      events on | reading 1 | margin | WINDOW | margin | reading 2 | events off
 *
 * Switching events patches kernel text, which interrupts every CPU; that lies
 * outside. What is traced in the margins is the slack of the comparison.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "instance.h"
#include "ksyms.h"
#include "quell.h"
#include "session.h"

#define MARGIN_MS	30u
#define MARGIN_NS	(MARGIN_MS * 1000000ull)

void pause_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&ts, NULL);
}

void choose_cpus(const struct system *sys, const char *text, struct cpuset *out)
{
	struct cpuset off;
	const char *why;
	char *list;

	if (!text) {
		*out = sys->quiet;
		cpuset_and(out, &sys->online);
		if (!cpuset_count(out))
			*out = sys->online;
		return;
	}
	if (!strcmp(text, "all")) {
		*out = sys->online;
		return;
	}
	if (!cpulist_parse(text, out, &why))
		die(EXIT_USAGE, "\"%s\" is no list of CPUs: %s", text, why);
	if (!cpuset_count(out))
		die(EXIT_USAGE, "the list of CPUs is empty");
	off = *out;
	cpuset_without(&off, &sys->online);
	if (cpuset_count(&off)) {
		list = cpulist_format(&off);
		die(EXIT_USAGE, "CPU %s is not online", list);
	}
}

/* Stay off the CPUs that are to be left alone. */
static void move_away(const struct system *sys, const struct cpuset *observed)
{
	struct cpuset here = sys->online;
	cpu_set_t *set = CPU_ALLOC(MAX_CPUS);
	size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
	int cpu;

	cpuset_without(&here, &sys->quiet);
	if (cpuset_count(&here) > 1) {
		struct cpuset better = here;

		cpuset_without(&better, observed);
		if (cpuset_count(&better))
			here = better;
	}
	if (set && cpuset_count(&here)) {
		CPU_ZERO_S(size, set);
		for_each_cpu_in(cpu, &here)
			CPU_SET_S(cpu, size, set);
		/* If a cpuset forbids it, where we are has to do. */
		sched_setaffinity(0, size, set);
	}
	CPU_FREE(set);
}

/* ---- what the join engine asks and tells -------------------------------- */

static const char *symbol(void *arg, uint64_t addr)
{
	(void)arg;
	return ksyms_name(addr);
}

/*
 * A task that ended before its event was read: tracing keeps the names of the
 * tasks it saw. The caller frees it; NULL if that is over too.
 */
static char *saved_name(int32_t pid)
{
	static uint64_t read_at;
	static char *text;
	char *line, *end, *name = NULL;
	long saved;

	if (!text || now_ns() - read_at > 100000000ull) {
		free(text);
		text = tracefs_instance_file_read(NULL, "saved_cmdlines", NULL);
		read_at = now_ns();
	}
	for (line = text; line && *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		saved = strtol(line, &line, 10);
		if (saved == pid && *line == ' ') {
			name = xasprintf("%.*s", (int)(end - line - 1), line + 1);
			break;
		}
	}
	return name;
}

static uint32_t comm(void *arg, int32_t pid)
{
	static struct { int32_t pid; uint32_t id; uint64_t when; } cache[1024];
	size_t i = (uint32_t)pid % ARRAY_SIZE(cache);
	struct session *s = arg;
	uint64_t now;
	char path[32], *name;

	if (!pid)
		return strtab_str(&s->strings, "idle");
	now = now_ns();
	if (cache[i].pid == pid && now - cache[i].when < 1000000000ull)
		return cache[i].id;
	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	name = slurp(path);
	if (!name && cache[i].pid == pid)
		return cache[i].id;	/* it has just ended */
	if (!name)
		name = saved_name(pid);
	if (!name)
		name = xasprintf("<%d>", pid);
	/* What a worker is at changes all the time; the stack tells it. */
	if (!strncmp(name, "kworker/", 8))
		name[7] = '\0';
	cache[i].pid = pid;
	cache[i].when = now;
	cache[i].id = strtab_str(&s->strings, name);
	free(name);
	return cache[i].id;
}

static void on_send(void *arg, const struct send *x)
{
	struct session *s = arg;
	struct send rel = *x;

	rel.ts -= s->from;
	/* Numbers must have no gaps: what lies outside is kept, as before it. */
	if (s->to && x->ts >= s->to)
		rel.ts = (uint64_t)-1;
	if (s->writer && !rec_send(s->writer, &rel))
		s->write_failed = true;
	if (!s->no_rows)
		summary_send(&s->sum, &rel);
}

/* Where the count for row @row of @first and @cpu is kept. */
static uint64_t *tally(const struct session *s, uint64_t *counts, size_t row,
		       int cpu)
{
	for (size_t k = 0; k < s->first.ncpus; k++)
		if (s->first.cpu[k] == cpu)
			return &counts[row * s->first.ncpus + k];
	return NULL;
}

static size_t find_row(const struct session *s, const char *label)
{
	for (size_t i = 0; i < s->first.nrows; i++)
		if (!strcmp(s->first.row[i].label, label))
			return i;
	return SIZE_MAX;
}

static void count(struct session *s, const struct receipt *r, bool in_window)
{
	/* There are few kinds and many interrupts: each kind is looked up once. */
	static struct { uint32_t name; uint8_t vec; bool known; size_t row; } kinds[256];
	size_t k = (r->name * NR_VECS + r->vec) % ARRAY_SIZE(kinds);
	uint64_t *n;

	if (!kinds[k].known || kinds[k].name != r->name || kinds[k].vec != r->vec) {
		kinds[k].name = r->name;
		kinds[k].vec = r->vec;
		kinds[k].known = true;
		kinds[k].row = find_row(s, counters_label(&s->first, r->vec,
						strtab_get(&s->strings, r->name)));
	}
	if (kinds[k].row == SIZE_MAX)
		return;
	n = tally(s, in_window ? s->inside : s->slack, kinds[k].row, r->cpu);
	if (n)
		++*n;
}

static void on_receipt(void *arg, const struct receipt *r)
{
	struct session *s = arg;
	bool in_window = r->ts >= s->from && (!s->to || r->ts < s->to);
	struct receipt rel = *r;
	struct send from, *f = NULL;

	if (r->kind == RECEIPT_IRQ)
		count(s, r, in_window);
	if (!in_window)
		return;
	rel.ts -= s->from;
	if (r->from) {
		from = *r->from;
		from.ts -= s->from;
		f = &from;
	}
	if (s->writer && !rec_receipt(s->writer, &rel))
		s->write_failed = true;
	if (!s->no_rows)
		summary_receipt(&s->sum, &rel, f);
}

static const struct join_ops ops = {
	.send = on_send, .receipt = on_receipt, .symbol = symbol, .comm = comm,
	.has_symbol = ksyms_has,
};

/* ---- the window --------------------------------------------------------- */

void session_open(struct session *s, const struct session_options *o)
{
	struct cpuset observed;
	time_t now = time(NULL);
	char started[32];

	instance_tracing_dir();		/* the plainest complaint comes first */
	system_read(&s->sys);
	choose_cpus(&s->sys, o->cpus, &observed);
	move_away(&s->sys, &observed);
	/* khugepaged collapsing our memory would interrupt every CPU. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (!ksyms_load("/proc/kallsyms"))
		die(EXIT_KERNEL, "/proc/kallsyms shows no addresses (CONFIG_KALLSYMS, kptr_restrict)");
	summary_init(&s->sum, &s->strings, &s->stacks);
	summary_system(&s->sum, &s->sys, &observed);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	s->sum.started = xstrdup(started);

	s->collect = collect_new(&observed, o->buffer_kb, &s->strings);
	s->sum.has_csd = collect_has_csd(s->collect);
	s->sum.has_stacks = collect_has_stacks(s->collect);
	if (!s->sum.has_csd)
		complain("this kernel has no csd events (Linux 6.5): functions are told by the sender's stack alone");
	s->join = join_new(&ops, s, &observed, &s->strings, &s->stacks);
	if (collect_one_call_vector(s->collect))
		join_one_call_vector(s->join);

	collect_start(s->collect);
	pause_ms(MARGIN_MS);
	if (!counters_read(&s->first))
		die(EXIT_KERNEL, "/proc/interrupts cannot be read");
	s->inside = xcalloc(s->first.nrows * s->first.ncpus, sizeof(*s->inside));
	s->slack = xcalloc(s->first.nrows * s->first.ncpus, sizeof(*s->slack));
	pause_ms(MARGIN_MS);
	s->from = now_ns();
	join_window(s->join, s->first.began - MARGIN_NS, UINT64_MAX);
}

void session_poll(struct session *s)
{
	collect_poll(s->collect, s->join, false);
}

static void compare(struct session *s)
{
	struct agreement *a;
	size_t n, i, row;

	n = counters_diff(&s->first, &s->last, &s->sum.observed, &a);
	for (i = 0; i < n; i++) {
		row = find_row(s, a[i].label);
		if (row != SIZE_MAX && tally(s, s->inside, row, a[i].cpu)) {
			a[i].counted = *tally(s, s->inside, row, a[i].cpu);
			a[i].slack = *tally(s, s->slack, row, a[i].cpu);
		}
		summary_agreement(&s->sum, &a[i]);
		if (s->writer && !rec_agreement(s->writer, &a[i]))
			s->write_failed = true;
	}
	free(a);
}

/* What quell's own kernel counted in the meantime. */
static void compare_syncs(struct session *s)
{
	struct system after;
	char *line;

	system_read(&after);
	for (int i = 0; i < after.nrows; i++) {
		struct pt_sync_row *b = &after.row[i], *a = &s->sys.row[i];

		if (i >= s->sys.nrows || strcmp(a->strategy, b->strategy) ||
		    b->syncs < a->syncs || b->syncs == a->syncs)
			continue;
		line = xasprintf("%s %llu %llu %llu %llu", b->strategy,
				 b->syncs - a->syncs, b->receipts - a->receipts,
				 b->broadcasts - a->broadcasts,
				 b->interrupted - a->interrupted);
		summary_meta(&s->sum, "sync", line);
		if (s->writer)
			rec_meta(s->writer, "sync", line);
		free(line);
	}
	if (after.deferral && after.flush_deferred >= s->sys.flush_deferred &&
	    after.flush_interrupted >= s->sys.flush_interrupted) {
		line = xasprintf("%llu %llu",
				 after.flush_deferred - s->sys.flush_deferred,
				 after.flush_interrupted - s->sys.flush_interrupted);
		summary_meta(&s->sum, "kernel_flush", line);
		if (s->writer)
			rec_meta(s->writer, "kernel_flush", line);
		free(line);
	}
	system_free(&after);
}

void session_close(struct session *s)
{
	s->to = now_ns();
	s->sum.duration = s->to - s->from;
	pause_ms(MARGIN_MS);
	if (!counters_read(&s->last))
		die(EXIT_KERNEL, "/proc/interrupts cannot be read");
	pause_ms(MARGIN_MS);
	collect_stop(s->collect);
	join_window(s->join, s->first.began - MARGIN_NS, s->last.ended + MARGIN_NS);
	collect_poll(s->collect, s->join, true);
	s->sum.lost = collect_lost(s->collect);
	join_finish(s->join);
	s->sum.expired = join_expired(s->join);
	compare(s);
	compare_syncs(s);
}

void session_free(struct session *s)
{
	collect_free(s->collect);
	join_free(s->join);
	counters_free(&s->first);
	counters_free(&s->last);
	summary_free(&s->sum);
	system_free(&s->sys);
	strtab_free(&s->strings);
	strtab_free(&s->stacks);
	free(s->inside);
	free(s->slack);
	ksyms_free();
}
