// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/pt_sync, as quell's kernel has it, so that the same tools
 * read it: one strategy, "live", with the columns it can have. What a module
 * cannot do (receipts, walkers that publish themselves) stays zero.
 */

#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "live.h"

#define STRATEGY "live"

atomic64_t live_stats[LIVE_STATS];

static const struct {
	const char *name;
	int stat;		/* -1: always zero here */
} columns[] = {
	{ "syncs", LIVE_SYNCS },
	{ "receipts", -1 },
	{ "broadcasts", -1 },
	{ "cpus_online", LIVE_ONLINE },
	{ "cpus_interrupted", LIVE_INTERRUPTED },
	{ "skipped_idle", LIVE_SKIPPED_IDLE },
	{ "skipped_mm", LIVE_SKIPPED_MM },
	{ "skipped_walk", -1 },
	{ "ns", LIVE_NS },
	{ "mm_known", LIVE_MM_KNOWN },
};

static int stats_show(struct seq_file *m, void *v)
{
	int i;

	seq_puts(m, "# strategy");
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		seq_printf(m, " %s", columns[i].name);
	seq_puts(m, "\n" STRATEGY);
	for (i = 0; i < ARRAY_SIZE(columns); i++)
		seq_printf(m, " %lld", columns[i].stat < 0 ? 0LL :
			   atomic64_read(&live_stats[columns[i].stat]));
	seq_putc(m, '\n');
	return 0;
}

static ssize_t stats_write(struct file *file, const char __user *ubuf,
			   size_t len, loff_t *pos)
{
	int i;

	for (i = 0; i < LIVE_STATS; i++)
		atomic64_set(&live_stats[i], 0);
	return len;
}
DEFINE_SHOW_STORE_ATTRIBUTE(stats);

static int strategy_show(struct seq_file *m, void *v)
{
	seq_puts(m, "[" STRATEGY "]\n");
	return 0;
}

/* There is but one; switching it off is livepatch's business. */
static ssize_t strategy_write(struct file *file, const char __user *ubuf,
			      size_t len, loff_t *pos)
{
	char name[16];

	if (len >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, ubuf, len))
		return -EFAULT;
	name[len] = '\0';
	return sysfs_streq(name, STRATEGY) ? len : -EINVAL;
}
DEFINE_SHOW_STORE_ATTRIBUTE(strategy);

static struct dentry *live_dir;

void live_stats_init(void)
{
	/*
	 * Under lockdown (Secure Boot) debugfs shows only what nobody may
	 * write. Root may anyway, elsewhere.
	 */
	live_dir = debugfs_create_dir("pt_sync", NULL);
	debugfs_create_file("stats", 0444, live_dir, NULL, &stats_fops);
	debugfs_create_file("strategy", 0444, live_dir, NULL, &strategy_fops);
}

void live_stats_exit(void)
{
	debugfs_remove(live_dir);
}
