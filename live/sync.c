// SPDX-License-Identifier: GPL-2.0
/*
 * Wait for lockless page-table walkers without interrupting CPUs that cannot
 * be walking: tlb_remove_table_sync_one() of a running stock kernel, replaced
 * by livepatch.
 *
 * The stock function interrupts every other CPU. A walker has interrupts off,
 * so once a CPU has taken an interrupt, any earlier walk there has ended. A CPU
 * in an RCU extended quiescent state runs no kernel code, so it walks nothing,
 * whatever the mm; and where the mm is known, neither does a CPU that does not
 * run it. Walkers need not change, so it works in a stock kernel. The
 * questions are those of quell's kernel, from the same header; the letters are
 * the scenarios of docs/argue/ordering.md.
 *
 * Each sync is complete by itself and expects of walkers and other syncs only
 * what the stock one does. So it does not matter that tasks are switched over
 * one by one, nor which of two syncs was the old one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/ftrace.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/smp.h>
#include <linux/stringify.h>

#include "compat.h"
#include "live.h"

/* Asks by the names of 6.12. */
#include <linux/pt_targets.h>

/* A test builds a module that looks for a function nobody has. */
#ifndef LIVE_SYNC
#define LIVE_SYNC tlb_remove_table_sync_one
#endif
#define SYNC_NAME __stringify(LIVE_SYNC)

struct live_request {
	struct mm_struct *mm;		/* NULL: not known */
	unsigned int count[LIVE_STATS];
};

/* The same name as the stock kernel's, which tracers know. */
static void tlb_remove_table_smp_sync(void *arg)
{
	/* Simply deliver the interrupt */
}

/* The very word that `current` is on @cpu. */
static struct task_struct *live_current(int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
	return READ_ONCE(per_cpu(pcpu_hot.current_task, cpu));
#else
	return READ_ONCE(per_cpu(current_task, cpu));
#endif
}

/*
 * The mask alone would do, were there no walks from NMIs (perf's addresses
 * and page sizes): in a context switch an NMI finds the old task as current
 * with its CPU out of the mask already, under a temporary mm with its CPU
 * trimmed out of it, in kthread_use_mm() with its CPU not yet in it. quell's
 * kernel makes such walkers give up (F12); a stock kernel's walk. They walk
 * current->mm, so they are found by asking for just that:
 *
 *  - leaving the mm: the bit is cleared first, current changes afterwards. So
 *    it is read afterwards as well: a bit found clear because of that tells
 *    that current still is the old task, or that its NMIs are over (D).
 *  - coming to the mm by a switch: the bit is set, with a full barrier, before
 *    current changes (B). 7.3 leaves bits behind when it switches, and takes
 *    them back in a flush, whose interrupt finds another mm loaded: a bit more
 *    than needed, and if it is a temporary mm that was found, the last case.
 *  - coming to it in kthread_use_mm(): current->mm is written first; x86 has
 *    it in memory before the first instruction of an NMI's handler, which is
 *    the full barrier (B).
 *  - a temporary mm changes neither current nor current->mm.
 *
 * live/tests/waits.sh has a walker stand in such a window.
 *
 * exec shows a new mm in current->mm before the bit, too, but that mm has
 * nothing to collapse: THP leaves temporary stacks alone.
 *
 * The task cannot be freed before a grace period, and is not looked into
 * beyond its mm.
 */
static bool live_runs_mm(int cpu, struct mm_struct *mm)
{
	if (pt_cpu_has_mm(cpu, mm))
		return true;
	smp_rmb();
	return READ_ONCE(live_current(cpu)->mm) == mm;
}

/* Asked by smp_call_function_many_cond() about every online CPU. */
static bool live_must_interrupt(int cpu, void *arg)
{
	struct live_request *req = arg;

	if (cpu == raw_smp_processor_id())
		return false;
	if (req->mm && !live_runs_mm(cpu, req->mm)) {
		req->count[LIVE_SKIPPED_MM]++;
		return false;
	}
	if (!pt_cpu_in_kernel(cpu)) {
		req->count[LIVE_SKIPPED_IDLE]++;
		return false;
	}
	req->count[LIVE_INTERRUPTED]++;
	return true;
}

/*
 * tlb_flush_unshared_tables() calls this only for the last mm to stop sharing
 * a table, but walkers of every former sharer may stand on it: for that
 * caller, as for any but collapse_huge_page(), the mm is not known.
 */
static void live_sync(void)
{
	struct live_request req = {
		.mm = live_collapse_mm(_RET_IP_),
	};
	u64 start = local_clock();
	int i;

	/*
	 * B, C: the cleared entry is visible before anything is asked. Not
	 * every flush is a full barrier.
	 */
	smp_mb();
	/* For the tasks live_runs_mm() looks at. */
	rcu_read_lock();
	on_each_cpu_cond_mask(live_must_interrupt, tlb_remove_table_smp_sync,
			      &req, true, cpu_online_mask);
	rcu_read_unlock();
	/*
	 * D: an earlier walk on a CPU that was skipped happened before the
	 * caller uses the table again.
	 */
	smp_mb();

	req.count[LIVE_SYNCS] = 1;
	req.count[LIVE_MM_KNOWN] = req.mm != NULL;
	req.count[LIVE_ONLINE] = num_online_cpus();
	for (i = 0; i < LIVE_NS; i++) {
		if (req.count[i])
			atomic64_add(req.count[i], &live_stats[i]);
	}
	atomic64_add(local_clock() - start, &live_stats[LIVE_NS]);
}

static struct klp_func live_funcs[] = {
	{
		.old_name = SYNC_NAME,
		.new_func = live_sync,
	},
	{ }
};

static void live_post_patch(struct klp_object *obj)
{
	live_collapse_trust(true);
}

static void live_pre_unpatch(struct klp_object *obj)
{
	live_collapse_trust(false);
}

static struct klp_object live_objects[] = {
	{
		/* No name: the kernel itself. */
		.funcs = live_funcs,
		.callbacks = {
			.post_patch = live_post_patch,
			.pre_unpatch = live_pre_unpatch,
		},
	},
	{ }
};

static struct klp_patch live_patch = {
	.mod = THIS_MODULE,
	.objs = live_objects,
};

static void live_nothing(unsigned long ip, unsigned long parent_ip,
			 struct ftrace_ops *op, struct ftrace_regs *fregs)
{
}

/*
 * Only one user of ftrace may redirect a function. Livepatches share that
 * right among themselves and would silently stack; whoever asks for it beside
 * them is refused, and so learns of them.
 */
static struct ftrace_ops live_claim = {
	.func = live_nothing,
	.flags = FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_SAVE_REGS,
};

static int live_check(void)
{
	unsigned int major = LIVE_LINUX >> 16, minor = (LIVE_LINUX >> 8) & 0xff;
	int ret;

	if (!(major == 6 && (minor == 1 || minor == 12)) &&
	    !(major == 7 && minor == 3)) {
		pr_err("Linux %u.%u is not known, " SYNC_NAME
		       "() may promise more there than here; known are 6.1, 6.12 and 7.3\n",
		       major, minor);
		return -EOPNOTSUPP;
	}
	ret = ftrace_set_filter(&live_claim, SYNC_NAME, strlen(SYNC_NAME), 1);
	if (ret) {
		pr_err("this kernel has no " SYNC_NAME
		       "() that can be replaced (quell's own kernel has none, and needs none)\n");
		return -ENOENT;
	}
	ret = register_ftrace_function(&live_claim);
	if (ret) {
		pr_err(SYNC_NAME "() is %s, see /sys/kernel/livepatch\n",
		       ret == -EBUSY ? "patched by another module already" :
				       "out of ftrace's reach");
		ftrace_free_filter(&live_claim);
		return ret;
	}
	unregister_ftrace_function(&live_claim);
	ftrace_free_filter(&live_claim);
	return 0;
}

static int __init live_init(void)
{
	int ret = live_check();

	if (ret)
		return ret;
	ret = live_collapse_init();
	if (ret)
		pr_warn("no collapse can be told from other syncs here (%d): only quiescent CPUs are spared\n",
			ret);
	live_stats_init();
	ret = klp_enable_patch(&live_patch);
	if (ret) {
		pr_err(SYNC_NAME "() cannot be replaced: error %d\n", ret);
		live_stats_exit();
		live_collapse_exit();
	}
	return ret;
}

/* Runs only when livepatch is done with us. */
static void __exit live_exit(void)
{
	live_stats_exit();
	live_collapse_exit();
}

module_init(live_init);
module_exit(live_exit);
MODULE_DESCRIPTION("Page-table syncs that spare CPUs which cannot be walking");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
