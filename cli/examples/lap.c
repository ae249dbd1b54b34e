// SPDX-License-Identifier: GPL-2.0
/*
 * lap.c - an application that knows when it was late, and tells quell watch.
 *
 *	quell watch -c 3 --dump /run/quell &
 *	taskset -c 3 chrt -f 10 lap /run/quell/marker 20000
 *
 * It spins, as a poll-mode driver does, and looks at the clock. A lap that took more
 * than so many nanoseconds was interrupted: one line to the marker, and the record of
 * the seconds around it says by whom. The marker is opened for each line: an open one
 * would keep the trace from being removed. Ends after the first late lap.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static int mark(const char *path, long long lap, long long took)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "quell-dump: lap %lld took %lld ns\n", lap, took);
	int fd = open(path, O_WRONLY | O_CLOEXEC), good;

	if (fd < 0)
		return 0;
	good = write(fd, line, n) == n;
	return !close(fd) && good;
}

int main(int argc, char **argv)
{
	long long limit = argc == 3 ? atoll(argv[2]) : 0, before, after;

	if (limit <= 0) {
		fputs("usage: lap MARKER NANOSECONDS\n", stderr);
		return 2;
	}
	before = now();
	for (long long lap = 1; ; lap++, before = after) {
		after = now();
		if (after - before <= limit)
			continue;
		if (mark(argv[1], lap, after - before))
			return 0;
		perror(argv[1]);
		return 1;
	}
}
