// SPDX-License-Identifier: GPL-2.0
// GUP-fast.
// Changes: mm/gup.c 4
@@
@@
 #include <linux/sched/mm.h>
+#include <linux/pt_walk.h>

@ walk @
identifier f = gup_fast;
identifier flags;
expression list args;
@@
 f(...)
 {
+	unsigned long walk;
 	...
 	local_irq_save(flags);
+	walk = pt_walk_begin(current->mm);
 	gup_fast_pgd_range(args);
+	pt_walk_end(walk);
 	local_irq_restore(flags);
 	...
 }
