/* SPDX-License-Identifier: GPL-2.0 */
/*
 * summary.h - what was received, by CPU, cause and source. Fed by a live
 * session or by a record, shown as text, JSON, SVG or metrics.
 */
#ifndef QUELL_SUMMARY_H
#define QUELL_SUMMARY_H

#include "join/counters.h"
#include "record/hist.h"
#include "irqs.h"
#include "join/owner.h"
#include "record/recfile.h"
#include "system.h"

#define HEAT_BINS	240

struct tally {
	uint64_t	irqs, rides, polled, parts;	/* see enum receipt_kind */
	uint64_t	unknown;		/* irqs without a known sender */
	uint64_t	avoidable;		/* irqs quell would have avoided */
	uint64_t	sends, ipis;
	uint64_t	requests;		/* served, with or without an irq */
	uint64_t	ns;
};

/* One source: a cause, what ran, who sent it from where. @cgroup: of who sent it. */
struct source_row {
	enum cause	cause;
	uint32_t	func, site, comm, cgroup;
	bool		known;
	struct tally	t;
	uint64_t	last, delta;		/* row_count() when top last looked; more since */
	uint64_t	exported;		/* and when series.c did */
	uint64_t	active;			/* when it last sent or was received */
	uint32_t	max_ns, stack, detail;
	struct hist	*lost;			/* NULL: nothing is known */
	const char	*why;			/* avoidable, or why not */
	struct cpuset	senders, receivers;
};

/* Interruptions, whether the processor counts them or not. */
static inline uint64_t row_count(const struct source_row *r)
{
	return r->t.irqs + r->t.parts;
}

/* Those of one control group that had to wait. */
struct victim_row {
	uint32_t	cgroup;
	uint32_t	max;			/* ns, as far as it is known */
	uint64_t	times, lost;
};

struct cpu_row {
	int		cpu;
	uint64_t	irqs, avoidable, last, delta;
	uint64_t	lost;			/* ns */
	uint64_t	by_cause[NR_CAUSES];
	uint64_t	avoidable_by_cause[NR_CAUSES];
};

struct sync_row {			/* quell's own counters, over the window */
	char			strategy[24];
	unsigned long long	syncs, receipts, broadcasts, interrupted;
};

struct summary {
	struct strtab	*strings, *stacks;
	struct cpuset	observed, quiet, online;
	struct avoid_facts facts;
	char		*release, *machine, *strategy, *flush, *started, *command;
	char		*isolcpus;	/* of the kernel command line; NULL: not told */
	struct irq_table irqs;		/* of devices, when it began */
	char		*what;		/* groups of events; NULL: not said */
	char		*host, *processor;	/* NULL: the record does not say */
	char		*dump;			/* of quell watch: the culprit, else NULL */
	char		*only;			/* what was asked for; NULL: all */
	uint64_t	only_unknown;		/* and how often nobody knows */
	bool		pti_known, has_csd, has_stacks, live;

	uint64_t	duration, lost, expired, sends_seen;
	/* Interrupts the kernel counted and the trace did not see. */
	uint64_t	unaccounted;
	bool		cut;			/* the record has no end */
	uint64_t	skipped;		/* entries of unknown kinds */
	struct { uint64_t ts; char *text; } note[16];	/* the first ones */
	size_t		nnotes;			/* all of them */
	struct tally	total, cause[NR_CAUSES];
	struct hist	lost_time, lost_by_cause[NR_CAUSES];
	struct source_row **row;
	size_t		nrows, row_room;
	uint32_t	*slot;			/* hash of rows */
	size_t		nslots;
	struct cpu_row	*cpu[MAX_CPUS];
	struct victim_row *victim;
	size_t		nvictims, victim_room;
	uint32_t	*victim_of;		/* by the path's number, + 1; 0: none */
	size_t		victims_of;

	struct agreement *agree;
	size_t		nagree, agree_room;
	struct sync_row	sync[16];
	int		nsync;
	bool		has_deferred;
	unsigned long long flush_deferred, flush_interrupted;

	/* CPU x time x cause, if asked for; the span must be known first. */
	uint64_t	heat_span;
	uint32_t	*heat[MAX_CPUS];
};

struct verdict { unsigned int exact, within, off, untraced; uint64_t missing; };

void summary_init(struct summary *s, struct strtab *strings, struct strtab *stacks);
void summary_system(struct summary *s, const struct system *sys,
		    const struct cpuset *observed);
void summary_send(struct summary *s, const struct send *x);
void summary_receipt(struct summary *s, const struct receipt *r,
		     const struct send *from);
/* Of one source, of one CPU; made if there is none yet. */
struct source_row *summary_row(struct summary *s, enum cause c, uint32_t func,
			       uint32_t site, uint32_t comm, uint32_t cgroup,
			       bool known);
/* Those who waited, by their control group, which is not 0. */
struct victim_row *summary_victim(struct summary *s, uint32_t cgroup);
struct cpu_row *summary_cpu(struct summary *s, unsigned int cpu);
/* NULL: there is none. */
struct source_row *summary_find(const struct summary *s, enum cause c, uint32_t func,
				uint32_t site, uint32_t comm, uint32_t cgroup,
				bool known);
void summary_agreement(struct summary *s, const struct agreement *a);
/* Something that happened while it was observed, in words. */
void summary_note(struct summary *s, uint64_t ts, const char *text);
struct verdict summary_verdict(const struct summary *s);
/*
 * For those who observe without end: if there are more than @most sources, only
 * the half of @most that was active last is kept. Totals keep what they counted.
 */
void summary_trim(struct summary *s, size_t most);
/* Only those that rows refer to stay in the table of stacks, by other numbers. */
void summary_keep_stacks(struct summary *s);
/* Most interrupts first. */
void summary_sort(struct summary *s);
void summary_free(struct summary *s);

/* Between a summary and a record. */
void summary_to_meta(const struct summary *s, struct rec_writer *w);
/* The sets of CPUs once more, as they are now. */
bool summary_sets_to_meta(const struct summary *s, struct rec_writer *w);
void summary_meta(struct summary *s, const char *key, const char *value);

/*
 * Read a record, or what @only (if not NULL) asks of it; dies with one line if it
 * is not fit to be read.
 */
void summary_load(struct summary *s, const char *path, bool heat,
		  struct owner_filter *only);

#endif
