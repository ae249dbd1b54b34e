// SPDX-License-Identifier: GPL-2.0
// Clear, flush, unlock and sync are one call.
// Changes: mm/khugepaged.c 5
@@
@@
 #include <linux/ksm.h>
+#include <linux/pt_sync.h>

@@
expression vma, address, pmd, _pmd, ptl, range;
@@
-	_pmd = pmdp_collapse_flush(vma, address, pmd);
-	spin_unlock(ptl);
+	_pmd = pmdp_collapse_flush_sync(vma, address, pmd, ptl);
 	mmu_notifier_invalidate_range_end(range);
-	tlb_remove_table_sync_one();

@@
expression vma, address, pmd, old;
@@
-	old = pmdp_collapse_flush(vma, address, pmd);
-	pmdp_get_lockless_sync();
+	old = pmdp_collapse_flush_locked(vma, address, pmd);
