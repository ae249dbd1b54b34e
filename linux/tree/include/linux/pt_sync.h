/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_SYNC_H
#define _LINUX_PT_SYNC_H

/*
 * Waiting until no lockless walker can still see a page table that has just
 * been unlinked.  Documentation/mm/pt_sync.rst has the argument.
 */

#include <linux/pgtable.h>
#include <linux/pt_receipt.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>

struct vm_area_struct;

/*
 * On these configurations an entry is read in two halves.  Their walkers may
 * walk other mms, and the entry must not change twice under them, so a sync
 * goes to every CPU and happens before the page-table lock is dropped.
 */
#if defined(CONFIG_GUP_GET_PXX_LOW_HIGH) && CONFIG_PGTABLE_LEVELS > 2
#define pt_sync_split_read()	true
#else
#define pt_sync_split_read()	false
#endif

#ifdef CONFIG_PT_SYNC

void tlb_remove_table_sync_mm(struct mm_struct *mm,
			      const struct pt_receipt *receipt);
void tlb_remove_table_sync_unshared(struct mm_struct *mm,
				    const struct pt_receipt *receipt,
				    bool last);
bool arch_flush_interrupts_all(void);

#else /* !CONFIG_PT_SYNC */

void tlb_remove_table_sync_one(void);

static inline void tlb_remove_table_sync_mm(struct mm_struct *mm,
					    const struct pt_receipt *receipt)
{
	if (IS_ENABLED(CONFIG_MMU_GATHER_RCU_TABLE_FREE))
		tlb_remove_table_sync_one();
}

static inline void tlb_remove_table_sync_unshared(struct mm_struct *mm,
						  const struct pt_receipt *receipt,
						  bool last)
{
	if (last)
		tlb_remove_table_sync_mm(mm, receipt);
}

#endif /* CONFIG_PT_SYNC */

pmd_t pmdp_collapse_flush_sync(struct vm_area_struct *vma,
			       unsigned long address, pmd_t *pmdp, spinlock_t *ptl);
pmd_t pmdp_collapse_flush_locked(struct vm_area_struct *vma,
				 unsigned long address, pmd_t *pmdp);

#endif /* _LINUX_PT_SYNC_H */
