// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronisation of patched kernel text without interrupts for context-tracked
 * CPUs that are in user mode.
 *
 * After an instruction was patched every CPU has to undergo a context
 * synchronisation event, lest it executes what it fetched before.  Taking an
 * exception is one, so mainline interrupts every CPU.  A CPU in user mode takes
 * an exception anyway before it executes kernel text; but that one comes before
 * the CPU says that it is in the kernel, and text that is patched in between
 * would be missed.  So entry synchronises once more, after it has said so, if
 * anything was patched since the last time.
 *
 *
 * Why no instruction of before a sync is executed (ordering argument I)
 *
 *	sender:	    write the text, clean and invalidate caches, DSB
 *		I1  generation++, a full barrier
 *		I2  if the CPU's state says user mode, and RCU does not watch it:
 *		    leave it alone; else interrupt and wait
 *
 *	entry:	I3  state: RCU watches (read-modify-write, a full barrier)
 *		I4  if (generation != seen) { ISB; seen = generation as read }
 *		    ... executes patched text ...
 *	exit:	I5  state: user mode, RCU does not watch (the same)
 *
 * Take a stay of that CPU between an I3 and the next I5:
 *
 *	I2 before I3: I1 comes before I2 and I3 before I4, each with a full
 *		barrier in between, so I4 reads what I1 wrote, or newer.  The
 *		ISB depends on that read; all that is fetched after it is
 *		the new text.  Without an ISB, "seen" says that this CPU had
 *		one after it had read this very generation.
 *	I2 between I3 and I5: it interrupts.
 *	I2 after I5: the stay was over; acquire ordering.
 *
 * "seen" is written after the ISB, so an NMI between I3 and that finds one due
 * and does I4 by itself.  If it saw a later generation, the older one is written
 * over it, which costs one more ISB.  A flag that the sender sets and the entry
 * clears would not do: a request between ISB and clearing would be lost.
 *
 * RCU's bit of the state matters: an NMI from user mode leaves the state at user
 * mode, and only that bit says that the CPU is in the kernel.
 *
 * A guest is not as user mode here: with VHE, hypervisor code is kernel text.
 *
 * Code that runs before I4 or after I5 must not be patched this way.  It is in
 * the sections that text_runs_early() names, and a batch with a site in one of
 * them interrupts everybody.  Hypervisor code of EL2 is among them, as faults
 * of user mode may lead there without I3.
 *
 * The models i-text and i-order have all of it, and what goes wrong without.
 */
#include <linux/context_tracking_state.h>
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/text_sync.h>

#include <asm/sections.h>
#include <asm/text_sync.h>

DEFINE_PER_CPU(struct text_seen, text_seen);
atomic_long_t text_generation;

static bool overlaps(const void *addr, size_t len, const void *start, const void *end)
{
	return addr < end && addr + len > start;
}

/* May this run before I4 or after I5? */
static bool text_runs_early(void *addr, size_t len)
{
	return overlaps(addr, len, __entry_text_start, __entry_text_end) ||
	       overlaps(addr, len, __noinstr_text_start, __noinstr_text_end) ||
	       overlaps(addr, len, __hyp_idmap_text_start, __hyp_idmap_text_end) ||
	       overlaps(addr, len, __hyp_text_start, __hyp_text_end);
}

/**
 * text_sync_active - is there any CPU that could be left alone?
 *
 * Return: true if so.
 */
bool text_sync_active(void)
{
	return context_tracking_enabled();
}

/**
 * text_sync_site - an instruction is about to be patched
 * @batch: the batch that it belongs to
 * @addr: its address
 * @len: how many bytes
 */
void text_sync_site(struct text_sync *batch, void *addr, size_t len)
{
	if (!batch->sites++)
		batch->first = addr;
	if (text_runs_early(addr, len))
		batch->early++;
}

/**
 * cpu_in_user_mode - is another CPU in user mode, and has said so?
 * @cpu: the CPU
 *
 * If so, this is a full barrier: all that @cpu did in the kernel is visible here,
 * and what was done here before will be visible to it after its next I3.
 *
 * Return: true if it was.  It may be in the kernel again.
 */
bool cpu_in_user_mode(int cpu)
{
	int state;

	if (!text_sync_may_defer())
		return false;
	/* What was done before against the read: pairs with I3. */
	smp_mb();
	/* I2; the acquire pairs with I5. */
	state = atomic_read_acquire(per_cpu_ptr(&context_tracking.state, cpu));
	return (state & (CT_STATE_MASK | CT_RCU_WATCHING)) == CT_STATE_USER;
}

/**
 * struct sync_request - one synchronisation on its way through the CPUs
 * @defer: whether CPUs in user mode are left alone
 * @interrupted: other CPUs that were interrupted
 * @deferred: CPUs that synchronise at their next kernel entry
 */
struct sync_request {
	bool defer;
	unsigned int interrupted;
	unsigned int deferred;
};

/* Called with preemption off.  This CPU has synchronised as it patched. */
static bool must_interrupt(int cpu, void *info)
{
	struct sync_request *req = info;

	if (cpu == smp_processor_id())
		return false;
	if (req->defer && cpu_in_user_mode(cpu)) {
		req->deferred++;
		return false;
	}
	req->interrupted++;
	return true;
}

/* Under the name that the stock kernel's interrupts have in traces. */
static void do_nothing(void *unused)
{
}

/**
 * text_sync - synchronise all CPUs after a batch was patched
 * @batch: the batch, with all its sites
 *
 * When it returns, each CPU has synchronised after the patching, or is in user
 * mode and will before it executes any of the sites.
 */
void text_sync(struct text_sync *batch)
{
	struct sync_request req = { .defer = !batch->early };

	/* I1.  Also the barrier that kick_all_cpus_sync() begins with. */
	atomic_long_inc_return(&text_generation);
	on_each_cpu_cond(must_interrupt, do_nothing, &req, true);
	text_sync_count(batch, req.interrupted, req.deferred);
}

/**
 * text_sync_range - synchronise all CPUs after new text was written
 * @start: where it begins
 * @end: the address behind it
 */
void text_sync_range(unsigned long start, unsigned long end)
{
	struct text_sync batch = { };

	text_sync_site(&batch, (void *)start, end - start);
	text_sync(&batch);
}
EXPORT_SYMBOL_GPL(text_sync_range);
