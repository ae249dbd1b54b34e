// SPDX-License-Identifier: GPL-2.0
// Changes: kernel/trace/ring_buffer.c 1
// Kernels: 7.*
@@
@@
-	on_each_cpu(rb_cpu_sync, NULL, 1);
+	smp_call_function_in_kernel(rb_cpu_sync);
