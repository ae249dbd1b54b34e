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

int main(int argc, char **argv)
{
	long mib = 64, threads = 0;
	const struct number numbers[] = {
		{ "mib", &mib, "how much memory to collapse" },
		{ "threads", &threads, "siblings spinning in user mode" },
		{ NULL, NULL, NULL },
	};
	unsigned long bytes, ops = 0;
	uint64_t ns;
	char *memory;

	parse_numbers(argc, argv,
		      "Collapses memory with MADV_COLLAPSE, 2 MiB at a time.",
		      numbers);
	bytes = (unsigned long)mib * MIB;
	if (!bytes || bytes % HUGE_PAGE)
		die("--mib wants an even number of MiB");
	only_base_pages();
	stay_on_housekeeping();
	start_spinners((unsigned int)threads);
	memory = map_aligned(bytes, HUGE_PAGE);
	touch(memory, bytes, (unsigned long)page_size());

	window_open();
	for (unsigned long i = 0; i < bytes; i += HUGE_PAGE) {
		if (madvise(memory + i, HUGE_PAGE, MADV_COLLAPSE))
			die("MADV_COLLAPSE failed after %lu of %lu", ops,
			    bytes / HUGE_PAGE);
		ops++;
	}
	ns = window_close();
	stop_spinners();
	report(ops, ns, "threads=%ld", threads);
	return 0;
}
