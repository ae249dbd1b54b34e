/* SPDX-License-Identifier: GPL-2.0 */
/*
 * counters.h - /proc/interrupts, the count that the trace has to agree with.
 */
#ifndef QUELL_COUNTERS_H
#define QUELL_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpulist.h"
#include "join/join.h"

struct counter_row {
	char		label[16];	/* CAL, RES, 24, IPI1 */
	char		text[64];	/* what stands behind the numbers */
	uint64_t	*count;		/* one per column; see cpu[] */
};

struct counters {
	struct counter_row	*row;
	size_t			nrows, room;
	uint16_t		*cpu;		/* the CPU of each column */
	size_t			ncpus, cpu_room;
	uint64_t		began, ended;	/* when it was read */
};

bool counters_parse(struct counters *c, const char *text);
bool counters_read(struct counters *c);
void counters_free(struct counters *c);

/* The row that counts what @r is, "" if none does. */
const char *counters_label(const struct counters *c, enum vec vec,
			   const char *name);

/* One line of the comparison; @slack events fell into the reading itself. */
struct agreement {
	char		label[16];
	uint16_t	cpu;
	bool		traced;		/* quell has an event for this row */
	uint64_t	kernel, counted, slack;
};

static inline bool agrees(const struct agreement *a)
{
	return a->kernel >= a->counted && a->kernel <= a->counted + a->slack;
}

/*
 * What the kernel counted between two readings, for observed CPUs, rows that
 * moved. @counted and @slack are left for the caller to fill in.
 */
size_t counters_diff(const struct counters *from, const struct counters *to,
		     const struct cpuset *observed, struct agreement **out);

#endif
