// SPDX-License-Identifier: GPL-2.0
/*
 * collapse: asks the kernel to collapse memory into huge pages
 * (MADV_COLLAPSE), one operation per 2 MiB. Every one of them clears a PMD,
 * flushes, and then has to wait for lockless page-table walkers: one sync.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define RETRIES 100

int main(int argc, char **argv)
{
	long mib = 64, threads = 0, sleepers = 0, visited = 0;
	const struct number numbers[] = {
		{ "mib", &mib, "how much memory to collapse" },
		{ "threads", &threads, "siblings in user mode, if there are CPUs" },
		{ "sleepers", &sleepers, "siblings asleep, if there are CPUs" },
		{ "visited", &visited, "CPUs it was on, busy with others since" },
		{ NULL, NULL, NULL },
	};
	unsigned long bytes, retries = 0;
	uint64_t ns;
	char *memory;

	parse_numbers(argc, argv,
		      "Collapses memory with MADV_COLLAPSE, 2 MiB at a time.",
		      numbers);
	bytes = (unsigned long)mib * MIB;
	if (!bytes || bytes % HUGE_PAGE)
		die("--mib wants an even number of MiB");
	base_pages_at_first();
	stay_on_housekeeping();
	visited = visit_cpus((unsigned int)visited);
	threads = start_spinners((unsigned int)threads);
	sleepers = start_sleepers((unsigned int)sleepers);
	memory = map_aligned(bytes, HUGE_PAGE);
	touch(memory, bytes, (unsigned long)page_size());

	window_open();
	/*
	 * Succeeds only if every 2 MiB of it is collapsed. Under load a page
	 * may be held by somebody just then; a try that failed late has cost
	 * a sync without being an operation, so the row tells of it.
	 */
	while (madvise(memory, bytes, MADV_COLLAPSE)) {
		if ((errno != EAGAIN && errno != EBUSY) || retries++ == RETRIES)
			die("MADV_COLLAPSE of %ld MiB", mib);
		sleep_ms(1);
	}
	ns = window_close();
	stop_siblings();
	stop_strangers();
	report(bytes / HUGE_PAGE, ns,
	       "threads=%ld sleepers=%ld visited=%ld retries=%lu", threads,
	       sleepers, visited, retries);
	return 0;
}
