// SPDX-License-Identifier: GPL-2.0
/*
 * churn: what isolated CPUs in user mode should feel nothing of. For a minute,
 * huge pages are collapsed, page tables unshared, vmalloc areas unmapped, BPF
 * programs and maps made and freed, all at once on the housekeeping CPUs.
 *
 * An operation is one of any of them, and each has done some, or this fails.
 */
#include "jobs.h"
#include "knobs.h"
#include "workload.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define HUGE_PAGES "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define SETTLE_MS 5000

static struct job jobs[] = {
	{ .line = { "collapse --mib 16" } },
	{ .line = { "unshare --rounds 16" } },
	/* In turns: whether there is a JIT is one setting for all. */
	{ .line = { "vunmap --rounds 16 --map-kib 1024",
		    "vunmap --rounds 16 --map-kib 1024 --jit 1" } },
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))

int main(int argc, char **argv)
{
	long seconds = 60;
	const struct number numbers[] = {
		{ "seconds", &seconds, "how long" },
		{ NULL, NULL, NULL },
	};
	unsigned long ops[JOBS], sum = 0;
	uint64_t ns;

	parse_numbers(argc, argv, "Keeps the kernel's memory busy.", numbers);
	/* Jobs borrow these and give back what they found: ours. */
	borrow_knob(THP_ENABLED, "madvise");
	borrow_knob(HUGE_PAGES, "4");
	stay_on_housekeeping();
	/* What a boot leaves for later, as the calibration of the TSC. */
	sleep_ms(SETTLE_MS);
	window_open();
	jobs_run(jobs, JOBS, seconds * 1000);
	ns = window_close();
	for (size_t i = 0; i < JOBS; i++) {
		char name[32];

		job_name(&jobs[i], name, sizeof(name));
		ops[i] = job_operations(&jobs[i]);
		sum += ops[i];
		if (jobs[i].failures || !ops[i])
			die("%s did nothing, or failed", name);
	}
	report(sum, ns, "collapses=%lu unshares=%lu vunmaps=%lu", ops[0],
	       ops[1], ops[2]);
	return 0;
}
