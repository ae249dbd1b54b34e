// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/mm/pat/set_memory.c 3
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

@@
identifier cpa, kpte;
expression list ES;
@@
__change_page_attr(struct cpa_data *cpa, ...)
{
	<...
+	cpa_settle_splits(cpa);
	kpte = _lookup_address_cpa(cpa, ES);
	...>
}

@@
identifier cpa;
@@
__should_split_large_page(..., struct cpa_data *cpa)
{
	<...
	cpa->flags |= CPA_FLUSHTLB;
+	cpa->flags |= CPA_LARGE_CHANGED;
	...>
}
