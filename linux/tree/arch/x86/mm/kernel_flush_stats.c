// SPDX-License-Identifier: GPL-2.0
/* What can be seen of deferred kernel flushes, and their switch. */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kernel_flush.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "kernel_flush_internal.h"

static atomic_long_t requested;
static atomic_long_t interrupted;
static atomic_long_t deferred;
static atomic_long_t rule_interrupted[KERNEL_FLUSH_RULES];

/* One flush, and what became of the other CPUs. */
void kernel_flush_count_request(unsigned int interrupts, unsigned int deferrals)
{
	atomic_long_inc(&requested);
	atomic_long_add(interrupts, &interrupted);
	atomic_long_add(deferrals, &deferred);
}

/**
 * kernel_flush_count - a flush is about to interrupt every CPU
 * @rule: why
 *
 * Counts the isolated CPUs in user mode, which is what each rule costs.
 */
void kernel_flush_count(enum kernel_flush_rule rule)
{
	int cpu, n = 0;

	if (!static_branch_unlikely(&kernel_flush_active))
		return;
	for_each_online_cpu(cpu)
		n += !(atomic_read(&per_cpu(kernel_flush, cpu).word) &
		       KERNEL_FLUSH_KERNEL);
	atomic_long_add(n, &rule_interrupted[rule]);
}

/* /sys/kernel/debug/pt_sync/kernel_flush: counters, a switch, a reset. */

static const char *const rule_names[] = {
	[KERNEL_FLUSH_SPLIT] = "split",
	[KERNEL_FLUSH_LARGE] = "large_page",
	[KERNEL_FLUSH_HUGE] = "huge_unmap",
	[KERNEL_FLUSH_COLLAPSE] = "collapse",
	[KERNEL_FLUSH_ATTRIBUTES] = "attributes",
};

static int kernel_flush_show(struct seq_file *m, void *unused)
{
	unsigned long flushed = 0;
	int cpu, i;

	for_each_possible_cpu(cpu)
		flushed += READ_ONCE(per_cpu(kernel_flush.flushed, cpu));
	if (kernel_flush_inactive)
		seq_printf(m, "# inactive: %s\n", kernel_flush_inactive);
	seq_printf(m, "active %d\n", !kernel_flush_inactive);
	seq_printf(m, "deferring %d\n", !kernel_flush_inactive &&
		   READ_ONCE(kernel_flush_senders_defer));
	seq_printf(m, "requested %ld\n", atomic_long_read(&requested));
	seq_printf(m, "interrupted %ld\n", atomic_long_read(&interrupted));
	seq_printf(m, "deferred %ld\n", atomic_long_read(&deferred));
	seq_printf(m, "flushed_at_entry %lu\n", flushed);
	for (i = 0; i < KERNEL_FLUSH_RULES; i++)
		seq_printf(m, "interrupted_%s %ld\n", rule_names[i],
			   atomic_long_read(&rule_interrupted[i]));
	return 0;
}

/* "reset", or "on" and "off" for whether senders defer. */
static ssize_t kernel_flush_write(struct file *file, const char __user *ubuf,
				  size_t count, loff_t *pos)
{
	char buf[8] = "";
	int cpu, i;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sysfs_streq(buf, "reset")) {
		atomic_long_set(&requested, 0);
		atomic_long_set(&interrupted, 0);
		atomic_long_set(&deferred, 0);
		for (i = 0; i < KERNEL_FLUSH_RULES; i++)
			atomic_long_set(&rule_interrupted[i], 0);
		for_each_possible_cpu(cpu)
			WRITE_ONCE(per_cpu(kernel_flush.flushed, cpu), 0);
	} else if (sysfs_streq(buf, "on")) {
		WRITE_ONCE(kernel_flush_senders_defer, true);
	} else if (sysfs_streq(buf, "off")) {
		WRITE_ONCE(kernel_flush_senders_defer, false);
	} else {
		return -EINVAL;
	}
	return count;
}

DEFINE_SHOW_STORE_ATTRIBUTE(kernel_flush);

/* After mm/pt_sync.c, where there is one, has made the directory. */
static int __init kernel_flush_debugfs(void)
{
	struct dentry *dir = debugfs_lookup("pt_sync", NULL);

	debugfs_create_file("kernel_flush", 0600,
			    dir ?: debugfs_create_dir("pt_sync", NULL), NULL,
			    &kernel_flush_fops);
	dput(dir);
	return 0;
}
late_initcall(kernel_flush_debugfs);
