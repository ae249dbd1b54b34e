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
+
+static inline void flush_tlb_mm_range(struct mm_struct *mm,
+				      unsigned long start, unsigned long end,
+				      unsigned int stride_shift,
+				      bool freed_tables)
+{
+	flush_tlb_mm_range_receipt(mm, start, end, stride_shift, freed_tables,
+				   NULL);
+}
+
+/* Like flush_tlb_range(), for small pages: with a receipt. */
+static inline void flush_tlb_range_receipt(struct vm_area_struct *vma,
+					   unsigned long start,
+					   unsigned long end,
+					   struct pt_receipt *receipt)
+{
+	flush_tlb_mm_range_receipt(vma->vm_mm, start, end, PAGE_SHIFT, true,
+				   receipt);
+}
+
