// SPDX-License-Identifier: GPL-2.0
/*
 * flood.c - CPU SECONDS [RATE]: function-call interrupts on CPU, RATE a second from
 * each other CPU or as many as it can send. A perf event that counts on CPU, and
 * runs, is read; the kernel asks CPU by an interrupt, whatever it is at. Prints how
 * many were asked for: one that finds another request on its way rides along with it.
 */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_ulong sent;
static int target;
static double begun, end, rate;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void *flood(void *cpu)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK };
	int fd = syscall(SYS_perf_event_open, &attr, -1, target, -1, PERF_FLAG_FD_CLOEXEC);
	cpu_set_t here;
	uint64_t value;

	CPU_ZERO(&here);
	CPU_SET(*(int *)cpu, &here);
	if (fd < 0 || sched_setaffinity(0, sizeof(here), &here)) {
		perror("flood");
		exit(1);
	}
	for (unsigned long n = 0; now() < end; ) {
		/* Behind, it sends more at once; ahead, it gives the CPU away. */
		if (rate && n >= (now() - begun) * rate) {
			usleep(500);
			continue;
		}
		for (int i = 0; i < 10; i++, n++, sent++)
			if (read(fd, &value, sizeof(value)) != sizeof(value))
				exit(1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[256];
	int cpu[256], ncpus = sysconf(_SC_NPROCESSORS_ONLN), n = 0;

	if (argc < 3)
		return 2;
	target = atoi(argv[1]);
	rate = argc > 3 ? atof(argv[3]) : 0;
	begun = now();
	end = begun + atof(argv[2]);
	for (int i = 0; i < ncpus && n < 256; i++) {
		if (i == target)
			continue;
		cpu[n] = i;
		pthread_create(&thread[n], NULL, flood, &cpu[n]);
		n++;
	}
	for (int i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	printf("%lu\n", sent);
	return 0;
}
