// SPDX-License-Identifier: GPL-2.0
/*
 * planted.c - what interrupts a CPU for a known time, planted for cli/tests/lab-watch.sh
 * to be found:
 *
 *	insmod planted.ko cpu=N us=N irq=N
 *	echo timer|work >/sys/module/planted/parameters/plant
 *
 * Writing is over when it is over. Every interrupt IRQ and every membarrier take as
 * long there.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/version.h>
#include <linux/workqueue.h>

static int cpu;
module_param(cpu, int, 0444);
static unsigned int us = 50;
module_param(us, uint, 0444);
static unsigned int irq;
module_param(irq, uint, 0444);

static DECLARE_COMPLETION(planted);
static struct hrtimer timer;

static enum hrtimer_restart planted_timer(struct hrtimer *t)
{
	udelay(us);
	complete(&planted);
	return HRTIMER_NORESTART;
}

static void planted_work(struct work_struct *work)
{
	udelay(us);
	complete(&planted);
}

static DECLARE_WORK(work, planted_work);

/* Beside the device's own handler. */
static irqreturn_t planted_device(int irq, void *id)
{
	if (smp_processor_id() == cpu)
		udelay(us);
	return IRQ_NONE;
}

static int planted_membarrier(struct kprobe *p, struct pt_regs *regs)
{
	if (smp_processor_id() == cpu)
		udelay(us);
	return 0;
}

static struct kprobe membarrier = { .symbol_name = "ipi_mb", .pre_handler = planted_membarrier };

/* On the CPU itself, so that the timer is that CPU's. */
static void planted_arm(void *unused)
{
	hrtimer_start(&timer, ms_to_ktime(20), HRTIMER_MODE_REL_PINNED_HARD);
}

static int plant_set(const char *kind, const struct kernel_param *kp)
{
	if (sysfs_streq(kind, "timer"))
		smp_call_function_single(cpu, planted_arm, NULL, 1);
	else if (sysfs_streq(kind, "work"))
		queue_work_on(cpu, system_wq, &work);
	else
		return -EINVAL;
	wait_for_completion(&planted);
	return 0;
}

static const struct kernel_param_ops plant_ops = { .set = plant_set };
module_param_cb(plant, &plant_ops, NULL, 0200);

static int __init planted_init(void)
{
	int err;

	if (cpu < 0 || cpu >= nr_cpu_ids || !cpu_online(cpu) || us > 1000)
		return -EINVAL;
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer.function = planted_timer;
#else
	hrtimer_setup(&timer, planted_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
#endif
	err = request_irq(irq, planted_device, IRQF_SHARED, "planted", &timer);
	if (err)
		return err;
	err = register_kprobe(&membarrier);
	if (err)
		free_irq(irq, &timer);
	return err;
}

static void __exit planted_exit(void)
{
	unregister_kprobe(&membarrier);
	free_irq(irq, &timer);
	hrtimer_cancel(&timer);
	flush_work(&work);
}

module_init(planted_init);
module_exit(planted_exit);
MODULE_DESCRIPTION("Interrupts a CPU for a known time");
MODULE_LICENSE("GPL");
