// SPDX-License-Identifier: GPL-2.0
/*
 * stress: everything at once. Removers and walkers over and over, while the
 * strategy is switched and CPUs come and go. Ends with one JSON line that says
 * how often each ran and how much it did; a single failure of any fails the
 * whole. The kernel's own complaints are for whoever reads its log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workloads/jobs.h"
#include "json.h"
#include "knobs.h"
#include "workload.h"

#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"

static struct job jobs[] = {
	{ .line = { "race --ms %ld" } },
	{ .line = { "switch --ms %ld" } },
	{ .line = { "collapse --mib 4" } },
	{ .line = { "khugepaged --mib 4" } },
	{ .line = { "unshare --rounds 8" } },
	{ .line = { "gup --mib 1 --pages 8" } },
	{ .line = { "munmap --rounds 20 --threads 1" } },
	{ .line = { "table-free --tables 8" } },
	{ .line = { "vunmap --rounds 2" } },
	{ .line = { "perf --ms 200" } },
	{ .line = { "patch --rounds 1" } },
	{ .line = { "hotplug --ms %ld" } },
};

#define JOBS (sizeof(jobs) / sizeof(jobs[0]))
#define PATCH (&jobs[JOBS - 2])
#define HOTPLUG (&jobs[JOBS - 1])

/*
 * The first and the last event of its kind patch the kernel's page-fault path
 * (a static key). QEMU 7.2 with a thread per CPU may go on running what stood
 * there before, and an int3 nobody expects any more kills the guest, ours or
 * a stock one. So one such event is kept for the duration, and `perf` finds
 * the path patched already. A kernel without perf has nothing to patch.
 * For the same reason tracers and static keys come and go only with --patch 1.
 */
static void keep_fault_events_on(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS_MIN,
		.disabled = 1,
	};

	if (syscall(__NR_perf_event_open, &attr, 0, -1, -1,
		    PERF_FLAG_FD_CLOEXEC) < 0)
		errno = 0;
}

int main(int argc, char **argv)
{
	long ms = 10000, hotplug = 1, patch = 0;
	const struct number numbers[] = {
		{ "ms", &ms, "how long" },
		{ "hotplug", &hotplug, "0: leave the CPUs alone" },
		{ "patch", &patch, "1: kernel text is patched as well; not with a thread per CPU" },
		{ NULL, NULL, NULL },
	};
	unsigned long runs = 0, failures = 0;
	uint64_t begin;
	char name[32];

	parse_numbers(argc, argv,
		      "Runs all removers, walkers, switches and hotplug.",
		      numbers);
	/*
	 * Jobs borrow this and give back what they found: here already, so
	 * that none gives back too much while others still need it.
	 */
	borrow_knob(THP_ENABLED, "madvise");
	stay_on_housekeeping();
	keep_fault_events_on();
	HOTPLUG->left_out = !hotplug;
	PATCH->left_out = !patch;
	begin = now_ns();
	jobs_run(jobs, JOBS, ms);

	json_begin();
	json_text("stress", "all");
	json_number("ns", (int64_t)(now_ns() - begin));
	for (size_t i = 0; i < JOBS; i++) {
		if (!jobs[i].runs)
			continue;
		job_name(&jobs[i], name, sizeof(name));
		json_open(name);
		json_number("runs", (int64_t)jobs[i].runs);
		json_number("ops", (int64_t)job_operations(&jobs[i]));
		json_close();
		runs += jobs[i].runs;
		failures += jobs[i].failures;
	}
	json_number("runs", (int64_t)runs);
	json_number("failures", (int64_t)failures);
	json_end();
	return failures ? 1 : 0;
}
