// SPDX-License-Identifier: GPL-2.0
/*
 * Does a CPU in lazy TLB mode hear that its mm has left a shared hugetlb page
 * table?  For x86-64 with two CPUs or more, as root, on an idle machine:
 *
 *	gcc -O2 -pthread -o reproducer reproducer.c && ./reproducer
 *
 * A thread sleeps on CPU 1, which stays idle with the mm loaded.  On CPU 0 the
 * mm leaves tables that a child has as well.  Each time CPU 1 must take a TLB
 * flush interrupt, as it does when a table is freed.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS	8
#define GIB	(1UL << 30)
#define HUGE	(2UL << 20)
#define POOL	"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("this needs CPUs 0 and 1");
}

static int wake[2];

/* A flush that it hears of makes the idle CPU drop the mm, so it runs again. */
static void *sleeper(void *unused)
{
	char byte;

	pin(1);
	while (read(wake[0], &byte, 1) == 1)
		;
	return unused;
}

/* TLB flush interrupts of CPU 1. */
static unsigned long flushes(void)
{
	unsigned long first, second = 0;
	char line[8192];
	FILE *f = fopen("/proc/interrupts", "r");
	int found = 0;

	if (!f)
		die("/proc/interrupts");
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, " TLB: %lu %lu", &first, &second) == 2;
	fclose(f);
	if (!found)
		die("no TLB shootdowns in /proc/interrupts");
	return second;
}

/* Address space for one GiB, at its boundary. */
static char *aligned(void)
{
	char *at = mmap(NULL, 2 * GIB, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return (char *)(((uintptr_t)at + GIB - 1) & ~(GIB - 1));
}

static unsigned long leave(char *at)
{
	unsigned long before;

	if (write(wake[1], "", 1) != 1)
		die("pipe");
	usleep(50000);
	before = flushes();
	if (munmap(at, GIB))
		die("munmap");
	return flushes() - before;
}

int main(void)
{
	unsigned long heard = 0;
	char *at[ROUNDS], byte = 1, *own;
	int i, file, gone[2];
	pthread_t thread;
	FILE *pool = fopen(POOL, "w");
	pid_t pid;

	if (!pool || fprintf(pool, "%d", 2 * ROUNDS) < 0 || fclose(pool))
		die(POOL);
	pin(0);
	for (i = 0; i < ROUNDS; i++) {
		file = memfd_create("shared", MFD_HUGETLB);
		if (file < 0 || ftruncate(file, GIB))
			die("hugetlb file");
		at[i] = mmap(aligned(), GIB, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_NORESERVE | MAP_FIXED, file, 0);
		if (at[i] == MAP_FAILED)
			die("mmap of the file");
		at[i][0] = at[i][HUGE] = 1;
	}
	if (pipe(gone) || pipe(wake))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		unsigned char shared;

		/* It has touched one page and sees the other: one table. */
		for (i = 0; i < ROUNDS; i++) {
			at[i][0] = 2;
			if (mincore(at[i] + HUGE, 4096, &shared) || !(shared & 1))
				byte = 0;
		}
		if (write(gone[1], &byte, 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	if (read(gone[0], &byte, 1) != 1 || !byte)
		die("the child shares no table");
	if (pthread_create(&thread, NULL, sleeper, NULL))
		die("pthread_create");

	/* The control: a table of its own, freed. */
	own = mmap(aligned(), GIB, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
	if (own == MAP_FAILED)
		die("mmap");
	own[0] = 1;
	printf("a table freed: CPU 1 heard of %lu of 1\n", leave(own));
	for (i = 0; i < ROUNDS; i++)
		heard += !!leave(at[i]);
	printf("shared tables left: CPU 1 heard of %lu of %d\n", heard, ROUNDS);
	kill(pid, 9);
	waitpid(pid, NULL, 0);
	return heard < ROUNDS;
}
