// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/alternative.c 3
// Kernels: 7.*
@@
@@
smp_text_poke_batch_finish(...)
{
	<...
-	smp_text_poke_sync_each_cpu();
+	text_sync(&batch);
	...>
}
