// SPDX-License-Identifier: GPL-2.0
// Later kernels always free page tables by RCU.
// Kernels: 6.12
// Changes: arch/x86/kernel/paravirt.c 1
@@
identifier tlb, table;
@@
 native_tlb_remove_table(struct mmu_gather *tlb, void *table)
 {
+	if (IS_ENABLED(CONFIG_PT_SYNC_TEST)) {
+		tlb_remove_table(tlb, table);
+		return;
+	}
 	tlb_remove_page(tlb, table);
 }
