// SPDX-License-Identifier: GPL-2.0
/*
 * unshare: hugetlb PMD-table sharing. Two processes map the same 1 GiB of a
 * hugetlb file at an aligned address, so the kernel gives them one PMD table.
 * One operation: the child maps, touches and unmaps it, which leaves its
 * parent as the only user of the table: a flush, and a sync.
 *
 * That the table really was shared is observed, not assumed: the child never
 * touches the second page, its parent did. mincore() says the page is mapped
 * here only if the parent's page-table entry is ours as well.
 */
#define _GNU_SOURCE
#include "workloads/hugetlb.h"
#include "workload.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the child: how many of @rounds really took a shared table away. */
static unsigned long unshare_rounds(char *at, int file, long rounds)
{
	unsigned long shared = 0;

	for (long i = 0; i < rounds; i++) {
		char *memory = map_hugetlb(at, file, 1);

		touch(memory, 1, HUGE_PAGE);
		shared += seen_mapped(memory + HUGE_PAGE);
		if (munmap(memory, GIB))
			die("munmap");
	}
	return shared;
}

/*
 * Waits until the parent has its tables and the window, and afterwards until
 * the window is closed again, so that our exit is not counted.
 */
static void child(char *at, int file, long rounds, int go, int done)
{
	unsigned long shared;
	char byte;

	if (read(go, &byte, 1) != 1)
		_exit(1);
	shared = unshare_rounds(at, file, rounds);
	if (write(done, &shared, sizeof(shared)) != sizeof(shared))
		_exit(1);
	_exit(read(go, &byte, 1) != 0);
}

int main(int argc, char **argv)
{
	long rounds = 32;
	const struct number numbers[] = {
		{ "rounds", &rounds, "how often the last sharer goes" },
		{ NULL, NULL, NULL },
	};
	int file, go[2], done[2], status;
	unsigned long shared;
	uint64_t ns;
	char *at;
	pid_t pid;

	parse_numbers(argc, argv,
		      "Shares a hugetlb PMD table with a child that goes away.",
		      numbers);
	stay_on_housekeeping();
	need_huge_pages(2);
	file = hugetlb_file(1);
	if (pipe(go) || pipe(done))
		die("pipe");
	at = map_aligned(GIB, GIB);

	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(go[1]);
		close(done[0]);
		child(at, file, rounds, go[0], done[1]);
	}
	close(go[0]);
	close(done[1]);

	touch(map_hugetlb(at, file, 1), 2 * HUGE_PAGE, HUGE_PAGE);
	window_open();
	if (write(go[1], "g", 1) != 1 ||
	    read(done[0], &shared, sizeof(shared)) != sizeof(shared))
		die("lost the child");
	ns = window_close();
	close(go[1]);
	if (waitpid(pid, &status, 0) < 0 || status)
		die("the child failed");
	report(shared, ns, "rounds=%ld", rounds);
	return 0;
}
