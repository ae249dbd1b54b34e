// SPDX-License-Identifier: GPL-2.0
/*
 * Lockless page-table walkers that publish themselves.
//@45
 * And the bias that asks them to.  <linux/pt_walk.h> explains the states.
//@end
 *
 * The letters are the scenarios of Documentation/mm/pt_sync.rst.
 */

//@45
#include <linux/atomic.h>
//@end
#include <linux/export.h>
//@45
#include <linux/jiffies.h>
#include <linux/list.h>
//@end
#include <linux/mm_types.h>
#include <linux/percpu.h>
#include <linux/pt_walk.h>
//@45
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "pt_sync.h"
//@70
#include "pt_sync_fault.h"
//@end

DEFINE_PER_CPU(struct mm_struct *, active_lockless_pt_walk_mm);
EXPORT_PER_CPU_SYMBOL_GPL(active_lockless_pt_walk_mm);

/* Walkers load both.  Locks that are debugged are larger. */
#if defined(CONFIG_X86_64) && !defined(CONFIG_PREEMPT_RT) && \
	!defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC) && \
	!defined(CONFIG_RANDSTRUCT)
static_assert(offsetof(struct mm_struct, pgd) / SMP_CACHE_BYTES ==
	      offsetof(struct mm_struct, pt_walk_publish) / SMP_CACHE_BYTES);
#endif

/* The walk of an interrupt or NMI that came in the middle of another walk. */
unsigned long __pt_walk_nest(struct mm_struct *mm)
{
	struct mm_struct *outer = this_cpu_read(active_lockless_pt_walk_mm);

	/* Both are being walked while this walk lasts. */
	if (outer != mm)
		mm = PT_WALK_ANY;
	this_cpu_write(active_lockless_pt_walk_mm, mm);
	smp_mb(); /* A: as in pt_walk_begin(). */
//@70
	if (pt_fault(PT_FAULT_NESTED_CLEAR))
		outer = NULL;
//@end
	return (unsigned long)outer | PT_WALK_PUBLISHED;
}
EXPORT_SYMBOL_GPL(__pt_walk_nest);

/**
 * pt_walk_active - is @cpu walking @mm?
 * @cpu: any CPU
 * @mm: an mm whose walkers publish themselves
 *
 * Context: after a full barrier, inside the RCU read-side critical section in
 * which it was asked whether they do.
 */
bool pt_walk_active(int cpu, const struct mm_struct *mm)
{
	const struct mm_struct *walked;

	/* D: pairs with the release in pt_walk_end(). */
	walked = smp_load_acquire(per_cpu_ptr(&active_lockless_pt_walk_mm, cpu));
//@70
	if (pt_fault(PT_FAULT_V4_READ_BARRIER))
		return pt_fault_walk_active(cpu, mm);
//@end
	return walked == mm || walked == PT_WALK_ANY;
}
//@45

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
			WRITE_ONCE(mm->pt_walk_publish, false);
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
	if (!mm->pt_walk_publish) {
		/* Walkers need not pay where flushes come with receipts. */
		if (!pt_sync_wants_bias())
			return;
		WRITE_ONCE(mm->pt_walk_publish, true);
		/* E: trust begins when no walker can have missed this. */
//@70
		if (pt_fault(PT_FAULT_OLD_COOKIE) && bias->since)
			goto trust;
//@45
		WRITE_ONCE(bias->since, start_poll_synchronize_rcu());
	}
//@70
trust:
//@45
	/* Pairs with the acquire in pt_bias_trusted(): @since comes first. */
	smp_store_release(&bias->trust, true);
}

static void pt_bias_put_locked(struct mm_struct *mm)
{
	struct pt_bias *bias = &mm->pt_bias;

	lockdep_assert_held(&pt_bias_lock);
	if (WARN_ON_ONCE(!bias->users) || --bias->users || !mm->pt_walk_publish)
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
	INIT_LIST_HEAD(&bias->link);
	mm->pt_walk_publish = false;
//@50
#ifdef CONFIG_PT_SYNC_LAB
	if (!pt_sync_publishes_all())
		return;
	/* E: nobody can be walking it yet, so there is nobody to wait for. */
	bias->users = 1;
	bias->sticky = true;
	mm->pt_walk_publish = true;
	bias->since = get_completed_synchronize_rcu();
	bias->trust = true;
#endif
//@45
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

/* How long an mm stays biased after its last pt_bias_touch(). */
#define PT_BIAS_DECAY	(10 * HZ)

static LIST_HEAD(pt_bias_touched);

static void pt_bias_decay(struct work_struct *work);
static DECLARE_DELAYED_WORK(pt_bias_work, pt_bias_decay);

static void pt_bias_decay(struct work_struct *work)
{
	struct pt_bias *bias, *next;

	spin_lock(&pt_bias_lock);
	list_for_each_entry_safe(bias, next, &pt_bias_touched, link) {
		struct mm_struct *mm = container_of(bias, struct mm_struct,
						    pt_bias);

		if (atomic_read(&mm->mm_users) &&
		    time_before(jiffies, READ_ONCE(bias->touched) + PT_BIAS_DECAY))
			continue;
		list_del_init(&bias->link);
		pt_bias_put_locked(mm);
		/* This may free @bias, which is off the list. */
		mmdrop(mm);
	}
	if (!list_empty(&pt_bias_touched))
		queue_delayed_work(system_dfl_wq, &pt_bias_work, PT_BIAS_DECAY);
	spin_unlock(&pt_bias_lock);
}

/**
 * pt_bias_touch - a page table of @mm has been removed; more may follow
 * @mm: the mm
 *
 * For removers that do not know which removal is their last: the bias ends by
 * itself when none comes for some time.  An mm that exits gets none.
 */
void pt_bias_touch(struct mm_struct *mm)
{
	struct pt_bias *bias = &mm->pt_bias;

	if (!atomic_read(&mm->mm_users) || !pt_sync_wants_bias())
		return;
	WRITE_ONCE(bias->touched, jiffies);
	if (!list_empty_careful(&bias->link))
		return;
	spin_lock(&pt_bias_lock);
	if (list_empty(&bias->link)) {
		mmgrab(mm);
		pt_bias_get_locked(mm);
		list_add(&bias->link, &pt_bias_touched);
		queue_delayed_work(system_dfl_wq, &pt_bias_work, PT_BIAS_DECAY);
	}
	spin_unlock(&pt_bias_lock);
}

//@58
#ifdef CONFIG_PT_SYNC_KUNIT_TEST
/* For tests: as if all that is touched had not been for long. */
void pt_bias_settle_touched(void)
{
	struct pt_bias *bias;

	spin_lock(&pt_bias_lock);
	list_for_each_entry(bias, &pt_bias_touched, link)
		WRITE_ONCE(bias->touched, jiffies - 2 * PT_BIAS_DECAY);
	spin_unlock(&pt_bias_lock);
	mod_delayed_work(system_dfl_wq, &pt_bias_work, 0);
	flush_delayed_work(&pt_bias_work);
}
#endif

//@50
#ifdef CONFIG_PT_SYNC_LAB
/**
 * pt_bias_get_sticky - ask for the rest of the life of @mm
 * @mm: the mm
 *
 * Asking twice is asking once.
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

#endif /* CONFIG_PT_SYNC_LAB */

//@45
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
//@70
	if (pt_fault(PT_FAULT_EARLY_BIAS))
		return READ_ONCE(mm->pt_bias.trust);
//@45
	/* E: pairs with the release in pt_bias_get_locked(). */
	return smp_load_acquire(&mm->pt_bias.trust) &&
	       poll_state_synchronize_rcu(READ_ONCE(mm->pt_bias.since));
}
//@end
