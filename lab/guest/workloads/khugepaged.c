// SPDX-License-Identifier: GPL-2.0
/*
 * khugepaged: the same collapses as `collapse` makes, but by the kernel's
 * daemon, whose mm is not the one it changes: no CPU that takes part in the
 * sync runs the process's code on the daemon's behalf.
 */
#define _GNU_SOURCE
#include "knobs.h"
#include "workload.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#define DAEMON "/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define PATIENCE_NS 20000000000ull

static unsigned long collapsed(void)
{
	return (unsigned long)read_number(DAEMON "pages_collapsed", 0);
}

int main(int argc, char **argv)
{
	long mib = 16, threads = 0;
	const struct number numbers[] = {
		{ "mib", &mib, "how much memory to have collapsed" },
		{ "threads", &threads, "siblings in user mode, if there are CPUs" },
		{ NULL, NULL, NULL },
	};
	unsigned long bytes, before, ops = 0, wanted;
	uint64_t ns, end;
	char *memory;

	parse_numbers(argc, argv,
		      "Lets khugepaged collapse this process's memory.",
		      numbers);
	bytes = (unsigned long)mib * MIB;
	wanted = bytes / HUGE_PAGE;
	if (!bytes || bytes % HUGE_PAGE)
		die("--mib wants an even number of MiB");
	base_pages_at_first();
	/* Everything in one pass, and the next pass at once. */
	if (!borrow_knob(DAEMON "pages_to_scan", "1000000") ||
	    !borrow_knob(DAEMON "alloc_sleep_millisecs", "1"))
		unavailable("no-khugepaged");
	stay_on_housekeeping();
	threads = start_spinners((unsigned int)threads);
	memory = map_aligned(bytes, HUGE_PAGE);
	touch(memory, bytes, (unsigned long)page_size());

	before = collapsed();
	window_open();
	if (madvise(memory, bytes, MADV_HUGEPAGE))
		die("MADV_HUGEPAGE");
	/* Also wakes it, should it sleep its usual ten seconds. */
	borrow_knob(DAEMON "scan_sleep_millisecs", "1");
	end = now_ns() + PATIENCE_NS;
	while (ops < wanted && now_ns() < end) {
		sleep_ms(5);
		ops = collapsed() - before;
	}
	ns = window_close();
	stop_siblings();
	if (ops < wanted)
		die("khugepaged collapsed %lu of %lu", ops, wanted);
	report(ops, ns, "threads=%ld", threads);
	return 0;
}
