// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's side of the torture test, where the kernel is a stock one: its
 * own sync, which the live module may or may not have replaced at the moment.
 *
 * A sync of a collapse is told from others by who calls it, collapse_huge_page(),
 * and by pmdp_collapse_flush() before it. So a collapse is here done by a
 * function of that name in that way, for the module to know the mm. Its flush
 * would hide a missing wait, for it interrupts whoever it must. So most of the
 * time it is left out, as on hardware whose flushes interrupt nobody: ftrace
 * puts a function that only clears the entry in its place, for us alone.
 */

#include <linux/atomic.h>
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/pt_torture_nmi.h>
#include <asm/tlbflush.h>

#include "compat.h"
#include "pt_torture_core.h"

#define STOCK "pt_sync-torture: stock: "
#define FLUSH_NAME "pmdp_collapse_flush"

/* What the kernel exports to no module. */
static unsigned long (*stock_lookup)(const char *name);
static void (*stock_sync)(void);
static pmd_t (*stock_collapse_flush)(struct vm_area_struct *vma,
				     unsigned long address, pmd_t *pmdp);
static void (*stock_flush_mm)(struct mm_struct *mm, unsigned long start,
			      unsigned long end, unsigned int stride_shift,
			      bool freed_tables);
static struct mm_struct *(*stock_mm_alloc)(void);

static const char *stock_name(int strategy)
{
	return "stock";
}

static int stock_find(const char *name)
{
	return strcmp(name, "stock") ? -EINVAL : 0;
}

static int stock_current(void)
{
	return 0;
}

static int stock_switch(int strategy)
{
	return 0;
}

/* So that removals without any flush are made. */
static bool stock_flush_interrupts_all(void)
{
	return false;
}

static void stock_sync_mm(struct mm_struct *mm,
			  const struct pt_receipt *receipt)
{
	stock_sync();
}

/* As the kernel does: who leaves last waits, for whoever had left before. */
static void stock_sync_unshared(struct mm_struct *mm,
				const struct pt_receipt *receipt, bool last)
{
	if (last)
		stock_sync();
}

/* Calls, no jumps: the module looks where they come from. */
static noinline pmd_t collapse_huge_page(struct vm_area_struct *vma,
					 unsigned long address, pmd_t *pmdp,
					 spinlock_t *ptl)
{
	pmd_t pmd = stock_collapse_flush(vma, address, pmdp);

	spin_unlock(ptl);
	stock_sync();
	return pmd;
}

/* What pmdp_collapse_flush() does but for the flush. */
static notrace pmd_t stock_silent_flush(struct vm_area_struct *vma,
					unsigned long address, pmd_t *pmdp)
{
	return native_pmdp_get_and_clear(pmdp);
}

static notrace void stock_flush_entered(unsigned long ip,
					unsigned long parent_ip,
					struct ftrace_ops *op,
					struct ftrace_regs *fregs)
{
	static atomic_t times;

	if (!within_module(parent_ip, THIS_MODULE))
		return;
	if (atomic_inc_return(&times) % 4)
		ftrace_regs_set_instruction_pointer(fregs,
						    (unsigned long)stock_silent_flush);
}

static struct ftrace_ops stock_flush_ops = {
	.func = stock_flush_entered,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static void stock_flush(struct vm_area_struct *vma, unsigned long addr,
			struct pt_receipt *receipt)
{
	stock_flush_mm(vma->vm_mm, addr, addr + PMD_SIZE, PAGE_SHIFT, true);
}

static void stock_bias(struct mm_struct *mm)
{
}

/* perf of a stock kernel walks whatever mm is loaded. */
static bool stock_walk_visible(void)
{
	return true;
}

/* A stock GUP-fast asks nobody and has no middle to call from: its walk alone. */
static void stock_gup_start(bool start)
{
}

static int stock_gup(unsigned long addr, struct page **page,
		     void (*walk)(void))
{
	walk();
	return 0;
}

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
/* 6.1 asks this even where a mapping is fixed; exec would have set it. */
static unsigned long stock_area(struct file *file, unsigned long addr,
				unsigned long len, unsigned long pgoff,
				unsigned long flags)
{
	return addr;
}
#endif

static struct mm_struct *stock_new_mm(void)
{
	struct mm_struct *mm = stock_mm_alloc();

	if (mm) {
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
		mm->get_unmapped_area = stock_area;
#endif
		mm->task_size = TASK_SIZE;
		mm->def_flags = VM_NOHUGEPAGE;
	}
	return mm;
}

/* A page touched next to the table brings what is above it into being. */
static pmd_t *stock_pmd_alloc(struct mm_struct *mm, unsigned long addr)
{
	unsigned long beside = addr + PMD_SIZE;
	char byte;
	int ret;

	kthread_use_mm(mm);
	ret = vm_mmap(NULL, beside, PAGE_SIZE, PROT_READ,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0) != beside ||
	      get_user(byte, (char __user *)beside);
	kthread_unuse_mm(mm);
	return ret ? NULL : pmd_off(mm, addr);
}

static pmd_t *stock_pmd_find(struct mm_struct *mm, unsigned long addr)
{
	return pmd_off(mm, addr);
}

/*
 * There is no fault to choose in a stock kernel. no_sync is how this test is
 * told that the live module is a broken one, so that it must find something.
 */
static void stock_fault_choose(enum pt_fault fault)
{
}

static void stock_fault_load_early(const struct mm_struct *mm)
{
}

static void *stock_symbol(const char *name)
{
	unsigned long address = stock_lookup(name);

	if (!address)
		pr_alert(STOCK "this kernel has no %s()\n", name);
	return (void *)address;
}

static int stock_find_symbols(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int ret = register_kprobe(&probe);

	if (ret)
		return ret;
	stock_lookup = (void *)probe.addr;
	unregister_kprobe(&probe);

	stock_sync = stock_symbol("tlb_remove_table_sync_one");
	stock_collapse_flush = stock_symbol(FLUSH_NAME);
	stock_flush_mm = stock_symbol("flush_tlb_mm_range");
	stock_mm_alloc = stock_symbol("mm_alloc");
	return stock_sync && stock_collapse_flush && stock_flush_mm &&
	       stock_mm_alloc ? 0 : -ENOENT;
}

/* The test's first and last call of us. */
static int stock_start(void (*walk)(void))
{
	int ret = stock_find_symbols();

	if (!ret)
		ret = ftrace_set_filter(&stock_flush_ops, FLUSH_NAME,
					strlen(FLUSH_NAME), 1);
	if (!ret)
		ret = register_ftrace_function(&stock_flush_ops);
	if (!ret) {
		ret = pt_torture_nmi_start(walk);
		if (ret)
			unregister_ftrace_function(&stock_flush_ops);
	}
	if (ret)
		ftrace_free_filter(&stock_flush_ops);
	return ret;
}

static void stock_stop(void)
{
	pt_torture_nmi_stop();
	unregister_ftrace_function(&stock_flush_ops);
	ftrace_free_filter(&stock_flush_ops);
}

const struct pt_torture_core pt_torture_core = {
	.strategies		= 1,
	.strategy_name		= stock_name,
	.strategy_find		= stock_find,
	.strategy_current	= stock_current,
	.strategy_switch	= stock_switch,
	.flush_interrupts_all	= stock_flush_interrupts_all,
	.sync_mm		= stock_sync_mm,
	.sync_unshared		= stock_sync_unshared,
	.collapse_flush_sync	= collapse_huge_page,
	.flush			= stock_flush,
	.bias_get		= stock_bias,
	.bias_put		= stock_bias,
	.walk_visible		= stock_walk_visible,
	.mm_alloc		= stock_new_mm,
	.pmd_alloc		= stock_pmd_alloc,
	.pmd_find		= stock_pmd_find,
	.gup_start		= stock_gup_start,
	.gup			= stock_gup,
	.fault_choose		= stock_fault_choose,
	.fault_load_early	= stock_fault_load_early,
	.nmi_start		= stock_start,
	.nmi_stop		= stock_stop,
	.nmi_send		= pt_torture_nmi_send,
};
