// SPDX-License-Identifier: GPL-2.0
// Later kernels leave this to RCU.
// Kernels: 6.12
// Changes: mm/mmu_gather.c 4
@@
@@
 #include <linux/swap.h>
+#include <linux/pt_sync.h>

@@
identifier table;
@@
-static void tlb_remove_table_one(void *table)
+static void tlb_remove_table_one(struct mmu_gather *tlb, void *table)
 {
-	tlb_remove_table_sync_one();
+	struct pt_receipt receipt = PT_RECEIPT_NONE;
+
+	tlb->receipt = &receipt;
+	tlb_table_invalidate(tlb);
+	tlb->receipt = NULL;
+	tlb_remove_table_sync_mm(tlb->mm, &receipt);
 	__tlb_remove_table(table);
 }

@@
expression tlb, table;
@@
-	tlb_table_invalidate(tlb);
-	tlb_remove_table_one(table);
+	tlb_remove_table_one(tlb, table);
