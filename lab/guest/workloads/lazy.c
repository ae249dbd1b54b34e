// SPDX-License-Identifier: GPL-2.0
/*
 * lazy: page tables that are freed and become something else, while
 * threads sleep on the other CPUs: these stay idle with this address space
 * loaded (lazy TLB mode), and their speculation may walk it. An operation is one
 * page table.
 *
 * With --shared it is a table that another process had as well: this one leaves
 * it, which frees nothing, then that one does, which frees it.
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workloads/hugetlb.h"
#include "workload.h"

enum { REUSED = 16, MAX_ROUNDS = 64 };

/*
 * Kernels free page tables after a grace period of RCU, for the sake of those who
 * walk them without locks. CPUs that are idle are not woken by one. The second
 * waits for the callbacks of the first. With nohz_full CPUs there is only time.
 */
static void let_free(void)
{
	for (int i = 0; i < 2; i++)
		if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0))
			sleep_ms(30);
}

/* New page tables, which are the pages that were freed last. */
static void reuse(char *where)
{
	let_free();
	touch(where, REUSED * HUGE_PAGE, HUGE_PAGE);
	if (munmap(where, REUSED * HUGE_PAGE))
		die("munmap");
}

static void leave_own(void)
{
	char *memory = map_aligned(HUGE_PAGE, HUGE_PAGE);
	char *next = map_aligned(REUSED * HUGE_PAGE, HUGE_PAGE);

	touch(memory, HUGE_PAGE, HUGE_PAGE);
	if (munmap(memory, HUGE_PAGE))
		die("munmap");
	reuse(next);
}

/* A GiB whose table the child has too, and the way to tell it to leave that. */
static struct {
	char *at[MAX_ROUNDS];
	int go, gone;
} shared_with;

static void child(int go, int gone, long rounds)
{
	char byte = 1;

	for (long i = 0; i < rounds; i++) {
		touch(shared_with.at[i], 1, HUGE_PAGE);
		byte &= seen_mapped(shared_with.at[i] + HUGE_PAGE);
	}
	for (long i = 0; i < rounds; i++) {
		if (write(gone, &byte, 1) != 1 || read(go, &byte, 1) != 1 ||
		    munmap(shared_with.at[i], GIB))
			_exit(1);
	}
	_exit(write(gone, &byte, 1) != 1);
}

static void wait_for_child(void)
{
	char byte;

	if (read(shared_with.gone, &byte, 1) != 1 || !byte)
		die("the child is lost, or shares no table");
}

/*
 * fork() flushes CPUs in lazy TLB mode as well, so there is one, before threads
 * sleep. It runs where the parent does.
 */
static pid_t start_child(long rounds)
{
	struct cpus set;
	int go[2], gone[2];
	pid_t pid;

	need_huge_pages(2 * rounds);
	for (long i = 0; i < rounds; i++) {
		shared_with.at[i] = map_aligned(GIB, GIB);
		touch(map_hugetlb(shared_with.at[i], hugetlb_file(1), 1),
		      2 * HUGE_PAGE, HUGE_PAGE);
	}
	housekeeping(&set);
	pin_to(cpus_nth(&set, 0));
	if (pipe(go) || pipe(gone))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(go[1]);
		child(go[0], gone[1], rounds);
	}
	close(gone[1]);
	shared_with.go = go[1];
	shared_with.gone = gone[0];
	wait_for_child();
	return pid;
}

static void leave_shared(long i)
{
	char *next = map_aligned(REUSED * HUGE_PAGE, HUGE_PAGE), byte = 1;

	if (munmap(shared_with.at[i], GIB))
		die("munmap");
	if (write(shared_with.go, &byte, 1) != 1)
		die("the child is lost");
	wait_for_child();
	reuse(next);
}

int main(int argc, char **argv)
{
	long rounds = 8, shared = 0;
	const struct number numbers[] = {
		{ "rounds", &rounds, "how often" },
		{ "shared", &shared, "1: tables that another process shares" },
		{ NULL, NULL, NULL },
	};
	unsigned int sleepers;
	pid_t pid = 0;
	uint64_t ns;
	int status;

	parse_numbers(argc, argv,
		      "Frees page tables while other CPUs are idle in this address space.",
		      numbers);
	if (rounds < 1 || rounds > MAX_ROUNDS)
		die("--rounds is 1 to %d", MAX_ROUNDS);
	only_base_pages();
	if (shared)
		pid = start_child(rounds);
	sleepers = start_sleepers(1);
	window_open();
	for (long i = 0; i < rounds; i++) {
		if (shared)
			leave_shared(i);
		else
			leave_own();
	}
	ns = window_close();
	stop_siblings();
	if (pid && (waitpid(pid, &status, 0) != pid || status))
		die("the child failed");
	report((unsigned long)rounds, ns, "sleepers=%u shared=%ld", sleepers,
	       shared);
	return 0;
}
