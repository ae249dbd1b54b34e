/* SPDX-License-Identifier: GPL-2.0 */
/* CPU lists as the kernel writes them ("0-3,8"), as sets. */
#ifndef QUELL_CPULIST_H
#define QUELL_CPULIST_H

#include <stdbool.h>
#include <stddef.h>

#define MAX_CPUS 1024

struct cpus {
	bool has[MAX_CPUS];
};

/* False, and an empty set, for anything that is not a list of CPUs. */
bool cpus_parse(struct cpus *set, const char *list);
unsigned int cpus_count(const struct cpus *set);
/* The n-th CPU of the set, or -1. */
int cpus_nth(const struct cpus *set, unsigned int n);
void cpus_remove(struct cpus *from, const struct cpus *these);
/* Writes "0-3,8"; cuts at whole ranges if @len is too small. */
void cpus_format(const struct cpus *set, char *out, size_t len);

#endif
