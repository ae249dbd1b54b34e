// SPDX-License-Identifier: GPL-2.0
// Changes: mm/mmu_gather.c 1
@@
identifier tlb;
@@
 __tlb_gather_mmu(struct mmu_gather *tlb, ...)
 {
 	...
 	tlb->receipt = NULL;
+	pt_sync_lab_init(tlb);
 	...
 }
