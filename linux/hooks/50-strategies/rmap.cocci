// SPDX-License-Identifier: GPL-2.0
// These two unshare under the page-table lock.
// Changes: mm/rmap.c 3
@@
@@
 #include <linux/hugetlb.h>
+#include <linux/pt_sync.h>

@@
identifier f = {try_to_unmap_one, try_to_migrate_one, try_to_unmap_poisoned_hugetlb_one};
identifier tlb;
expression vma;
@@
 f(...)
 {
 	<...
 	tlb_gather_mmu_vma(&tlb, vma);
+	pt_sync_lab_under_ptl(&tlb);
 	...>
 }
