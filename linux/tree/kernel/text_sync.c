// SPDX-License-Identifier: GPL-2.0
/*
 * Synchronisation of patched kernel text without interrupts for CPUs in user
 * mode: what does not depend on the architecture, whose own file has the sender
 * and the argument.
 *
 *
 * What else is sent to all CPUs for the sake of tracing and livepatching
 *
 * It wants nothing but that each CPU passes a full barrier, or leaves the code
 * that it is in the middle of.  For a CPU in user mode both is true once
 * cpu_in_user_mode() has said so: what was done here before is visible to the
 * CPU after its next entry, and before that nothing runs there that is traced.
 */
#include <linux/cpu.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/seq_file.h>
#include <linux/text_sync.h>
#include <linux/uaccess.h>

#include <asm/text_sync.h>

#define CREATE_TRACE_POINTS
#include <trace/events/text_sync.h>

/* Senders may interrupt instead at any time, so this needs no ordering. */
static bool senders_defer = true;

static atomic_long_t batches;
static atomic_long_t early_batches;
static atomic_long_t requested;
static atomic_long_t interrupted;
static atomic_long_t deferred;

/**
 * text_sync_may_defer - may a synchronisation leave CPUs in user mode alone?
 *
 * Return: true if so.
 */
bool text_sync_may_defer(void)
{
	return text_sync_active() && READ_ONCE(senders_defer);
}

/**
 * text_sync_count - a step of a batch has been synchronised
 * @batch: the batch
 * @now_interrupted: other CPUs that were interrupted
 * @now_deferred: CPUs that were left alone
 */
void text_sync_count(struct text_sync *batch, unsigned int now_interrupted,
		     unsigned int now_deferred)
{
	if (!batch->syncs++) {
		atomic_long_inc(&batches);
		if (batch->early)
			atomic_long_inc(&early_batches);
	}
	atomic_long_inc(&requested);
	atomic_long_add(now_interrupted, &interrupted);
	atomic_long_add(now_deferred, &deferred);
	trace_text_sync(batch->first, batch->sites, batch->early,
			now_interrupted, now_deferred);
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
	unsigned long synced = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		synced += READ_ONCE(*text_sync_synced(cpu));
	seq_printf(m, "active %d\n", text_sync_active());
	seq_printf(m, "deferring %d\n", text_sync_may_defer());
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
			WRITE_ONCE(*text_sync_synced(cpu), 0);
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

/* mm/pt_sync.c or arch/x86/mm/kernel_flush.c may have made the directory. */
static int __init text_sync_debugfs(void)
{
	struct dentry *found = debugfs_lookup("pt_sync", NULL);

	debugfs_create_file("text_sync", 0600,
			    found ?: debugfs_create_dir("pt_sync", NULL),
			    NULL, &text_sync_fops);
	dput(found);
	return 0;
}
late_initcall_sync(text_sync_debugfs);
