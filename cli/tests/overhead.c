// SPDX-License-Identifier: GPL-2.0
/*
 * overhead.c - what an interrupt costs the CPU that receives it.
 *
 * One thread spins on the receiving CPU and looks for holes in the cycle
 * counter; another makes the kernel interrupt it (membarrier) again and again.
 * The median hole is what one interrupt takes away; run it with and without
 * quell, and the difference is quell's. Prints that median in nanoseconds.
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS	4000

static atomic_bool ready, seen, over;
static atomic_uint round_now;
static uint64_t hole[ROUNDS];

static uint64_t cycles(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t v;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r" (v));
	return v;
#else
#error "no cycle counter known here"
#endif
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("overhead: sched_setaffinity");
		exit(1);
	}
}

/* The largest hole of each round: the interrupt, or something worse. */
static void *spin(void *cpu)
{
	uint64_t last, now, max = 0;
	unsigned int mine = 0, asked;

	stay_on(*(int *)cpu);
	ready = true;
	last = cycles();
	while (!over) {
		asked = round_now;
		if (asked != mine) {
			if (mine)
				hole[mine - 1] = max;
			mine = asked;
			max = 0;
			seen = true;
			last = cycles();
		}
		now = cycles();
		if (now - last > max)
			max = now - last;
		last = now;
	}
	return NULL;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double cycles_per_ns(void)
{
	struct timespec a, b;
	uint64_t c = cycles();

	clock_gettime(CLOCK_MONOTONIC, &a);
	usleep(50000);
	c = cycles() - c;
	clock_gettime(CLOCK_MONOTONIC, &b);
	return c / ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec));
}

int main(int argc, char **argv)
{
	int cpu = argc > 1 ? atoi(argv[1]) : 1;
	double per_ns = cycles_per_ns();
	pthread_t spinner;

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0)) {
		perror("overhead: membarrier");
		return 1;
	}
	stay_on(cpu ? 0 : 1);
	pthread_create(&spinner, NULL, spin, &cpu);
	while (!ready)
		;
	for (unsigned int i = 1; i <= ROUNDS; i++) {
		seen = false;
		round_now = i;
		while (!seen)
			;
		syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	}
	round_now = ROUNDS + 1;
	usleep(1000);
	over = true;
	pthread_join(spinner, NULL);
	qsort(hole, ROUNDS, sizeof(*hole), ascending);
	printf("%.0f\n", hole[ROUNDS / 2] / per_ns);
	return 0;
}
