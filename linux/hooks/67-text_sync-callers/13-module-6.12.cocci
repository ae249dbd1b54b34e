// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/module.c 1
// Kernels: 6.12
@@
identifier me;
@@
write_relocate_add(..., struct module *me, ...)
{
	<...
-	text_poke_sync();
+	text_sync_module(me);
	...>
}
