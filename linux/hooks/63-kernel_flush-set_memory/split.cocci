// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/mm/pat/set_memory.c 4
@@
typedef pte_t;
identifier cpa, kpte, address;
@@
__split_large_page(struct cpa_data *cpa, pte_t *kpte, unsigned long address,
	...)
{
	<...
-	flush_tlb_all();
+	cpa_flush_split(cpa, address);
	...>
}

@@
identifier cpa, kpte, address;
expression E;
statement S;
@@
split_large_page(struct cpa_data *cpa, pte_t *kpte, unsigned long address)
{
	<...
+	cpa_before_split(address);
	if (__split_large_page(cpa, kpte, address, E))
		S
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
