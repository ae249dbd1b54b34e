/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_PT_SYNC_H
#define _MM_PT_SYNC_H

/* What the parts of pt_sync share: the strategies and their counters. */

#include <linux/atomic.h>
#include <linux/types.h>

/**
 * struct pt_sync_strategy - whom a sync interrupts
 * @name: for the boot parameter, debugfs and traces
 * @trusts_property: nobody, if flushes are expected to interrupt everyone
 * @trusts_receipts: nobody, if this flush did interrupt everyone
 * @trusts_slots: else CPUs that say they are walking the mm, if it is biased
 * @publishes_all: every mm is biased, all the time
 * @asks_running: else CPUs that run the mm in the kernel; if not, all
 *
 * In this order; the first that applies decides.
 */
struct pt_sync_strategy {
	const char *name;
	bool trusts_property;
	bool trusts_receipts;
	bool trusts_slots;
	bool publishes_all;
	bool asks_running;
};

enum {
	PT_SYNC_BROADCAST,
	PT_SYNC_PROPERTY,
	PT_SYNC_RECEIPT,
	PT_SYNC_WALKERS,
	PT_SYNC_RUNNING,
	PT_SYNC_AUTO,
	PT_SYNC_STRATEGIES,
};

extern const struct pt_sync_strategy pt_sync_strategies[PT_SYNC_STRATEGIES];

/* Counters, in the order in which debugfs shows them. */
enum {
	PT_STAT_SYNCS,		/* syncs asked for */
	PT_STAT_RECEIPTS,	/* ... that a receipt made unnecessary */
	PT_STAT_PROPERTY,	/* ... that the property did */
	PT_STAT_BROADCASTS,	/* ... that went to every CPU */
	PT_STAT_TARGETED,	/* ... that went to the CPUs of one mm */
	PT_STAT_ONLINE,		/* CPUs online, summed over the syncs */
	PT_STAT_INTERRUPTED,	/* CPUs interrupted */
	PT_STAT_SKIPPED_IDLE,	/* CPUs spared: in a quiescent state */
	PT_STAT_SKIPPED_MM,	/* ... not running the mm */
	PT_STAT_SKIPPED_WALK,	/* ... not walking it, by their slot */
	PT_STAT_NS,		/* time spent */
	PT_STATS,
};

struct pt_sync_stats {
	atomic64_t count[PT_STATS];
};

extern struct pt_sync_stats pt_sync_stats[PT_SYNC_STRATEGIES];

int pt_sync_find(const char *name);
int pt_sync_current(void);
int pt_sync_switch(int strategy);
bool pt_sync_publishes_all(void);
bool pt_sync_wants_bias(void);

#endif /* _MM_PT_SYNC_H */
