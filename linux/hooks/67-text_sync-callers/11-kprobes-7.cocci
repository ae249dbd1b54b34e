// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/kprobes/core.c 2
// Kernels: 7.*
@@
identifier p;
identifier f = {arch_arm_kprobe, arch_disarm_kprobe};
@@
f(struct kprobe *p)
{
	<...
-	smp_text_poke_sync_each_cpu();
+	text_sync_at(p->addr, INT3_INSN_SIZE);
	...>
}
