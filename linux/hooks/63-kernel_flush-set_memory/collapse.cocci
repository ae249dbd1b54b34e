// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/mm/pat/set_memory.c 1
// Kernels: 7.*
@@
identifier cpa;
@@
__cpa_collapse_large_pages(struct cpa_data *cpa)
{
	<...
+	kernel_flush_count(KERNEL_FLUSH_COLLAPSE);
	flush_tlb_all();
	...>
}
