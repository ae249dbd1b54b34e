// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "workloads/hugetlb.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "knobs.h"
#include "workload.h"

#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"

void need_huge_pages(long count)
{
	char text[32];

	if (read_number(POOL, 0) >= count)
		return;
	snprintf(text, sizeof(text), "%ld", count);
	if (!borrow_knob(POOL, text))
		unavailable("no-2MiB-hugetlb-pages");
	if (read_number(POOL, 0) < count)
		die("the kernel has no %ld huge pages left", count);
}

int hugetlb_file(long gib)
{
	int file = memfd_create("quell-hugetlb", MFD_HUGETLB);

	if (file < 0)
		unavailable("no-hugetlbfs");
	if (ftruncate(file, (off_t)((unsigned long)gib * GIB)))
		die("cannot set up the shared file");
	return file;
}

char *map_hugetlb(char *at, int file, long gib)
{
	char *memory = mmap(at, (unsigned long)gib * GIB, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_NORESERVE | MAP_FIXED, file, 0);

	if (memory == MAP_FAILED)
		die("cannot map the hugetlb file");
	return memory;
}

bool seen_mapped(char *at)
{
	unsigned char mapped;

	if (mincore(at, (size_t)page_size(), &mapped))
		die("mincore");
	return mapped & 1;
}
