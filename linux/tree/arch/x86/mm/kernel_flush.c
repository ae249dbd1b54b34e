// SPDX-License-Identifier: GPL-2.0
/*
 * Deferred flushes of kernel addresses.
 *
 * A CPU in user mode or in a guest does not use vmalloc addresses.  Instead of
 * interrupting an isolated CPU for each vunmap, the sender leaves a debt, and the
 * CPU flushes at its next kernel entry.
 *
 *
 * Why no stale translation is used (ordering argument H)
 *
 * Each CPU has one word.  KERNEL: this CPU may use kernel addresses.  FLUSH, a
 * debt: it must flush before it does.
 *
 *	entry:	(l) old = fetch_or(KERNEL)
 *		(o) if (old & FLUSH) { flush; and(~FLUSH) }
 *		    ... uses kernel addresses ...
 *	exit:	(n) store-release(0)
 *
 *	sender:	    clear the page table entries
 *		(m) cmpxchg: if !KERNEL set FLUSH, else interrupt
 *		    free the pages, hand out the addresses again
 *
 * All four access the same word, so they have one order; (l) and (m) are fully
 * ordered read-modify-writes.  (n) may be a store, for with KERNEL set nobody
 * else writes the word.  Take a use of kernel addresses between an (l) and the
 * next (n) of the same CPU:
 *
 *	(m) before (l): (l) or an NMI before it saw FLUSH, so a flush came
 *		after the page table change and before the use.
 *	(m) between (l) and (n): (m) saw KERNEL and interrupted; the sender does
 *		not go on before the CPU has flushed.
 *	(m) after (n): the use came before the pages were freed.
 *
 * (o) clears FLUSH after the flush, and only with KERNEL set, when no sender
 * can set it again.  So an NMI between (l) and the end of (o) sees FLUSH as
 * well and flushes too; taking the request first would hide it.  An NMI
 * between (n) and user mode, or between user mode and (l), does (l), (o) and
 * (n) by itself; one that finds KERNEL set leaves it set, and writes nothing
 * unless something is owed.
 *
 * Between the switch to the kernel's page table and (l), and between (n) and
 * the switch back, entry code does use kernel addresses, and one kind of them
 * is a vmalloc address: the task's stack.  It cannot be stale.  Whatever that
 * code uses - the task and its stack, per-CPU data, cpu_entry_area, the
 * kernel image - was mapped there already at the last (n) of this CPU and is in
 * use since, so nobody has unmapped it since; and all requests of before that
 * (n) were carried out then.  For a stack that was handed out anew to this
 * task: its old mapping was flushed, thus requested or interrupted for, before
 * the task existed, and to switch to the task this CPU was in the kernel,
 * between an (l) and an (n), after that.
 *
 * A guest is as user mode: KVM's way into it goes by (n), the way back by (l), and
 * what lies between uses the vCPU's structure besides.  The host's translations
 * stay in the TLB under their own tag, and none is added meanwhile.
 *
 * Speculation in these windows may use a stale entry, as it may on any CPU
 * until the interrupt of a flush arrives; nothing it does is architectural.
 *
 * The models h-word (memory ordering) and h-defer (NMIs at every step) check
 * this, and show which orders lose a request.
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
 *
 * Translations of two sizes that differ in the frame or the memory type.  A
 * CPU that is asked to flush later has the old one until then, and may fill its
 * TLB with the new one: on its way to (o) with page table isolation, at any
 * time without, for user mode can prefetch kernel addresses then.  So:
 *
 *	- Small pages may get the address of a huge leaf that was unmapped.
 *	  Without isolation the flush after it interrupts.  With isolation the
 *	  two can meet on the way to (o) only: it may wait until a page table
 *	  comes where the leaf was (kernel_flush_new_table()), or a leaf that
 *	  came instead is split (flush_tlb_settle_holes()).
 *	- A split keeps frame and type, but without isolation nobody can say how
 *	  long the two meet: interrupts.  With isolation it may wait, until
 *	  somebody changes more than permissions and presence; that flushes
 *	  first (flush_tlb_settle_splits()).  In vmalloc space frames do change, by
 *	  an unmapping that finds small pages only: interrupts.  SEV-SNP hosts
 *	  check that the size of a translation is that of the RMP's entry, when
 *	  entry code writes per-CPU data, too: interrupts.
 *	- Permissions of a large page: interrupt without isolation.
 *	- Processors that can't hold two sizes at all (AMD erratum 383) have
 *	  no deferral.
 *
 * Presence (set_memory_np(), set_mce_nospec()): is taken away for the sake of
 * speculation, which needs no permission.  A split on the way to that may wait:
 * the flush of the small page interrupts, and who is interrupted pays.
 *
 *
 * What vm_unmap_aliases() promises
 *
 * No CPU has an alias of freed vmalloc space in its TLB when it returns: whoever
 * changes memory types counts on it.  A CPU that owes a flush does have one.
 * The promise holds because each of these callers (change_page_attr_set_clr(),
 * __set_memory_enc_pgtable()) then interrupts every CPU before it goes on, which
 * is a kernel entry and pays all debts.  It would break where that flush does
 * not interrupt, by broadcast; with INVLPGB no unmapping is deferred, therefore.
 */
#include <linux/cc_platform.h>
#include <linux/context_tracking.h>
#include <linux/cpu.h>
#include <linux/init.h>
#include <linux/kernel_flush.h>
#include <linux/kstrtox.h>
#include <linux/smp.h>
//@66
#include <linux/sync_core.h>
//@end
//@63
#include <linux/tick.h>
//@end
#include <linux/workqueue.h>

#include <asm/invpcid.h>
//@66
#include <asm/text_sync_test.h>
//@end
#include <asm/tlbflush.h>

#define CREATE_TRACE_POINTS
#include <trace/events/kernel_flush.h>

#include "kernel_flush_internal.h"
#include "mm_internal.h"

/* In the kernel from the start: a CPU that never takes part stays like this. */
DEFINE_PER_CPU_SHARED_ALIGNED(struct kernel_flush, kernel_flush) = {
	.word = ATOMIC_INIT(KERNEL_FLUSH_KERNEL),
};

DEFINE_STATIC_KEY_FALSE(kernel_flush_active);

const char *kernel_flush_inactive __ro_after_init = "not yet decided";

/* Senders may interrupt instead at any time, so this needs no ordering. */
bool kernel_flush_senders_defer = true;

/**
 * struct unsettled - changes that one flush on all CPUs settles, for all
 * @made: changes so far
 * @settled: those that were followed by such a flush
 */
struct unsettled {
	atomic_long_t made;
	atomic_long_t settled;
};

/*
 * Splits that CPUs were not interrupted for, huge leaves unmapped that the next
 * flush settles, and those that settles who fills the hole.
 */
static struct unsettled splits;
static struct unsettled huge_leaves;
static struct unsettled holes;

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
		kernel_flush_test_flushed(0, TLB_FLUSH_ALL);
		raw_cpu_inc(kernel_flush.flushed);
	}
//@66
	if (debts & KERNEL_FLUSH_SYNC) {
		if (!text_sync_test_broken(TEXT_SYNC_BROKEN_CR3)) {
			sync_core();
			text_sync_test_serialised();
		}
		raw_cpu_inc(kernel_flush.synced);
	}
//@end
	/* Everything was paid, and only now may this be forgotten. */
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

	if (kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_DROP) &&
	    !atomic_read(&per_cpu_ptr(&kernel_flush, cpu)->word)) {
		req->deferred++;
		return false;
	}
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
}

static void send(struct flush_request *req)
{
	/* It waits for the CPUs that it interrupts. */
	lockdep_assert_irqs_enabled();
	on_each_cpu_cond(kernel_cr3_loaded, kernel_flush_ipi, req, true);

	kernel_flush_count_request(req->interrupted, req->deferred);
	trace_kernel_flush(req->start, req->end, req->interrupted, req->deferred);
}

static __always_inline bool may_defer(void)
{
	return static_branch_unlikely(&kernel_flush_active) &&
	       READ_ONCE(kernel_flush_senders_defer);
}

/* Hardware that flushes other CPUs' TLBs needs no interrupts for it. */
static __always_inline bool flushes_by_broadcast(void)
{
#ifdef X86_FEATURE_INVLPGB
	return cpu_feature_enabled(X86_FEATURE_INVLPGB);
#else
	return false;
#endif
}

static void flush_range(void *info)
{
	struct flush_request *req = info;
	unsigned long addr, end = req->end;

	if (kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_RANGE))
		end -= PAGE_SIZE;
	for (addr = req->start; addr < end; addr += PAGE_SIZE)
		flush_tlb_one_kernel(addr);
	kernel_flush_test_flushed(req->start, end);
}

static void kernel_flush_all(void *unused)
{
	count_vm_tlb_event(NR_TLB_REMOTE_FLUSH_RECEIVED);
	__flush_tlb_all();
	kernel_flush_test_flushed(0, TLB_FLUSH_ALL);
}

/* As flush_tlb_all(), with a place for the test's model of the TLB. */
static void flush_all_now(void)
{
	if (flushes_by_broadcast()) {
		flush_tlb_all();
		return;
	}
	count_vm_tlb_event(NR_TLB_REMOTE_FLUSH);
	on_each_cpu(kernel_flush_all, NULL, true);
}

/*
 * Flush on every CPU if anything is unsettled.  A change counts once it is in
 * the page table, so whatever is counted here, the flush comes after it.  Two
 * callers both flush; none may go on because the other has begun to.
 */
static bool settle(struct unsettled *what, enum kernel_flush_rule rule)
{
	long made = atomic_long_read_acquire(&what->made);
	long settled = atomic_long_read_acquire(&what->settled);

	if (made - settled <= 0)
		return false;
	kernel_flush_count(rule);
	flush_all_now();
	while (made - settled > 0 &&
	       !atomic_long_try_cmpxchg(&what->settled, &settled, made))
		;
	return true;
}

/**
 * kernel_flush_huge_unmapped - a huge leaf was cleared in a kernel page table
 * @size: how much it mapped
 *
 * Without page table isolation, the next flush_tlb_kernel_range_deferrable(),
 * which comes before the address is given out again, is not deferred.  With
 * isolation that waits for kernel_flush_new_table(), which hears of page tables
 * but not of their directories.
 */
void kernel_flush_huge_unmapped(unsigned long size)
{
	if (!static_branch_unlikely(&kernel_flush_active))
		return;
	if (cpu_feature_enabled(X86_FEATURE_PTI) && size == PMD_SIZE)
		atomic_long_inc(&holes.made);
	else if (!kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_HUGE))
		atomic_long_inc(&huge_leaves.made);
}

/**
 * flush_tlb_settle_holes - nobody has translations of an unmapped huge leaf
 *
 * What comes next may then be small pages in its place.
 */
void flush_tlb_settle_holes(void)
{
	if (!kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_HOLE))
		settle(&holes, KERNEL_FLUSH_HUGE);
}

static void settle_holes(struct work_struct *unused)
{
	flush_tlb_settle_holes();
}

static DECLARE_WORK(settle_holes_work, settle_holes);

/*
 * 7.x has vmalloc() for callers that cannot sleep: in softirqs, which may have
 * interrupted somebody who is about to interrupt other CPUs, and under locks that
 * others spin for with interrupts off.  Without a count of locks that are held,
 * what vmalloc() does with its caller's flags then tells them.
 */
static bool may_interrupt_others(void)
{
	return !irqs_disabled() && !preempt_count() &&
	       (IS_ENABLED(CONFIG_PREEMPT_COUNT) ||
		!(current->flags & PF_MEMALLOC));
}

/**
 * kernel_flush_new_table - a kernel page table is about to get a new part
 *
 * A huge leaf may have been in its place that a CPU still has in the TLB.  Only
 * where no huge leaf is can there be small pages, so this is rare.
 *
 * Return: 0, or -EBUSY if other CPUs cannot be interrupted from here; they are
 * soon, for whoever tries again.
 */
int kernel_flush_new_table(void)
{
	if (atomic_long_read(&holes.made) == atomic_long_read(&holes.settled))
		return 0;
	if (!may_interrupt_others()) {
		schedule_work(&settle_holes_work);
		return -EBUSY;
	}
	flush_tlb_settle_holes();
	return 0;
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

	if (!may_defer() || flushes_by_broadcast()) {
		flush_tlb_kernel_range(start, end);
		return;
	}
	if (settle(&huge_leaves, KERNEL_FLUSH_HUGE))
		return;
	if (end == TLB_FLUSH_ALL ||
	    end - start > tlb_single_page_flush_ceiling << PAGE_SHIFT)
		req.flush = kernel_flush_all;
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
		.flush = flush ?: kernel_flush_all, .info = info, .end = TLB_FLUSH_ALL,
	};

	if (!flush && (!may_defer() || flushes_by_broadcast())) {
		flush_tlb_all();
		return;
	}
	if (!may_defer()) {
		on_each_cpu(flush, info, true);
		return;
	}
	if (!flush && !kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_EVENT))
		count_vm_tlb_event(NR_TLB_REMOTE_FLUSH);
	send(&req);
}

/**
 * kernel_flush_large_may_wait - may CPUs have stale permissions of large pages?
 *
 * With page table isolation they keep them, and get no new translations, until
 * they are on their way into the kernel.
 *
 * Return: true if so.
 */
bool kernel_flush_large_may_wait(void)
{
	return cpu_feature_enabled(X86_FEATURE_PTI) ||
	       kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_LARGE);
}

/**
 * kernel_flush_small_pages - do small pages of vmalloc space stay small?
 *
 * A large page made of them frees a page table, and interrupts once more when it
 * is unmapped.  A CPU that is not interrupted is worth more than its TLB entries.
 *
 * Return: true if so.
 */
bool kernel_flush_small_pages(void)
{
	/* Also while senders interrupt: CPUs may owe flushes of before. */
	return static_key_enabled(&kernel_flush_active);
}

static bool splits_may_wait(void)
{
	if (kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_SPLIT))
		return true;
	return cpu_feature_enabled(X86_FEATURE_PTI) &&
	       !cc_platform_has(CC_ATTR_HOST_SEV_SNP) &&
	       !kernel_flush_test_snp_host();
}

/**
 * flush_tlb_split_deferrable - a large page was split
 *
 * to change permissions or presence of small ones.  As flush_tlb_all(), for
 * addresses that always have the same frame.  Those who change more than that
 * must first call flush_tlb_settle_splits(), with no split in between.
 */
void flush_tlb_split_deferrable(void)
{
	if (!may_defer() || !splits_may_wait()) {
		kernel_flush_count(KERNEL_FLUSH_SPLIT);
		flush_tlb_all();
		return;
	}
	/* It is in the page table, and senders have yet to ask. */
	smp_mb__before_atomic();
	atomic_long_inc(&splits.made);
	flush_tlb_on_each_cpu_deferrable(NULL, NULL);
}

/**
 * flush_tlb_settle_splits - nobody has translations of a large page any more
 *
 * that was split.  What comes next may then change memory types.
 */
void flush_tlb_settle_splits(void)
{
	if (!kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_SETTLE))
		settle(&splits, KERNEL_FLUSH_SPLIT);
}

static bool kernel_flush_wanted __initdata = true;

static int __init kernel_flush_setup(char *arg)
{
	return kstrtobool(arg, &kernel_flush_wanted);
}
early_param("kernel_flush", kernel_flush_setup);
//@63

/**
 * kernel_flush_expected - will there be deferral, as far as the command line says?
 *
 * For decisions that come before kernel_flush_init().
 *
 * Return: true if so.
 */
bool __init kernel_flush_expected(void)
{
	return kernel_flush_wanted && tick_nohz_full_running;
}
//@end

/*
 * Before user mode exists, so that no CPU leaves for it or returns from it
 * while the branches are being patched: every word says KERNEL until then.
 */
static int __init kernel_flush_init(void)
{
	int cpu, cpus = 0;

	for_each_possible_cpu(cpu)
		cpus += context_tracking_enabled_cpu(cpu);

	if (!kernel_flush_wanted)
		kernel_flush_inactive = "kernel_flush=off";
	else if (!cpus)
		kernel_flush_inactive = "no isolated CPU (nohz_full=)";
	else if (cpu_feature_enabled(X86_FEATURE_XENPV))
		kernel_flush_inactive = "the hypervisor has the TLB (Xen PV)";
	else if (cpu_feature_enabled(X86_FEATURE_FRED))
		/*
		 * A return to user mode that faults comes back as an event of
		 * the kernel, past the hooks; and paying in an NMI must not
		 * let in the next one, as IRET does where SERIALIZE is missing.
		 */
		kernel_flush_inactive = "FRED (boot with fred=off)";
	else if (boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH))
		kernel_flush_inactive = "this CPU can't mix page sizes (erratum 383)";
	else
		kernel_flush_inactive = NULL;

	if (kernel_flush_inactive) {
		pr_info("kernel_flush: inactive: %s\n", kernel_flush_inactive);
		return 0;
	}
	static_branch_enable(&kernel_flush_active);
	pr_info("kernel_flush: active on %d isolated CPUs%s\n", cpus,
		cpu_feature_enabled(X86_FEATURE_PTI) ? "" :
		" (no page table isolation: large pages interrupt)");
	return 0;
}
early_initcall(kernel_flush_init);
