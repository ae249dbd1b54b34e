// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/kernel/alternative.c 1
// Kernels: 6.12
@@
identifier tp;
@@
text_poke_bp(...)
{
-	struct text_poke_loc tp;
+	static struct text_poke_loc tp;
	...
}
