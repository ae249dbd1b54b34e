// SPDX-License-Identifier: GPL-2.0
// The test's backend comes before any other.
// Changes: arch/x86/mm/tlb.c 2
@@
@@
 #include <asm/perf_event.h>
+#include <asm/pt_flush_test.h>

@@
identifier cpumask, info;
@@
 flush_tlb_multi(const struct cpumask *cpumask,
		const struct flush_tlb_info *info)
 {
+	if (pt_flush_test(cpumask, info))
+		return;
 	__flush_tlb_multi(cpumask, info);
 }
