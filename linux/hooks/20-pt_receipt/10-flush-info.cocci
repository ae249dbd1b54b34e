// SPDX-License-Identifier: GPL-2.0
// The receipt travels with the flush.
// Changes: arch/x86/include/asm/tlbflush.h 4
@@
@@
 struct flush_tlb_info {
 	...
 	u8 trim_cpumask;
+	struct pt_receipt	*receipt;
 };

@@
@@
+struct pt_receipt;
+
 struct flush_tlb_info { ... };

@@
@@
-extern void flush_tlb_mm_range(struct mm_struct *mm, unsigned long start,
-	unsigned long end, unsigned int stride_shift, bool freed_tables);
+void flush_tlb_mm_range_receipt(struct mm_struct *mm, unsigned long start,
+				unsigned long end, unsigned int stride_shift,
+				bool freed_tables, struct pt_receipt *receipt);
