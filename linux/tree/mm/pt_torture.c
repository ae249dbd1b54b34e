// SPDX-License-Identifier: GPL-2.0
/*
 * Torture test of pt_sync: parameters, threads, statistics and the verdict.
 *
 * Walkers (pt_torture_walk.c) read words of page tables, removers
 * (pt_torture_remove.c) unlink these tables, wait and poison them.  Poison
 * that a walker sees is a walker that was not waited for.
 */

#define pr_fmt(fmt) fmt

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/torture.h>

#include "pt_torture.h"

MODULE_DESCRIPTION("Torture test of pt_sync");
MODULE_LICENSE("GPL");

#define TORTURE "pt_sync-torture: "

torture_param(int, nwalkers, -1, "Walker threads, -1 for one per CPU but one");
torture_param(int, nremovers, 1, "Remover threads, each with mms of its own");
torture_param(int, nkickers, 1, "Threads that send interrupts and NMIs");
torture_param(int, switch_ms, 0, "Time between switches of strategy (ms), 0=disable");
torture_param(int, onoff_holdoff, 0, "Time after start before CPU hotplugs (s)");
torture_param(int, onoff_interval, 0, "Time between CPU hotplugs (jiffies), 0=disable");
torture_param(int, stat_interval, 0, "Seconds between statistics, 0=at the end only");
torture_param(int, stutter, 5, "Jiffies to run/halt, 0=disable");
torture_param(int, verbose, 0, "Enable verbose debugging printk()s");

static char *strategy = "";
module_param(strategy, charp, 0444);
MODULE_PARM_DESC(strategy, "Strategy to test, empty for the one in force");

static char *fault = "none";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "Fault to put into pt_sync or its callers");

unsigned int pt_torture_walk_us = 100;
module_param_named(walk_us, pt_torture_walk_us, uint, 0444);
MODULE_PARM_DESC(walk_us, "Longest walk (us)");

unsigned int pt_torture_hold_us = 100;
module_param_named(hold_us, pt_torture_hold_us, uint, 0444);
MODULE_PARM_DESC(hold_us, "Longest time that a table stays poisoned (us)");

unsigned int pt_torture_widen_us = 100;
module_param_named(widen_us, pt_torture_widen_us, uint, 0444);
MODULE_PARM_DESC(widen_us, "For faults that load too early: from load to clear (us)");

/* A counter to look at, not to set: how often poison was seen so far. */
atomic_t pt_torture_found;
module_param_named(found, pt_torture_found.counter, int, 0444);
MODULE_PARM_DESC(found, "Walkers that were not waited for, so far");

static const char * const fault_names[PT_FAULTS] = {
	[PT_FAULT_NONE]			= "none",
	[PT_FAULT_NO_SYNC]		= "no_sync",
	[PT_FAULT_V4_READ_BARRIER]	= "v4_read_barrier",
	[PT_FAULT_V4_ELIDE]		= "v4_elide",
	[PT_FAULT_NESTED_CLEAR]		= "nested_clear",
	[PT_FAULT_EARLY_BIAS]		= "early_bias",
	[PT_FAULT_OLD_COOKIE]		= "old_cookie",
	[PT_FAULT_EARLY_STATE]		= "early_state",
	[PT_FAULT_RQ_LOCK]		= "rq_lock",
	[PT_FAULT_BLIND_NMI]		= "blind_nmi",
	[PT_FAULT_NMI_GUP]		= "nmi_gup",
	[PT_FAULT_BLIND_SWITCH]		= "blind_switch",
	[PT_FAULT_NO_FLUSH]		= "no_flush",
	[PT_FAULT_STALE_RECEIPT]	= "stale_receipt",
	[PT_FAULT_LAST_ONLY]		= "last_only",
};

static const char * const count_names[PT_TORTURE_COUNTS] = {
	[PT_TORTURE_WALKS]	= "walks",
	[PT_TORTURE_IRQ_WALKS]	= "irq",
	[PT_TORTURE_NMI_WALKS]	= "nmi",
	[PT_TORTURE_NESTED]	= "nested",
	[PT_TORTURE_TABLES]	= "tables",
	[PT_TORTURE_GUPS]	= "gups",
	[PT_TORTURE_NMI_GUPS]	= "nmi_gups",
	[PT_TORTURE_SWITCH_ASKS] = "switch_asks",
	[PT_TORTURE_REMOVALS]	= "removals",
	[PT_TORTURE_COLLAPSES]	= "collapses",
	[PT_TORTURE_SILENT]	= "silent",
	[PT_TORTURE_RECEIPTS]	= "receipts",
	[PT_TORTURE_UNSHARES]	= "unshares",
	[PT_TORTURE_BIASES]	= "biases",
	[PT_TORTURE_MMSETS]	= "families",
	[PT_TORTURE_SWITCHES]	= "switches",
};

DEFINE_PER_CPU(unsigned long [PT_TORTURE_COUNTS], pt_torture_counts);

enum pt_fault pt_torture_fault;
bool pt_torture_switching;

static struct task_struct **walkers, **removers, **kickers;
static struct task_struct *switcher, *stats_task;
static int strategy_before;
static unsigned long rq_locks_before;
static bool nmi_started, switch_started;

/**
 * pt_torture_seen - a walker saw what it must not see
 * @where: what kind of walker, or that it was a sync; NULL: one that must not
 *	   print
 * @what: what it stood on
 *
 * Context: any, also NMI.
 */
void pt_torture_seen(const char *where, const char *what)
{
	int n = atomic_inc_return(&pt_torture_found);
	int now = pt_torture_core.strategy_current();

	if (n <= 3 && where)
		pr_alert(TORTURE "!!! %s stood on %s, strategy %s\n", where,
			 what, pt_torture_core.strategy_name(now));
}

/**
 * pt_torture_check_locks - no sync has taken another CPU's runqueue lock
 */
void pt_torture_check_locks(void)
{
	if (pt_torture_core.rq_locks() != rq_locks_before)
		pt_torture_seen("sync", "the lock of another CPU's runqueue");
}

static unsigned long pt_torture_sum(int what)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(pt_torture_counts, cpu)[what]);
	return sum;
}

static void pt_torture_print_stats(void)
{
	char line[384];
	int i, len = 0;

	for (i = 0; i < PT_TORTURE_COUNTS; i++)
		len += scnprintf(line + len, sizeof(line) - len, " %s=%lu",
				 count_names[i], pt_torture_sum(i));
	pr_alert(TORTURE "found=%d%s\n", atomic_read(&pt_torture_found), line);
}

static int pt_torture_stats(void *arg)
{
	do {
		schedule_timeout_interruptible(stat_interval * HZ);
		pt_torture_print_stats();
	} while (!torture_must_stop());
	torture_kthread_stopping("pt_torture_stats");
	return 0;
}

static int pt_torture_switcher(void *arg)
{
	DEFINE_TORTURE_RANDOM(rand);

	do {
		pt_torture_core.strategy_switch(torture_random(&rand) %
						pt_torture_core.strategies);
		pt_torture_count(PT_TORTURE_SWITCHES);
		schedule_timeout_interruptible(msecs_to_jiffies(switch_ms) + 1);
	} while (!torture_must_stop());
	torture_kthread_stopping("pt_torture_switcher");
	return 0;
}

static const char *pt_torture_none_of(const int *kinds, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!pt_torture_sum(kinds[i]))
			return count_names[kinds[i]];
	}
	return NULL;
}

/*
 * A test that has not done what it is there for has not passed.  With a fault
 * some kinds of removal are left out, so that the fault can show.
 */
static const char *pt_torture_idle(void)
{
	static const int always[] = {
		PT_TORTURE_WALKS, PT_TORTURE_TABLES, PT_TORTURE_REMOVALS,
		PT_TORTURE_MMSETS,
	};
	static const int without_fault[] = {
		PT_TORTURE_GUPS, PT_TORTURE_COLLAPSES, PT_TORTURE_UNSHARES,
		PT_TORTURE_BIASES,
	};
	const char *none = pt_torture_none_of(always, ARRAY_SIZE(always));

	if (!none && pt_torture_fault == PT_FAULT_NONE)
		none = pt_torture_none_of(without_fault,
					  ARRAY_SIZE(without_fault));
	if (none)
		return none;
	if (pt_torture_fault == PT_FAULT_NONE && pt_torture_may_skip_flush() &&
	    !pt_torture_sum(PT_TORTURE_SILENT))
		return count_names[PT_TORTURE_SILENT];
	if (nkickers && !pt_torture_sum(PT_TORTURE_IRQ_WALKS))
		return count_names[PT_TORTURE_IRQ_WALKS];
	if (nmi_started && !pt_torture_sum(PT_TORTURE_NESTED))
		return count_names[PT_TORTURE_NESTED];
	if (nmi_started && !pt_torture_sum(PT_TORTURE_NMI_GUPS))
		return count_names[PT_TORTURE_NMI_GUPS];
	if (!pt_torture_sum(PT_TORTURE_SWITCH_ASKS))
		return count_names[PT_TORTURE_SWITCH_ASKS];
	if (pt_torture_switching && !pt_torture_sum(PT_TORTURE_SWITCHES))
		return count_names[PT_TORTURE_SWITCHES];
	return NULL;
}

static void pt_torture_print_parms(const char *tag)
{
	int now = pt_torture_core.strategy_current();

	pr_alert(TORTURE "--- %s: fault=%s strategy=%s nwalkers=%d nremovers=%d nkickers=%d walk_us=%u hold_us=%u widen_us=%u switch_ms=%d onoff_holdoff=%d onoff_interval=%d stat_interval=%d stutter=%d verbose=%d\n",
		 tag, fault_names[pt_torture_fault],
		 pt_torture_core.strategy_name(now), nwalkers,
		 nremovers, nkickers, pt_torture_walk_us, pt_torture_hold_us,
		 pt_torture_widen_us, switch_ms, onoff_holdoff, onoff_interval,
		 stat_interval, stutter, verbose);
}

static void pt_torture_verdict(void)
{
	const char *idle = pt_torture_idle();

	pt_torture_print_stats();
	if (idle)
		pr_alert(TORTURE "!!! nothing of %s was done\n", idle);
	if (atomic_read(&pt_torture_found) || idle)
		pt_torture_print_parms("End of test: FAILURE");
	else if (torture_onoff_failures())
		pt_torture_print_parms("End of test: PT_SYNC_HOTPLUG");
	else
		pt_torture_print_parms("End of test: SUCCESS");
}

static void pt_torture_stop_all(struct task_struct ***tasks, int n)
{
	int i;

	for (i = 0; *tasks && i < n; i++)
		torture_stop_kthread(pt_torture_thread, (*tasks)[i]);
	kfree(*tasks);
	*tasks = NULL;
}

static void pt_torture_cleanup(void)
{
	bool started = removers;

	if (torture_cleanup_begin())
		return;
	torture_stop_kthread(pt_torture_switcher, switcher);
	torture_stop_kthread(pt_torture_stats, stats_task);
	pt_torture_stop_all(&kickers, nkickers);
	pt_torture_stop_all(&walkers, nwalkers);
	/* Mms go with the last who uses them, so the removers stop last. */
	pt_torture_stop_all(&removers, nremovers);
	if (switch_started)
		pt_torture_walk_no_switches();
	if (nmi_started) {
		pt_torture_core.nmi_stop();
		pt_torture_core.gup_start(false);
	}
	pt_torture_core.fault_choose(PT_FAULT_NONE);
	if (started)
		pt_torture_verdict();
	pt_torture_core.strategy_switch(strategy_before);
	/* kfree_rcu() of the families needs no code of ours. */
	torture_cleanup_end();
}

static int __init pt_torture_check_parms(void)
{
	int i;

	i = match_string(fault_names, PT_FAULTS, fault);
	if (i < 0) {
		pr_alert(TORTURE "!!! no fault \"%s\"\n", fault);
		return i;
	}
	pt_torture_fault = i;
	if (*strategy && pt_torture_core.strategy_find(strategy) < 0) {
		pr_alert(TORTURE "!!! no strategy \"%s\"\n", strategy);
		return -EINVAL;
	}
	if (nwalkers < 0)
		nwalkers = max(num_online_cpus() - 1, 1U);
	if (nremovers < 1 || nremovers > PT_TORTURE_FAMILIES) {
		pr_alert(TORTURE "!!! nremovers is %d, must be 1 to %d\n",
			 nremovers, PT_TORTURE_FAMILIES);
		return -EINVAL;
	}
	if (nkickers < 0) {
		pr_alert(TORTURE "!!! nkickers is %d, must be 0 or more\n",
			 nkickers);
		return -EINVAL;
	}
	if (pt_torture_fault == PT_FAULT_V4_READ_BARRIER ||
	    pt_torture_fault == PT_FAULT_EARLY_STATE)
		nremovers = 1;
	return 0;
}

static int __init pt_torture_start(struct task_struct ***tasks, int n,
				   int (*fn)(void *))
{
	int i, ret = 0;

	*tasks = kcalloc(max(n, 1), sizeof(**tasks), GFP_KERNEL);
	if (!*tasks)
		return -ENOMEM;
	for (i = 0; i < n && !ret; i++)
		ret = torture_create_kthread(fn, (void *)(long)i, (*tasks)[i]);
	return ret;
}

static int __init pt_torture_init(void)
{
	int ret;

	if (!torture_init_begin("pt_sync", verbose))
		return -EBUSY;
	strategy_before = pt_torture_core.strategy_current();
	ret = pt_torture_check_parms();
	if (ret)
		goto unwind;
	if (*strategy)
		pt_torture_core.strategy_switch(pt_torture_core.strategy_find(strategy));
	rq_locks_before = pt_torture_core.rq_locks();
	pt_torture_switching = switch_ms > 0;
	pt_torture_print_parms("Start of test");
	pt_torture_core.fault_choose(pt_torture_fault);
	if (pt_torture_core.nmi_start) {
		ret = pt_torture_core.nmi_start(pt_torture_walk_nmi);
		if (ret)
			goto unwind;
		nmi_started = true;
		pt_torture_core.gup_start(true);
	}
	ret = pt_torture_walk_switches();
	if (ret)
		goto unwind;
	switch_started = true;
	if (onoff_interval > 0)
		ret = torture_onoff_init(onoff_holdoff * HZ, onoff_interval,
					 NULL);
	if (!ret && stutter > 0)
		ret = torture_stutter_init(stutter, stutter);
	if (!ret)
		ret = pt_torture_start(&removers, nremovers, pt_torture_remover);
	if (!ret)
		ret = pt_torture_start(&walkers, nwalkers, pt_torture_walker);
	if (!ret)
		ret = pt_torture_start(&kickers, nkickers, pt_torture_kicker);
	if (!ret && pt_torture_switching)
		ret = torture_create_kthread(pt_torture_switcher, NULL,
					     switcher);
	if (!ret && stat_interval > 0)
		ret = torture_create_kthread(pt_torture_stats, NULL,
					     stats_task);
unwind:
	torture_init_end();
	if (ret)
		pt_torture_cleanup();
	return ret;
}

module_init(pt_torture_init);
module_exit(pt_torture_cleanup);
