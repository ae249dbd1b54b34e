// SPDX-License-Identifier: GPL-2.0
/*
 * test_limits.c - edges that no other test stands on; lab/mutants found them
 * missing: numbers one off, known answers, what is nearly a name.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../classify.h"
#include "../join/counters.h"
#include "../cpulist.h"
#include "../record/crc32.h"
#include "../options.h"
#include "../quell.h"
#include "tap.h"

static bool nothing_of_that_name(const char *name)
{
	return !name;
}

static bool anything(const char *name)
{
	return name;
}

/* The value that "--rows TEXT" leaves, of 1 to 100; -1 if it ends with a usage error. */
static int rows_of(const char *text)
{
	uint64_t rows = 7;
	const struct option_row row[] = { NUMBER("rows", 'n', &rows, "number of rows", 1, 100) };
	char *argv[] = { "top", "--rows", (char *)text, NULL };
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		options_parse(3, argv, "", row, 1, 0);
		_exit(100 + (int)rows);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -2;
	return WEXITSTATUS(status) == EXIT_USAGE ? -1 : WEXITSTATUS(status) - 100;
}

void test_limits(void)
{
	static const char before[] = "           CPU0       CPU1\n 24:  9  9  PCI-MSI 24-edge eth0\n";
	static const char after[] = "           CPU0       CPU1\n 24:  4  9  PCI-MSI 24-edge eth0\n";
	const char *range[] = { "on_each_cpu", "flush_tlb_kernel_range", "vfree" };
	struct counters a = { 0 }, b = { 0 };
	struct agreement *d = NULL;
	struct cpuset s;

	ok(!cpulist_parse("4-3", &s, NULL), "a range that runs backwards by one");
	ok(cpulist_parse("1,130", &s, NULL) && cpuset_next(&s, 1) == 130 && cpuset_next(&s, 130) == -1,
	   "the next CPU two words on");
	ok(crc32("123456789", 9) == 0xcbf43926, "the CRC-32 that everybody knows");
	ok(crc32("", 0) == 0 && crc32("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20", 17) ==
	   0x2c183a19 && crc32("abcdefghijklmnopqrstuvwxyz", 26) == 0x4c2750bd,
	   "and others, by every entry of its table");
	ok(classify_func("do_sync") == CAUSE_CALL && classify_func("do_sync_core2") == CAUSE_CALL &&
	   classify_func("do_sync_core.isra.0") == CAUSE_TEXT, "a name in the table, whole");
	ok(classify_stack(range, 3) == CAUSE_TLB_KERNEL, "a kernel flush is told by its stack");
	ok(!strcmp(inlined_site(CAUSE_PT_SYNC, "collapse_scan_pmd.isra.0", nothing_of_that_name),
		   "collapse_huge_page"), "an inlined collapse is told by its caller");
	ok(!strcmp(inlined_site(CAUSE_PT_SYNC, "collapse_scan_pmd", anything), "collapse_scan_pmd") &&
	   !strcmp(inlined_site(CAUSE_PT_SYNC, "collapse_scan_pmd", NULL), "collapse_scan_pmd") &&
	   !strcmp(inlined_site(CAUSE_PT_SYNC, "unmap", nothing_of_that_name), "unmap"),
	   "but not where it is a function, nothing is known, or another calls");
	ok(rows_of("1") == 1 && rows_of("100") == 100 && rows_of("0") == -1 && rows_of("101") == -1,
	   "numbers within their bounds, and one beyond");
	cpulist_parse("0-1", &s, NULL);
	ok(counters_parse(&a, before) && counters_parse(&b, after) &&
	   counters_diff(&a, &b, &s, &d) == 0, "a row that counts anew has not moved");
	free(d);
	counters_free(&a);
	counters_free(&b);
}
