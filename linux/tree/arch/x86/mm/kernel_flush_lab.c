// SPDX-License-Identifier: GPL-2.0
/*
 * A flush at every kernel entry, to compare with.
 *
 * Earlier designs of the deferral ("kernel_cr3_loaded") leave no debt: an
 * isolated CPU flushes its whole TLB each time it enters the kernel, whether
 * anybody unmapped something or not.  This does the same flush on the same
 * CPUs in the same entries, and counts it.  Senders and ordering stay those
 * of kernel_flush.c, which pays its debts besides.
 *
 * The tracepoint user_exit comes just after kernel_flush_user_exit(), so entry
 * code has nothing of this.  What the probe's call costs comes on top of the
 * flush.
 */
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/kernel_flush.h>
#include <linux/mutex.h>
#include <linux/tracepoint.h>

#include <asm/tlbflush.h>

#include <trace/events/context_tracking.h>

static DEFINE_MUTEX(every_entry_lock);
static bool every_entry;

static void flush_at_entry(void *unused, int dummy)
{
	lockdep_assert_irqs_disabled();
	__flush_tlb_all();
	raw_cpu_inc(kernel_flush.flushed);
}

static int every_entry_get(void *unused, u64 *value)
{
	*value = READ_ONCE(every_entry);
	return 0;
}

static int every_entry_set(void *unused, u64 value)
{
	bool wanted = value;
	int ret;

	guard(mutex)(&every_entry_lock);
	if (wanted == every_entry)
		return 0;
	if (wanted) {
		ret = register_trace_user_exit(flush_at_entry, NULL);
	} else {
		ret = unregister_trace_user_exit(flush_at_entry, NULL);
		tracepoint_synchronize_unregister();
	}
	if (!ret)
		WRITE_ONCE(every_entry, wanted);
	return ret;
}

DEFINE_DEBUGFS_ATTRIBUTE(every_entry_fops, every_entry_get, every_entry_set, "%llu\n");

/* /sys/kernel/debug/pt_sync/flush_every_entry: 0 or 1; pt_sync made the directory. */
static int __init kernel_flush_lab_init(void)
{
	struct dentry *dir = debugfs_lookup("pt_sync", NULL);

	debugfs_create_file_unsafe("flush_every_entry", 0600, dir, NULL, &every_entry_fops);
	dput(dir);
	return 0;
}
late_initcall(kernel_flush_lab_init);
