// SPDX-License-Identifier: GPL-2.0
/*
 * What x86 tells pt_sync about its TLB flushes.
 */

#include <linux/cpufeature.h>
#include <linux/mm.h>
#include <linux/pt_sync.h>

#include <asm/paravirt.h>
//@57
#include <asm/pt_flush_test.h>
//@end
#include <asm/tlbflush.h>

/**
 * arch_flush_interrupts_all - do flushes interrupt every CPU of the mm?
 *
 * What the backend is expected to do, not what one flush did: as a hint
 * whether biasing an mm can pay.
 */
bool arch_flush_interrupts_all(void)
{
//@57
	if (pt_flush_test_active())
		return false;
//@end
#ifdef X86_FEATURE_INVLPGB
	if (cpu_feature_enabled(X86_FEATURE_INVLPGB))
		return false;
#endif
#ifdef CONFIG_PARAVIRT
	if (pv_ops.mmu.flush_tlb_multi != native_flush_tlb_multi)
		return false;
#endif
	return true;
}
