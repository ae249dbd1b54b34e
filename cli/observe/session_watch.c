// SPDX-License-Identifier: GPL-2.0
/*
 * session_watch.c - once a second: is what we see what happens?
 *
 * Tracing belongs to everybody who is root. Another tool may switch our trace
 * off, change its events or empty its buffers, and silence would look like
 * peace. So the kernel's own count is asked all the time, and the instance
 * whether it still is as we left it. If not, another one is made: that patches
 * kernel text, as a start does, so it happens ever more rarely if it does not
 * help.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "observe/ksyms.h"
#include "quell.h"
#include "observe/session.h"

#define CHECK_NS	1000000000ull
#define MAX_PAUSE_NS	(64 * CHECK_NS)
#define MAX_STACKS	4096

void session_notice(struct session *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->notice, sizeof(s->notice), fmt, ap);
	va_end(ap);
	s->noticed = now_ns();
	summary_note(&s->sum, s->noticed - s->from, s->notice);
	if (s->writer && !rec_note(s->writer, s->noticed - s->from, s->notice))
		s->write_failed = true;
	if (s->tap.notice)
		s->tap.notice(s->tap.arg, s->noticed - s->from, s->notice);
	if (!s->on_screen)
		complain("%s", s->notice);
}

static void reopen(struct session *s, const char *what, uint64_t now)
{
	if (now < s->next_reopen)
		return;
	session_notice(s, "somebody else %s: what came since is missing; observing anew",
		       what);
	collect_reopen(s->collect, s->join, &s->sum.observed);
	session_ask_names(s);
	s->reopened++;
	s->reopen_pause = s->reopen_pause ? 2 * s->reopen_pause : CHECK_NS;
	if (s->reopen_pause > MAX_PAUSE_NS)
		s->reopen_pause = MAX_PAUSE_NS;
	s->next_reopen = now + s->reopen_pause;
}

/* A CPU that comes online is observed if all are; its sends are read anyway. */
static void look_for_cpus(struct session *s)
{
	char *text = slurp("/sys/devices/system/cpu/online"), *list;
	struct cpuset online, more;
	int cpu;

	if (!text || !cpulist_parse(text, &online, NULL)) {
		free(text);
		return;
	}
	free(text);
	more = online;
	cpuset_without(&more, &s->sum.online);
	if (!cpuset_count(&more))
		return;
	list = cpulist_format(&more);
	session_notice(s, "CPU %s came online and is %sobserved", list,
		       s->all_cpus ? "now " : "not ");
	free(list);
	cpuset_or(&s->sum.online, &online);
	if (s->all_cpus)
		cpuset_or(&s->sum.observed, &more);
	collect_observe(s->collect, &s->sum.observed);
	for_each_cpu_in(cpu, &more) {
		if (!s->all_cpus)
			break;
		join_observe(s->join, cpu);
		account_observe(s->account, cpu);
	}
	if (s->writer && !summary_sets_to_meta(&s->sum, s->writer))
		s->write_failed = true;
}

/* Whatever happens to us, the file holds what was seen up to now. */
static void write_sofar(struct session *s, uint64_t fed)
{
	struct rec_end e = { .lost = s->sum.lost,
			     .unaccounted = s->sum.unaccounted };

	/* Interrupts are handed out some time after they were fed. */
	if (!s->writer || fed < s->from + JOIN_SETTLE_NS)
		return;
	e.duration = fed - s->from - JOIN_SETTLE_NS;
	if (!rec_sofar(s->writer, &e))
		s->write_failed = true;
}

/* Who observes without end must not keep every way through the kernel ever taken. */
static void forget_stacks(struct session *s)
{
	if (s->stacks.n <= s->kept_stacks + MAX_STACKS)
		return;
	join_forget_stacks(s->join);
	if (s->writer && !rec_forget_stacks(s->writer))
		s->write_failed = true;
	if (s->tap.no_stacks)
		s->tap.no_stacks(s->tap.arg);
	summary_keep_stacks(&s->sum);
	s->kept_stacks = s->stacks.n;
}

void session_watch(struct session *s, uint64_t fed)
{
	uint64_t missing = account_advance(s->account, fed), now = now_ns();
	struct counters c;
	const char *what;

	if (missing) {
		s->sum.unaccounted = account_missing(s->account);
		session_notice(s, "%" PRIu64 " interrupts were counted by the kernel and not seen in the trace",
			       missing);
	}
	if (now < s->next_check)
		return;
	s->next_check = now + CHECK_NS;
	s->sum.lost = collect_lost(s->collect);
	if (s->names_doubted) {
		names_forget(s->names);
		session_ask_names(s);
		s->names_doubted = false;
	}
	names_sweep(s->names, s->kernels_proc, now);
	forget_stacks(s);
	if (ksyms_refresh())
		join_forget_symbols(s->join);
	look_for_cpus(s);
	what = collect_trouble(s->collect);
	if (what)
		reopen(s, what, now);
	if (counters_read(&c))
		account_reading(s->account, &c);
	write_sofar(s, fed);
}
