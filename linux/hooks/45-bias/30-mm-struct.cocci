// SPDX-License-Identifier: GPL-2.0
// A new mm, or a copy of one, starts without.
// Changes: include/linux/mm_types.h 1
// Changes: kernel/fork.c 2
@@
@@
 #include <linux/seqlock.h>
+#include <linux/pt_bias_types.h>

@@
identifier mm;
@@
 mm_init(struct mm_struct *mm, ...)
 {
 	<...
 	init_tlb_flush_pending(mm);
+	pt_bias_init(mm);
 	...>
 }

@@
@@
 #include <linux/sched/mm.h>
+#include <linux/pt_walk.h>
