/* SPDX-License-Identifier: GPL-2.0 */
/* What `measure` is asked, and what came of a turn. */
#ifndef QUELL_MEASURE_H
#define QUELL_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpulist.h"
#include "instrument/counters.h"

#define OUTPUT 4096
#define MAX_REPEAT 99

struct request {
	const char *name, *strategies, *flush, *perturb;
	struct cpus isolated;
	long repeat;
	bool guests;
	char **command;
};

/* Picoseconds per operation, a number for each turn. */
struct times {
	int64_t ps[MAX_REPEAT];
	unsigned int count;
};

struct outcome {
	struct snapshot before, after;
	uint64_t seen_before, seen_after;
	uint64_t counted_before, counted_after;
	bool windowed;
	int status;
	char output[OUTPUT];
	size_t length;
	bool agree;
	unsigned int attempts;
	char why[256];
};

/* companion.c: `isolated`, on the CPUs that are watched. */
void companion_start(const struct cpus *where, bool guests);
void companion_stop(void);
bool companion_watches(void);
/* How often it was interrupted; a guest does not see that: KVM's exits. */
uint64_t companion_interruptions(const struct request *request);
/* What the guest that got least far has counted. */
uint64_t companion_counted(const struct cpus *where);

/* turn.c: the workload, once, and once until the witnesses agree. */
void turn(struct outcome *out, const struct request *request);
void turn_until_agreed(struct outcome *out, const struct request *request,
		       const char *strategy);

/* row.c */
void take_time(struct times *times, const struct outcome *out);
/* Writes the row; false if the workload failed. */
bool put_row(struct outcome *out, const struct request *request,
	     const char *strategy, struct times *times);

#endif
