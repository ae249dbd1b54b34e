// SPDX-License-Identifier: GPL-2.0
/*
 * Take a page table out from under a huge-page-sized range: clear the entry,
 * flush the TLB and wait for lockless walkers, in one call, so that no caller
 * can get the order wrong or wait on evidence that is not its own.
 */

#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/pt_sync.h>

#include <asm/tlb.h>
#include <asm/tlbflush.h>

#ifndef flush_tlb_range_receipt
/* An architecture that issues no receipts. */
static inline void flush_tlb_range_receipt(struct vm_area_struct *vma,
					   unsigned long start,
					   unsigned long end,
					   struct pt_receipt *receipt)
{
	flush_tlb_range(vma, start, end);
}
#endif

/**
 * pmdp_collapse_flush_sync - unlink a page table and wait for its walkers
 * @vma: the VMA
 * @address: start of the range, aligned to HPAGE_PMD_SIZE
 * @pmdp: the entry, pointing to a page table
 * @ptl: the lock that protects @pmdp; held on entry, released on return
 *
 * Return: the old entry.  No lockless walker sees the table below it any more.
 */
pmd_t pmdp_collapse_flush_sync(struct vm_area_struct *vma,
			       unsigned long address, pmd_t *pmdp,
			       spinlock_t *ptl)
{
	struct pt_receipt receipt = PT_RECEIPT_NONE;
	pmd_t pmd;

	lockdep_assert_held(ptl);
#ifdef pmdp_collapse_flush
	/* An architecture's own flush gives no receipt. */
	pmd = pmdp_collapse_flush(vma, address, pmdp);
#else
	VM_WARN_ON_ONCE(address & ~HPAGE_PMD_MASK);
	VM_WARN_ON_ONCE(pmd_trans_huge(*pmdp));
	pmd = pmdp_huge_get_and_clear(vma->vm_mm, address, pmdp);
	/* The entries that go are those of the table, not of a huge page. */
	flush_tlb_range_receipt(vma, address, address + HPAGE_PMD_SIZE,
				&receipt);
#endif
	/*
	 * A walker that reads entries in two halves must not see this one
	 * populated again before it is done: under the lock nobody can.
	 */
	if (pt_sync_split_read()) {
		tlb_remove_table_sync_mm(vma->vm_mm, &receipt);
		spin_unlock(ptl);
	} else {
		spin_unlock(ptl);
		tlb_remove_table_sync_mm(vma->vm_mm, &receipt);
	}
	return pmd;
}

/**
 * pmdp_collapse_flush_locked - unlink a page table that RCU will free
 * @vma: the VMA
 * @address: start of the range, aligned to HPAGE_PMD_SIZE
 * @pmdp: the entry, pointing to a page table
 *
 * Walkers that still see the table are harmless, unless they read entries in
 * two halves; those are waited for.  The caller keeps its locks.
 *
 * Return: the old entry.
 */
pmd_t pmdp_collapse_flush_locked(struct vm_area_struct *vma,
				 unsigned long address, pmd_t *pmdp)
{
	pmd_t pmd = pmdp_collapse_flush(vma, address, pmdp);

	if (pt_sync_split_read())
		tlb_remove_table_sync_mm(vma->vm_mm, NULL);
	return pmd;
}
