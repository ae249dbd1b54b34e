// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/mm/pat/set_memory.c 1
@@
identifier cpa;
@@
__split_large_page(struct cpa_data *cpa, ...)
{
	<...
-	flush_tlb_all();
+	cpa_flush_split(cpa);
	...>
}
