// SPDX-License-Identifier: GPL-2.0
/*
 * Wait until no lockless walker can still see an unlinked page table, and
 * interrupt no CPU that has nothing to do with it.
 *
 * A remover has cleared an entry and flushed the TLB.  A walker that loaded the
 * entry before may still stand on the table below.  It has interrupts off, so
 * once its CPU has taken an interrupt, the walk has ended.
 * tlb_remove_table_sync_one() interrupts every CPU.  A sync here interrupts
 * none, if the flush has proved that it just did so (a receipt);
//@45
 * else the CPUs that say they walk the mm, if all its walkers say so (bias);
//@end
 * else the CPUs that run the mm in the kernel.
 *
 * The letters name the scenarios of Documentation/mm/pt_sync.rst:
 *
//@45
 *	A  walker publishes, then loads the entry | entry cleared, slot read
//@end
 *	B  CPU switches to the mm, then walks     | entry cleared, mm asked
 *	C  CPU enters the kernel, then walks      | entry cleared, state read
 *	D  walk ends                              | CPU skipped, table reused
//@45
 *	E  bias engaged, grace period, trust
 *	F  trust withdrawn, grace period, walkers stop publishing
//@end
 */

#define pr_fmt(fmt) "pt_sync: " fmt

#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/mm.h>
//@38
#include <linux/mutex.h>
//@end
#include <linux/pgtable.h>
#include <linux/pt_sync.h>
#include <linux/pt_targets.h>
//@45
#include <linux/pt_walk.h>
//@end
#include <linux/rcupdate.h>
//@38
#include <linux/sched/clock.h>
//@end
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/tlb.h>

#include "pt_sync.h"
//@70
#include "pt_sync_fault.h"
//@end

//@38
#define CREATE_TRACE_POINTS
#include <trace/events/pt_sync.h>

//@end
const struct pt_sync_strategy pt_sync_strategies[PT_SYNC_STRATEGIES] = {
	[PT_SYNC_BROADCAST] = {
		.name = "broadcast",
	},
//@50
#ifdef CONFIG_PT_SYNC_LAB
	[PT_SYNC_PROPERTY] = {
		.name = "property",
		.trusts_property = true,
	},
	[PT_SYNC_RECEIPT] = {
		.name = "receipt",
		.trusts_receipts = true,
	},
	[PT_SYNC_WALKERS] = {
		.name = "walkers",
		.trusts_slots = true,
		.publishes_all = true,
	},
	[PT_SYNC_RUNNING] = {
		.name = "running",
		.asks_running = true,
	},
	[PT_SYNC_RCU] = {
		.name = "rcu",
		.waits_rcu = true,
	},
#endif
//@end
	[PT_SYNC_AUTO] = {
		.name = "auto",
		.trusts_receipts = true,
//@45
		.trusts_slots = true,
//@end
		.asks_running = true,
	},
};

//@38
DEFINE_PER_CPU(struct pt_sync_stats [PT_SYNC_STRATEGIES], pt_sync_stats);

/*
 * The strategy in force, or PT_SYNC_STRATEGIES while it is being changed: then
 * every sync goes to every CPU, see pt_sync_switch().
 */
static int pt_sync_strategy = PT_SYNC_AUTO;
static DEFINE_MUTEX(pt_sync_mutex);
//@!38
static int pt_sync_strategy __ro_after_init = PT_SYNC_AUTO;
//@end

/*
 * Asked by smp_call_function_many_cond() about every online CPU, with
 * preemption off.  The barrier that the scenarios need between the cleared
 * entry and the loads here is in pt_sync().
 */
static bool pt_sync_must_interrupt(int cpu, void *arg)
{
	struct pt_sync_request *req = arg;

	if (cpu == raw_smp_processor_id())
		return false;
//@45
	if (req->by_slot) {
		if (!pt_walk_active(cpu, req->mm)) {
			req->count[PT_STAT_SKIPPED_WALK]++;
			return false;
		}
	} else if (req->by_running) {
//@!45
	if (req->by_running) {
//@38
		/* Cheapest check first. */
		if (!pt_cpu_has_mm(cpu, req->mm)) {
			req->count[PT_STAT_SKIPPED_MM]++;
			return false;
		}
//@70
		if (pt_fault(PT_FAULT_EARLY_STATE) && !pt_fault_in_kernel(cpu))
			return false;
//@38
		if (!pt_cpu_in_kernel(cpu)) {
			req->count[PT_STAT_SKIPPED_IDLE]++;
			return false;
		}
//@70
		if (pt_fault(PT_FAULT_RQ_LOCK))
			cpu_curr_snapshot(cpu);
//@38
		if (!pt_cpu_runs_mm(cpu, req->mm)) {
			req->count[PT_STAT_SKIPPED_MM]++;
			return false;
		}
//@!38
		/* Cheapest check first. */
		return pt_cpu_has_mm(cpu, req->mm) && pt_cpu_in_kernel(cpu) &&
		       pt_cpu_runs_mm(cpu, req->mm);
//@end
	}
//@38
	req->count[PT_STAT_INTERRUPTED]++;
//@end
	return true;
}

//@38
//@50
/* The same, and which locks of other CPUs' runqueues it takes: none. */
static bool pt_sync_ask(int cpu, void *arg)
{
	bool answer;

	pt_sync_lab_count_locks(arg);
	answer = pt_sync_must_interrupt(cpu, arg);
	pt_sync_lab_count_locks(NULL);
	return answer;
}

//@38
static void pt_sync_account(int strategy, const struct pt_sync_request *req)
{
	int i;

	for (i = 0; i < PT_STATS; i++) {
		if (req->count[i])
			this_cpu_add(pt_sync_stats[strategy].count[i],
				     req->count[i]);
	}
}

//@end
/* Only strategies that wait for the walkers of one mm serve each that leaves. */
static bool pt_sync_leaves_to_last(const struct pt_sync_strategy *s)
{
//@45
	return !s->trusts_receipts && !s->trusts_slots && !s->asks_running;
//@!45
	return !s->trusts_receipts && !s->asks_running;
//@end
}

/* What makes interrupts unnecessary, and if nothing does, whom to ask for. */
static bool pt_sync_is_over(const struct pt_sync_strategy *s,
			    struct pt_sync_request *req)
{
//@70
	if (pt_fault(PT_FAULT_NO_SYNC))
		return true;
//@end
//@38
	if (!s || pt_sync_split_read())
//@!38
	if (pt_sync_split_read())
//@end
		return false;
//@50
	if (pt_sync_lab_over(s, req))
		return true;
//@end
//@38
	if (s->trusts_receipts && pt_receipt_valid(req->receipt, req->mm)) {
		req->count[PT_STAT_RECEIPTS]++;
		return true;
	}
//@!38
	if (s->trusts_receipts && pt_receipt_valid(req->receipt, req->mm))
		return true;
//@end
//@45
	req->by_slot = s->trusts_slots && pt_bias_trusted(req->mm);
//@end
	req->by_running = s->asks_running;
	return false;
}

static void pt_sync_interrupt(struct pt_sync_request *req)
{
//@38
	bool targeted = req->by_running;

//@45
	targeted |= req->by_slot;
//@38
	req->count[targeted ? PT_STAT_TARGETED : PT_STAT_BROADCASTS]++;
//@end
//@50
	on_each_cpu_cond_mask(pt_sync_ask, tlb_remove_table_smp_sync, req, true,
			      cpu_online_mask);
//@!50
	on_each_cpu_cond_mask(pt_sync_must_interrupt,
			      tlb_remove_table_smp_sync, req, true,
			      cpu_online_mask);
//@end
	/*
	 * D: an earlier walk on a CPU that was skipped happened before the
	 * caller uses the table again.
	 */
	smp_mb();
}

static void pt_sync(struct pt_sync_request *req)
{
//@38
	const struct pt_sync_strategy *s = NULL;
	u64 start = trace_pt_sync_enabled() ? local_clock() : 0;
	int strategy;
//@!38
	const struct pt_sync_strategy *s = &pt_sync_strategies[pt_sync_strategy];
//@end

	/*
	 * B, C: the cleared entry is visible before anything is asked, be it
	 * about a CPU or the strategy.  Not every flush is a full barrier.
//@45
	 * A, F: nor about a slot or the bias.
//@end
	 */
	smp_mb();
//@38
	/* For the tasks that pt_cpu_runs_mm() looks at, and pt_sync_switch(). */
//@!38
	/* For the tasks that pt_cpu_runs_mm() looks at. */
//@45
	/* F: the answer of pt_bias_trusted() must hold until it is used. */
//@end
	rcu_read_lock();
//@38
	strategy = READ_ONCE(pt_sync_strategy);
	if (likely(strategy < PT_SYNC_STRATEGIES))
		s = &pt_sync_strategies[strategy];
	else
		strategy = PT_SYNC_BROADCAST;

	if (s && !req->last && pt_sync_leaves_to_last(s))
		goto out;

	req->count[PT_STAT_SYNCS]++;
	if (!pt_sync_is_over(s, req))
		pt_sync_interrupt(req);
	req->count[PT_STAT_ONLINE] = num_online_cpus();
	pt_sync_account(strategy, req);
	if (start)
		trace_pt_sync(req->mm, req->caller,
			      pt_sync_strategies[strategy].name,
			      pt_receipt_valid(req->receipt, req->mm),
			      req->count[PT_STAT_ONLINE],
			      req->count[PT_STAT_INTERRUPTED],
			      local_clock() - start);
out:
//@!38
	if ((req->last || !pt_sync_leaves_to_last(s)) &&
	    !pt_sync_is_over(s, req))
		pt_sync_interrupt(req);
//@end
	rcu_read_unlock();
}

/**
 * tlb_remove_table_sync_mm - wait for lockless walkers of one mm
 * @mm: the only mm whose walkers can stand on the table
 * @receipt: what the flush after the entry was cleared has proved, or NULL
 *
 * On return no lockless walker sees what the entry pointed to.
 *
 * This isn't an RCU grace period: readers other than page-table walkers with
 * interrupts off are not waited for.
 *
 * Context: process context, interrupts on.
 */
void tlb_remove_table_sync_mm(struct mm_struct *mm,
			      const struct pt_receipt *receipt)
{
	struct pt_sync_request req = {
		.mm = mm,
		.receipt = receipt,
		.last = true,
//@38
		.caller = _RET_IP_,
//@end
	};

	pt_sync(&req);
}

//@36
/**
 * tlb_remove_table_sync_unshared - the same for tables that mms shared
 * @tlb: the gather of the mm that has stopped sharing
 * @receipt: what its flush has proved, or NULL
 *
 * Walkers of every mm that has shared the table can stand on it.  A broadcast
 * by the last to leave reaches them all; strategies that wait for the walkers
 * of one mm must do so each time one leaves.
 *
 * Context: process context, interrupts on.
 */
void tlb_remove_table_sync_unshared(const struct mmu_gather *tlb,
				    const struct pt_receipt *receipt)
{
	struct pt_sync_request req = {
		.mm = tlb->mm,
		.receipt = receipt,
		.last = tlb->fully_unshared_tables,
//@38
		.caller = _RET_IP_,
//@50
		.atomic = pt_sync_lab_atomic(tlb),
//@36
	};

	pt_sync(&req);
//@45
	if (!pt_receipt_valid(receipt, tlb->mm))
		pt_bias_touch(tlb->mm);
//@36
}

//@45
#ifndef CONFIG_PT_SYNC_ARCH_FLUSH
/* No other architecture is known to flush by interrupts alone. */
bool arch_flush_interrupts_all(void)
{
	return false;
}
#endif

/**
 * pt_sync_wants_bias - is it worth asking walkers to publish?
 *
 * A hint only: where flushes are expected to come with receipts, no slot is
 * ever looked at.
 */
bool pt_sync_wants_bias(void)
{
	int strategy = READ_ONCE(pt_sync_strategy);

	return strategy < PT_SYNC_STRATEGIES &&
	       pt_sync_strategies[strategy].trusts_slots &&
	       !(pt_sync_strategies[strategy].trusts_receipts &&
		 arch_flush_interrupts_all());
}

//@end
//@38
/**
 * pt_sync_find - the strategy of that name
 * @name: its name
 *
 * Return: its number, or -EINVAL.
 */
int pt_sync_find(const char *name)
//@!38
static int __init pt_sync_find(const char *name)
//@end
{
	int i;

	for (i = 0; i < PT_SYNC_STRATEGIES; i++) {
		if (sysfs_streq(name, pt_sync_strategies[i].name))
			return i;
	}
	return -EINVAL;
}

//@38
/**
 * pt_sync_current - the strategy in force
 */
int pt_sync_current(void)
{
	int strategy = READ_ONCE(pt_sync_strategy);

	return strategy < PT_SYNC_STRATEGIES ? strategy : PT_SYNC_BROADCAST;
}

/**
 * pt_sync_switch - change the strategy under load
 * @strategy: the new one
 *
 * What one strategy leaves to the last sharer of a table, another expects to
 * have been done before.  So there is a grace period between the two, in which
 * every sync goes to every CPU: walks that began under the old strategy are
 * over when the new one begins.
 *
 * Return: 0, or -EINVAL if there is no such strategy.
 */
int pt_sync_switch(int strategy)
{
//@50
	int old;

//@38
	if (strategy < 0 || strategy >= PT_SYNC_STRATEGIES)
		return -EINVAL;
	mutex_lock(&pt_sync_mutex);
//@50
	old = pt_sync_strategy;
//@38
	if (pt_sync_strategy == strategy)
		goto unlock;
	WRITE_ONCE(pt_sync_strategy, PT_SYNC_STRATEGIES);
	synchronize_rcu();
	WRITE_ONCE(pt_sync_strategy, strategy);
//@50
	pt_sync_lab_switched(&pt_sync_strategies[old],
			     &pt_sync_strategies[strategy]);
//@38
	pr_info("strategy %s\n", pt_sync_strategies[strategy].name);
unlock:
	mutex_unlock(&pt_sync_mutex);
	return 0;
}

//@end
static int __init pt_sync_setup(char *name)
{
	int strategy = pt_sync_find(name);

	if (strategy < 0) {
		pr_err("no strategy \"%s\", keeping %s\n", name,
		       pt_sync_strategies[pt_sync_strategy].name);
		return strategy;
	}
	pt_sync_strategy = strategy;
	return 0;
}
early_param("pt_sync", pt_sync_setup);

static int __init pt_sync_report(void)
{
	pr_info("strategy %s; %s reads of entries\n",
		pt_sync_strategies[pt_sync_strategy].name,
		pt_sync_split_read() ? "split, so all syncs broadcast" :
				       "single");
	return 0;
}
late_initcall(pt_sync_report);
