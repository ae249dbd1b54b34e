// SPDX-License-Identifier: GPL-2.0
// Changes: arch/x86/mm/init.c 1
// Kernels: 7.*
@@
@@
execmem_arch_setup(...)
{
	<...
- cpu_feature_enabled(X86_FEATURE_PSE)
+ cpu_feature_enabled(X86_FEATURE_PSE) && !kernel_flush_expected()
	...>
}
