/* SPDX-License-Identifier: GPL-2.0 */
/*
 * collect.h - the trace events of the observed interrupts, in time order.
 */
#ifndef QUELL_COLLECT_H
#define QUELL_COLLECT_H

#include "cpulist.h"
#include "join/join.h"
#include "strtab.h"

struct collect;

/* Groups of events: what is traced. WHAT_IPI always is. */
enum what {
	WHAT_IPI = 1, WHAT_TIMER = 2, WHAT_SOFTIRQ = 4, WHAT_IRQ = 8, WHAT_SCHED = 16,
	WHAT_ALL = 31
};

/* "ipi,timer,sched", "all"; 0: @text has something that is none. */
unsigned int what_parse(const char *text);
/* The other way round; the caller frees it. */
char *what_format(unsigned int what);

/*
 * Set everything up but do not record yet. Dies with one line if this kernel
 * has not what it takes. @buffer_kb is per CPU, 0 leaves the kernel's default.
 */
struct collect *collect_new(const struct cpuset *observed, size_t buffer_kb,
			    unsigned int what, struct strtab *strings);
void collect_start(struct collect *c);
void collect_stop(struct collect *c);

/*
 * Read what is there without ever waiting in the kernel, and feed all that is
 * older than a moment ago. After collect_stop(), @all feeds the rest.
 * Return: up to when all was fed.
 */
uint64_t collect_poll(struct collect *c, struct join *j, bool all);

/* Was there so much to read that the next poll must not wait? */
bool collect_busy(const struct collect *c);

/*
 * Does the instance still do what we set it up for? NULL, or in one phrase what
 * somebody else did to it.
 */
const char *collect_trouble(struct collect *c);
/* Begin anew with another instance, after such trouble. */
void collect_reopen(struct collect *c, struct join *j,
		    const struct cpuset *observed);
/* CPUs may have come online: read their buffers, and observe these. */
void collect_observe(struct collect *c, const struct cpuset *observed);

/* Events the ring buffers dropped since the start. */
uint64_t collect_lost(struct collect *c);
/* What this kernel lacks, in a sentence; NULL if nothing. */
const char *collect_degraded(const struct collect *c);
/*
 * Hand out what is written to the trace_marker of the instance; and, from Linux
 * 6.16 on, to that of the whole kernel. Before collect_start().
 */
void collect_want_marks(struct collect *c);
/* The instance's trace_marker; the caller frees it. */
char *collect_marker(const struct collect *c);
/* An event of a group that this kernel has not; NULL: it has all of them. */
const char *collect_lacks(const struct collect *c);
bool collect_has_csd(const struct collect *c);
bool collect_has_stacks(const struct collect *c);
bool collect_one_call_vector(const struct collect *c);
void collect_free(struct collect *c);

#endif
