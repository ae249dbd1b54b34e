// SPDX-License-Identifier: GPL-2.0
/* online.c - brings CPU N online, stays on it for two seconds. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int cpu = argc > 1 ? atoi(argv[1]) : -1;
	char path[64];
	cpu_set_t set;
	time_t end;
	FILE *f;

	sleep(1);
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	f = fopen(path, "w");
	if (!f || fputs("1", f) < 0 || fclose(f))
		return 1;
	/* A look a second: by then the observer has seen it. */
	sleep(2);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		return 1;
	for (end = time(NULL) + 2; time(NULL) < end; )
		;
	return 0;
}
