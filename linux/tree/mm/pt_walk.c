// SPDX-License-Identifier: GPL-2.0
/*
 * Lockless page-table walkers that publish themselves, and the bias that asks
 * them to.  <linux/pt_walk.h> explains the states; the letters are the
 * scenarios of Documentation/mm/pt_sync.rst.
 */

#include <linux/export.h>
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <linux/pt_walk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include <asm/tlb.h>

#include "pt_sync.h"

DEFINE_PER_CPU(struct mm_struct *, active_lockless_pt_walk_mm);
EXPORT_PER_CPU_SYMBOL_GPL(active_lockless_pt_walk_mm);

unsigned long __pt_walk_publish(struct mm_struct *mm)
{
	struct mm_struct *outer = this_cpu_read(active_lockless_pt_walk_mm);

	lockdep_assert_irqs_disabled();
	/* Both are being walked while this walk lasts. */
	if (unlikely(outer && outer != mm))
		mm = PT_WALK_ANY;
	this_cpu_write(active_lockless_pt_walk_mm, mm);
	/*
	 * A: the slot is visible before the first entry is loaded.  Pairs with
	 * the barrier between the cleared entry and the load of the slot in
	 * pt_sync().
	 */
	smp_mb();
	return (unsigned long)outer | PT_WALK_PUBLISHED;
}
EXPORT_SYMBOL_GPL(__pt_walk_publish);

/**
 * pt_walk_visible - would others know that this CPU can walk current->mm?
 *
 * A CPU that has loaded a temporary mm, for text poking or firmware, or that
 * is on its way to another mm, may be missing in mm_cpumask(current->mm).
 * Code that can interrupt such moments must not walk then.
 */
bool pt_walk_visible(void)
{
	/* Whichever mm an NMI finds here, it must be the one that is loaded. */
	return !data_race(current->mm) || nmi_uaccess_okay();
}

/**
 * pt_walk_active - is @cpu walking @mm?
 * @cpu: any CPU
 * @mm: an mm whose bias is trusted
 *
 * Context: after a full barrier, inside the RCU read-side critical section in
 * which pt_bias_trusted() was asked.
 */
bool pt_walk_active(int cpu, const struct mm_struct *mm)
{
	const struct mm_struct *walked;

	/* D: pairs with the release in pt_walk_end(). */
	walked = smp_load_acquire(per_cpu_ptr(&active_lockless_pt_walk_mm, cpu));
	return walked == mm || walked == PT_WALK_ANY;
}

/* Bias changes hands rarely; one lock for all mms is enough. */
static DEFINE_SPINLOCK(pt_bias_lock);

/* A work item and not a callback: mmdrop() must not be called in softirq. */
static void pt_bias_leave(struct work_struct *work)
{
	struct mm_struct *mm = container_of(to_rcu_work(work), struct mm_struct,
					    pt_bias.work);
	struct pt_bias *bias = &mm->pt_bias;
	bool again = false;

	spin_lock(&pt_bias_lock);
	if (!bias->users) {
		/* Put, got and put again: wait for the last put. */
		again = !poll_state_synchronize_rcu(bias->until);
		if (!again)
			WRITE_ONCE(bias->publish, false);
	}
	bias->leaving = again;
	spin_unlock(&pt_bias_lock);

	if (again)
		queue_rcu_work(system_dfl_wq, &bias->work);
	else
		mmdrop(mm);
}

static void pt_bias_get_locked(struct mm_struct *mm)
{
	struct pt_bias *bias = &mm->pt_bias;

	lockdep_assert_held(&pt_bias_lock);
	bias->users++;
	if (!bias->publish) {
		/* Walkers need not pay where flushes come with receipts. */
		if (!pt_sync_wants_bias())
			return;
		WRITE_ONCE(bias->publish, true);
		/* E: trust begins when no walker can have missed this. */
		WRITE_ONCE(bias->since, start_poll_synchronize_rcu());
	}
	/* Pairs with the acquire in pt_bias_trusted(): @since comes first. */
	smp_store_release(&bias->trust, true);
}

static void pt_bias_put_locked(struct mm_struct *mm)
{
	struct pt_bias *bias = &mm->pt_bias;

	lockdep_assert_held(&pt_bias_lock);
	if (WARN_ON_ONCE(!bias->users) || --bias->users || !bias->publish)
		return;
	/* F: removers that still trust are gone a grace period from now. */
	WRITE_ONCE(bias->trust, false);
	bias->until = get_state_synchronize_rcu();
	if (!bias->leaving) {
		bias->leaving = true;
		mmgrab(mm);
		INIT_RCU_WORK(&bias->work, pt_bias_leave);
		queue_rcu_work(system_dfl_wq, &bias->work);
	}
}

/**
 * pt_bias_init - a new mm, or a copy of one, starts without bias
 * @mm: the mm, not yet visible to anybody
 */
void pt_bias_init(struct mm_struct *mm)
{
	struct pt_bias *bias = &mm->pt_bias;

	memset(bias, 0, sizeof(*bias));
	if (!pt_sync_publishes_all())
		return;
	/* E: nobody can be walking it yet, so there is nobody to wait for. */
	bias->users = 1;
	bias->sticky = true;
	bias->publish = true;
	bias->since = get_completed_synchronize_rcu();
	bias->trust = true;
}

/**
 * pt_bias_get - ask the walkers of @mm to publish themselves
 * @mm: an mm whose page tables are about to change often
 *
 * Does not wait: until a grace period has passed the bias is not trusted.
 */
void pt_bias_get(struct mm_struct *mm)
{
	spin_lock(&pt_bias_lock);
	pt_bias_get_locked(mm);
	spin_unlock(&pt_bias_lock);
}

/**
 * pt_bias_put - give back pt_bias_get()
 * @mm: the mm
 */
void pt_bias_put(struct mm_struct *mm)
{
	spin_lock(&pt_bias_lock);
	pt_bias_put_locked(mm);
	spin_unlock(&pt_bias_lock);
}

/**
 * pt_bias_get_sticky - ask for the rest of the life of @mm
 * @mm: the mm
 *
 * For users that do not know when their last removal is; asking twice is
 * asking once.
 */
void pt_bias_get_sticky(struct mm_struct *mm)
{
	if (READ_ONCE(mm->pt_bias.sticky))
		return;
	spin_lock(&pt_bias_lock);
	if (!mm->pt_bias.sticky) {
		WRITE_ONCE(mm->pt_bias.sticky, true);
		pt_bias_get_locked(mm);
	}
	spin_unlock(&pt_bias_lock);
}

/**
 * pt_bias_put_sticky - end pt_bias_get_sticky() early, if there was one
 * @mm: the mm
 */
void pt_bias_put_sticky(struct mm_struct *mm)
{
	spin_lock(&pt_bias_lock);
	if (mm->pt_bias.sticky) {
		WRITE_ONCE(mm->pt_bias.sticky, false);
		pt_bias_put_locked(mm);
	}
	spin_unlock(&pt_bias_lock);
}

/**
 * pt_bias_scan - khugepaged turns to @mm
 * @mm: the mm it scans from now on, or NULL for none
 *
 * The bias stays while khugepaged sleeps in the middle of an mm.  Holds a
 * reference to the struct only, so it does not keep an address space alive.
 */
void pt_bias_scan(struct mm_struct *mm)
{
	static struct mm_struct *scanned;

	if (mm == scanned)
		return;
	if (scanned) {
		pt_bias_put(scanned);
		mmdrop(scanned);
	}
	if (mm) {
		mmgrab(mm);
		pt_bias_get(mm);
	}
	scanned = mm;
}

/**
 * pt_bias_pass_done - khugepaged goes to sleep
 * @done: it is not in the middle of an mm
 */
void pt_bias_pass_done(bool done)
{
	if (done)
		pt_bias_scan(NULL);
}

/**
 * pt_bias_trusted - does every walker of @mm publish itself?
 * @mm: the mm
 *
 * Context: RCU read-side critical section, which must extend over every use of
 * the answer (scenario F).
 */
bool pt_bias_trusted(struct mm_struct *mm)
{
	RCU_LOCKDEP_WARN(!rcu_read_lock_held(), "trust must hold until it is used");
	/* E: pairs with the release in pt_bias_get_locked(). */
	return smp_load_acquire(&mm->pt_bias.trust) &&
	       poll_state_synchronize_rcu(READ_ONCE(mm->pt_bias.since));
}
