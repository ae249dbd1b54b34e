// SPDX-License-Identifier: GPL-2.0
/*
 * What the torture test of pt_sync needs from inside the kernel: faults, and
 * functions that no module may call otherwise.
 */

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/pgalloc.h>
#include <linux/pt_sync.h>
#include <linux/pt_targets.h>
#include <linux/pt_walk.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <asm/tlb.h>
#include <asm/tlbflush.h>

#include "pt_sync.h"
#include "pt_sync_fault.h"
#include "pt_torture_core.h"

#ifdef CONFIG_X86_64
#include <asm/pt_torture_nmi.h>
#endif

DEFINE_STATIC_KEY_FALSE(pt_fault_key);
enum pt_fault pt_fault_now;

DEFINE_STATIC_KEY_FALSE(pt_torture_gup_key);
DEFINE_PER_CPU(void (*)(void), pt_torture_gup_walk);

/* Let GUP-fast look whether somebody wants to walk in its place. */
static void pt_torture_gup_start(bool start)
{
	if (start)
		static_branch_enable(&pt_torture_gup_key);
	else
		static_branch_disable(&pt_torture_gup_key);
}

/* Interrupts off; an outer user of this CPU gets back what it had. */
static int pt_torture_gup(unsigned long addr, struct page **page,
			  void (*walk)(void))
{
	void (*outer)(void) = this_cpu_read(pt_torture_gup_walk);
	int got;

	this_cpu_write(pt_torture_gup_walk, walk);
	pagefault_disable();
	got = get_user_pages_fast_only(addr, 1, 0, page);
	pagefault_enable();
	this_cpu_write(pt_torture_gup_walk, outer);
	return got;
}

static void pt_fault_choose(enum pt_fault fault)
{
	WRITE_ONCE(pt_fault_now, fault);
	if (fault == PT_FAULT_NONE)
		static_branch_disable(&pt_fault_key);
	else
		static_branch_enable(&pt_fault_key);
}

/*
 * Without a full barrier the loads of a sync, of slots and of the states of
 * CPUs, may pass the store that clears the entry.  On x86 the atomic operations
 * in between do not let them, so emulate it: load first, clear the entry later,
 * let the sync use what was loaded.  For one remover at a time.
 */
static DEFINE_PER_CPU(bool, pt_fault_walking);
static DEFINE_PER_CPU(bool, pt_fault_kernel);

static void pt_fault_load_early(const struct mm_struct *mm)
{
	struct mm_struct *walked;
	int cpu;

	for_each_possible_cpu(cpu) {
		walked = per_cpu(active_lockless_pt_walk_mm, cpu);
		per_cpu(pt_fault_walking, cpu) = walked == mm ||
						 walked == PT_WALK_ANY;
		per_cpu(pt_fault_kernel, cpu) = pt_cpu_in_kernel(cpu);
	}
}

bool pt_fault_walk_active(int cpu, const struct mm_struct *mm)
{
	return per_cpu(pt_fault_walking, cpu);
}

bool pt_fault_in_kernel(int cpu)
{
	return per_cpu(pt_fault_kernel, cpu);
}

/* An mm without a process, for kthread_use_mm() and vm_mmap(). */
static struct mm_struct *pt_torture_mm_alloc(void)
{
	struct mm_struct *mm = mm_alloc();

	if (mm) {
		mm->task_size = TASK_SIZE;
		mm->def_flags = VM_NOHUGEPAGE;
		arch_pick_mmap_layout(mm, &current->signal->rlim[RLIMIT_STACK]);
	}
	return mm;
}

/* The entry for @addr, above which there is all that a walk needs. */
static pmd_t *pt_torture_pmd_alloc(struct mm_struct *mm, unsigned long addr)
{
	pmd_t *pmd = NULL;
	p4d_t *p4d;
	pud_t *pud;

	mmap_write_lock(mm);
	p4d = p4d_alloc(mm, pgd_offset(mm, addr), addr);
	pud = p4d ? pud_alloc(mm, p4d, addr) : NULL;
	if (pud)
		pmd = pmd_alloc(mm, pud, addr);
	mmap_write_unlock(mm);
	return pmd;
}

/* Not every architecture exports what pmd_off() is made of. */
static pmd_t *pt_torture_pmd_find(struct mm_struct *mm, unsigned long addr)
{
	return pmd_off(mm, addr);
}

static void pt_torture_flush(struct vm_area_struct *vma, unsigned long addr,
			     struct pt_receipt *receipt)
{
#ifdef flush_tlb_range_receipt
	flush_tlb_range_receipt(vma, addr, addr + PMD_SIZE, receipt);
#else
	flush_tlb_range(vma, addr, addr + PMD_SIZE);
#endif
}

/* The gather of an mm that has left a shared table. */
static void pt_torture_sync_unshared(struct mm_struct *mm,
				     const struct pt_receipt *receipt,
				     bool last)
{
	struct mmu_gather tlb = {
		.mm = mm,
		.fully_unshared_tables = last,
	};

	tlb_remove_table_sync_unshared(&tlb, receipt);
}

/* How many locks of other CPUs' runqueues all syncs have taken so far. */
static unsigned long pt_torture_rq_locks(void)
{
	unsigned long sum = 0;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < PT_SYNC_STRATEGIES; i++)
			sum += READ_ONCE(per_cpu(pt_sync_stats, cpu)[i].count[PT_STAT_RQ_LOCKS]);
	}
	return sum;
}

static const char *pt_torture_strategy_name(int strategy)
{
	return pt_sync_strategies[strategy].name;
}

const struct pt_torture_core pt_torture_core = {
	.strategies		= PT_SYNC_STRATEGIES,
	.strategy_name		= pt_torture_strategy_name,
	.strategy_find		= pt_sync_find,
	.strategy_current	= pt_sync_current,
	.strategy_switch	= pt_sync_switch,
	.flush_interrupts_all	= arch_flush_interrupts_all,
	.rq_locks		= pt_torture_rq_locks,
	.sync_mm		= tlb_remove_table_sync_mm,
	.sync_unshared		= pt_torture_sync_unshared,
	.collapse_flush_sync	= pmdp_collapse_flush_sync,
	.flush			= pt_torture_flush,
	.bias_get		= pt_bias_get,
	.bias_put		= pt_bias_put,
	.walk_visible		= pt_walk_visible,
	.mm_alloc		= pt_torture_mm_alloc,
	.pmd_alloc		= pt_torture_pmd_alloc,
	.pmd_find		= pt_torture_pmd_find,
	.gup_start		= pt_torture_gup_start,
	.gup			= pt_torture_gup,
	.fault_choose		= pt_fault_choose,
	.fault_load_early	= pt_fault_load_early,
#ifdef CONFIG_X86_64
	.nmi_start		= pt_torture_nmi_start,
	.nmi_stop		= pt_torture_nmi_stop,
	.nmi_send		= pt_torture_nmi_send,
#endif
};
EXPORT_SYMBOL_GPL(pt_torture_core);
