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
 * IRET unmasks NMIs, in an NMI as well; 64-bit entry code expects nested ones.
 *
 * Code that runs before (o) or after (n) must not be patched this way.  All of
 * it is in the sections that text_runs_early() names, which objtool confirms
 * (CONFIG_NOINSTR_VALIDATION), and a batch with a site in one of them interrupts
 * everybody.
 *
 * The model h-text has all of it, and what goes wrong without each step.
 *
 *
 * What else is sent to all CPUs for the sake of tracing and livepatching
 *
 * It wants nothing but that each CPU passes a full barrier, or leaves the code
 * that it is in the middle of.  For a CPU in user mode both is true once the
 * sender has done (m), even without leaving a debt: what it did before is
 * visible after (l), and before that nothing runs that is traced.
 */
#include <linux/cpu.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kernel_flush.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/text_sync.h>
#include <linux/uaccess.h>

#include <asm/sections.h>
#include <asm/text_sync.h>
#include <asm/text_sync_test.h>

#define CREATE_TRACE_POINTS
#include <trace/events/text_sync.h>

/* Senders may interrupt instead at any time, so this needs no ordering. */
static bool senders_defer = true;

static atomic_long_t batches;
static atomic_long_t early_batches;
static atomic_long_t requested;
static atomic_long_t interrupted;
static atomic_long_t deferred;

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

static __always_inline bool may_defer(void)
{
	return static_branch_unlikely(&kernel_flush_active) &&
	       READ_ONCE(senders_defer);
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
	if (may_defer() && !batch->early)
		req.debt = KERNEL_FLUSH_SYNC;
	if (text_sync_test_broken(TEXT_SYNC_BROKEN_EARLY) && may_defer())
		req.debt = KERNEL_FLUSH_SYNC;
	if (!text_sync_test_broken(TEXT_SYNC_BROKEN_MIDDLE) || batch->syncs != 1)
		on_each_cpu_cond(must_interrupt, do_sync_core, &req, true);
	text_sync_test_synced(batch->early);

	if (!batch->syncs++) {
		atomic_long_inc(&batches);
		if (batch->early)
			atomic_long_inc(&early_batches);
	}
	atomic_long_inc(&requested);
	atomic_long_add(req.interrupted, &interrupted);
	atomic_long_add(req.deferred, &deferred);
	trace_text_sync(batch->first, batch->sites, batch->early,
			req.interrupted, req.deferred);
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
	return may_defer() &&
	       kernel_flush_word_owe(&per_cpu_ptr(&kernel_flush, cpu)->word, 0);
}

static bool is_other_in_kernel(int cpu, void *unused)
{
	return cpu != smp_processor_id() && !cpu_in_user_mode(cpu);
}

/**
 * smp_call_function_in_kernel - run a function on the other CPUs that are not
 * in user mode, and wait
 * @func: it orders memory accesses and does no more
 */
void smp_call_function_in_kernel(smp_call_func_t func)
{
	on_each_cpu_cond(is_other_in_kernel, func, NULL, true);
}

/**
 * schedule_on_each_cpu_in_kernel - wait until each CPU has left the code that
 * it is in the middle of, which CPUs in user mode are not
 * @func: what to schedule; it does nothing
 *
 * Return: 0, or -ENOMEM.
 */
int schedule_on_each_cpu_in_kernel(work_func_t func)
{
	struct work_struct __percpu *works;
	struct work_struct *work;
	int cpu;

	works = alloc_percpu(struct work_struct);
	if (!works)
		return -ENOMEM;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		work = per_cpu_ptr(works, cpu);
		if (cpu_in_user_mode(cpu))
			continue;
		INIT_WORK(work, func);
		schedule_work_on(cpu, work);
	}
	for_each_online_cpu(cpu) {
		work = per_cpu_ptr(works, cpu);
		if (work->func)
			flush_work(work);
	}
	cpus_read_unlock();
	free_percpu(works);
	return 0;
}

/* /sys/kernel/debug/pt_sync/text_sync: the counters, a switch, a reset. */

static int text_sync_show(struct seq_file *m, void *unused)
{
	bool active = static_key_enabled(&kernel_flush_active);
	unsigned long synced = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		synced += READ_ONCE(per_cpu(kernel_flush.synced, cpu));
	seq_printf(m, "active %d\n", active);
	seq_printf(m, "deferring %d\n", active && READ_ONCE(senders_defer));
	seq_printf(m, "batches %ld\n", atomic_long_read(&batches));
	seq_printf(m, "batches_for_everybody %ld\n", atomic_long_read(&early_batches));
	seq_printf(m, "requested %ld\n", atomic_long_read(&requested));
	seq_printf(m, "interrupted %ld\n", atomic_long_read(&interrupted));
	seq_printf(m, "deferred %ld\n", atomic_long_read(&deferred));
	seq_printf(m, "synced_at_entry %lu\n", synced);
	return 0;
}

/* "reset", or "on" and "off" for whether senders defer. */
static ssize_t text_sync_write(struct file *file, const char __user *ubuf,
			       size_t count, loff_t *pos)
{
	char buf[8] = "";
	int cpu;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sysfs_streq(buf, "reset")) {
		atomic_long_set(&batches, 0);
		atomic_long_set(&early_batches, 0);
		atomic_long_set(&requested, 0);
		atomic_long_set(&interrupted, 0);
		atomic_long_set(&deferred, 0);
		for_each_possible_cpu(cpu)
			WRITE_ONCE(per_cpu(kernel_flush.synced, cpu), 0);
	} else if (sysfs_streq(buf, "on")) {
		WRITE_ONCE(senders_defer, true);
	} else if (sysfs_streq(buf, "off")) {
		WRITE_ONCE(senders_defer, false);
	} else {
		return -EINVAL;
	}
	return count;
}

DEFINE_SHOW_STORE_ATTRIBUTE(text_sync);

/* mm/pt_sync.c or arch/x86/mm/kernel_flush.c has made the directory. */
static int __init text_sync_debugfs(void)
{
	struct dentry *dir = debugfs_lookup("pt_sync", NULL);

	debugfs_create_file("text_sync", 0600, dir, NULL, &text_sync_fops);
	dput(dir);
	return 0;
}
late_initcall_sync(text_sync_debugfs);
