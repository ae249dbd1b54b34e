// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/alternative.c 3
// Kernels: 6.12
@@
@@
text_poke_bp_batch(...)
{
	<...
-	text_poke_sync();
+	text_sync(&batch);
	...>
}
