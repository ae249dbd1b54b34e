// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/pt_sync: which strategy, and what it has cost and spared.
 */

#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>

#include "pt_sync.h"

static const char * const stat_names[PT_STATS] = {
	[PT_STAT_SYNCS]		= "syncs",
	[PT_STAT_RECEIPTS]	= "receipts",
//@50
#ifdef CONFIG_PT_SYNC_LAB
	[PT_STAT_PROPERTY]	= "property",
	[PT_STAT_GRACE_PERIODS]	= "grace_periods",
#endif
//@end
	[PT_STAT_BROADCASTS]	= "broadcasts",
	[PT_STAT_TARGETED]	= "targeted",
	[PT_STAT_ONLINE]	= "cpus_online",
	[PT_STAT_INTERRUPTED]	= "cpus_interrupted",
	[PT_STAT_SKIPPED_IDLE]	= "skipped_idle",
	[PT_STAT_SKIPPED_MM]	= "skipped_mm",
//@45
	[PT_STAT_SKIPPED_WALK]	= "skipped_walk",
//@50
#ifdef CONFIG_PT_SYNC_LAB
	[PT_STAT_RQ_LOCKS]	= "rq_locks",
#endif
//@end
};

static int strategy_show(struct seq_file *m, void *v)
{
	int i, current_one = pt_sync_current();

	for (i = 0; i < PT_SYNC_STRATEGIES; i++)
		seq_printf(m, i == current_one ? "%s[%s]" : "%s%s",
			   i ? " " : "", pt_sync_strategies[i].name);
	seq_putc(m, '\n');
	return 0;
}

static ssize_t strategy_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *pos)
{
	char name[16];
	int ret;

	if (len >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, ubuf, len))
		return -EFAULT;
	name[len] = '\0';
	ret = pt_sync_find(name);
	if (ret >= 0)
		ret = pt_sync_switch(ret);
	return ret ? ret : len;
}

DEFINE_SHOW_STORE_ATTRIBUTE(strategy);

/* Counters only grow; a reset remembers where they were. */
static unsigned long stats_base[PT_SYNC_STRATEGIES][PT_STATS];
static DEFINE_MUTEX(stats_mutex);

static unsigned long stats_sum(int strategy, int i)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(pt_sync_stats, cpu)[strategy].count[i]);
	return sum;
}

static int stats_show(struct seq_file *m, void *v)
{
	int i, j;

	seq_puts(m, "# strategy");
	for (j = 0; j < PT_STATS; j++)
		seq_printf(m, " %s", stat_names[j]);
	seq_putc(m, '\n');
	guard(mutex)(&stats_mutex);
	for (i = 0; i < PT_SYNC_STRATEGIES; i++) {
		seq_puts(m, pt_sync_strategies[i].name);
		for (j = 0; j < PT_STATS; j++)
			seq_printf(m, " %lu", stats_sum(i, j) - stats_base[i][j]);
		seq_putc(m, '\n');
	}
	return 0;
}

static ssize_t stats_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	int i, j;

	guard(mutex)(&stats_mutex);
	for (i = 0; i < PT_SYNC_STRATEGIES; i++) {
		for (j = 0; j < PT_STATS; j++)
			stats_base[i][j] = stats_sum(i, j);
	}
	return len;
}

DEFINE_SHOW_STORE_ATTRIBUTE(stats);

static int __init pt_sync_debugfs_init(void)
{
	struct dentry *dir = debugfs_create_dir("pt_sync", NULL);

	debugfs_create_file("strategy", 0644, dir, NULL, &strategy_fops);
	debugfs_create_file("stats", 0644, dir, NULL, &stats_fops);
	return 0;
}
fs_initcall(pt_sync_debugfs_init);
