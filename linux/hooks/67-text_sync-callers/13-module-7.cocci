// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/module.c 1
// Kernels: 7.*
@@
identifier me;
@@
write_relocate_add(..., struct module *me, ...)
{
	<...
-	smp_text_poke_sync_each_cpu();
+	text_sync_module(me);
	...>
}
