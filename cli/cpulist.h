/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cpulist.h - sets of CPUs and the kernel's list notation ("0,2-5,8-30:2/4").
 */
#ifndef QUELL_CPULIST_H
#define QUELL_CPULIST_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_CPUS	8192	/* what the largest distribution kernels allow */

struct cpuset {
	uint64_t w[MAX_CPUS / 64];
};

static inline bool cpuset_has(const struct cpuset *s, unsigned int cpu)
{
	return cpu < MAX_CPUS && (s->w[cpu / 64] >> (cpu % 64) & 1);
}

static inline void cpuset_add(struct cpuset *s, unsigned int cpu)
{
	if (cpu < MAX_CPUS)
		s->w[cpu / 64] |= 1ull << (cpu % 64);
}

void cpuset_clear(struct cpuset *s);
void cpuset_or(struct cpuset *s, const struct cpuset *other);
void cpuset_and(struct cpuset *s, const struct cpuset *other);
void cpuset_without(struct cpuset *s, const struct cpuset *other);
unsigned int cpuset_count(const struct cpuset *s);
int cpuset_next(const struct cpuset *s, int after);	/* -1: no more */

#define for_each_cpu_in(cpu, s) \
	for ((cpu) = cpuset_next((s), -1); (cpu) >= 0; (cpu) = cpuset_next((s), (cpu)))

/*
 * Parse @text. An empty text is the empty set. On nonsense false is returned
 * and *@why (if not NULL) says what is wrong, in static storage.
 */
bool cpulist_parse(const char *text, struct cpuset *out, const char **why);

/* The set in list notation; the caller frees it. "" for the empty set. */
char *cpulist_format(const struct cpuset *s);
/* The same as a hexadecimal mask, as the kernel writes them. */
char *cpulist_mask(const struct cpuset *s);

#endif
