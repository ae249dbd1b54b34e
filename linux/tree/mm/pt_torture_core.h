/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_PT_TORTURE_CORE_H
#define _MM_PT_TORTURE_CORE_H

/*
 * What the module is given by the kernel: one table and not a dozen exported
 * functions, for nothing else may use them.
 */

#include <linux/pt_sync.h>

#include "pt_sync_fault.h"

/**
 * struct pt_torture_core - the kernel's side of the torture test
 * @strategies: how many there are
 * @strategy_name: the name of one
 * @strategy_find: pt_sync_find()
 * @strategy_current: pt_sync_current()
 * @strategy_switch: pt_sync_switch()
 * @flush_interrupts_all: what the strategy "property" trusts
 * @rq_locks: locks of other CPUs' runqueues that syncs have taken
 * @sync_mm: tlb_remove_table_sync_mm()
 * @sync_unshared: tlb_remove_table_sync_unshared(), for a gather of its own
 * @collapse_flush_sync: pmdp_collapse_flush_sync()
 * @flush: flush the range of one table, as if it were freed
 * @bias_get: pt_bias_get()
 * @bias_put: pt_bias_put()
 * @walk_visible: pt_walk_visible()
 * @mm_alloc: an mm without a process
 * @pmd_alloc: the page table of an mm down to the entry for an address
 * @pmd_find: that entry, found by a walk from the top
 * @gup_start: let GUP-fast call what @gup is given, or no more
 * @gup: GUP-fast of one page that calls a function first
 * @fault_choose: put a fault into pt_sync
 * @fault_load_early: let the next sync use what is loaded now, before the clear
 * @nmi_start: call a function on each @nmi_send(); NULL: no NMIs here
 * @nmi_stop: and no more
 * @nmi_send: send an NMI to a CPU
 */
struct pt_torture_core {
	int strategies;
	const char *(*strategy_name)(int strategy);
	int (*strategy_find)(const char *name);
	int (*strategy_current)(void);
	int (*strategy_switch)(int strategy);
	bool (*flush_interrupts_all)(void);
	unsigned long (*rq_locks)(void);
	void (*sync_mm)(struct mm_struct *mm, const struct pt_receipt *receipt);
	void (*sync_unshared)(struct mm_struct *mm,
			      const struct pt_receipt *receipt, bool last);
	pmd_t (*collapse_flush_sync)(struct vm_area_struct *vma,
				     unsigned long address,
				     pmd_t *pmdp, spinlock_t *ptl);
	void (*flush)(struct vm_area_struct *vma, unsigned long addr,
		      struct pt_receipt *receipt);
	void (*bias_get)(struct mm_struct *mm);
	void (*bias_put)(struct mm_struct *mm);
	bool (*walk_visible)(void);
	struct mm_struct *(*mm_alloc)(void);
	pmd_t *(*pmd_alloc)(struct mm_struct *mm, unsigned long addr);
	pmd_t *(*pmd_find)(struct mm_struct *mm, unsigned long addr);
	void (*gup_start)(bool start);
	int (*gup)(unsigned long addr, struct page **page, void (*walk)(void));
	void (*fault_choose)(enum pt_fault fault);
	void (*fault_load_early)(const struct mm_struct *mm);
	int (*nmi_start)(void (*fn)(void));
	void (*nmi_stop)(void);
	void (*nmi_send)(int cpu);
};

extern const struct pt_torture_core pt_torture_core;

#endif /* _MM_PT_TORTURE_CORE_H */
