// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronisation of patched kernel text without interrupts for isolated CPUs
 * that are in user mode.
 *
 * An instruction is patched in three steps - a breakpoint, all but the first
 * byte, the first byte - and after each of them every CPU has to serialise, so
 * that none has fetched a mixture or keeps the breakpoint when its handler's
 * data is gone.  A CPU in user mode executes nothing of the kernel's text, so
 * it is enough that it serialises when it comes back.
 *
 *
 * Why no instruction of an earlier step is executed (ordering argument H)
 *
 * Each CPU has the word of arch/x86/mm/kernel_flush.c; SYNC is one of its
 * debts.
 *
 *	entry:	(l) old = fetch_or(KERNEL)
 *		(o) if (old & SYNC) { sync_core(); and(~SYNC) }
 *		    ... executes patched text ...
 *	exit:	(n) clear KERNEL
 *
 *	sender:	    write the text
 *		(m) cmpxchg: if !KERNEL set SYNC, else interrupt and wait
 *		    the next step
 *
 * Take a stay of that CPU between an (l) and the next (n), and one step:
 *
 *	(m) before (l): (l) or an NMI before it saw SYNC, and serialised after
 *		the text was written.
 *	(m) between (l) and (n): (m) saw KERNEL and interrupted; the next step
 *		does not begin before the CPU has serialised.
 *	(m) after (n): the stay was over before the next step began.
 *
 * So during a stay, what the CPU has fetched is at most one step behind, as in
 * mainline.  A CPU that comes in between two steps is interrupted for those
 * that are left; one that stays out all the time skips them all.  The handler's
 * data goes after the last step's sync, and a CPU that is in a handler, or on
 * its way to it, has KERNEL set.
 *
 * (o) serialises explicitly and after (l).  That a write of CR3, or the
 * exception itself, serialises is of no use: the text may be patched between it
 * and (l).
 * IRET unmasks NMIs, in an NMI as well; 64-bit entry code expects nested ones,
 * but that of FRED does not, and with it nothing is deferred.
 *
 * Code that runs before (o) or after (n) must not be patched this way.  All of
 * it is in the sections that text_runs_early() names, which objtool confirms
 * (CONFIG_NOINSTR_VALIDATION), and a batch with a site in one of them interrupts
 * everybody.
 *
 * The model h-text has all of it, and what goes wrong without each step.
 */
#include <linux/kernel_flush.h>
#include <linux/percpu.h>
#include <linux/text_sync.h>

#include <asm/sections.h>
#include <asm/text_sync.h>
#include <asm/text_sync_test.h>

static bool overlaps(const void *addr, size_t len, const void *start, const void *end)
{
	return addr < end && addr + len > start;
}

/* Modules have such code too: KVM's way into a guest and back. */
static bool module_runs_early(void *addr, size_t len)
{
#ifdef CONFIG_MODULES
	struct module *mod;

	guard(preempt)();
	mod = __module_address((unsigned long)addr);
	return mod && overlaps(addr, len, mod->noinstr_text_start,
			       mod->noinstr_text_start + mod->noinstr_text_size);
#else
	return false;
#endif
}

/* May this run before (o) or after (n)? */
static bool text_runs_early(void *addr, size_t len)
{
	return overlaps(addr, len, __text_sync_entry_start, __text_sync_entry_end) ||
	       overlaps(addr, len, __text_sync_thunk_start, __text_sync_thunk_end) ||
	       overlaps(addr, len, __noinstr_text_start, __noinstr_text_end) ||
	       module_runs_early(addr, len);
}

/**
 * text_sync_site - an instruction is about to be patched
 * @batch: the batch that it belongs to
 * @addr: its address
 * @len: how many of its bytes
 */
void text_sync_site(struct text_sync *batch, void *addr, size_t len)
{
	if (!batch->sites++)
		batch->first = addr;
	if (text_runs_early(addr, len))
		batch->early++;
}

/**
 * struct sync_request - one synchronisation on its way through the CPUs
 * @debt: what is left with CPUs in user mode, 0 for nothing
 * @interrupted: other CPUs that were interrupted
 * @deferred: CPUs that serialise at their next kernel entry
 */
struct sync_request {
	int debt;
	unsigned int interrupted;
	unsigned int deferred;
};

static bool must_interrupt(int cpu, void *info)
{
	struct sync_request *req = info;

	if (req->debt && kernel_flush_word_owe(&per_cpu_ptr(&kernel_flush, cpu)->word,
					       req->debt)) {
		req->deferred++;
		return false;
	}
	/* Called with preemption off, for this CPU too. */
	if (cpu != smp_processor_id())
		req->interrupted++;
	return true;
}

/* Under the name that the stock kernel's interrupts have in traces. */
static void do_sync_core(void *unused)
{
	sync_core();
	text_sync_test_serialised();
}

/**
 * text_sync - synchronise all CPUs after a step of a batch
 * @batch: the batch, with all its sites
 *
 * When it returns, each CPU has serialised after the step, or is in user mode
 * and will serialise before it executes any of the sites.
 */
void text_sync(struct text_sync *batch)
{
	struct sync_request req = { };

	text_sync_test_written(batch->early);
	if (text_sync_may_defer() && !batch->early)
		req.debt = KERNEL_FLUSH_SYNC;
	if (text_sync_test_broken(TEXT_SYNC_BROKEN_EARLY) && text_sync_may_defer())
		req.debt = KERNEL_FLUSH_SYNC;
	if (!text_sync_test_broken(TEXT_SYNC_BROKEN_MIDDLE) || batch->syncs != 1)
		on_each_cpu_cond(must_interrupt, do_sync_core, &req, true);
	text_sync_test_synced(batch->early);

	text_sync_count(batch, req.interrupted, req.deferred);
}

/**
 * cpu_in_user_mode - is another CPU in user mode, and has said so?
 * @cpu: the CPU
 *
 * If so, this is a full barrier: all that @cpu did in the kernel is visible here,
 * and what was done here before will be visible to it after its next (l).
 *
 * Return: true if it was.  It may be in the kernel again.
 */
bool cpu_in_user_mode(int cpu)
{
	return text_sync_may_defer() &&
	       kernel_flush_word_owe(&per_cpu_ptr(&kernel_flush, cpu)->word, 0);
}
