// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for pt_sync: one case for one rule.
 */

#include <kunit/test.h>

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pt_sync.h>
#include <linux/pt_targets.h>
#include <linux/pt_walk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include <asm/tlb.h>

#include "pt_sync.h"

/* Every test has an mm that nobody runs, and leaves the strategy as it was. */
struct pt_fixture {
	struct mm_struct *mm;
	int strategy;
};

static int pt_sync_test_init(struct kunit *test)
{
	struct pt_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->strategy = pt_sync_current();
	f->mm = mm_alloc();
	if (!f->mm)
		return -ENOMEM;
	test->priv = f;
	return 0;
}

/* Wait until a bias that was put has ended. */
static void pt_bias_settle(struct mm_struct *mm)
{
	while (READ_ONCE(mm->pt_bias.leaving))
		flush_rcu_work(&mm->pt_bias.work);
}

/*
 * Wait until a bias that was got is trusted.  Not synchronize_rcu(): while the
 * kernel boots it is expedited, and the bias waits for a normal grace period.
 */
static void pt_bias_wait(struct mm_struct *mm)
{
	while (!poll_state_synchronize_rcu(mm->pt_bias.since))
		schedule_timeout_uninterruptible(1);
}

static void pt_sync_test_exit(struct kunit *test)
{
	struct pt_fixture *f = test->priv;

	pt_sync_switch(f->strategy);
	mmput(f->mm);
}

static void receipt_life(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct pt_receipt receipt = PT_RECEIPT_NONE;

	KUNIT_EXPECT_FALSE(test, pt_receipt_valid(NULL, f->mm));
	KUNIT_EXPECT_FALSE(test, pt_receipt_valid(&receipt, f->mm));
	pt_receipt_issue(&receipt, f->mm);
	KUNIT_EXPECT_TRUE(test, pt_receipt_valid(&receipt, f->mm));
	/* It says nothing about another mm. */
	KUNIT_EXPECT_FALSE(test, pt_receipt_valid(&receipt, &init_mm));
	/* Nobody asked. */
	pt_receipt_issue(NULL, f->mm);
	pt_receipt_refuse(NULL);
}

static void receipt_refused(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct pt_receipt receipt = PT_RECEIPT_NONE;

	/* One CPU left out outweighs all that are interrupted after. */
	pt_receipt_refuse(&receipt);
	pt_receipt_issue(&receipt, f->mm);
	KUNIT_EXPECT_FALSE(test, pt_receipt_valid(&receipt, f->mm));
	/* ... or before. */
	receipt = PT_RECEIPT_NONE;
	pt_receipt_issue(&receipt, f->mm);
	pt_receipt_refuse(&receipt);
	KUNIT_EXPECT_FALSE(test, pt_receipt_valid(&receipt, f->mm));
}

static void receipt_alone(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct pt_receipt receipt = PT_RECEIPT_NONE;

	cpumask_clear(mm_cpumask(f->mm));
	cpumask_set_cpu(0, mm_cpumask(f->mm));
	pt_receipt_issue_alone(&receipt, f->mm, 1);
	KUNIT_EXPECT_FALSE(test, pt_receipt_valid(&receipt, f->mm));
	pt_receipt_issue_alone(&receipt, f->mm, 0);
	KUNIT_EXPECT_TRUE(test, pt_receipt_valid(&receipt, f->mm));
	cpumask_clear(mm_cpumask(f->mm));
}

static void targets(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	int cpu = get_cpu();

	rcu_read_lock();
	if (IS_ENABLED(CONFIG_PT_SYNC_MM_CPUMASK)) {
		KUNIT_EXPECT_FALSE(test, pt_cpu_has_mm(cpu, f->mm));
		cpumask_set_cpu(cpu, mm_cpumask(f->mm));
		KUNIT_EXPECT_TRUE(test, pt_cpu_has_mm(cpu, f->mm));
		/* A bit that a task left behind is not taken for the task. */
		KUNIT_EXPECT_FALSE(test, pt_cpu_runs_mm(cpu, f->mm));
		cpumask_clear_cpu(cpu, mm_cpumask(f->mm));
	}
	KUNIT_EXPECT_FALSE(test, pt_cpu_runs_mm(cpu, f->mm));
	rcu_read_unlock();
	/* This one is running this test. */
	KUNIT_EXPECT_TRUE(test, pt_cpu_in_kernel(cpu));
	put_cpu();
}

/* Who runs a task of one mm does not run every mm. */
static void targets_of_task(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	int cpu;

	kthread_use_mm(f->mm);
	cpu = get_cpu();
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, pt_cpu_has_mm(cpu, f->mm));
	KUNIT_EXPECT_TRUE(test, pt_cpu_runs_mm(cpu, f->mm));
	KUNIT_EXPECT_FALSE(test, pt_cpu_runs_mm(cpu, &init_mm));
	rcu_read_unlock();
	put_cpu();
	kthread_unuse_mm(f->mm);
}

static void walk_unbiased(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	unsigned long flags, walk;
	int strategy = f->strategy;

	/* Whatever ran before, a new mm starts without bias. */
	if (pt_sync_strategies[strategy].publishes_all)
		kunit_skip(test, "every mm is biased");
	local_irq_save(flags);
	walk = pt_walk_begin(f->mm);
	KUNIT_EXPECT_EQ(test, walk, 0);
	KUNIT_EXPECT_FALSE(test, pt_walk_active(smp_processor_id(), f->mm));
	pt_walk_end(walk);
	local_irq_restore(flags);
}

static void walk_nested(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	unsigned long flags, outer, same, other;
	bool publish = f->mm->pt_walk_publish;
	int cpu;

	local_irq_save(flags);
	cpu = smp_processor_id();
	f->mm->pt_walk_publish = true;
	outer = pt_walk_begin(f->mm);
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, f->mm));
	KUNIT_EXPECT_FALSE(test, pt_walk_active(cpu, &init_mm));

	same = pt_walk_begin(f->mm);
	pt_walk_end(same);
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, f->mm));

	/* Both are walked as long as the nested walk of another mm lasts. */
	other = __pt_walk_nest(&init_mm);
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, f->mm));
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, &init_mm));
	/* ... and a walk in that one puts both back. */
	same = pt_walk_begin(f->mm);
	pt_walk_end(same);
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, f->mm));
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, &init_mm));
	pt_walk_end(other);
	KUNIT_EXPECT_TRUE(test, pt_walk_active(cpu, f->mm));
	KUNIT_EXPECT_FALSE(test, pt_walk_active(cpu, &init_mm));

	pt_walk_end(outer);
	f->mm->pt_walk_publish = publish;
	KUNIT_EXPECT_FALSE(test, pt_walk_active(cpu, f->mm));
	local_irq_restore(flags);
}

static bool trusted(struct mm_struct *mm)
{
	bool ret;

	rcu_read_lock();
	ret = pt_bias_trusted(mm);
	rcu_read_unlock();
	return ret;
}

static void bias_life(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct mm_struct *mm = f->mm;

	/* A strategy that biases everything would be in the way. */
	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_WALKERS), 0);
	pt_bias_put_sticky(mm);
	pt_bias_settle(mm);
	KUNIT_ASSERT_FALSE(test, mm->pt_walk_publish);

	KUNIT_EXPECT_FALSE(test, trusted(mm));
	pt_bias_get(mm);
	KUNIT_EXPECT_TRUE(test, mm->pt_walk_publish);
	pt_bias_wait(mm);
	KUNIT_EXPECT_TRUE(test, trusted(mm));

	/* Two users: the first to leave changes nothing. */
	pt_bias_get(mm);
	pt_bias_put(mm);
	KUNIT_EXPECT_TRUE(test, trusted(mm));

	/* Trust ends at once, publishing a grace period later. */
	rcu_read_lock();
	pt_bias_put(mm);
	KUNIT_EXPECT_FALSE(test, pt_bias_trusted(mm));
	KUNIT_EXPECT_TRUE(test, mm->pt_walk_publish);
	rcu_read_unlock();
	pt_bias_settle(mm);
	KUNIT_EXPECT_FALSE(test, mm->pt_walk_publish);
}

static void bias_before_grace(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct mm_struct *mm = f->mm;

	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_WALKERS), 0);
	pt_bias_put_sticky(mm);
	pt_bias_settle(mm);

	/* No grace period can end in here. */
	rcu_read_lock();
	pt_bias_get(mm);
	KUNIT_EXPECT_TRUE(test, mm->pt_walk_publish);
	KUNIT_EXPECT_FALSE(test, pt_bias_trusted(mm));
	rcu_read_unlock();
	pt_bias_put(mm);
	pt_bias_settle(mm);
}

static void bias_again(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct mm_struct *mm = f->mm;

	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_WALKERS), 0);
	pt_bias_put_sticky(mm);
	pt_bias_settle(mm);

	pt_bias_get(mm);
	pt_bias_wait(mm);
	rcu_read_lock();
	/* Walkers have published all the while: trusted again at once. */
	pt_bias_put(mm);
	pt_bias_get(mm);
	KUNIT_EXPECT_TRUE(test, pt_bias_trusted(mm));
	rcu_read_unlock();
	/* The work of the first put must not end the second get. */
	pt_bias_settle(mm);
	KUNIT_EXPECT_TRUE(test, mm->pt_walk_publish);
	KUNIT_EXPECT_TRUE(test, trusted(mm));
	pt_bias_put(mm);
	pt_bias_settle(mm);
	KUNIT_EXPECT_FALSE(test, mm->pt_walk_publish);
}

static void bias_from_birth(struct kunit *test)
{
	struct mm_struct *mm;

	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_WALKERS), 0);
	/* An mm that nobody can have walked is trusted at once. */
	mm = mm_alloc();
	KUNIT_ASSERT_NOT_NULL(test, mm);
	KUNIT_EXPECT_TRUE(test, mm->pt_walk_publish);
	KUNIT_EXPECT_TRUE(test, trusted(mm));
	mmput(mm);
}

/* khugepaged may be stopped in the middle of an mm: nothing stays behind. */
static void bias_scan_stopped(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct mm_struct *mm = f->mm;
	int count = atomic_read(&mm->mm_count);

	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_BROADCAST), 0);
	pt_bias_scan(mm);
	KUNIT_EXPECT_EQ(test, mm->pt_bias.users, 1);
	pt_bias_pass_done(false);
	KUNIT_EXPECT_EQ(test, mm->pt_bias.users, 1);
	pt_bias_scan(NULL);
	KUNIT_EXPECT_EQ(test, mm->pt_bias.users, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&mm->mm_count), count);
}

/* A bias by touch: one, however often; none for an mm that exits. */
static void bias_touched(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct mm_struct *mm = f->mm;
	int users;

	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_WALKERS), 0);
	users = mm->pt_bias.users;
	pt_bias_touch(mm);
	pt_bias_touch(mm);
	KUNIT_EXPECT_EQ(test, mm->pt_bias.users, users + 1);
	KUNIT_EXPECT_FALSE(test, list_empty(&mm->pt_bias.link));
	pt_bias_settle_touched();
	KUNIT_EXPECT_EQ(test, mm->pt_bias.users, users);
	KUNIT_EXPECT_TRUE(test, list_empty(&mm->pt_bias.link));

	atomic_dec(&mm->mm_users);
	pt_bias_touch(mm);
	KUNIT_EXPECT_TRUE(test, list_empty(&mm->pt_bias.link));
	atomic_inc(&mm->mm_users);
}

static void strategy_names(struct kunit *test)
{
	int i;

	for (i = 0; i < PT_SYNC_STRATEGIES; i++)
		KUNIT_EXPECT_EQ(test, pt_sync_find(pt_sync_strategies[i].name), i);
	KUNIT_EXPECT_EQ(test, pt_sync_find("auto\n"), PT_SYNC_AUTO);
	KUNIT_EXPECT_EQ(test, pt_sync_find(""), -EINVAL);
	KUNIT_EXPECT_EQ(test, pt_sync_find("aut"), -EINVAL);
	KUNIT_EXPECT_EQ(test, pt_sync_find("autos"), -EINVAL);
}

static void strategy_switch(struct kunit *test)
{
	int i;

	for (i = 0; i < PT_SYNC_STRATEGIES; i++) {
		KUNIT_EXPECT_EQ(test, pt_sync_switch(i), 0);
		KUNIT_EXPECT_EQ(test, pt_sync_current(), i);
	}
	KUNIT_EXPECT_EQ(test, pt_sync_switch(PT_SYNC_STRATEGIES), -EINVAL);
	KUNIT_EXPECT_EQ(test, pt_sync_switch(-1), -EINVAL);
	KUNIT_EXPECT_EQ(test, pt_sync_current(), PT_SYNC_STRATEGIES - 1);
}

static unsigned long stat(int strategy, int i)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(pt_sync_stats, cpu)[strategy].count[i];
	return sum;
}

/* What a sync of an mm that nobody runs adds to two counters. */
static void expect_sync(struct kunit *test, int strategy,
			const struct pt_receipt *receipt, bool last, int which)
{
	struct pt_fixture *f = test->priv;
	struct mmu_gather tlb = { .mm = f->mm, .fully_unshared_tables = last };
	unsigned long syncs, before;

	KUNIT_ASSERT_EQ(test, pt_sync_switch(strategy), 0);
	syncs = stat(strategy, PT_STAT_SYNCS);
	before = which < 0 ? 0 : stat(strategy, which);
	tlb_remove_table_sync_unshared(&tlb, receipt);
	if (which < 0) {
		KUNIT_EXPECT_EQ(test, stat(strategy, PT_STAT_SYNCS), syncs);
		return;
	}
	KUNIT_EXPECT_GT(test, stat(strategy, PT_STAT_SYNCS), syncs);
	KUNIT_EXPECT_GT(test, stat(strategy, which), before);
}

static void strategy_decides(struct kunit *test)
{
	struct pt_fixture *f = test->priv;
	struct pt_receipt receipt = PT_RECEIPT_NONE;
	int property = arch_flush_interrupts_all() ? PT_STAT_PROPERTY :
						     PT_STAT_BROADCASTS;

	if (pt_sync_split_read())
		kunit_skip(test, "every sync is a broadcast");
	pt_receipt_issue(&receipt, f->mm);

	expect_sync(test, PT_SYNC_BROADCAST, &receipt, true, PT_STAT_BROADCASTS);
	expect_sync(test, PT_SYNC_PROPERTY, NULL, true, property);
	expect_sync(test, PT_SYNC_RECEIPT, &receipt, true, PT_STAT_RECEIPTS);
	expect_sync(test, PT_SYNC_RECEIPT, NULL, true, PT_STAT_BROADCASTS);
	expect_sync(test, PT_SYNC_RUNNING, &receipt, true, PT_STAT_TARGETED);
	expect_sync(test, PT_SYNC_AUTO, &receipt, true, PT_STAT_RECEIPTS);
	expect_sync(test, PT_SYNC_AUTO, NULL, true, PT_STAT_TARGETED);
	expect_sync(test, PT_SYNC_RCU, &receipt, true, PT_STAT_GRACE_PERIODS);

	/* Who waits for one mm alone must do it for each that leaves. */
	expect_sync(test, PT_SYNC_BROADCAST, NULL, false, -1);
	expect_sync(test, PT_SYNC_PROPERTY, NULL, false, -1);
	expect_sync(test, PT_SYNC_RCU, NULL, false, -1);
	expect_sync(test, PT_SYNC_RECEIPT, NULL, false, PT_STAT_BROADCASTS);
	expect_sync(test, PT_SYNC_RUNNING, NULL, false, PT_STAT_TARGETED);
	expect_sync(test, PT_SYNC_AUTO, NULL, false, PT_STAT_TARGETED);
	expect_sync(test, PT_SYNC_AUTO, &receipt, false, PT_STAT_RECEIPTS);
}

static void strategy_walkers(struct kunit *test)
{
	struct pt_fixture *f = test->priv;

	if (pt_sync_split_read())
		kunit_skip(test, "every sync is a broadcast");
	KUNIT_ASSERT_EQ(test, pt_sync_switch(PT_SYNC_WALKERS), 0);
	/* The first sync biases an mm that the switch could not find. */
	tlb_remove_table_sync_mm(f->mm, NULL);
	KUNIT_EXPECT_TRUE(test, f->mm->pt_walk_publish);
	pt_bias_wait(f->mm);
	expect_sync(test, PT_SYNC_WALKERS, NULL, true, PT_STAT_TARGETED);
}

static struct kunit_case pt_sync_cases[] = {
	KUNIT_CASE(receipt_life),
	KUNIT_CASE(receipt_refused),
	KUNIT_CASE(receipt_alone),
	KUNIT_CASE(targets),
	KUNIT_CASE(targets_of_task),
	KUNIT_CASE(walk_unbiased),
	KUNIT_CASE(walk_nested),
	KUNIT_CASE(bias_life),
	KUNIT_CASE(bias_before_grace),
	KUNIT_CASE(bias_again),
	KUNIT_CASE(bias_from_birth),
	KUNIT_CASE(bias_scan_stopped),
	KUNIT_CASE(bias_touched),
	KUNIT_CASE(strategy_names),
	KUNIT_CASE(strategy_switch),
	KUNIT_CASE(strategy_decides),
	KUNIT_CASE(strategy_walkers),
	{}
};

static struct kunit_suite pt_sync_suite = {
	.name = "pt_sync",
	.init = pt_sync_test_init,
	.exit = pt_sync_test_exit,
	.test_cases = pt_sync_cases,
};

kunit_test_suite(pt_sync_suite);
