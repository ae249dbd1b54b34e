// SPDX-License-Identifier: GPL-2.0
/*
 * collapse.c - small pages become a large one, ten times a second, until it is killed;
 * ends with 1 at once where that cannot be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define LARGE (2ul << 20)

int main(void)
{
	for (;; usleep(100000)) {
		char *all = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *p;

		if (all == MAP_FAILED)
			return 1;
		p = (char *)(((uintptr_t)all + LARGE - 1) & -LARGE);
		madvise(p, LARGE, MADV_NOHUGEPAGE);
		memset(p, 1, LARGE);
		madvise(p, LARGE, MADV_HUGEPAGE);
		if (madvise(p, LARGE, MADV_COLLAPSE) && errno != EAGAIN && errno != ENOMEM && errno != EBUSY)
			return 1;
		munmap(all, 2 * LARGE);
	}
}
