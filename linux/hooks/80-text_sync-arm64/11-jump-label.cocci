// SPDX-License-Identifier: GPL-2.0
// Changes: arch/arm64/kernel/jump_label.c 2
@@
identifier insn, addr;
@@
arch_jump_label_transform_queue(...)
{
	...
	aarch64_insn_patch_text_nosync(addr, insn);
+	text_sync_site(&batch, addr, AARCH64_INSN_SIZE);
	return true;
}

@@
@@
arch_jump_label_transform_apply(...)
{
-	kick_all_cpus_sync();
+	text_sync(&batch);
+	batch = (struct text_sync){ };
}
