// SPDX-License-Identifier: GPL-2.0
/*
 * locks: which locks a sync takes to find out whom to interrupt. By kprobes on
 * everything that takes a spinlock, between the beginning and the end of
 * tlb_remove_table_sync_mm() in this thread and not in an interrupt. A row for
 * each strategy, and one of a system call that takes two, of a task and of
 * another CPU's runqueue: what does not find these is blind.
 */
#define _GNU_SOURCE
#include "json.h"
#include "knobs.h"
#include "workload.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
#define GROUP "quell_locks"
#define DEBUG "/sys/kernel/debug/pt_sync/"
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static const char *const probes[] = {
	"p:" GROUP "/begin_sync tlb_remove_table_sync_mm",
	"r:" GROUP "/end_sync tlb_remove_table_sync_mm",
	"p:" GROUP "/begin_call sched_setaffinity",
	"r:" GROUP "/end_call sched_setaffinity",
	"p:" GROUP "/ask cpu_curr_has_mm",
	"p:" GROUP "/lock1 _raw_spin_lock from=$stack0:symbol",
	"p:" GROUP "/lock2 _raw_spin_lock_irq from=$stack0:symbol",
	"p:" GROUP "/lock3 _raw_spin_lock_irqsave from=$stack0:symbol",
	"p:" GROUP "/lock4 _raw_spin_lock_bh from=$stack0:symbol",
	"p:" GROUP "/lock5 _raw_spin_trylock from=$stack0:symbol",
};

struct count {
	long windows, asked, own, locks;
	char from[256];		/* whoever took them */
};

static void set_probes(void)
{
	char filter[64];

	must_write(TRACING "kprobe_events", "");
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++)
		must_write(TRACING "kprobe_events", probes[i]);
	snprintf(filter, sizeof(filter), "common_pid == %d", getpid());
	must_write(TRACING "events/" GROUP "/filter", filter);
}

/*
 * Where an interrupt ends it is none any more, and may set this CPU's timer or
 * schedule: these lock what is this CPU's.
 */
static void count_lock(const char *from, struct count *n)
{
	if (!from)
		die("a lock without its caller");
	from += strlen("from=");
	if (!strncmp(from, "__hrtimer_rearm_deferred+", 25) ||
	    !strncmp(from, "__schedule+", 11)) {
		n->own++;
		return;
	}
	n->locks++;
	if (strlen(n->from) < sizeof(n->from) - 64)
		sprintf(n->from + strlen(n->from), "%s%.40s",
			n->from[0] ? " " : "", from);
}

/* "NAME-PID [CPU] FLAGS SECONDS: EVENT: (...)" */
static void count_line(const char *line, bool *inside, struct count *n)
{
	const char *flags = strchr(line, ']'), *event;

	flags = flags ? flags + 2 : NULL;
	event = flags ? strstr(flags, ": ") : NULL;
	if (!event || strlen(flags) < 5)
		return;
	event += 2;
	if (strchr("hHsSzZ", flags[2]))
		return;
	if (!strncmp(event, "begin_", 6)) {
		n->windows++;
		*inside = true;
	} else if (!strncmp(event, "end_", 4)) {
		*inside = false;
	} else if (*inside && !strncmp(event, "ask:", 4)) {
		n->asked++;
	} else if (*inside && !strncmp(event, "lock", 4)) {
		count_lock(strstr(event, "from="), n);
	}
}

static void tell(const char *name)
{
	char *text = must_read(TRACING "trace"), *save, *line;
	struct count n = { 0 };
	bool inside = false;

	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line[0] != '#')
			count_line(line, &inside, &n);
	}
	free(text);
	json_begin();
	json_text("locks_of", name);
	json_number("cpus", sysconf(_SC_NPROCESSORS_ONLN));
	json_number("windows", n.windows);
	json_number("asked", n.asked);
	json_number("of_this_cpu", n.own);
	json_number("locks", n.locks);
	json_text("from", n.from);
	json_end();
}

static void observe(bool on)
{
	/* Opened so, it is cleared. */
	int trace = on ? open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC) : 0;

	if (trace < 0)
		die("cannot clear the trace");
	if (trace)
		close(trace);
	must_write(TRACING "events/" GROUP "/enable", on ? "1" : "0");
}

static void collapse(const char *strategy, char *memory, size_t bytes)
{
	if (!borrow_knob(DEBUG "strategy", strategy))
		die("no strategies here");
	sleep_ms(50);
	madvise(memory, bytes, MADV_DONTNEED);
	touch(memory, bytes, (unsigned long)page_size());
	observe(true);
	for (int i = 0; i < 100 && madvise(memory, bytes, MADV_COLLAPSE); i++)
		sleep_ms(10);
	observe(false);
	tell(strategy);
}

int main(int argc, char **argv)
{
	long mib = 8, threads = 4;
	const struct number numbers[] = {
		{ "mib", &mib, "how much memory to collapse" },
		{ "threads", &threads, "siblings in user mode, if there are CPUs" },
		{ NULL, NULL, NULL },
	};
	cpu_set_t one;
	size_t bytes;
	char *memory;
	pid_t busy;

	parse_numbers(argc, argv, "Counts the locks that syncs take.", numbers);
	bytes = (size_t)mib * MIB;
	base_pages_at_first();
	must_write(TRACING "buffer_size_kb", "512");
	set_probes();
	if (!borrow_knob(DEBUG "flush_backend", "silent"))
		die("this kernel has but one way to flush");
	stay_on_housekeeping();
	busy = keep_busy(1);
	CPU_ZERO(&one);
	CPU_SET(1, &one);
	sleep_ms(100);
	observe(true);
	if (sched_setaffinity(busy, sizeof(one), &one))
		die("sched_setaffinity");
	observe(false);
	tell("sched_setaffinity");
	kill(busy, SIGKILL);

	start_spinners((unsigned int)threads);
	memory = map_aligned(bytes, HUGE_PAGE);
	collapse("running", memory, bytes);
	collapse("auto", memory, bytes);
	collapse("rcu", memory, bytes);
	stop_siblings();
	must_write(TRACING "kprobe_events", "");
	return 0;
}
