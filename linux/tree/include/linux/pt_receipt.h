/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_RECEIPT_H
#define _LINUX_PT_RECEIPT_H

/*
 * Receipts: a TLB flush that proves something says so.
 *
 * A receipt states one fact about one flush: every CPU that could have been
 * walking this mm without a lock has taken an interrupt since the entry was
 * cleared.  Whoever unlinks a page table puts an empty receipt on its stack,
 * hands it to the flush, and hands what came back to
 * tlb_remove_table_sync_mm().  A receipt lives as long as that stack frame, so
 * it cannot vouch for another flush.
 *
 * Only the code that has itself waited for the interrupts may issue one.  What
 * a backend is expected to do is no evidence: it may leave out a preempted
 * vCPU, or use a broadcast instruction, from one flush to the next.
 */

#include <linux/cpumask.h>
#include <linux/mm_types.h>

/**
 * struct pt_receipt - what a flush proved
 * @mm: whose walkers have been interrupted; NULL: nothing was proved
 * @refused: a part of the flush went without interrupts, so nothing that the
 *	     rest of it proves is enough
 */
struct pt_receipt {
	const struct mm_struct *mm;
	bool refused;
};

#define PT_RECEIPT_NONE	((struct pt_receipt) { })

/**
 * pt_receipt_issue - say that all possible walkers have been interrupted
 * @receipt: the caller's receipt, or NULL if it asked for none
 * @mm: the mm whose walkers they are
 *
 * To be called where the interrupts have completed, and nowhere else.
 */
static inline void pt_receipt_issue(struct pt_receipt *receipt,
				    const struct mm_struct *mm)
{
	if (receipt && !receipt->refused)
		receipt->mm = mm;
}

/**
 * pt_receipt_issue_alone - issue a receipt if nobody else can be walking
 * @receipt: the caller's receipt, or NULL if it asked for none
 * @mm: the mm that is being flushed
 * @cpu: this CPU, which is not walking
 *
 * For architectures that maintain mm_cpumask(), after the full barrier that
 * orders the cleared entry before the load of the mask: a CPU that this does not
 * find sets its bit later, with a full barrier, and sees the cleared entry.
//@34
 * That is scenario B of Documentation/mm/pt_sync.rst.
//@end
 * Walks from where the bit is cleared and current->mm not yet another are what
 * pt_walk_enter() forbids.
 */
static inline void pt_receipt_issue_alone(struct pt_receipt *receipt,
					  struct mm_struct *mm, int cpu)
{
	if (receipt && cpumask_any_but(mm_cpumask(mm), cpu) >= nr_cpu_ids)
		pt_receipt_issue(receipt, mm);
}

/**
 * pt_receipt_refuse - say that this flush leaves out a CPU
 * @receipt: the caller's receipt, or NULL if it asked for none
 *
 * A receipt once refused stays so, whatever is issued after.
 */
static inline void pt_receipt_refuse(struct pt_receipt *receipt)
{
	if (receipt)
		*receipt = (struct pt_receipt) { .refused = true };
}

/**
 * pt_receipt_valid - is this the proof a sync of @mm needs?
 * @receipt: what came back from the flush, or NULL
 * @mm: the mm that the sync is for
 */
static inline bool pt_receipt_valid(const struct pt_receipt *receipt,
				    const struct mm_struct *mm)
{
	return receipt && receipt->mm == mm;
}

#endif /* _LINUX_PT_RECEIPT_H */
