// SPDX-License-Identifier: GPL-2.0
// perf looks up page sizes from interrupts and NMIs.
// Changes: kernel/events/core.c 5
@@
@@
 #include <linux/mm.h>
+#include <linux/pt_walk.h>

@@
@@
 perf_get_page_size(...)
 {
 	struct mm_struct *mm;
+	unsigned long walk;
 	...
 }

@@
identifier addr;
@@
 perf_get_page_size(unsigned long addr)
 {
 	<...
-	if (!addr)
+	if (!addr || !pt_walk_visible())
 		return 0;
 	...>
 }

@@
identifier mm, size;
@@
 perf_get_page_size(...)
 {
 	<...
+	walk = pt_walk_begin(mm);
 	size = perf_get_pgtable_size(mm, ...);
+	pt_walk_end(walk);
 	...>
 }
