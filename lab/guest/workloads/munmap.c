// SPDX-License-Identifier: GPL-2.0
/*
 * munmap: the ordinary TLB shootdown. Maps, touches and unmaps a little
 * memory while siblings run in user mode. quell must change nothing here:
 * neither the flushes nor their number, and there is no sync to save.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <stddef.h>
#include <sys/mman.h>

int main(int argc, char **argv)
{
	long rounds = 50, pages = 4, threads = 8;
	const struct number numbers[] = {
		{ "rounds", &rounds, "how often" },
		{ "pages", &pages, "how many pages each time" },
		{ "threads", &threads, "siblings in user mode, if there are CPUs" },
		{ NULL, NULL, NULL },
	};
	unsigned long bytes;
	uint64_t ns;

	parse_numbers(argc, argv,
		      "Maps, touches and unmaps memory siblings could see.",
		      numbers);
	bytes = (unsigned long)pages * (unsigned long)page_size();
	stay_on_housekeeping();
	threads = start_spinners((unsigned int)threads);

	window_open();
	for (long i = 0; i < rounds; i++) {
		char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			die("mmap");
		touch(memory, bytes, (unsigned long)page_size());
		if (munmap(memory, bytes))
			die("munmap");
	}
	ns = window_close();
	stop_siblings();
	report((unsigned long)rounds, ns, "threads=%ld", threads);
	return 0;
}
