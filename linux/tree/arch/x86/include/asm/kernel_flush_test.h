/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test points in the deferral of kernel flushes: delays that widen its
 * windows, orders that are wrong on purpose, and a detector of stale
 * translations.  Nothing of it is there without CONFIG_KERNEL_FLUSH_TEST.
 */
#ifndef _ASM_X86_KERNEL_FLUSH_TEST_H
#define _ASM_X86_KERNEL_FLUSH_TEST_H

#include <linux/compiler.h>
#include <linux/types.h>

enum kernel_flush_point {
	KERNEL_FLUSH_ENTERING,	/* kernel page table, word not yet taken */
	KERNEL_FLUSH_TAKEN,	/* word taken, request not yet carried out */
	KERNEL_FLUSH_ENTERED,	/* kernel addresses may be used from here ... */
	KERNEL_FLUSH_NMI,	/* ... and from here in an NMI */
	KERNEL_FLUSH_LEAVING,	/* last use of kernel addresses */
	KERNEL_FLUSH_LEFT,	/* word given back, still the kernel page table */
};

/* Faults that can be switched on: of the catalogue, and of each rule. */
enum kernel_flush_broken {
	KERNEL_FLUSH_BROKEN_NONE,
	KERNEL_FLUSH_BROKEN_ORDER,	/* flush, then say so */
	KERNEL_FLUSH_BROKEN_NMI,	/* NMIs do not look at the word */
	KERNEL_FLUSH_BROKEN_TAKE,	/* take the debt, then pay */
	KERNEL_FLUSH_BROKEN_DROP,	/* the debt is not written down */
	KERNEL_FLUSH_BROKEN_RANGE,	/* a CPU that is interrupted flushes less */
	KERNEL_FLUSH_BROKEN_PRESENT,	/* presence may wait like a permission */
	KERNEL_FLUSH_BROKEN_TYPE,	/* and so may the memory type */
	KERNEL_FLUSH_BROKEN_FORCED,	/* and a split for its own sake */
	KERNEL_FLUSH_BROKEN_SPLIT,	/* splits wait wherever they are made */
	KERNEL_FLUSH_BROKEN_LARGE,	/* and permissions of large pages */
	KERNEL_FLUSH_BROKEN_SETTLE,	/* a split may be owed for ever */
	KERNEL_FLUSH_BROKEN_HUGE,	/* nobody tells of huge leaves */
	KERNEL_FLUSH_BROKEN_EVENT,	/* nor of the remote flush */
	KERNEL_FLUSH_BROKEN_HOLE,	/* small pages may come where one was */
};

#ifdef CONFIG_KERNEL_FLUSH_TEST
void kernel_flush_test_point(enum kernel_flush_point point);
bool kernel_flush_test_broken(enum kernel_flush_broken what);
bool kernel_flush_test_snp_host(void);
void kernel_flush_test_broken_entry(void);
void kernel_flush_test_flushed(unsigned long start, unsigned long end);
#else
static __always_inline void kernel_flush_test_point(enum kernel_flush_point point) { }
static __always_inline bool kernel_flush_test_broken(enum kernel_flush_broken what)
{
	return false;
}

static __always_inline bool kernel_flush_test_snp_host(void) { return false; }
static __always_inline void kernel_flush_test_broken_entry(void) { }
static __always_inline void kernel_flush_test_flushed(unsigned long start,
						      unsigned long end)
{
}
#endif

#endif /* _ASM_X86_KERNEL_FLUSH_TEST_H */
