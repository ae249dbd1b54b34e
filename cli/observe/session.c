// SPDX-License-Identifier: GPL-2.0
/*
 * session.c - observing the running kernel.
 *
 * The window lies between two readings of /proc/interrupts, and the trace covers
 * more on both sides:
 *
 *      events on | margin | reading 1 | WINDOW | reading 2 | margin | events off
 *
 * Switching events patches kernel text, which interrupts every CPU; that lies
 * outside. In the margins lies what was sent before and ends after the window.
 * What falls into the readings themselves is the slack of the comparison, and
 * there are more readings in between; see account.c.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "cgroup.h"
#include "observe/instance.h"
#include "observe/ksyms.h"
#include "quell.h"
#include "observe/session.h"

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

static uint32_t comm(void *arg, int32_t pid)
{
	return session_name(arg, pid);
}

static uint32_t cgroup(void *arg, int32_t pid)
{
	return session_cgroup(arg, pid);
}

static bool kthread(void *arg, int32_t pid)
{
	struct session *s = arg;

	return s->kernels_proc && session_kthread(pid);
}

static void on_task(void *arg, int32_t pid, const char name[COMM_LEN])
{
	struct session *s = arg;

	names_set(s->names, pid, name);
	names_moved(s->names, pid);
}

static void on_lost(void *arg, unsigned int cpu, uint64_t ts)
{
	struct session *s = arg;

	(void)cpu;
	(void)ts;
	s->names_doubted = true;
}

static void on_irq(void *arg, const struct receipt *r)
{
	struct session *s = arg;

	account_irq(s->account, r, strtab_get(&s->strings, r->name));
}

static void on_send(void *arg, struct send *x)
{
	struct session *s = arg;
	struct send rel = *x;

	rel.ts -= s->from;
	/* What lies behind the window has nothing in it to explain. */
	if ((s->to && x->ts >= s->to) || !owner_sent(&s->only, &s->strings, x))
		return;
	if (s->writer && !rec_send(s->writer, &rel))
		s->write_failed = true;
	x->rec_id = rel.rec_id;
	x->rec_part = rel.rec_part;
	if (!s->no_rows)
		summary_send(&s->sum, &rel);
	if (s->tap.send)
		s->tap.send(s->tap.arg, &rel);
}

static void on_receipt(void *arg, const struct receipt *r)
{
	struct session *s = arg;
	struct receipt rel = *r;
	struct send from, *f = NULL;

	if (r->ts < s->from || (s->to && r->ts >= s->to) ||
	    !owner_received(&s->only, &s->strings, r, r->from))
		return;
	rel.ts -= s->from;
	if (r->from) {
		from = *r->from;
		from.ts -= s->from;
		f = &from;
	}
	if (s->writer && !rec_receipt(s->writer, &rel, f))
		s->write_failed = true;
	if (s->writer && f) {
		r->from->rec_id = from.rec_id;
		r->from->rec_part = from.rec_part;
	}
	if (!s->no_rows)
		summary_receipt(&s->sum, &rel, f);
	if (s->tap.receipt)
		s->tap.receipt(s->tap.arg, &rel, f);
}

static void on_mark(void *arg, uint64_t ts, const char *text)
{
	struct session *s = arg;

	if (s->tap.mark && ts >= s->from)
		s->tap.mark(s->tap.arg, ts - s->from, text);
}

static const struct join_ops ops = {
	.send = on_send, .receipt = on_receipt, .symbol = symbol, .comm = comm,
	.cgroup = cgroup, .has_symbol = ksyms_has, .kthread = kthread, .irq = on_irq, .task = on_task,
	.lost = on_lost, .mark = on_mark,
};

/* ---- the window --------------------------------------------------------- */

static void note_clock(struct session *s, const char *key, clockid_t clock,
		       uint64_t began)
{
	struct timespec ts;
	int64_t ns, since;

	/* As it was when what is described began. */
	clock_gettime(clock, &ts);
	since = now_ns() - s->from - began;
	ns = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec - since;
	snprintf(s->clock[s->nclocks].value, sizeof(s->clock->value), "%lld",
		 (long long)ns);
	s->clock[s->nclocks++].key = key;
}

static void note_clocks(struct session *s, uint64_t began)
{
	s->nclocks = 0;
	note_clock(s, "boot_ns", CLOCK_BOOTTIME, began);
	note_clock(s, "mono_ns", CLOCK_MONOTONIC, began);
	note_clock(s, "wall_ns", CLOCK_REALTIME, began);
}

void session_describe(struct session *s, struct rec_writer *w, uint64_t began)
{
	char *boot = slurp("/proc/sys/kernel/random/boot_id");

	summary_to_meta(&s->sum, w);
	note_clocks(s, began);
	for (size_t i = 0; i < s->nclocks; i++)
		rec_meta(w, s->clock[i].key, s->clock[i].value);
	if (boot)
		rec_meta(w, "boot_id", boot);
	free(boot);
	rec_flush(w);
}

void session_to_record(struct session *s)
{
	session_describe(s, s->writer, 0);
}

/* Of the kernel command line: "" if it is not there. The caller frees it. */
static char *parameter(const char *key)
{
	char *line = slurp("/proc/cmdline"), *save = NULL, *word, *value = xstrdup("");
	size_t n = strlen(key);

	for (word = line ? strtok_r(line, " ", &save) : NULL; word; word = strtok_r(NULL, " ", &save)) {
		if (strncmp(word, key, n) || word[n] != '=')
			continue;
		free(value);
		value = xstrdup(word + n + 1);
	}
	free(line);
	return value;
}

void session_open(struct session *s, const struct session_options *o)
{
	struct cpuset observed;
	struct counters first;
	time_t now = time(NULL);
	char started[32];

	s->what = o->what ? what_parse(o->what) : WHAT_IPI;
	if (!s->what)
		die(EXIT_USAGE, "\"%s\" is no list of ipi, timer, softirq, irq, sched and all",
		    o->what);
	owner_check(&s->only);
	s->whole_paths = cgroup_whole();
	instance_tracing_dir();		/* the plainest complaint comes first */
	system_read(&s->sys);
	choose_cpus(&s->sys, o->cpus, &observed);
	s->all_cpus = o->cpus ? !strcmp(o->cpus, "all") :
				!cpuset_count(&s->sys.quiet);
	move_away(&s->sys, &observed);
	/* khugepaged collapsing our memory would interrupt every CPU. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	if (!ksyms_load("/proc/kallsyms", "/proc/modules"))
		die(EXIT_KERNEL, "/proc/kallsyms shows no addresses (CONFIG_KALLSYMS, kptr_restrict)");
	summary_init(&s->sum, &s->strings, &s->stacks);
	summary_system(&s->sum, &s->sys, &observed);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	s->sum.started = xstrdup(started);
	s->sum.only = owner_text(&s->only);
	s->sum.isolcpus = parameter("isolcpus");
	irqs_read(&s->sum.irqs, "", &observed);

	s->collect = collect_new(&observed, o->buffer_kb, s->what, &s->strings);
	s->sum.what = what_format(s->what);
	if (s->tap.mark)
		collect_want_marks(s->collect);
	s->sum.has_csd = collect_has_csd(s->collect);
	s->sum.has_stacks = collect_has_stacks(s->collect);
	if (collect_degraded(s->collect))
		complain("%s", collect_degraded(s->collect));
	else if (!s->sum.has_csd)
		complain("degraded: this kernel has no csd events (Linux 6.5): functions are told by the sender's stack alone");
	s->join = join_new(&ops, s, &observed, &s->strings, &s->stacks);
	if (collect_one_call_vector(s->collect))
		join_one_call_vector(s->join);
	if (s->what & ~WHAT_IPI)
		join_timed(s->join);
	if (collect_lacks(s->collect))
		complain("degraded: this kernel has no event %s: what it would tell stays unknown",
			 collect_lacks(s->collect));

	collect_start(s->collect);
	session_ask_names(s);
	pause_ms(MARGIN_MS);
	if (!counters_read(&first))
		die(EXIT_KERNEL, "/proc/interrupts cannot be read");
	s->from = first.ended;
	join_window(s->join, first.began - MARGIN_NS, UINT64_MAX);
	s->account = account_new(&first, &observed);
	s->next_check = s->from;
}

void session_poll(struct session *s)
{
	session_watch(s, collect_poll(s->collect, s->join, false));
}

unsigned int session_pause(const struct session *s)
{
	return collect_busy(s->collect) ? 5 : 50;
}

static void compare(struct session *s)
{
	struct agreement *a;
	size_t n, i;

	account_advance(s->account, UINT64_MAX);
	s->sum.unaccounted = account_missing(s->account);
	n = account_agreements(s->account, &a);
	for (i = 0; i < n; i++) {
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
	if (after.kernel_flush && after.flush_deferred >= s->sys.flush_deferred &&
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

/* Of a filter: what it left out because nobody knows. */
static void tell_unknown(struct session *s)
{
	char *line;

	s->sum.only_unknown = s->only.unknown;
	if (!s->only.unknown || !s->writer)
		return;
	line = xasprintf("%llu", (unsigned long long)s->only.unknown);
	rec_meta(s->writer, "only_unknown", line);
	free(line);
}

void session_close(struct session *s)
{
	struct counters last;

	if (!counters_read(&last))
		die(EXIT_KERNEL, "/proc/interrupts cannot be read");
	s->to = last.began;
	s->sum.duration = s->to - s->from;
	join_window(s->join, s->from - MARGIN_NS, last.ended + MARGIN_NS);
	account_reading(s->account, &last);
	pause_ms(MARGIN_MS);
	collect_stop(s->collect);
	collect_poll(s->collect, s->join, true);
	s->sum.lost = collect_lost(s->collect);
	join_finish(s->join);
	s->sum.expired = join_expired(s->join);
	compare(s);
	compare_syncs(s);
	tell_unknown(s);
}

void session_free(struct session *s)
{
	collect_free(s->collect);
	join_free(s->join);
	account_free(s->account);
	names_free(s->names);
	summary_free(&s->sum);
	system_free(&s->sys);
	strtab_free(&s->strings);
	strtab_free(&s->stacks);
	names_free(s->saved);
	owner_free(&s->only);
	ksyms_free();
}
