// SPDX-License-Identifier: GPL-2.0
/*
 * culprit.c - calls membarrier(2) under a name, and becomes somebody else.
 *
 *	culprit COUNT NAME [COMMAND [ARGUMENTS]]
 *
 * A thread spins on CPU 1 with real-time priority, so that each of the calls
 * from CPU 0 interrupts CPU 1 exactly once.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int running, stop;

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *spin(void *arg)
{
	struct sched_param p = { .sched_priority = 1 };

	pin(1);
	sched_setscheduler(0, SCHED_FIFO, &p);
	running = 1;
	while (!stop)
		;
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;

	if (argc < 3)
		return 2;
	pin(0);
	syscall(SYS_membarrier, 16, 0, 0);	/* register, private expedited */
	if (pthread_create(&t, NULL, spin, NULL))
		return 1;
	while (!running)
		sched_yield();
	prctl(PR_SET_NAME, argv[2]);
	for (int i = atoi(argv[1]); i > 0; i--)
		syscall(SYS_membarrier, 8, 0, 0);
	if (argc > 3)
		execvp(argv[3], argv + 3);
	stop = 1;
	return 0;
}
