/* SPDX-License-Identifier: GPL-2.0 */
/* What the microbenchmarks share: a clock, a barrier, an order, a number. */
#ifndef QUELL_BENCH_H
#define QUELL_BENCH_H

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define noinline	__attribute__((noinline))

/* The kernel's smp_mb(); what gcc makes of a fence stalls the next return. */
static inline void full_barrier(void)
{
#ifdef __x86_64__
	__asm__ volatile("lock; addl $0, -4(%%rsp)" ::: "memory", "cc");
#else
	atomic_thread_fence(memory_order_seq_cst);
#endif
}

/* This process's own time on a CPU: others may use the machine meanwhile. */
static inline double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* For qsort() of doubles. */
static inline int compare(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

static inline size_t number(const char *program, const char *text, size_t least)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = text ? strtoull(text, &end, 10) : 0;
	if (!text || errno || *end || end == text || n < least || n > 1ULL << 26) {
		fprintf(stderr, "%s: not a usable number: %s\n", program,
			text ? text : "(none)");
		exit(2);
	}
	return n;
}

#endif /* QUELL_BENCH_H */
