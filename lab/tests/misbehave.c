// SPDX-License-Identifier: GPL-2.0
/*
 * misbehave: makes the guest go wrong in the way it is told, to see whether
 * lab/boot notices. All but `hang` and `fail` are real: the kernel's own
 * crash points (LKDTM) panic, warn or stop.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CRASH_POINTS "/sys/kernel/debug/provoke-crash/DIRECT"

int main(int argc, char **argv)
{
	int fd;

	if (argc != 2) {
		fprintf(stderr, "usage: misbehave hang|fail|POINT\n");
		return 2;
	}
	if (!strcmp(argv[1], "hang"))
		for (;;)
			pause();
	if (!strcmp(argv[1], "fail")) {
		fprintf(stderr, "misbehave: failing as told\n");
		return 3;
	}
	fd = open(CRASH_POINTS, O_WRONLY);
	if (fd < 0 || write(fd, argv[1], strlen(argv[1])) < 0) {
		perror(CRASH_POINTS);
		return 1;
	}
	return 0;
}
