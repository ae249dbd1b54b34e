// SPDX-License-Identifier: GPL-2.0
// KVM asks how large the host maps a page, for the task's own mm.
// 6.12 looks at the VMA instead.
// Kernels: 7.*
// Changes: arch/riscv/kvm/mmu.c 4
@@
@@
 #include <linux/kvm_host.h>
+#include <linux/pt_walk.h>

@@
identifier f;
identifier flags;
@@
 f(...)
 {
 	...
+	unsigned long walk;
 	unsigned long flags;
 	...
 	local_irq_save(flags);
+	walk = pt_walk_begin(kvm->mm);
 	...
+	pt_walk_end(walk);
 	local_irq_restore(flags);
 	...
 }
