// SPDX-License-Identifier: GPL-2.0
// Changes: kernel/context_tracking.c 2
@@
expression E;
@@
	if (ct->active) {
+		kernel_flush_user_exit();
		ct_kernel_enter(true, E);
		...
	} else { ... }

@@
expression E;
@@
	ct_kernel_exit(true, E);
	if (...)
		raw_atomic_set(&ct->state, state);
+	kernel_flush_user_enter();
