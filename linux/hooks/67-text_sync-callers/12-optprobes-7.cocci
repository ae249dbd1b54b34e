// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/kprobes/opt.c 2
// Kernels: 7.*
@@
identifier op;
@@
arch_unoptimize_kprobe(struct optimized_kprobe *op)
{
	<...
-	smp_text_poke_sync_each_cpu();
+	text_sync_at(op->kp.addr, JMP32_INSN_SIZE);
	...>
}
