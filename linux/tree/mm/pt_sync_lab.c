// SPDX-License-Identifier: GPL-2.0
/*
 * Strategies that are there to be compared with: designs that were proposed
 * before, and a grace period of RCU.
 */

#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/percpu.h>
#include <linux/pt_sync.h>
#include <linux/pt_targets.h>
#include <linux/pt_walk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "pt_sync.h"
//@70
#include "pt_sync_fault.h"
//@end

/**
 * pt_sync_lab_over - what of these strategies makes interrupts unnecessary
 * @s: the strategy
 * @req: the sync
 *
 * Context: RCU read-side critical section, which is left and entered again by
 * a strategy that waits for its end.
 */
bool pt_sync_lab_over(const struct pt_sync_strategy *s,
		      struct pt_sync_request *req)
{
	/* Some syncs are under a page-table lock; those broadcast. */
	if (s->waits_rcu && !req->atomic) {
		rcu_read_unlock();
		synchronize_rcu();
		rcu_read_lock();
		req->count[PT_STAT_GRACE_PERIODS]++;
		return true;
	}
//@70
	if (s->trusts_property && pt_fault(PT_FAULT_V4_ELIDE))
		return true;
//@end
	if (s->trusts_property && arch_flush_interrupts_all()) {
		req->count[PT_STAT_PROPERTY]++;
		return true;
	}
	if (s->publishes_all)
		pt_bias_get_sticky(req->mm);
	return false;
}

/* Where raw_spin_rq_lock_nested() counts for the sync that asks on this CPU. */
DEFINE_PER_CPU(unsigned int *, pt_sync_rq_locks);

/**
 * pt_sync_lab_count_locks - count the runqueue locks of other CPUs
 * @req: the sync that is about to ask about a CPU, or NULL: it has asked
 *
 * Context: preemption off.
 */
void pt_sync_lab_count_locks(struct pt_sync_request *req)
{
	unsigned int *count = req ? &req->count[PT_STAT_RQ_LOCKS] : NULL;

	lockdep_assert_preemption_disabled();
	/* 6.12's macro takes a name only: it puts no parentheses around this. */
	__this_cpu_write(pt_sync_rq_locks, count);
}

/**
 * pt_sync_publishes_all - is every mm to be biased?
 */
bool pt_sync_publishes_all(void)
{
	return pt_sync_strategies[pt_sync_current()].publishes_all;
}

/* Bias every mm there is, or end that; new ones follow pt_bias_init(). */
static void pt_sync_bias_all(bool bias)
{
	struct task_struct *p;

	read_lock(&tasklist_lock);
	for_each_process(p) {
		struct task_struct *t = find_lock_task_mm(p);

		if (!t)
			continue;
		if (bias)
			pt_bias_get_sticky(t->mm);
		else
			pt_bias_put_sticky(t->mm);
		task_unlock(t);
	}
	read_unlock(&tasklist_lock);
}

/**
 * pt_sync_lab_switched - a switch of strategies has taken place
 * @old: from this one
 * @s: to this one
 */
void pt_sync_lab_switched(const struct pt_sync_strategy *old,
			  const struct pt_sync_strategy *s)
{
	if (s->publishes_all)
		pt_sync_bias_all(true);
	else if (old->publishes_all)
		pt_sync_bias_all(false);
}
