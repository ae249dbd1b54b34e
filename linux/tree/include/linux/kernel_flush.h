/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Flushes of the kernel's address range that isolated CPUs carry out at their
 * next kernel entry, instead of being interrupted: what generic code calls.
 * An architecture without them flushes at once and has empty hooks.
 */
#ifndef _LINUX_KERNEL_FLUSH_H
#define _LINUX_KERNEL_FLUSH_H

#include <linux/types.h>

/* Why a flush interrupts an isolated CPU in user mode all the same. */
enum kernel_flush_rule {
	KERNEL_FLUSH_SPLIT,		/* a large page was split */
	KERNEL_FLUSH_LARGE,		/* permissions of a large page */
	KERNEL_FLUSH_HUGE,		/* a huge leaf was unmapped */
	KERNEL_FLUSH_COLLAPSE,		/* small pages became a large one */
	KERNEL_FLUSH_ATTRIBUTES,	/* presence, memory type, 4 KiB for SNP */
	KERNEL_FLUSH_RULES,
};

#ifdef CONFIG_KERNEL_FLUSH
#include <asm/kernel_flush.h>
#else
static __always_inline void kernel_flush_user_exit(void) { }
static __always_inline void kernel_flush_user_enter(void) { }
static __always_inline bool kernel_flush_nmi_enter(void) { return false; }
static __always_inline void kernel_flush_nmi_exit(bool ours) { }

static inline void kernel_flush_huge_unmapped(unsigned long size) { }
static inline int kernel_flush_new_table(void) { return 0; }
static inline void kernel_flush_count(enum kernel_flush_rule rule) { }

#define flush_tlb_kernel_range_deferrable	flush_tlb_kernel_range
#endif

#endif /* _LINUX_KERNEL_FLUSH_H */
