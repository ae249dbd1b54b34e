/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_PT_FLUSH_TEST_H
#define _ASM_X86_PT_FLUSH_TEST_H

/* Flush backends that interrupt nobody, for tests: arch/x86/mm/pt_flush_test.c */

#include <linux/types.h>

struct cpumask;
struct flush_tlb_info;

#ifdef CONFIG_PT_SYNC_TEST
bool pt_flush_test(const struct cpumask *mask,
		   const struct flush_tlb_info *info);
bool pt_flush_test_active(void);
#else
static inline bool pt_flush_test(const struct cpumask *mask,
				 const struct flush_tlb_info *info)
{
	return false;
}

static inline bool pt_flush_test_active(void)
{
	return false;
}
#endif

#endif /* _ASM_X86_PT_FLUSH_TEST_H */
