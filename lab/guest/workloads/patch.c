// SPDX-License-Identifier: GPL-2.0
/*
 * patch: kernel text that is patched on a running machine: tracers that come
 * and go (a tracepoint, a kprobe, the function tracer, a BPF program), static
 * keys switched through real knobs, and a module and a livepatch loaded and
 * unloaded, if there is one in MODULE or LIVEPATCH. Every switch on or off is an
 * operation. With --entry, a tracepoint in entry code instead, of which every CPU
 * has to hear at once. What quell's kernel counted is told next to it.
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
/* In entry code: of x86, and of any kernel that tracks context. */
#define FAULT TRACING "events/exceptions/page_fault_user/enable"
#define EXIT TRACING "events/context_tracking/user_exit/enable"
#define MODULE "/lib/quell/patch.ko"
/* The kernel's sample. */
#define LIVEPATCH "/lib/quell/livepatch-sample.ko"
#define LIVEPATCHED "/sys/kernel/livepatch/livepatch_sample/"
#define COUNTERS "/sys/kernel/debug/pt_sync/text_sync"

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

/* False if none was brought along. */
static bool load(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return false;
	if (syscall(SYS_finit_module, file, "", 0))
		die("cannot load %s", path);
	close(file);
	return true;
}

static unsigned long by_module(void)
{
	if (!load(MODULE))
		return 0;
	if (syscall(SYS_delete_module, "patch", O_NONBLOCK))
		die("cannot unload %s", MODULE);
	return 2;
}

/*
 * Tasks that never leave user mode are what a transition waits for, until the
 * kernel sends them something after 15 seconds; half a minute for a round. With
 * this it is taken back while it waits, which ends without them.
 */
static long reverse;

static void end_transition(void)
{
	while (read_number(LIVEPATCHED "transition", 0))
		sleep_ms(100);
}

static unsigned long by_livepatch(void)
{
	if (!load(LIVEPATCH))
		return 0;
	if (!reverse)
		end_transition();
	must_write(LIVEPATCHED "enabled", "0");
	end_transition();
	/* The transition's end gives the module back a moment later. */
	while (syscall(SYS_delete_module, "livepatch_sample", O_NONBLOCK)) {
		if (errno != EAGAIN && errno != EBUSY)
			die("cannot unload %s", LIVEPATCH);
		sleep_ms(10);
	}
	return 2;
}

static unsigned long by_entry_code(void)
{
	const char *event = access(FAULT, W_OK) ? EXIT : FAULT;

	must_write(event, "1");
	must_write(event, "0");
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
	{ "livepatch", by_livepatch },
};

#define SOURCES (sizeof(sources) / sizeof(sources[0]))

/* Of quell's kernel; 0 in others. */
static long counted(const char *name)
{
	char *text = read_file(COUNTERS), *at = text;
	size_t length = strlen(name);
	long value = 0;

	for (; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, length) && at[length] == ' ')
			value = atol(at + length);
	}
	free(text);
	return value;
}

int main(int argc, char **argv)
{
	long batches, interrupted, deferred;
	long rounds = 8, only = 0, entry = 0, off = 0;
	const struct number numbers[] = {
		{ "rounds", &rounds, "how often each source patches" },
		{ "only", &only, "the number of the one to use, from 1 (default: all)" },
		{ "entry", &entry, "1: a tracepoint in entry code instead" },
		{ "reverse", &reverse, "1: take a livepatch back at once" },
		{ "off", &off, "1: quell's kernel interrupts all CPUs, as others do" },
		{ NULL, NULL, NULL },
	};
	unsigned long by[SOURCES] = { 0 }, in_entry = 0, sum;
	uint64_t ns;

	parse_numbers(argc, argv, "Has kernel text patched.", numbers);
	if (access(TRACING "set_ftrace_filter", W_OK) || access(EVENT "enable", W_OK))
		unavailable("no-tracers");
	stay_on_housekeeping();
	/* The first of them makes the ring buffers grow, on each CPU. */
	for (size_t i = 0; i < SOURCES; i++) {
		if (only ? only == (long)i + 1 : sources[i].patch != by_livepatch)
			sources[i].patch();
	}
	sleep_ms(100);
	if (off)
		must_write(COUNTERS, "off");
	batches = counted("batches");
	interrupted = counted("interrupted");
	deferred = counted("deferred");
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
	if (off)
		must_write(COUNTERS, "on");
	sum = in_entry;
	for (size_t i = 0; i < SOURCES; i++)
		sum += by[i];
	report(sum, ns, "tracepoints=%lu kprobes=%lu function_tracers=%lu bpf_programs=%lu "
	       "static_keys=%lu modules=%lu livepatches=%lu in_entry=%lu text_batches=%ld "
	       "text_interrupted=%ld text_deferred=%ld text_synced=%ld",
	       by[0], by[1], by[2], by[3], by[4], by[5], by[6], in_entry,
	       counted("batches") - batches, counted("interrupted") - interrupted,
	       counted("deferred") - deferred, counted("synced_at_entry"));
	return 0;
}
