// SPDX-License-Identifier: GPL-2.0
/*
 * patch: kernel text that is patched on a running machine: tracers that come
 * and go (a tracepoint, a kprobe, the function tracer, a BPF program), static
 * keys switched through real knobs, and a module loaded and unloaded, if there
 * is one in MODULE. Every switch on or off is an operation. With --entry, a
 * tracepoint in entry code instead, of which every CPU has to hear at once.
 */
#define _GNU_SOURCE
#include "workload.h"
#include "workloads/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACING "/sys/kernel/tracing/"
#define EVENT TRACING "events/sched/sched_process_exec/"
#define ENTRY TRACING "events/exceptions/page_fault_user/"
#define MODULE "/lib/quell/patch.ko"

/* Each returns how often it patched. */

static unsigned long by_tracepoint(void)
{
	must_write(EVENT "enable", "1");
	must_write(EVENT "enable", "0");
	return 2;
}

static unsigned long by_kprobe(void)
{
	must_write(TRACING "kprobe_events", "p:quell/patch vfs_read");
	must_write(TRACING "events/quell/patch/enable", "1");
	must_write(TRACING "events/quell/patch/enable", "0");
	must_write(TRACING "kprobe_events", "-:quell/patch");
	return 2;
}

static unsigned long by_function_tracer(void)
{
	must_write(TRACING "set_ftrace_filter", "vfs_read");
	must_write(TRACING "current_tracer", "function");
	must_write(TRACING "current_tracer", "nop");
	return 2;
}

/* A program on a tracepoint, as a tracer made of BPF has them. */
static unsigned long by_bpf(void)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(event),
		.sample_period = 1, .disabled = 1,
	};
	int program = program_load(BPF_PROG_TYPE_TRACEPOINT), tracepoint;

	if (program < 0)
		die("cannot load a BPF program");
	event.config = (uint64_t)read_number(EVENT "id", 0);
	tracepoint = (int)syscall(__NR_perf_event_open, &event, getpid(), -1, -1,
				  PERF_FLAG_FD_CLOEXEC);
	if (tracepoint < 0 || ioctl(tracepoint, PERF_EVENT_IOC_SET_BPF, program) ||
	    ioctl(tracepoint, PERF_EVENT_IOC_ENABLE, 0))
		die("cannot attach a BPF program");
	close(tracepoint);
	close(program);
	return 2;
}

static unsigned long by_static_key(void)
{
	static const char *const knobs[] = {
		"/proc/sys/kernel/sched_schedstats", "/proc/sys/vm/numa_stat",
	};
	unsigned long switched = 0;
	union bpf_attr attr;
	int stats;

	for (size_t i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		long long was = read_number(knobs[i], -1);

		if (was < 0)
			continue; /* a kernel without */
		must_write(knobs[i], was ? "0" : "1");
		must_write(knobs[i], was ? "1" : "0");
		switched += 2;
	}
	/* How long BPF programs run is counted while this is open. */
	memset(&attr, 0, sizeof(attr));
	attr.enable_stats.type = BPF_STATS_RUN_TIME;
	stats = (int)syscall(__NR_bpf, BPF_ENABLE_STATS, &attr, sizeof(attr));
	if (stats < 0)
		die("cannot switch on the statistics of BPF programs");
	close(stats);
	return switched + 2;
}

static unsigned long by_module(void)
{
	int file = open(MODULE, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return 0; /* none was brought along */
	if (syscall(SYS_finit_module, file, "", 0))
		die("cannot load %s", MODULE);
	close(file);
	if (syscall(SYS_delete_module, "patch", O_NONBLOCK))
		die("cannot unload %s", MODULE);
	return 2;
}

static unsigned long by_entry_code(void)
{
	must_write(ENTRY "enable", "1");
	must_write(ENTRY "enable", "0");
	return 2;
}

static const struct {
	const char *name;
	unsigned long (*patch)(void);
} sources[] = {
	{ "tracepoint", by_tracepoint },
	{ "kprobe", by_kprobe },
	{ "function_tracer", by_function_tracer },
	{ "bpf", by_bpf },
	{ "static_key", by_static_key },
	{ "module", by_module },
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

int main(int argc, char **argv)
{
	long rounds = 8, only = 0, entry = 0;
	const struct number numbers[] = {
		{ "rounds", &rounds, "how often each source patches" },
		{ "only", &only, "the number of the one to use, from 1 (default: all)" },
		{ "entry", &entry, "1: a tracepoint in entry code instead" },
		{ NULL, NULL, NULL },
	};
	unsigned long by[SOURCES] = { 0 }, in_entry = 0, sum;
	uint64_t ns;

	parse_numbers(argc, argv, "Has kernel text patched.", numbers);
	if (access(TRACING "set_ftrace_filter", W_OK) || access(EVENT "enable", W_OK))
		unavailable("no-tracers");
	stay_on_housekeeping();
	/* The first of them makes the ring buffers grow, on each CPU. */
	for (size_t i = 0; i < SOURCES; i++)
		sources[i].patch();
	sleep_ms(100);
	window_open();
	for (long round = 0; round < rounds; round++) {
		if (entry)
			in_entry += by_entry_code();
		for (size_t i = 0; i < SOURCES; i++) {
			if (!entry && (!only || only == (long)i + 1))
				by[i] += sources[i].patch();
		}
	}
	ns = window_close();
	sum = in_entry;
	for (size_t i = 0; i < SOURCES; i++)
		sum += by[i];
	report(sum, ns, "tracepoints=%lu kprobes=%lu function_tracers=%lu bpf_programs=%lu "
	       "static_keys=%lu modules=%lu in_entry=%lu", by[0], by[1], by[2], by[3],
	       by[4], by[5], in_entry);
	return 0;
}
