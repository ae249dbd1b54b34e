// SPDX-License-Identifier: GPL-2.0
// A preempted vCPU that is left out may be in the middle of a walk.
// Changes: arch/x86/kernel/kvm.c 3
@@
@@
 #include <linux/kvm_para.h>
+#include <linux/pt_receipt.h>

@@
identifier info;
expression cpu, flushmask;
@@
 kvm_flush_tlb_multi(const struct cpumask *cpumask,
		const struct flush_tlb_info *info)
 {
 	<...
-	__cpumask_clear_cpu(cpu, flushmask);
+	__cpumask_clear_cpu(cpu, flushmask);
+	pt_receipt_refuse(info->receipt);
 	...>
 }
