/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_PT_SYNC_H
#define _MM_PT_SYNC_H

//@38
/* What the parts of pt_sync share: the strategies and their counters. */
//@!38
/* The strategies. */
//@end

//@38
#include <linux/percpu.h>
//@end
#include <linux/types.h>

/**
 * struct pt_sync_strategy - whom a sync interrupts
//@38
 * @name: for the boot parameter, debugfs and traces
//@!38
 * @name: for the boot parameter
//@end
//@50
 * @waits_rcu: nobody, and waits for a grace period instead
 * @trusts_property: nobody, if flushes are expected to interrupt everyone
 * @publishes_all: every mm is biased, all the time
//@end
 * @trusts_receipts: nobody, if this flush did interrupt everyone
//@45
 * @trusts_slots: else CPUs that say they are walking the mm, if it is biased
//@end
 * @asks_running: else CPUs that run the mm in the kernel; if not, all
 *
 * In this order; the first that applies decides.
 */
struct pt_sync_strategy {
	const char *name;
//@50
#ifdef CONFIG_PT_SYNC_LAB
	bool waits_rcu;
	bool trusts_property;
	bool publishes_all;
#endif
//@end
	bool trusts_receipts;
//@45
	bool trusts_slots;
//@end
	bool asks_running;
};

enum {
	PT_SYNC_BROADCAST,
//@50
#ifdef CONFIG_PT_SYNC_LAB
	PT_SYNC_PROPERTY,
	PT_SYNC_RECEIPT,
	PT_SYNC_WALKERS,
	PT_SYNC_RUNNING,
	PT_SYNC_RCU,
#endif
//@end
	PT_SYNC_AUTO,
	PT_SYNC_STRATEGIES,
};

extern const struct pt_sync_strategy pt_sync_strategies[PT_SYNC_STRATEGIES];

//@38
/* Counters, in the order in which debugfs shows them. */
enum {
	PT_STAT_SYNCS,		/* syncs asked for */
	PT_STAT_RECEIPTS,	/* ... that a receipt made unnecessary */
//@50
#ifdef CONFIG_PT_SYNC_LAB
	PT_STAT_PROPERTY,	/* ... that the property did */
	PT_STAT_GRACE_PERIODS,	/* ... that waited for RCU */
#endif
//@38
	PT_STAT_BROADCASTS,	/* ... that went to every CPU */
	PT_STAT_TARGETED,	/* ... that went to the CPUs of one mm */
	PT_STAT_ONLINE,		/* CPUs online, summed over the syncs */
	PT_STAT_INTERRUPTED,	/* CPUs interrupted */
	PT_STAT_SKIPPED_IDLE,	/* CPUs spared: in a quiescent state */
	PT_STAT_SKIPPED_MM,	/* ... not running the mm */
//@45
	PT_STAT_SKIPPED_WALK,	/* ... not walking it, by their slot */
//@50
#ifdef CONFIG_PT_SYNC_LAB
	PT_STAT_RQ_LOCKS,	/* of other CPUs, taken to ask about them */
#endif
//@38
	PT_STATS,
};

//@end
struct mm_struct;
struct pt_receipt;

//@38
struct pt_sync_stats {
	unsigned long count[PT_STATS];
};

//@end
/* One sync: whose walkers, the question about each CPU, and the answers. */
struct pt_sync_request {
	struct mm_struct *mm;
	const struct pt_receipt *receipt;
	bool last;		/* the table has no other user left */
//@50
	bool atomic;		/* the caller has a spinlock */
//@45
	bool by_slot;
//@end
	bool by_running;
//@38
	unsigned long caller;
	unsigned int count[PT_STATS];
//@end
};
//@38

DECLARE_PER_CPU(struct pt_sync_stats [PT_SYNC_STRATEGIES], pt_sync_stats);

int pt_sync_find(const char *name);
int pt_sync_current(void);
int pt_sync_switch(int strategy);
//@45
bool pt_sync_wants_bias(void);
//@58
void pt_bias_settle_touched(void);
//@45
//@50

/* Strategies to be compared with, and the switch between them: pt_sync_lab.c */
#ifdef CONFIG_PT_SYNC_LAB
bool pt_sync_lab_over(const struct pt_sync_strategy *s,
		      struct pt_sync_request *req);
bool pt_sync_publishes_all(void);
void pt_sync_lab_switched(const struct pt_sync_strategy *old,
			  const struct pt_sync_strategy *s);
void pt_sync_lab_count_locks(struct pt_sync_request *req);
#else
static inline bool pt_sync_lab_over(const struct pt_sync_strategy *s,
				    struct pt_sync_request *req)
{
	return false;
}

static inline void pt_sync_lab_switched(const struct pt_sync_strategy *old,
					const struct pt_sync_strategy *s)
{
}

static inline void pt_sync_lab_count_locks(struct pt_sync_request *req)
{
}
#endif
//@end

#endif /* _MM_PT_SYNC_H */
