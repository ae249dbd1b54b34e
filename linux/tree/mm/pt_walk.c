// SPDX-License-Identifier: GPL-2.0
/*
 * Lockless page-table walks from where others do not expect them.
//@34
 *
 * The letters are the scenarios of Documentation/mm/pt_sync.rst.
//@end
 */

//@70
#include <linux/export.h>
//@end
#include <linux/lockdep.h>
#include <linux/mm_types.h>
#include <linux/pt_walk.h>
#include <linux/sched.h>

#include <asm/tlb.h>

//@70
#include "pt_sync_fault.h"

//@end
/**
 * pt_walk_visible - would others know that this CPU can walk current->mm?
 *
 * Others look at rq->curr, at its mm and, where there is one, at the CPU's bit
 * in mm_cpumask().  In the middle of a context switch, of kthread_use_mm() or
 * of exec, and under a temporary mm for text poking or firmware, these are not
 * what an interrupt or NMI, or an event of the scheduler's own, finds here.  It
 * must not walk then.  All this has interrupts off, but for firmware, which
 * runs in a thread of the kernel, without an mm.
 *
 * Context: interrupts off, or softirq.
 */
bool pt_walk_visible(void)
{
	/* An NMI may find it half way, and then asks below. */
	struct mm_struct *mm = data_race(current->mm);

	lockdep_assert(irqs_disabled() || in_serving_softirq());
//@70
	if (pt_fault(PT_FAULT_BLIND_NMI) || pt_fault_gup_blind() ||
	    (in_task() && pt_fault(PT_FAULT_BLIND_SWITCH)))
		return true;
//@end
	/* What is current here must be what the runqueue says, and loaded. */
	if (mm && (!task_curr(current) || !nmi_uaccess_okay()))
		return false;
	/*
	 * B: it may be between the store to rq->curr or current->mm and the
	 * barrier after it.
	 */
	smp_mb(); /* B */
	return true;
}
//@70
EXPORT_SYMBOL_GPL(pt_walk_visible);
