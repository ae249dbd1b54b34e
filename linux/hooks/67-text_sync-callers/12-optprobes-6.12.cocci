// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/kprobes/opt.c 2
// Kernels: 6.12
@@
identifier op;
@@
arch_unoptimize_kprobe(struct optimized_kprobe *op)
{
	<...
-	text_poke_sync();
+	text_sync_at(op->kp.addr, JMP32_INSN_SIZE);
	...>
}
