// SPDX-License-Identifier: GPL-2.0
/*
 * table-free: frees page tables while the page that would batch them cannot
 * be allocated. tlb_remove_table() then frees each table by itself: on 6.12
 * after a sync, on 7.x after a grace period.
 *
 * The failure is injected (fail_page_alloc) for this task only and into
 * nothing but that allocation:
 *  - only allocations that may not reclaim fail (ignore-gfp-wait), which in
 *    munmap() are that page and the one that batches data pages;
 *  - there are no data pages: every table is made by touching a page which is
 *    then dropped again, page by page, because dropping 2 MiB at once makes
 *    new kernels reclaim the table right there.
 * How many failures were injected the kernel says itself: "times" counts them
 * down. A kernel that frees its tables like data pages (6.12 on x86 does,
 * unless a hypervisor flushes for it) fails only once per eight of them: that
 * is not this fallback, and is reported as such.
 */
#define _GNU_SOURCE
#include "knobs.h"
#include "workload.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>

#define FAULT "/sys/kernel/debug/fail_page_alloc/"
#define PLENTY 1000000
#define PLENTY_TEXT "1000000"

static void arm(void)
{
	if (!borrow_knob(FAULT "task-filter", "Y"))
		unavailable("no-fail_page_alloc");
	borrow_knob(FAULT "ignore-gfp-wait", "Y");
	borrow_knob(FAULT "min-order", "0");
	borrow_knob(FAULT "verbose", "0");
	borrow_knob(FAULT "interval", "1");
	borrow_knob(FAULT "space", "0");
	borrow_knob(FAULT "times", PLENTY_TEXT);
	borrow_knob(FAULT "probability", "100");
}

int main(int argc, char **argv)
{
	long tables = 32;
	const struct number numbers[] = {
		{ "tables", &tables, "how many page tables to free" },
		{ NULL, NULL, NULL },
	};
	unsigned long bytes, page = (unsigned long)page_size();
	long long injected;
	uint64_t ns;
	char *memory;

	parse_numbers(argc, argv,
		      "Frees page tables whose batch cannot be allocated.",
		      numbers);
	if (!tables)
		die("--tables wants at least 1");
	bytes = (unsigned long)tables * HUGE_PAGE;
	only_base_pages();
	stay_on_housekeeping();
	memory = map_aligned(bytes, HUGE_PAGE);
	touch(memory, bytes, HUGE_PAGE);
	for (unsigned long i = 0; i < bytes; i += HUGE_PAGE) {
		if (madvise(memory + i, page, MADV_DONTNEED))
			die("MADV_DONTNEED");
	}
	arm();

	window_open();
	must_write("/proc/self/make-it-fail", "1");
	munmap(memory, bytes);
	must_write("/proc/self/make-it-fail", "0");
	ns = window_close();
	injected = PLENTY - read_number(FAULT "times", PLENTY);
	if (injected < tables)
		unavailable("this-kernel-frees-tables-like-pages");
	report((unsigned long)injected, ns, "tables=%ld", tables);
	return 0;
}
