// SPDX-License-Identifier: GPL-2.0
/*
 * group.c - in a control group: is interrupted, or interrupts who is.
 *
 *	group PROCS victim		PROCS is the group's cgroup.procs
 *	group PROCS sender PID MS [stay]
 *
 * A victim runs on CPU 1 until it is killed. A sender on CPU 0 interrupts all
 * victims until that of number PID has run for MS milliseconds more, so however busy
 * the machine is, some of it hits. It says so, and with "stay" it can be asked for its
 * group until it is killed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int membarrier(int cmd)
{
	return syscall(SYS_membarrier, cmd, 0, 0);
}

static int begin(const char *procs, int cpu, const char *name)
{
	int fd = open(procs, O_WRONLY);
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return fd >= 0 && write(fd, "0", 1) == 1 && !close(fd) &&
	       !sched_setaffinity(0, sizeof(one), &one) && !prctl(PR_SET_NAME, name);
}

/* The CPU time of @pid, in ms. */
static long long ran(int pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		exit(1);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	long long until;

	if (argc == 3 && !strcmp(argv[2], "victim")) {
		if (!begin(argv[1], 1, "victim") ||
		    membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED))
			return 1;
		puts("there");
		fflush(stdout);
		for (;;)
			;
	}
	if (argc < 5 || !begin(argv[1], 0, "sender"))
		return 1;
	until = ran(atoi(argv[3])) + atoi(argv[4]);
	while (ran(atoi(argv[3])) < until) {
		if (membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED))
			return 1;
		usleep(500);
	}
	puts("done");
	fflush(stdout);
	while (argc > 5)
		pause();
	return 0;
}
