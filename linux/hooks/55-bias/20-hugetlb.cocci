// SPDX-License-Identifier: GPL-2.0
// Both sides of a shared table; neither knows when it will be the last.
// Changes: mm/hugetlb.c 2
@@
@@
 #include <linux/sched/mm.h>
+#include <linux/pt_walk.h>

@@
identifier mm, svma, spte;
@@
 huge_pmd_share(struct mm_struct *mm, ...)
 {
 	<...
 	spte = hugetlb_walk(svma, ...);
 	if (spte) {
 		ptdesc_pmd_pts_inc(...);
+		pt_bias_get_sticky(svma->vm_mm);
+		pt_bias_get_sticky(mm);
 		break;
 	}
 	...>
 }
