// SPDX-License-Identifier: GPL-2.0
// Issue the receipt where the interrupts have completed.
// Changes: arch/x86/mm/tlb.c 7
@@
@@
 #include <linux/mmu_notifier.h>
+#include <linux/pt_receipt.h>

// A flush that nobody asks to prove anything.
@@
identifier init = {get_flush_tlb_info, init_flush_tlb_info};
expression info;
@@
 init(...)
 {
 	<...
 	info->trim_cpumask = 0;
+	info->receipt = NULL;
 	...>
 }

// All of the mask, lazy CPUs included: the receipt states just this, so the
// interrupts must be these and no others.
@@
identifier cpumask, info;
@@
(
-	if (info->freed_tables)
-		on_each_cpu_mask(cpumask, flush_tlb_func, (void *)info, true);
-	else
-		on_each_cpu_cond_mask(should_flush_tlb, flush_tlb_func,
-				(void *)info, 1, cpumask);
+	if (info->freed_tables) {
+		on_each_cpu_mask(cpumask, flush_tlb_func, (void *)info, true);
+		/* Every CPU of the mask has taken an interrupt. */
+		pt_receipt_issue(info->receipt, info->mm);
+		return;
+	}
+	on_each_cpu_cond_mask(should_flush_tlb, flush_tlb_func, (void *)info, 1, cpumask);
|
-	if (info->freed_tables || mm_in_asid_transition(info->mm))
-		on_each_cpu_mask(cpumask, flush_tlb_func, (void *)info, true);
-	else
-		on_each_cpu_cond_mask(should_flush_tlb, flush_tlb_func,
-				(void *)info, 1, cpumask);
+	if (info->freed_tables || mm_in_asid_transition(info->mm)) {
+		on_each_cpu_mask(cpumask, flush_tlb_func, (void *)info, true);
+		/* Every CPU of the mask has taken an interrupt. */
+		pt_receipt_issue(info->receipt, info->mm);
+		return;
+	}
+	on_each_cpu_cond_mask(should_flush_tlb, flush_tlb_func, (void *)info, 1, cpumask);
)

@ flush @
identifier mm, start, end, stride_shift, freed_tables;
@@
-flush_tlb_mm_range
+flush_tlb_mm_range_receipt
 (struct mm_struct *mm, unsigned long start, unsigned long end,
 unsigned int stride_shift, bool freed_tables
+, struct pt_receipt *receipt
 )
 { ... }

@@
identifier flush.mm;
expression info;
@@
 flush_tlb_mm_range_receipt(struct mm_struct *mm, ...)
 {
 	<...
(
 	info = get_flush_tlb_info(...);
+	info->receipt = receipt;
+	pt_receipt_issue_alone(receipt, mm, cpu);
|
 	init_flush_tlb_info(&info, ...);
+	info.receipt = receipt;
+	pt_receipt_issue_alone(receipt, mm, cpu);
)
 	...>
 }
