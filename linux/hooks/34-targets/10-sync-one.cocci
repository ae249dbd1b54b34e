// SPDX-License-Identifier: GPL-2.0
// Targeted interrupts run the function that the broadcast runs, so that tools
// know both by one name.
// Changes: mm/mmu_gather.c 1
@@
identifier arg;
@@
-static void tlb_remove_table_smp_sync(void *arg)
+void tlb_remove_table_smp_sync(void *arg)
 { ... }
