/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_SYNC_H
#define _LINUX_PT_SYNC_H

/*
 * Waiting until no lockless walker can still see a page table that has just
 * been unlinked.
 */

#include <linux/pgtable.h>
#include <linux/pt_receipt.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>

struct mmu_gather;
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

//@34
#ifdef CONFIG_PT_SYNC

void tlb_remove_table_sync_mm(struct mm_struct *mm,
			      const struct pt_receipt *receipt);
//@36
void tlb_remove_table_sync_unshared(const struct mmu_gather *tlb,
				    const struct pt_receipt *receipt);
//@34
//@45
bool arch_flush_interrupts_all(void);
//@34

#elif defined(CONFIG_MMU_GATHER_RCU_TABLE_FREE)
//@!34
#ifdef CONFIG_MMU_GATHER_RCU_TABLE_FREE
//@end

void tlb_remove_table_sync_one(void);

/**
 * tlb_remove_table_sync_mm - wait for lockless walkers of one mm
 * @mm: the only mm whose walkers can stand on the table
 * @receipt: what the flush after the entry was cleared has proved, or NULL
 */
static inline void tlb_remove_table_sync_mm(struct mm_struct *mm,
					    const struct pt_receipt *receipt)
{
	/* A walker that reads in two halves may be of another mm. */
	if (pt_sync_split_read() || !pt_receipt_valid(receipt, mm))
		tlb_remove_table_sync_one();
}

#else /* walkers are waited for by every flush */

static inline void tlb_remove_table_sync_mm(struct mm_struct *mm,
					    const struct pt_receipt *receipt)
{
}

#endif

//@36
#ifndef CONFIG_PT_SYNC
/* As the broadcast reaches everybody, it is left to the last sharer. */
#define tlb_remove_table_sync_unshared(tlb, receipt)		\
do {								\
	if ((tlb)->fully_unshared_tables)			\
		tlb_remove_table_sync_one();			\
} while (0)
#endif

//@50
/**
 * pt_sync_lab_under_ptl - a strategy that would sleep must not
 * @tlb: the gather of a caller that holds a page-table lock
 */
#ifdef CONFIG_PT_SYNC_LAB
#define pt_sync_lab_init(tlb)		((tlb)->under_ptl = 0)
#define pt_sync_lab_under_ptl(tlb)	((tlb)->under_ptl = 1)
#define pt_sync_lab_atomic(tlb)		((tlb)->under_ptl)
#else
#define pt_sync_lab_init(tlb)		do { } while (0)
#define pt_sync_lab_under_ptl(tlb)	do { } while (0)
#define pt_sync_lab_atomic(tlb)		false
#endif

//@end
pmd_t pmdp_collapse_flush_sync(struct vm_area_struct *vma,
			       unsigned long address, pmd_t *pmdp, spinlock_t *ptl);
pmd_t pmdp_collapse_flush_locked(struct vm_area_struct *vma,
				 unsigned long address, pmd_t *pmdp);

#endif /* _LINUX_PT_SYNC_H */
