/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_TARGETS_H
#define _LINUX_PT_TARGETS_H

/*
 * Targets: which CPUs can be walking an mm, at no cost to the walkers.
 *
 * A lockless walker walks current->mm, with interrupts off.  So a CPU that
 * does not run a task of the mm, or does not run kernel code at all, need not
 * be interrupted.  Both questions are asked after the entry has been cleared
 * and a full barrier; what answers "no" has a full barrier of its own on the
 * way to "yes" (scenarios B and C of Documentation/mm/pt_sync.rst).
 */

#include <linux/context_tracking_state.h>
#include <linux/cpumask.h>
#include <linux/mm_types.h>
//@50
#include <linux/percpu.h>
#include <linux/preempt.h>
//@end
#include <linux/sched.h>
//@50
#include <linux/smp.h>
//@end

/**
 * pt_cpu_has_mm - can @cpu have loaded @mm?
 * @cpu: an online CPU other than this one
 * @mm: the mm whose page table changed
 *
 * The cheap question.  A bit may outlast the task by long: on a CPU that has
 * gone idle, and in newer kernels on one that runs another mm.
 *
 * Context: after a full barrier.
 */
static inline bool pt_cpu_has_mm(int cpu, struct mm_struct *mm)
{
#ifdef CONFIG_PT_SYNC_MM_CPUMASK
	/*
	 * B: pairs with the locked operation or full barrier in
	 * switch_mm_irqs_off(), the same that the TLB flush relies on.
	 */
	return cpumask_test_cpu(cpu, mm_cpumask(mm));
#else
	return true;
#endif
}

bool cpu_curr_has_mm(int cpu, const struct mm_struct *mm);

/**
 * pt_cpu_runs_mm - is @cpu running a task of @mm?
 * @cpu: an online CPU other than this one
 * @mm: the mm whose page table changed
 *
 * The precise question, and as membarrier() asks it: the runqueue's current
 * task, read without the runqueue's lock.
 *
 * Context: after a full barrier, inside an RCU read-side critical section.
 */
static inline bool pt_cpu_runs_mm(int cpu, const struct mm_struct *mm)
{
	/*
	 * B: pairs with the full barrier between the store to rq->curr, or to
	 * current->mm, and what the task does then.  An NMI knows no barrier:
	 * it asks pt_walk_visible().
	 */
	return cpu_curr_has_mm(cpu, mm);
}

/**
 * pt_cpu_in_kernel - can @cpu be running kernel code?
 * @cpu: an online CPU other than this one
 *
 * False in an RCU extended quiescent state: idle, and user mode or a guest on
 * a CPU with context tracking.  An NMI there enters RCU before it walks.
 *
 * Context: after a full barrier.
 */
static inline bool pt_cpu_in_kernel(int cpu)
{
	/*
	 * C: pairs with the fully ordered atomic in ct_kernel_enter_state()
	 * and ct_nmi_enter().  D: acquire, so that a walk from before the
	 * quiescent state is over when the table is used again.
	 */
#ifdef CONFIG_CONTEXT_TRACKING_IDLE
	return ct_rcu_watching_cpu_acquire(cpu) & CT_RCU_WATCHING;
#else
	return true;
#endif
}

//@50
#ifdef CONFIG_PT_SYNC_LAB
DECLARE_PER_CPU(unsigned int *, pt_sync_rq_locks);

/**
 * pt_sync_lab_rq_lock - the lock of a runqueue is about to be taken
 * @cpu: whose runqueue
 *
 * Counts it if it is another CPU's and a sync asks about CPUs here just now.
 * The sync has preemption off then; an interrupt's locks are its own.
 */
static inline void pt_sync_lab_rq_lock(int cpu)
{
	unsigned int *count = raw_cpu_read(pt_sync_rq_locks);

	if (unlikely(count) && in_task() && cpu != raw_smp_processor_id())
		(*count)++;
}
#else
static inline void pt_sync_lab_rq_lock(int cpu)
{
}
#endif

//@end
#endif /* _LINUX_PT_TARGETS_H */
