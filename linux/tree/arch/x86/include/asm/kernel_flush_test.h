/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test points in the deferral of kernel flushes: delays that widen its
 * windows, orders that are wrong on purpose, and a detector of stale
 * translations.  Nothing of it is there without CONFIG_COALESCE_TLBI_TEST.
 */
#ifndef _ASM_X86_KERNEL_FLUSH_TEST_H
#define _ASM_X86_KERNEL_FLUSH_TEST_H

#include <linux/compiler.h>
#include <linux/types.h>

enum kernel_flush_point {
	KERNEL_FLUSH_ENTERING,	/* kernel page table, word not yet taken */
	KERNEL_FLUSH_TAKEN,	/* word taken, request not yet carried out */
	KERNEL_FLUSH_FLUSHED,	/* the TLB of this CPU was flushed */
	KERNEL_FLUSH_ENTERED,	/* kernel addresses may be used from here ... */
	KERNEL_FLUSH_NMI,	/* ... and from here in an NMI */
	KERNEL_FLUSH_LEAVING,	/* last use of kernel addresses */
	KERNEL_FLUSH_LEFT,	/* word given back, still the kernel page table */
};

/* The faults of the catalogue that can be switched on. */
enum kernel_flush_broken {
	KERNEL_FLUSH_BROKEN_NONE,
	KERNEL_FLUSH_BROKEN_ORDER,	/* F5: flush, then say so */
	KERNEL_FLUSH_BROKEN_NMI,	/* F6: NMIs do not look at the word */
	KERNEL_FLUSH_BROKEN_TAKE,	/* F10: take the request, then flush */
};

#ifdef CONFIG_COALESCE_TLBI_TEST
void kernel_flush_test_point(enum kernel_flush_point point);
bool kernel_flush_test_broken(enum kernel_flush_broken what);
void kernel_flush_test_broken_entry(void);
#else
static __always_inline void kernel_flush_test_point(enum kernel_flush_point point) { }
static __always_inline bool kernel_flush_test_broken(enum kernel_flush_broken what)
{
	return false;
}

static __always_inline void kernel_flush_test_broken_entry(void) { }
#endif

#endif /* _ASM_X86_KERNEL_FLUSH_TEST_H */
