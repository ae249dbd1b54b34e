// SPDX-License-Identifier: GPL-2.0
/*
 * names.c - N: calls itself N names that want to do harm, one after the other, and
 * interrupts another CPU some times under each of them. N 0: under one name, some
 * thousand times a second, until it is killed.
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int stop;

static void barriers(int n)
{
	while (n--)
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

static void stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void *spin(void *arg)
{
	stay_on(1);
	while (!stop)
		;
	return arg;
}

int main(int argc, char **argv)
{
	static const char *const how[] = { "\001a%d", "\002a%d", "\033]2;%d\a", "-",
					   "\\x01a%d", "\"%d", "\n%d", "\xff%d", "other" };
	int n = argc > 1 ? atoi(argv[1]) : 1;
	pthread_t other;
	char name[16];

	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	/* Somebody of ours has to run elsewhere, or nobody is interrupted. */
	if (pthread_create(&other, NULL, spin, NULL))
		return 1;
	stay_on(0);
	for (int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), how[i % 9], i);
		prctl(PR_SET_NAME, name);
		barriers(5);
		usleep(2000);
	}
	while (!n) {
		barriers(10);
		usleep(500);
	}
	stop = 1;
	pthread_join(other, NULL);
	return 0;
}
