// SPDX-License-Identifier: GPL-2.0
/*
 * NMIs on request, for the torture test of pt_sync: walks that arrive while
 * interrupts are off, in the middle of another walk or of a switch of mms.
 */

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/nmi.h>
#include <linux/percpu.h>
#include <linux/processor.h>

#include <asm/apic.h>
#include <asm/pt_torture_nmi.h>

static void (*nmi_walk)(void);
static DEFINE_PER_CPU(atomic_t, nmi_wanted);
static DEFINE_PER_CPU(bool, nmi_ever_wanted);

static int pt_torture_nmi(unsigned int type, struct pt_regs *regs)
{
	/* Two requests may come as one NMI, or one NMI find nothing to do. */
	if (atomic_xchg(this_cpu_ptr(&nmi_wanted), 0))
		nmi_walk();
	else if (!this_cpu_read(nmi_ever_wanted))
		return NMI_DONE;
	return NMI_HANDLED;
}

/**
 * pt_torture_nmi_start - be ready for pt_torture_nmi_send()
 * @fn: what an NMI does
 *
 * Return: 0 or an error.
 */
int pt_torture_nmi_start(void (*fn)(void))
{
	nmi_walk = fn;
	return register_nmi_handler(NMI_LOCAL, pt_torture_nmi, 0,
				    "pt_torture");
}

/**
 * pt_torture_nmi_stop - no more NMIs; on return @fn is not running
 *
 * Whoever sends has stopped; what was sent to a CPU that is gone is lost.
 */
void pt_torture_nmi_stop(void)
{
	int cpu, spins;

	for_each_online_cpu(cpu) {
		for (spins = 0; spins < 1000; spins++) {
			if (!atomic_read(per_cpu_ptr(&nmi_wanted, cpu)))
				break;
			usleep_range(50, 200);
		}
	}
	unregister_nmi_handler(NMI_LOCAL, "pt_torture");
}

/**
 * pt_torture_nmi_send - send an NMI
 * @cpu: where to; if to this CPU, it has been here on return
 *
 * Context: any but NMI; CPU hotplug is excluded and preemption off.
 */
void pt_torture_nmi_send(int cpu)
{
	atomic_t *wanted = per_cpu_ptr(&nmi_wanted, cpu);
	int spins = 10000;

	per_cpu(nmi_ever_wanted, cpu) = true;
	atomic_inc(wanted);
	apic->send_IPI(cpu, NMI_VECTOR);
	while (cpu == smp_processor_id() && atomic_read(wanted) && spins--)
		cpu_relax();
}
