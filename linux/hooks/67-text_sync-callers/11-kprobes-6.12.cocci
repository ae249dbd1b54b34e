// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/kprobes/core.c 2
// Kernels: 6.12
@@
identifier p;
identifier f = {arch_arm_kprobe, arch_disarm_kprobe};
@@
f(struct kprobe *p)
{
	<...
-	text_poke_sync();
+	text_sync_at(p->addr, INT3_INSN_SIZE);
	...>
}
