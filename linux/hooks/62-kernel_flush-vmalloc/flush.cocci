// SPDX-License-Identifier: GPL-2.0
// Changes: mm/vmalloc.c 7
@@
@@
- flush_tlb_kernel_range
+ flush_tlb_kernel_range_deferrable
	(...)

@@
identifier cleared;
expression E;
@@
	cleared = pmd_clear_huge(E);
+	if (cleared)
+		kernel_flush_huge_unmapped(PMD_SIZE);

@@
identifier cleared;
expression E;
@@
	cleared = pud_clear_huge(E);
+	if (cleared)
+		kernel_flush_huge_unmapped(PUD_SIZE);
