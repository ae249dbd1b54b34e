// SPDX-License-Identifier: GPL-2.0
/*
 * A stand-in for a walker that takes its time: whoever writes "MS" to
 * /sys/kernel/debug/quell_hold has interrupts off on its CPU for that long. A
 * sync that has to wait for it ends after that; reading says whether it lasts.
 *
 * "MS trimmed" also takes the CPU out of the mask of the caller's mm, as a
 * context switch and a flush under a temporary mm do around an NMI.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/uaccess.h>

#include <asm/special_insns.h>

#define MAX_MS 10000

static int holding;

static void hold(unsigned int ms, bool trimmed)
{
	struct mm_struct *mm = current->mm;
	unsigned long flags;
	u64 end;

	local_irq_save(flags);
	if (trimmed)
		cpumask_clear_cpu(smp_processor_id(), mm_cpumask(mm));
	smp_mb();
	WRITE_ONCE(holding, 1);
	end = local_clock() + ms * NSEC_PER_MSEC;
	while (local_clock() < end)
		cpu_relax();
	WRITE_ONCE(holding, 0);
	if (trimmed) {
		/* Flushes have passed us by. */
		cpumask_set_cpu(smp_processor_id(), mm_cpumask(mm));
		native_write_cr3(__native_read_cr3());
	}
	local_irq_restore(flags);
}

static ssize_t hold_write(struct file *file, const char __user *ubuf,
			  size_t len, loff_t *pos)
{
	char text[32], how[16] = "";
	unsigned int ms;

	if (len >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, ubuf, len))
		return -EFAULT;
	text[len] = '\0';
	if (sscanf(text, "%u %15s", &ms, how) < 1 || ms > MAX_MS)
		return -EINVAL;
	if (*how && strcmp(how, "trimmed"))
		return -EINVAL;
	hold(ms, *how);
	return len;
}

static ssize_t hold_read(struct file *file, char __user *ubuf, size_t len,
			 loff_t *pos)
{
	const char *text = READ_ONCE(holding) ? "1\n" : "0\n";

	return simple_read_from_buffer(ubuf, len, pos, text, 2);
}

static const struct file_operations hold_fops = {
	.owner = THIS_MODULE,
	.read = hold_read,
	.write = hold_write,
	.llseek = default_llseek,
};

static struct dentry *hold_file;

static int __init hold_init(void)
{
	hold_file = debugfs_create_file("quell_hold", 0600, NULL, NULL,
					&hold_fops);
	return 0;
}

static void __exit hold_exit(void)
{
	debugfs_remove(hold_file);
}

module_init(hold_init);
module_exit(hold_exit);
MODULE_DESCRIPTION("Holds up page-table syncs, for quell's tests");
MODULE_LICENSE("GPL");
