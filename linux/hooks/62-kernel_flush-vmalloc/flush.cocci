// SPDX-License-Identifier: GPL-2.0
// Changes: mm/vmalloc.c 5
@@
@@
- flush_tlb_kernel_range
+ flush_tlb_kernel_range_deferrable
	(...)
