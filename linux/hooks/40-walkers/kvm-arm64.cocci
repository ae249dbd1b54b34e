// SPDX-License-Identifier: GPL-2.0
// KVM asks how large the host maps a page, for the task's own mm.
// Changes: arch/arm64/kvm/mmu.c 4
@@
@@
 #include <linux/mman.h>
+#include <linux/pt_walk.h>

@@
identifier flags;
@@
 get_user_mapping_size(...)
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
