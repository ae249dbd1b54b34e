// SPDX-License-Identifier: GPL-2.0
// KVM asks how large the host maps a page, for the task's own mm.
// Changes: arch/x86/kvm/mmu/mmu.c 4
@@
@@
 #include <linux/sched/signal.h>
+#include <linux/pt_walk.h>

@@
identifier flags;
@@
 host_pfn_mapping_level(...)
 {
 	<...
(
 	int level = PG_LEVEL_4K;
+	unsigned long walk;
|
 	local_irq_save(flags);
+	walk = pt_walk_begin(kvm->mm);
|
+	pt_walk_end(walk);
 	local_irq_restore(flags);
)
 	...>
 }
