/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_PT_SYNC_FAULT_H
#define _MM_PT_SYNC_FAULT_H

/*
 * Faults that the torture test puts into pt_sync, one at a time, to see that
 * it notices them.  Only in kernels that are built for this test; even there
 * a fault point is a no-op until a fault is chosen.
 */

#include <linux/compiler.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/types.h>

struct mm_struct;

enum pt_fault {
	PT_FAULT_NONE,
	/* of the core: */
	PT_FAULT_NO_SYNC,		/* a sync waits for nobody */
	PT_FAULT_V4_READ_BARRIER,	/* slots are loaded before the clear */
	PT_FAULT_V4_ELIDE,		/* a flush that elides is trusted */
	PT_FAULT_NESTED_CLEAR,		/* a nested walk clears the slot */
	PT_FAULT_EARLY_BIAS,		/* trust without a grace period */
	PT_FAULT_OLD_COOKIE,		/* ... with that of an earlier bias */
	PT_FAULT_EARLY_STATE,		/* CPUs are asked before the clear */
	PT_FAULT_RQ_LOCK,		/* ... with their runqueue's lock */
	PT_FAULT_BLIND_NMI,		/* NMIs walk while the mm is switched */
	PT_FAULT_NMI_GUP,		/* ... by GUP-fast */
	PT_FAULT_BLIND_SWITCH,		/* ... and events of the switch itself */
	/* of its callers, so in the test itself: */
	PT_FAULT_NO_FLUSH,		/* sync without the flush it relies on */
	PT_FAULT_STALE_RECEIPT,		/* the receipt of an earlier flush */
	PT_FAULT_LAST_ONLY,		/* only the last to unshare syncs */
	PT_FAULTS,
};

#ifdef CONFIG_PT_SYNC_TORTURE_HOOKS

DECLARE_STATIC_KEY_FALSE(pt_fault_key);
extern enum pt_fault pt_fault_now;

static __always_inline bool pt_fault(enum pt_fault fault)
{
	return static_branch_unlikely(&pt_fault_key) &&
	       READ_ONCE(pt_fault_now) == fault;
}

bool pt_fault_walk_active(int cpu, const struct mm_struct *mm);
bool pt_fault_in_kernel(int cpu);

/* What an NMI of the test does where GUP-fast has been allowed to walk. */
DECLARE_STATIC_KEY_FALSE(pt_torture_gup_key);
DECLARE_PER_CPU(void (*)(void), pt_torture_gup_walk);

static __always_inline bool pt_fault_gup_blind(void)
{
	return pt_fault(PT_FAULT_NMI_GUP) &&
	       this_cpu_read(pt_torture_gup_walk);
}

static __always_inline void pt_torture_in_gup(void)
{
	void (*walk)(void);

	if (!static_branch_unlikely(&pt_torture_gup_key))
		return;
	walk = this_cpu_read(pt_torture_gup_walk);
	if (walk)
		walk();
}

#else

static inline bool pt_fault(enum pt_fault fault)
{
	return false;
}

static inline bool pt_fault_gup_blind(void)
{
	return false;
}

static inline void pt_torture_in_gup(void) { }

static inline bool pt_fault_walk_active(int cpu, const struct mm_struct *mm)
{
	return true;
}

static inline bool pt_fault_in_kernel(int cpu)
{
	return true;
}

#endif

#endif /* _MM_PT_SYNC_FAULT_H */
