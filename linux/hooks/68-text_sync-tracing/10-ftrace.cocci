// SPDX-License-Identifier: GPL-2.0
// Changes: kernel/trace/ftrace.c 1
@@
@@
ftrace_modify_all_code(...)
{
	<...
-	smp_call_function(ftrace_sync_ipi, NULL, 1);
+	smp_call_function_in_kernel(ftrace_sync_ipi);
	...>
}
