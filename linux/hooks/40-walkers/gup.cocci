// SPDX-License-Identifier: GPL-2.0
// Changes: mm/gup.c 3
@@
identifier flags;
@@
 gup_fast(...)
 {
+	unsigned long walk;
 	unsigned long flags;
 	...
+	walk = pt_walk_begin(current->mm);
 	gup_fast_pgd_range(...);
+	pt_walk_end(walk);
 	...
 }
