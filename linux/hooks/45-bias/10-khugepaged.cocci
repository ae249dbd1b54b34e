// SPDX-License-Identifier: GPL-2.0
// From the first table of an mm to the last.
// Changes: mm/khugepaged.c 6
@@
@@
 #include <linux/pt_sync.h>
+#include <linux/pt_walk.h>

@@
identifier f = {khugepaged_scan_mm_slot, collapse_scan_mm_slot};
identifier mm, slot;
@@
 f(...)
 {
 	<...
 	mm = slot->mm;
+	pt_bias_scan(mm);
 	...>
 }

@@
@@
 khugepaged(...)
 {
 	<...
 	khugepaged_do_scan(...);
+	pt_bias_pass_done(!khugepaged_scan.mm_slot);
 	...>
 }

// It may be stopped in the middle of an mm.
@@
@@
 khugepaged(...)
 {
 	...
+	pt_bias_scan(NULL);
 	return 0;
 }

@@
identifier mm;
@@
 madvise_collapse(...)
 {
 	<...
(
 	mmgrab(mm);
+	pt_bias_get(mm);
|
+	pt_bias_put(mm);
 	mmdrop(mm);
)
 	...>
 }
