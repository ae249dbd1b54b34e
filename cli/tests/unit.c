// SPDX-License-Identifier: GPL-2.0
/*
 * unit.c - runs the unit tests, which need neither root nor a kernel.
 *
 * `unit --sample FILE` writes a small record instead, for the shell tests and
 * as the seed of the fuzzer; --snapshot FILE a snapshot.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static unsigned int ran, failed;

bool ok(bool passed, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %u - ", passed ? "" : "not ", ++ran);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failed += !passed;
	return passed;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--sample")) {
		write_sample(argv[2]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--evil")) {
		write_evil(argv[2]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--snapshot"))
		return write_snapshot(argv[2]);
	test_cpulist();
	test_classify();
	test_json();
	test_counters();
	test_join();
	test_join_reuse();
	test_join_any();
	test_nest();
	test_account();
	test_record();
	test_show();
	test_remedy();
	test_cgroup();
	test_owner();
	test_text();
	test_series();
	test_limits();
	test_flight();
	test_accept();
	test_snapshot();
	printf("1..%u\n", ran);
	return failed != 0;
}
