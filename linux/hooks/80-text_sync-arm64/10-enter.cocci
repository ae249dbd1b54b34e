// SPDX-License-Identifier: GPL-2.0
// Changes: kernel/context_tracking.c 1
@@
expression E;
@@
ct_kernel_enter_state(...)
{
	...
	seq = ct_state_inc(E);
+	text_sync_enter();
	...
}
