// SPDX-License-Identifier: GPL-2.0
/*
 * Deferred flushes of kernel addresses.
 *
 * With page table isolation, a CPU in user mode cannot reach vmalloc
 * addresses.  Instead of interrupting an isolated CPU for each vunmap, the
 * sender leaves a request, and the CPU flushes at its next kernel entry.
 *
 *
 * Why no stale translation is used (ordering argument H)
 *
 * Each CPU has one word.  KERNEL: this CPU may use kernel addresses.  FLUSH, a
 * debt: it must flush before it does.
 *
 *	entry:	H1  old = fetch_or(KERNEL)
 *		H2  if (old & FLUSH) { flush; and(~FLUSH) }
 *		    ... uses kernel addresses ...
 *	exit:	H3  store-release(0)
 *
 *	sender:	    clear the page table entries
 *		H4  cmpxchg: if !KERNEL set FLUSH, else interrupt
 *		    free the pages, hand out the addresses again
 *
 * H1 to H4 access the same word, so they have one order; H1 and H4 are fully
 * ordered read-modify-writes.  H3 may be a store, for with KERNEL set nobody
 * else writes the word.  Take a use of kernel addresses between an H1 and the
 * next H3 of the same CPU:
 *
 *	H4 before H1: H1 or an NMI before it saw FLUSH, so a flush came
 *		after the page table change and before the use.
 *	H4 between H1 and H3: H4 saw KERNEL and interrupted; the sender does
 *		not go on before the CPU has flushed.
 *	H4 after H3: the use came before the pages were freed.
 *
 * H2 clears FLUSH after the flush, and only with KERNEL set, when no sender
 * can set it again.  So an NMI between H1 and the end of H2 sees FLUSH as
 * well and flushes too; taking the request first would hide it (F10).  An NMI
 * between H3 and user mode, or between user mode and H1, does H1 to H3 by
 * itself; one that finds KERNEL set leaves it set, and writes nothing unless
 * something is owed.
 *
 * Between the switch to the kernel's page table and H1, and between H3 and
 * the switch back, entry code does use kernel addresses, and one kind of them
 * is a vmalloc address: the task's stack.  It cannot be stale.  Whatever that
 * code uses - the task and its stack, per-CPU data, cpu_entry_area, the
 * kernel image - was mapped there already at the last H3 of this CPU and is in
 * use since, so nobody has unmapped it since; and all requests of before that
 * H3 were carried out then.  For a stack that was handed out anew to this
 * task: its old mapping was flushed, thus requested or interrupted for, before
 * the task existed, and to switch to the task this CPU was in the kernel,
 * between an H1 and an H3, after that.
 *
 * Speculation in these windows may use a stale entry, as it may on any CPU
 * until the interrupt of a flush arrives; nothing it does is architectural.
 *
 * The models proofs/h-word (memory ordering) and proofs/h-defer (NMIs at every
 * step) come with this series; both also show the orders that lose a request.
 *
 *
 * What must not be deferred
 *
 * Page table pages that are freed (pud_free_pmd_page(), pmd_free_pte_page()):
 * the walker of a CPU in user mode may still hold a kernel page table's
 * upper levels and would read a freed table once it is back.  Mappings that
 * user mode's page table has too, because the CPU itself reads them there:
 * LDT, cpu_entry_area, debug store buffers.  They all use
 * flush_tlb_kernel_range() or flush_tlb_mm_range() and interrupt.
 */
#include <linux/context_tracking.h>
#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kernel_flush.h>
#include <linux/kstrtox.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/uaccess.h>

#include <asm/invpcid.h>
#include <asm/tlbflush.h>

#define CREATE_TRACE_POINTS
#include <trace/events/kernel_flush.h>

#include "mm_internal.h"

/* In the kernel from the start: a CPU that never takes part stays like this. */
DEFINE_PER_CPU_SHARED_ALIGNED(struct kernel_flush, kernel_flush) = {
	.word = ATOMIC_INIT(KERNEL_FLUSH_KERNEL),
};

DEFINE_STATIC_KEY_FALSE(kernel_flush_active);

static const char *inactive_because __ro_after_init = "not yet decided";

/* Senders may interrupt instead at any time, so this needs no ordering. */
static bool senders_defer = true;

static atomic_long_t requested;
static atomic_long_t interrupted;
static atomic_long_t deferred;

/*
 * Everything, globals and all PCIDs: the requests do not say which addresses,
 * and the kernel's are in the TLB under each address space that was here.
 * MOV to CR4 that changes PGE does it where INVPCID is missing.  Without
 * native_write_cr4(), which may be traced.
 */
static __always_inline void flush_everything(void)
{
	unsigned long cr4;

	if (cpu_feature_enabled(X86_FEATURE_INVPCID)) {
		invpcid_flush_all();
		return;
	}
	asm volatile("mov %%cr4, %0" : "=r" (cr4) : : "memory");
	asm volatile("mov %0, %%cr4" : : "r" (cr4 ^ X86_CR4_PGE) : "memory");
	asm volatile("mov %0, %%cr4" : : "r" (cr4) : "memory");
}

/**
 * kernel_flush_pay - carry out what senders asked of this CPU
 * @debts: the bits of KERNEL_FLUSH_DEBTS that were found
 *
 * Called in kernel entry with interrupts off, KERNEL and @debts set, so that
 * no sender can add any; may be interrupted by an NMI that does the same.
 */
noinstr void kernel_flush_pay(int debts)
{
	struct kernel_flush *kf = raw_cpu_ptr(&kernel_flush);

	if (kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_TAKE))
		kernel_flush_word_paid(&kf->word, debts);
	kernel_flush_test_point(KERNEL_FLUSH_TAKEN);
	if (debts & KERNEL_FLUSH_FLUSH) {
		flush_everything();
		kernel_flush_test_point(KERNEL_FLUSH_FLUSHED);
		raw_cpu_inc(kernel_flush.flushed);
	}
	/* Everything was paid, and only now may this be forgotten (F10). */
	kernel_flush_word_paid(&kf->word, debts);
}

/**
 * struct flush_request - one flush on its way through the CPUs
 * @flush: what a CPU does that can use kernel addresses; all others flush
 *	   everything when they come back
 * @info: its argument
 * @start: first address, for @flush and the trace
 * @end: first address after them
 * @interrupted: other CPUs that were interrupted
 * @deferred: CPUs that were asked to flush later
 */
struct flush_request {
	smp_call_func_t flush;
	void *info;
	unsigned long start;
	unsigned long end;
	unsigned int interrupted;
	unsigned int deferred;
};

/*
 * Can @cpu use kernel addresses?  "No" is a promise as well: it will flush
 * before it does.
 */
static bool kernel_cr3_loaded(int cpu, void *info)
{
	struct flush_request *req = info;

	if (kernel_flush_word_owe(&per_cpu_ptr(&kernel_flush, cpu)->word,
				  KERNEL_FLUSH_FLUSH)) {
		req->deferred++;
		return false;
	}
	/* Called with preemption off, for this CPU too. */
	if (cpu != smp_processor_id())
		req->interrupted++;
	return true;
}

static void kernel_flush_ipi(void *info)
{
	struct flush_request *req = info;

	req->flush(req->info);
	kernel_flush_test_point(KERNEL_FLUSH_FLUSHED);
}

static void send(struct flush_request *req)
{
	/* It waits for the CPUs that it interrupts. */
	lockdep_assert_irqs_enabled();
	on_each_cpu_cond(kernel_cr3_loaded, kernel_flush_ipi, req, true);

	atomic_long_inc(&requested);
	atomic_long_add(req->interrupted, &interrupted);
	atomic_long_add(req->deferred, &deferred);
	trace_kernel_flush(req->start, req->end, req->interrupted, req->deferred);
}

static __always_inline bool may_defer(void)
{
	return static_branch_unlikely(&kernel_flush_active) &&
	       READ_ONCE(senders_defer);
}

static void flush_range(void *info)
{
	struct flush_request *req = info;
	unsigned long addr;

	for (addr = req->start; addr < req->end; addr += PAGE_SIZE)
		flush_tlb_one_kernel(addr);
}

static void flush_all(void *unused)
{
	count_vm_tlb_event(NR_TLB_REMOTE_FLUSH_RECEIVED);
	__flush_tlb_all();
}

/**
 * flush_tlb_kernel_range_deferrable - flush kernel addresses that were unmapped
 * @start: first address
 * @end: first address after them
 *
 * As flush_tlb_kernel_range(), but CPUs in user mode that take part in the
 * deferral flush at their next kernel entry instead of now.  Only for leaf
 * entries of addresses that user mode's page tables do not have.
 */
void flush_tlb_kernel_range_deferrable(unsigned long start, unsigned long end)
{
	struct flush_request req = {
		.flush = flush_range, .info = &req, .start = start, .end = end,
	};

	if (!may_defer()) {
		flush_tlb_kernel_range(start, end);
		return;
	}
	if (end == TLB_FLUSH_ALL ||
	    end - start > tlb_single_page_flush_ceiling << PAGE_SHIFT)
		req.flush = flush_all;
	send(&req);
}

/**
 * flush_tlb_on_each_cpu_deferrable - flush kernel addresses in the caller's way
 * @flush: flushes them on one CPU, NULL for everything
 * @info: its argument
 *
 * As on_each_cpu(), or flush_tlb_all(), with CPUs in user mode as above.  For
 * changed permissions: stale ones must be of no use to kernel entry either.
 */
void flush_tlb_on_each_cpu_deferrable(smp_call_func_t flush, void *info)
{
	struct flush_request req = {
		.flush = flush ?: flush_all, .info = info, .end = TLB_FLUSH_ALL,
	};

	if (may_defer())
		send(&req);
	else if (flush)
		on_each_cpu(flush, info, true);
	else
		flush_tlb_all();
}

static bool deferral_wanted __initdata = true;

static int __init kernel_flush_setup(char *arg)
{
	return kstrtobool(arg, &deferral_wanted);
}
early_param("coalesce_tlbi", kernel_flush_setup);

/*
 * Before user mode exists, so that no CPU leaves for it or returns from it
 * while the branches are being patched: every word says KERNEL until then.
 */
static int __init kernel_flush_init(void)
{
	int cpu, cpus = 0;

	for_each_possible_cpu(cpu)
		cpus += context_tracking_enabled_cpu(cpu);

	if (!deferral_wanted)
		inactive_because = "coalesce_tlbi=off";
	else if (!cpus)
		inactive_because = "no isolated CPU (nohz_full=)";
	else if (!boot_cpu_has(X86_FEATURE_PTI))
		inactive_because = "no page table isolation";
#ifdef X86_FEATURE_INVLPGB
	else if (boot_cpu_has(X86_FEATURE_INVLPGB))
		inactive_because = "INVLPGB flushes without interrupts";
#endif
	else
		inactive_because = NULL;

	if (inactive_because) {
		pr_info("kernel_flush: inactive: %s\n", inactive_because);
		return 0;
	}
	static_branch_enable(&kernel_flush_active);
	pr_info("kernel_flush: active on %d isolated CPUs\n", cpus);
	return 0;
}
early_initcall(kernel_flush_init);

/* /sys/kernel/debug/pt_sync/kernel_flush: the counters, a switch, a reset. */

static int kernel_flush_show(struct seq_file *m, void *unused)
{
	unsigned long flushed = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		flushed += READ_ONCE(per_cpu(kernel_flush.flushed, cpu));
	if (inactive_because)
		seq_printf(m, "# inactive: %s\n", inactive_because);
	seq_printf(m, "active %d\n", !inactive_because);
	seq_printf(m, "deferring %d\n", !inactive_because && READ_ONCE(senders_defer));
	seq_printf(m, "requested %ld\n", atomic_long_read(&requested));
	seq_printf(m, "interrupted %ld\n", atomic_long_read(&interrupted));
	seq_printf(m, "deferred %ld\n", atomic_long_read(&deferred));
	seq_printf(m, "flushed_at_entry %lu\n", flushed);
	return 0;
}

static int kernel_flush_open(struct inode *inode, struct file *file)
{
	return single_open(file, kernel_flush_show, NULL);
}

/* "reset", or "on" and "off" for whether senders defer. */
static ssize_t kernel_flush_write(struct file *file, const char __user *ubuf,
				  size_t count, loff_t *pos)
{
	char buf[8] = "";
	int cpu;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sysfs_streq(buf, "reset")) {
		atomic_long_set(&requested, 0);
		atomic_long_set(&interrupted, 0);
		atomic_long_set(&deferred, 0);
		for_each_possible_cpu(cpu)
			WRITE_ONCE(per_cpu(kernel_flush.flushed, cpu), 0);
	} else if (sysfs_streq(buf, "on")) {
		WRITE_ONCE(senders_defer, true);
	} else if (sysfs_streq(buf, "off")) {
		WRITE_ONCE(senders_defer, false);
	} else {
		return -EINVAL;
	}
	return count;
}

static const struct file_operations kernel_flush_fops = {
	.owner		= THIS_MODULE,
	.open		= kernel_flush_open,
	.read		= seq_read,
	.write		= kernel_flush_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* After mm/pt_sync.c, where there is one, has made the directory. */
static int __init kernel_flush_debugfs(void)
{
	struct dentry *dir = debugfs_lookup("pt_sync", NULL);

	if (!dir)
		dir = debugfs_create_dir("pt_sync", NULL);
	debugfs_create_file("kernel_flush", 0600, dir, NULL, &kernel_flush_fops);
	return 0;
}
late_initcall(kernel_flush_debugfs);
