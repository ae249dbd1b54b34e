// SPDX-License-Identifier: GPL-2.0
/*
 * churn: what isolated CPUs in user mode should feel nothing of. For a minute,
 * huge pages are collapsed, page tables unshared, vmalloc areas unmapped, BPF
 * programs and maps made and freed, kernel text patched (by tracers, static keys,
 * modules, livepatches), all at once on the housekeeping CPUs.
 *
 * An operation is one of any of them, and each has done some, or this fails;
 * but a kernel without huge pages (PREEMPT_RT has none) collapses nothing. Kernel
 * text is patched 200 times, however long that takes.
 * With numbers of runs it does that work and no other, however long it takes:
 * what another kernel has done in its minute.
 *
 * The machine has a BPF program before all that, as most have that were booted
 * by systemd: the 2 MiB that 7.x has for machine code of such programs come with
 * the first and go with the last. With --alone 1 there is none, so that they come
 * and go with each program of the work.
 */
#include <stdio.h>
#include <string.h>

#include "workloads/jobs.h"
#include "workloads/program.h"
#include "knobs.h"
#include "workload.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define BPF_JIT "/proc/sys/net/core/bpf_jit_enable"
#define SETTLE_MS 5000

static struct job jobs[] = {
	{ .line = { "collapse --mib 16" } },
	{ .line = { "unshare --rounds 16" } },
	/* In turns: whether there is a JIT is one setting for all. */
	{ .line = { "vunmap --rounds 16 --map-kib 1024",
		    "vunmap --rounds 16 --map-kib 1024 --jit 1" } },
	/* A livepatch that is left alone would have the kernel kick everybody. */
	{ .line = { "patch --rounds 4 --reverse 1" }, .least = 200 },
};

#define PATCH (&jobs[3])
#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

/* What an operation of each is called. */
static const char *const operation[JOBS] = {
	"collapses", "unshares", "vunmaps", "text_patches",
};

int main(int argc, char **argv)
{
	long seconds = 60, alone = 0, rounds[JOBS] = { 0 };
	struct number numbers[JOBS + 3] = {
		{ "seconds", &seconds, "how long" },
		{ "alone", &alone, "1: no BPF program but those of the work" },
	};
	struct job first = { .line = { "patch --rounds 0" }, .rounds = 1 };
	unsigned long sum = 0;
	char names[JOBS][32], text[512] = "";
	uint64_t ns;

	for (size_t i = 0; i < JOBS; i++) {
		job_name(&jobs[i], names[i], sizeof(names[i]));
		numbers[i + 2] = (struct number) {
			names[i], &rounds[i], "run it that often instead",
		};
	}
	parse_numbers(argc, argv, "Keeps the kernel's memory busy.", numbers);
	for (size_t i = 0; i < JOBS; i++)
		jobs[i].rounds = (unsigned long)rounds[i];
	/* Jobs borrow these and give back what they found: ours. */
	jobs[0].left_out = !borrow_knob(THP_ENABLED, "madvise");
	borrow_knob(HUGE_PAGES, "4");
	borrow_knob(BPF_JIT, "1");
	stay_on_housekeeping();
	/* Open until the end. */
	if (!alone && program_load(BPF_PROG_TYPE_SOCKET_FILTER) < 0)
		die("cannot load a BPF program");
	/* The first tracer makes the ring buffers grow, on each CPU. */
	jobs_run(&first, 1, 0);
	if (first.failures)
		die("kernel text cannot be patched");
	/* What a boot leaves for later, as the calibration of the TSC. */
	sleep_ms(SETTLE_MS);
	window_open();
	jobs_run(jobs, JOBS, seconds * 1000);
	ns = window_close();
	for (size_t i = 0; i < JOBS; i++) {
		size_t used = strlen(text);
		unsigned long ops;

		if (jobs[i].left_out)
			continue;
		ops = job_operations(&jobs[i]);
		sum += ops;
		if (jobs[i].failures || !ops)
			die("%s did nothing, or failed", names[i]);
		snprintf(text + used, sizeof(text) - used,
			 " %s=%lu %s_runs=%lu %s_ms=%lu", operation[i], ops,
			 names[i], jobs[i].runs, names[i], jobs[i].ms);
	}
	report(sum, ns, "%s modules=%lu livepatches=%lu", text + 1,
	       job_count(PATCH, "modules"), job_count(PATCH, "livepatches"));
	return 0;
}
