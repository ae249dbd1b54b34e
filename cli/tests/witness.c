// SPDX-License-Identifier: GPL-2.0
/*
 * witness.c - a loop that sees what it loses: the second witness of quell's times.
 *
 *	witness LOAD CPU SECONDS
 *
 * A thread spins on CPU with the lowest real-time priority and notes each hole in
 * the clock longer than a microsecond; another makes the load from elsewhere:
 *	membarrier	private expedited, with a pause in between
 *	timer		timers that the spinning thread armed itself, one a millisecond
 *	reschedule	a thread of higher priority there wakes up, runs 50 us, sleeps
 *	kworker		work on each CPU, by reading /proc/sys/vm/stat_refresh
 * Prints "begin end" of each hole, CLOCK_MONOTONIC in ns; "quell report --events"
 * has the same clock. Whoever compares them judges the holes that quell has
 * something in: a hypervisor takes time that no kernel sees.
 */
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define HOLES	400000
#define SHORTEST	1000

static struct { uint64_t begin, end; } hole[HOLES];
static atomic_bool ready, over;
static size_t holes;
static int cpu;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void be(int where, int priority)
{
	struct sched_param p = { .sched_priority = priority };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(where, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    (priority && sched_setscheduler(0, SCHED_FIFO, &p))) {
		perror("witness");
		exit(1);
	}
}

/* Nobody reads them: an interrupt each, and no more. */
static void arm(unsigned int n)
{
	struct rlimit files = { 8192, 8192 };
	struct itimerspec t = { 0 };
	uint64_t at = now() + 100000000;

	setrlimit(RLIMIT_NOFILE, &files);
	for (unsigned int i = 0; i < n; i++, at += 1000000) {
		int fd = timerfd_create(CLOCK_MONOTONIC, 0);

		t.it_value.tv_sec = at / 1000000000;
		t.it_value.tv_nsec = at % 1000000000;
		if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL)) {
			perror("witness: timerfd");
			exit(1);
		}
	}
}

static void *spin(void *load)
{
	uint64_t last, t;

	/* A kworker is of the fair class, and so must be whom it is to preempt. */
	be(cpu, strcmp(load, "kworker") ? 1 : 0);
	if (!strcmp(load, "timer"))
		arm(3000);
	ready = true;
	last = now();
	while (!over) {
		t = now();
		if (t - last > SHORTEST && holes < HOLES) {
			hole[holes].begin = last;
			hole[holes++].end = t;
		}
		last = t;
	}
	return NULL;
}

/* Woken from another CPU, it takes this one for a moment. */
static void *disturb(void *arg)
{
	uint64_t until;

	be(cpu, 2);
	while (!over) {
		struct timespec t = { 0, 1000000 };

		nanosleep(&t, NULL);
		until = now() + 50000;
		while (now() < until)
			;
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct timespec pause = { 0, 500000 };
	pthread_t spinner, other;
	const char *load;
	char page[64];
	uint64_t end;
	int fd;

	if (argc != 4)
		return 2;
	load = argv[1];
	cpu = atoi(argv[2]);
	mlockall(MCL_CURRENT | MCL_FUTURE);
	memset(hole, 1, sizeof(hole));
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	be(cpu ? 0 : 1, 1);
	pthread_create(&spinner, NULL, spin, argv[1]);
	while (!ready)
		sched_yield();
	if (!strcmp(load, "reschedule"))
		pthread_create(&other, NULL, disturb, NULL);
	end = now() + strtoull(argv[3], NULL, 10) * 1000000000ull;
	while (now() < end) {
		if (!strcmp(load, "membarrier"))
			syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
		if (!strcmp(load, "kworker")) {
			fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
			if (fd >= 0 && read(fd, page, sizeof(page)) < 0)
				perror("witness: stat_refresh");
			close(fd);
		}
		nanosleep(&pause, NULL);
	}
	over = true;
	pthread_join(spinner, NULL);
	for (size_t i = 0; i < holes; i++)
		printf("%llu %llu\n", (unsigned long long)hole[i].begin,
		       (unsigned long long)hole[i].end);
	return 0;
}
