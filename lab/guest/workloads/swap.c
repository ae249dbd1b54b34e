// SPDX-License-Identifier: GPL-2.0
/*
 * swap: makes a block device swap space, and uses it. The guest has no mkswap,
 * and some of the kernel's own tests of collapses want pages swapped out.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <unistd.h>

#include "sysfile.h"

#define SIGNATURE "SWAPSPACE2"

int main(int argc, char **argv)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t bytes = 0;
	uint32_t *number;
	char *header;
	int device;

	if (argc != 2 || argv[1][0] == '-') {
		bool help = argc == 2 && !strcmp(argv[1], "--help");

		fputs("usage: swap DEVICE\n"
		      "Swaps to DEVICE, and overwrites what is there.\n",
		      help ? stdout : stderr);
		return help ? 0 : 2;
	}
	device = open(argv[1], O_RDWR | O_CLOEXEC);
	header = calloc(1, page);
	if (device < 0 || !header || ioctl(device, BLKGETSIZE64, &bytes))
		die("%s", argv[1]);

	/* After 1 KiB for boot loaders: version, last page, bad pages. */
	number = (uint32_t *)(header + 1024);
	number[0] = 1;
	number[1] = (uint32_t)(bytes / page - 1);
	memcpy(header + page - strlen(SIGNATURE), SIGNATURE, strlen(SIGNATURE));
	if (write(device, header, page) != (ssize_t)page || fsync(device))
		die("cannot write to %s", argv[1]);
	close(device);
	if (swapon(argv[1], 0))
		die("cannot swap to %s", argv[1]);
	return 0;
}
