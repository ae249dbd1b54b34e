// SPDX-License-Identifier: GPL-2.0
// Changes: mm/memory.c 1
@@
identifier new;
@@
__pte_alloc_kernel(...)
{
	...
	if (!new)
		return -ENOMEM;
+	if (kernel_flush_new_table()) {
+		pte_free_kernel(&init_mm, new);
+		return -ENOMEM;
+	}
	...
}
