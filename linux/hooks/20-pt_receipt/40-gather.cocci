// SPDX-License-Identifier: GPL-2.0
// A gather carries the receipt of one flush, and only during that flush.
// Changes: include/asm-generic/tlb.h 2
// Changes: mm/mmu_gather.c 1
// Changes: arch/x86/include/asm/tlb.h 1
@@
@@
 struct mmu_gather {
 	struct mm_struct	*mm;
+	/* where the next flush leaves its receipt; NULL: nobody asks */
+	struct pt_receipt	*receipt;
 	...
 };

@@
@@
 #include <linux/hugetlb_inline.h>
+#include <linux/pt_receipt.h>

@@
identifier tlb, mm;
@@
 __tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm, ...)
 {
 	tlb->mm = mm;
+	tlb->receipt = NULL;
 	...
 }

@@
identifier tlb;
expression mm, start, end, shift, freed;
@@
 tlb_flush(struct mmu_gather *tlb)
 {
 	...
-	flush_tlb_mm_range(mm, start, end, shift, freed);
+	flush_tlb_mm_range_receipt(mm, start, end, shift, freed, tlb->receipt);
 }
