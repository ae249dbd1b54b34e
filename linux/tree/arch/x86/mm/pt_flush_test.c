// SPDX-License-Identifier: GPL-2.0
/*
 * Test-only TLB flushes that do not wait for walkers.
 *
 * INVLPGB, hypercalls and preempted vCPUs flush a TLB without an interrupt, so
 * a lockless walk goes on across the flush.  Machines without them can have
 * the same: an NMI flushes the TLB of a CPU that has interrupts off, and
 * returns into the middle of its walk.  When the flush returns no stale
 * translation is left anywhere, but no walker has been waited for.
 *
 *	native	interrupts, as without this file
 *	silent	NMIs to all CPUs: nobody is interrupted in the sense of a
 *		receipt, as with INVLPGB
 *	elide	NMIs to some CPUs, at random, interrupts to the others, as under
 *		a hypervisor that preempts vCPUs
 *
 * Chosen in /sys/kernel/debug/pt_sync/flush_backend.
 */

#include <linux/cpumask.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/init.h>
#include <linux/nmi.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/pt_receipt.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/apic.h>
#include <asm/pt_flush_test.h>
#include <asm/tlbflush.h>

enum { BACKEND_NATIVE, BACKEND_SILENT, BACKEND_ELIDE };

static const char * const backend_names[] = {
	[BACKEND_NATIVE] = "native",
	[BACKEND_SILENT] = "silent",
	[BACKEND_ELIDE] = "elide",
};

static int backend;

/* Tickets: a CPU is done with those up to @served. */
struct nmi_flush {
	atomic_t wanted;
	int served;
};

static DEFINE_PER_CPU(struct nmi_flush, nmi_flush);

static int nmi_flush_handler(unsigned int type, struct pt_regs *regs)
{
	struct nmi_flush *f = this_cpu_ptr(&nmi_flush);
	int wanted = atomic_read_acquire(&f->wanted);

	/*
	 * Two requests may come as one NMI, and one NMI may find its request
	 * served: once there were any, every NMI can be ours.
	 */
	if (!wanted)
		return NMI_DONE;
	if (wanted != f->served) {
		__flush_tlb_all();
		/* The flush comes before the word that it is done. */
		smp_store_release(&f->served, wanted);
	}
	return NMI_HANDLED;
}

static int nmi_flush_request(int cpu)
{
	int ticket = atomic_inc_return(per_cpu_ptr(&nmi_flush.wanted, cpu));

	__apic_send_IPI(cpu, NMI_VECTOR);
	return ticket;
}

static void nmi_flush_wait(int cpu, int ticket)
{
	int *served = per_cpu_ptr(&nmi_flush.served, cpu);

	/* Pairs with the release in nmi_flush_handler(). */
	while (smp_load_acquire(served) - ticket < 0 && cpu_online(cpu))
		cpu_relax();
}

/* get_random_u32() takes a lock, which may sleep with PREEMPT_RT. */
static DEFINE_PER_CPU(struct rnd_state, nmi_flush_dice);

/* Flush each CPU of @mask by an NMI of its own, or leave it to the caller. */
static void nmi_flush_mask(const struct cpumask *mask, struct cpumask *rest,
			   bool some)
{
	struct rnd_state *dice = this_cpu_ptr(&nmi_flush_dice);
	int cpu, this_cpu = smp_processor_id();

	for_each_cpu_and(cpu, mask, cpu_online_mask) {
		if (cpu == this_cpu || (some && prandom_u32_state(dice) & 1))
			__cpumask_set_cpu(cpu, rest);
		else
			nmi_flush_wait(cpu, nmi_flush_request(cpu));
	}
}

bool pt_flush_test_active(void)
{
	return READ_ONCE(backend) != BACKEND_NATIVE;
}

/* The CPUs that are left to the real backend. */
static DEFINE_PER_CPU(cpumask_t, rest_mask);

/**
 * pt_flush_test - flush in a test's way
 * @mask: the CPUs
 * @info: what to flush; its receipt is refused if a CPU is not interrupted
 *
 * Return: false if the real backend is to do it.
 */
bool pt_flush_test(const struct cpumask *mask,
		   const struct flush_tlb_info *info)
{
	int how = READ_ONCE(backend);
	struct cpumask *rest;

	if (how == BACKEND_NATIVE)
		return false;

	pt_receipt_refuse(info->receipt);
	preempt_disable();
	rest = this_cpu_ptr(&rest_mask);
	cpumask_clear(rest);
	nmi_flush_mask(mask, rest, how == BACKEND_ELIDE);
	native_flush_tlb_multi(rest, info);
	preempt_enable();
	return true;
}

static int backend_show(struct seq_file *m, void *v)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(backend_names); i++)
		seq_printf(m, i == backend ? "%s[%s]" : "%s%s", i ? " " : "",
			   backend_names[i]);
	seq_putc(m, '\n');
	return 0;
}

static ssize_t backend_write(struct file *file, const char __user *ubuf,
			     size_t len, loff_t *pos)
{
	char name[16];
	int i;

	if (len >= sizeof(name))
		return -EINVAL;
	if (copy_from_user(name, ubuf, len))
		return -EFAULT;
	name[len] = '\0';
	i = sysfs_match_string(backend_names, name);
	if (i < 0)
		return i;
	WRITE_ONCE(backend, i);
	return len;
}

DEFINE_SHOW_STORE_ATTRIBUTE(backend);

static int __init pt_flush_test_init(void)
{
	int ret = register_nmi_handler(NMI_LOCAL, nmi_flush_handler, 0,
				       "pt_flush_test");
	struct dentry *dir;

	if (ret)
		return ret;
	prandom_seed_full_state(&nmi_flush_dice);
	dir = debugfs_lookup("pt_sync", NULL);
	debugfs_create_file("flush_backend", 0644, dir, NULL, &backend_fops);
	dput(dir);
	return 0;
}
late_initcall(pt_flush_test_init);
