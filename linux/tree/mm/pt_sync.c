// SPDX-License-Identifier: GPL-2.0
/*
 * Wait until no lockless walker can still see an unlinked page table, and
 * interrupt no CPU that has nothing to do with it.
 *
 * A remover has cleared an entry and flushed the TLB.  A walker that loaded the
 * entry before may still stand on the table below; it has interrupts off, so an
 * interrupt taken is a walk ended.  Mainline interrupts every CPU.  A sync here
 * interrupts none, if the flush has proved that it just did so (a receipt);
 * else the CPUs that say they walk the mm, if all its walkers say so (bias);
 * else the CPUs that run the mm in the kernel.
 *
 * The letters name the scenarios of Documentation/mm/pt_sync.rst:
 *
 *	A  walker publishes, then loads the entry | entry cleared, slot read
 *	B  CPU switches to the mm, then walks     | entry cleared, mm asked
 *	C  CPU enters the kernel, then walks      | entry cleared, state read
 *	D  walk ends                              | CPU skipped, table reused
 *	E  bias engaged, grace period, trust
 *	F  trust withdrawn, grace period, walkers stop publishing
 */

#define pr_fmt(fmt) "pt_sync: " fmt

#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/oom.h>
#include <linux/pgtable.h>
#include <linux/pt_sync.h>
#include <linux/pt_targets.h>
#include <linux/pt_walk.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/tlb.h>

#include "pt_sync.h"

#define CREATE_TRACE_POINTS
#include <trace/events/pt_sync.h>

const struct pt_sync_strategy pt_sync_strategies[PT_SYNC_STRATEGIES] = {
	[PT_SYNC_BROADCAST] = {
		.name = "broadcast",
	},
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
	[PT_SYNC_AUTO] = {
		.name = "auto",
		.trusts_receipts = true,
		.trusts_slots = true,
		.asks_running = true,
	},
};

struct pt_sync_stats pt_sync_stats[PT_SYNC_STRATEGIES];

/*
 * The strategy in force, or PT_SYNC_STRATEGIES while it is being changed: then
 * every sync goes to every CPU, see pt_sync_switch().
 */
static int pt_sync_strategy = PT_SYNC_AUTO;
static DEFINE_MUTEX(pt_sync_mutex);

/* One sync: the question it asks about each CPU, and the answers. */
struct pt_sync_request {
	struct mm_struct *mm;
	bool by_slot;
	bool by_running;
	unsigned int count[PT_STATS];
};

/*
 * Asked by smp_call_function_many_cond() about every online CPU.  The
 * barrier that A, B and C need between the cleared entry and the loads here is
 * in pt_sync().
 */
static bool pt_sync_must_interrupt(int cpu, void *arg)
{
	struct pt_sync_request *req = arg;

	if (cpu == raw_smp_processor_id())
		return false;
	if (req->by_slot) {
		if (!pt_walk_active(cpu, req->mm)) {
			req->count[PT_STAT_SKIPPED_WALK]++;
			return false;
		}
	} else if (req->by_running) {
		/* From cheap to dear. */
		if (!pt_cpu_has_mm(cpu, req->mm)) {
			req->count[PT_STAT_SKIPPED_MM]++;
			return false;
		}
		if (!pt_cpu_in_kernel(cpu)) {
			req->count[PT_STAT_SKIPPED_IDLE]++;
			return false;
		}
		if (!pt_cpu_runs_mm(cpu, req->mm)) {
			req->count[PT_STAT_SKIPPED_MM]++;
			return false;
		}
	}
	req->count[PT_STAT_INTERRUPTED]++;
	return true;
}

static void pt_sync_account(int strategy, const struct pt_sync_request *req)
{
	int i;

	for (i = 0; i < PT_STATS; i++) {
		if (req->count[i])
			atomic64_add(req->count[i],
				     &pt_sync_stats[strategy].count[i]);
	}
}

/*
 * @last: the table has no other user left; if not, only strategies that wait
 * for the walkers of one mm have something to do.
 */
static void pt_sync(struct mm_struct *mm, const struct pt_receipt *receipt,
		    bool last, unsigned long caller)
{
	bool proved = pt_receipt_valid(receipt, mm);
	struct pt_sync_request req = { .mm = mm };
	const struct pt_sync_strategy *s = NULL;
	u64 start = local_clock();
	bool all_cpus = true;
	int strategy;

	/*
	 * A, B, C, F: the cleared entry is visible before anything is asked,
	 * be it about a CPU, the bias or the strategy.  Not every flush is a
	 * full barrier.
	 */
	smp_mb();
	/* F: the answer of pt_bias_trusted() must hold until it is used. */
	rcu_read_lock();
	strategy = READ_ONCE(pt_sync_strategy);
	if (likely(strategy < PT_SYNC_STRATEGIES))
		s = &pt_sync_strategies[strategy];
	else
		strategy = PT_SYNC_BROADCAST;

	if (s && !s->trusts_receipts && !s->trusts_slots && !s->asks_running &&
	    !last)
		goto out;

	req.count[PT_STAT_SYNCS]++;
	if (!s || pt_sync_split_read())
		goto interrupt;
	if (s->trusts_property && arch_flush_interrupts_all()) {
		req.count[PT_STAT_PROPERTY]++;
		goto done;
	}
	if (s->trusts_receipts && proved) {
		req.count[PT_STAT_RECEIPTS]++;
		goto done;
	}
	if (s->publishes_all)
		pt_bias_get_sticky(mm);
	req.by_slot = s->trusts_slots && pt_bias_trusted(mm);
	req.by_running = s->asks_running;
	all_cpus = !req.by_slot && !req.by_running;

interrupt:
	req.count[all_cpus ? PT_STAT_BROADCASTS : PT_STAT_TARGETED]++;
	on_each_cpu_cond_mask(pt_sync_must_interrupt,
			      tlb_remove_table_smp_sync, &req, true,
			      cpu_online_mask);
	/*
	 * D: an earlier walk on a CPU that was skipped happened before the
	 * caller uses the table again.
	 */
	smp_mb();
done:
	req.count[PT_STAT_ONLINE] = num_online_cpus();
	pt_sync_account(strategy, &req);
	start = local_clock() - start;
	atomic64_add(start, &pt_sync_stats[strategy].count[PT_STAT_NS]);
	trace_pt_sync(mm, caller, pt_sync_strategies[strategy].name, proved,
		      req.count[PT_STAT_ONLINE],
		      req.count[PT_STAT_INTERRUPTED], start);
out:
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
	pt_sync(mm, receipt, true, _RET_IP_);
}

/**
 * tlb_remove_table_sync_unshared - the same for a table that mms shared
 * @mm: the mm that has stopped sharing
 * @receipt: what its flush has proved, or NULL
 * @last: whether the table now belongs to one mm alone
 *
 * Walkers of every mm that has shared the table can stand on it.  A broadcast
 * by the last to leave reaches them all; strategies that wait for the walkers
 * of one mm must do so each time one leaves.
 *
 * Context: process context, interrupts on.
 */
void tlb_remove_table_sync_unshared(struct mm_struct *mm,
				    const struct pt_receipt *receipt, bool last)
{
	pt_sync(mm, receipt, last, _RET_IP_);
}

#ifndef CONFIG_PT_SYNC_ARCH_FLUSH
/* No other architecture is known to flush by interrupts alone. */
bool arch_flush_interrupts_all(void)
{
	return false;
}
#endif

/**
 * pt_sync_publishes_all - is every mm to be biased?
 */
bool pt_sync_publishes_all(void)
{
	int strategy = READ_ONCE(pt_sync_strategy);

	return strategy < PT_SYNC_STRATEGIES &&
	       pt_sync_strategies[strategy].publishes_all;
}

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

/* Bias every mm there is, or end that; new ones follow pt_bias_init(). */
static void pt_sync_bias_all(bool bias)
{
	struct task_struct *p;

	read_lock(&tasklist_lock);
	for_each_process(p) {
		struct task_struct *t = find_lock_task_mm(p);

		if (!t)
			continue;
		if (bias)
			pt_bias_get_sticky(t->mm);
		else
			pt_bias_put_sticky(t->mm);
		task_unlock(t);
	}
	read_unlock(&tasklist_lock);
}

/**
 * pt_sync_find - the strategy of that name
 * @name: its name
 *
 * Return: its number, or -EINVAL.
 */
int pt_sync_find(const char *name)
{
	int i;

	for (i = 0; i < PT_SYNC_STRATEGIES; i++) {
		if (sysfs_streq(name, pt_sync_strategies[i].name))
			return i;
	}
	return -EINVAL;
}

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
	int old;

	if (strategy < 0 || strategy >= PT_SYNC_STRATEGIES)
		return -EINVAL;
	mutex_lock(&pt_sync_mutex);
	old = pt_sync_strategy;
	if (old == strategy)
		goto unlock;
	WRITE_ONCE(pt_sync_strategy, PT_SYNC_STRATEGIES);
	synchronize_rcu();
	WRITE_ONCE(pt_sync_strategy, strategy);
	if (pt_sync_strategies[strategy].publishes_all)
		pt_sync_bias_all(true);
	else if (pt_sync_strategies[old].publishes_all)
		pt_sync_bias_all(false);
	pr_info("strategy %s\n", pt_sync_strategies[strategy].name);
unlock:
	mutex_unlock(&pt_sync_mutex);
	return 0;
}

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
	pr_info("strategy %s; flushes %s; %s reads of entries\n",
		pt_sync_strategies[pt_sync_current()].name,
		arch_flush_interrupts_all() ?
			"interrupt every CPU of an mm" :
			"may interrupt nobody",
		pt_sync_split_read() ? "split, so all syncs broadcast" :
				       "single");
	return 0;
}
late_initcall(pt_sync_report);
