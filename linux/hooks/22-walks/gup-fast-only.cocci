// SPDX-License-Identifier: GPL-2.0
// GUP-fast, which perf calls from NMI: in this form only, for the others may
// sleep. gup-fallback.pin and gup-args.pin have what keeps it so.
// Changes: mm/gup.c 2
@@
@@
 get_user_pages_fast_only(...)
 {
+	int nr = 0;
+
 	...
-	return gup_fast_fallback(start, nr_pages, gup_flags, pages);
+	if (pt_walk_enter()) {
+		nr = gup_fast_fallback(start, nr_pages, gup_flags, pages);
+		pt_walk_exit();
+	}
+	return nr;
 }
