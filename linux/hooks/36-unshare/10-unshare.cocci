// SPDX-License-Identifier: GPL-2.0
// Each mm that stops sharing waits for its own walkers.
// Changes: include/asm-generic/tlb.h 8
// Changes: mm/mmu_gather.c 2
@@
@@
 #include <linux/pt_receipt.h>
+#include <linux/pt_sync.h>

@@
@@
 struct mmu_gather {
 	...
 	unsigned int fully_unshared_tables : 1;
+
+	/*
+	 * have we unshared a page table whose walkers in this mm have not
+	 * been waited for?
+	 */
+	unsigned int unsynced_tables : 1;
 	...
 };

@@
identifier tlb;
@@
 tlb_unshare_pmd_ptdesc(...)
 {
 	...
 	tlb->unshared_tables = true;
+	tlb->unsynced_tables = true;
 }

@@
identifier tlb;
@@
 tlb_flush_unshared_tables(struct mmu_gather *tlb)
 {
+	struct pt_receipt receipt = PT_RECEIPT_NONE;
+
 	...
-	if (tlb->unshared_tables)
+	if (tlb->unshared_tables) {
+		tlb->receipt = &receipt;
 		tlb_flush_mmu_tlbonly(tlb);
+		tlb->receipt = NULL;
+	}
 	...
-	if (tlb->fully_unshared_tables) {
-		tlb_remove_table_sync_one();
+	if (tlb->unsynced_tables) {
+		tlb_remove_table_sync_unshared(tlb, &receipt);
 		tlb->fully_unshared_tables = false;
+		tlb->unsynced_tables = false;
 	}
 }

@@
identifier tlb;
@@
 __tlb_gather_mmu(struct mmu_gather *tlb, ...)
 {
 	...
 	tlb->fully_unshared_tables = 0;
+	tlb->unsynced_tables = 0;
 	...
 }

@@
identifier tlb;
@@
 tlb_finish_mmu(struct mmu_gather *tlb)
 {
 	...
 	VM_WARN_ON_ONCE(tlb->fully_unshared_tables);
+	VM_WARN_ON_ONCE(tlb->unsynced_tables);
 	...
 }
