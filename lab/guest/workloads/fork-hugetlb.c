// SPDX-License-Identifier: GPL-2.0
/*
 * fork-hugetlb: a database in outline. One process maps a large hugetlb file;
 * each child that it forks touches a page of every GiB, which makes it share
 * all the parent's PMD tables, and exits, which takes them away again. One
 * operation is one child: fork, touch, exit.
 *
 * As in unshare, sharing is observed: the second page of each GiB is touched
 * by the parent only, and the child sees it mapped.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workloads/hugetlb.h"
#include "workload.h"

/* Shares every table; exits with 0 if it really did. */
static void child(char *at, long gib)
{
	long shared = 0;

	touch(at, (unsigned long)gib * GIB, GIB);
	for (long i = 0; i < gib; i++)
		shared += seen_mapped(at + (unsigned long)i * GIB + HUGE_PAGE);
	_exit(shared != gib);
}

int main(int argc, char **argv)
{
	long gib = 16, forks = 16, threads = 0;
	const struct number numbers[] = {
		{ "gib", &gib, "size of the file" },
		{ "forks", &forks, "how many children, one after another" },
		{ "threads", &threads, "threads of the parent in user mode" },
		{ NULL, NULL, NULL },
	};
	uint64_t ns;
	char *at;

	parse_numbers(argc, argv,
		      "Forks children that share hugetlb PMD tables and exit.",
		      numbers);
	if (gib < 1 || forks < 1)
		die("--gib and --forks want at least 1");
	stay_on_housekeeping();
	need_huge_pages(2 * gib);
	at = map_aligned((unsigned long)gib * GIB, GIB);
	map_hugetlb(at, hugetlb_file(gib), gib);
	for (long i = 0; i < gib; i++)
		touch(at + (unsigned long)i * GIB, 2 * HUGE_PAGE, HUGE_PAGE);
	threads = start_spinners((unsigned int)threads);

	window_open();
	for (long i = 0; i < forks; i++) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			die("fork");
		if (pid == 0)
			child(at, gib);
		if (waitpid(pid, &status, 0) < 0 || status)
			die("a child shared no table");
	}
	ns = window_close();
	stop_siblings();
	report((unsigned long)forks, ns, "gib=%ld threads=%ld", gib, threads);
	return 0;
}
