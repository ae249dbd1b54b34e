/* SPDX-License-Identifier: GPL-2.0 */
/* hugetlb files whose PMD tables processes share: 1 GiB each, 2 MiB pages. */
#ifndef QUELL_HUGETLB_H
#define QUELL_HUGETLB_H

#include <stdbool.h>

/* @count free pages of the pool; says `unavailable` where there is none. */
void need_huge_pages(long count);
/* A file of @gib GiB without pages. */
int hugetlb_file(long gib);
/* Map @gib GiB of it at @at, which is aligned to 1 GiB. */
char *map_hugetlb(char *at, int file, long gib);
/* Is the page at @at mapped here, without a fault of this process? */
bool seen_mapped(char *at);

#endif
