// SPDX-License-Identifier: GPL-2.0
/* The state machine of deferred kernel flushes, step by step. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kernel_flush.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task.h>
#include <linux/vmalloc.h>

#define KERNEL	KERNEL_FLUSH_KERNEL
#define FLUSH	KERNEL_FLUSH_FLUSH

static void request_in_kernel_is_refused(struct kunit *test)
{
	atomic_t word = ATOMIC_INIT(KERNEL);

	KUNIT_EXPECT_FALSE(test, kernel_flush_word_owe(&word, FLUSH));
	KUNIT_EXPECT_EQ(test, atomic_read(&word), KERNEL);
}

static void request_in_user_mode_waits_for_entry(struct kunit *test)
{
	atomic_t word = ATOMIC_INIT(0);

	KUNIT_EXPECT_TRUE(test, kernel_flush_word_owe(&word, FLUSH));
	KUNIT_EXPECT_TRUE(test, kernel_flush_word_owe(&word, FLUSH));
	KUNIT_EXPECT_EQ(test, atomic_read(&word), FLUSH);
	KUNIT_EXPECT_EQ(test, kernel_flush_word_enter(&word), FLUSH);
	KUNIT_EXPECT_EQ(test, atomic_read(&word), KERNEL | FLUSH);
	kernel_flush_word_paid(&word, FLUSH);
	KUNIT_EXPECT_EQ(test, atomic_read(&word), KERNEL);
	kernel_flush_word_exit(&word);
	KUNIT_EXPECT_EQ(test, atomic_read(&word), 0);
}

static void clean_entry_sees_nothing(struct kunit *test)
{
	atomic_t word = ATOMIC_INIT(0);

	KUNIT_EXPECT_EQ(test, kernel_flush_word_enter(&word), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&word), KERNEL);
}

/* Between taking the word and the flush, an NMI must see the request. */
static void nmi_before_the_flush_sees_the_request(struct kunit *test)
{
	atomic_t word = ATOMIC_INIT(FLUSH);

	KUNIT_EXPECT_EQ(test, kernel_flush_word_enter(&word), FLUSH);
	/* The NMI: flushes, and does not give back what it did not take. */
	KUNIT_EXPECT_EQ(test, kernel_flush_word_nmi_enter(&word), KERNEL | FLUSH);
	kernel_flush_word_paid(&word, FLUSH);
	KUNIT_EXPECT_FALSE(test, kernel_flush_word_owe(&word, FLUSH));
	/* The entry goes on. */
	kernel_flush_word_paid(&word, FLUSH);
	KUNIT_EXPECT_EQ(test, atomic_read(&word), KERNEL);
}

/* After exit's last step, an NMI takes and returns the word by itself. */
static void nmi_after_exit_carries_out_a_request(struct kunit *test)
{
	atomic_t word = ATOMIC_INIT(KERNEL);

	kernel_flush_word_exit(&word);
	KUNIT_EXPECT_TRUE(test, kernel_flush_word_owe(&word, FLUSH));
	KUNIT_EXPECT_EQ(test, kernel_flush_word_nmi_enter(&word), FLUSH);
	KUNIT_EXPECT_FALSE(test, kernel_flush_word_owe(&word, FLUSH));
	kernel_flush_word_paid(&word, FLUSH);
	kernel_flush_word_exit(&word);
	KUNIT_EXPECT_TRUE(test, kernel_flush_word_owe(&word, FLUSH));
}

/*
 * In the kernel, thus on every CPU that takes no part, an NMI writes nothing:
 * not even a compare-and-exchange that fails, which is a write to the processor
 * and would fault here.
 */
static void nmi_in_the_kernel_only_reads(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	atomic_t *word;

	KUNIT_ASSERT_NOT_NULL(test, page);
	atomic_set((atomic_t *)page_address(page), KERNEL);
	word = vmap(&page, 1, VM_MAP, PAGE_KERNEL_RO);
	if (word)
		KUNIT_EXPECT_EQ(test, kernel_flush_word_nmi_enter(word), KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, word);
	vunmap(word);
	__free_page(page);
}

#define RACES 100000

/*
 * @table stands for the page table, @retired for the oldest value of it that
 * may still be used: the sender sets it once its request was accepted.
 */
struct race {
	atomic_t word;
	int table;
	int retired;
	bool over;
};

/* Only outside of the kernel, in the word's sense: there requests get in. */
static void let_the_other_side_run(int i)
{
	if (!(i % 16))
		cpu_relax();
	if (!(i % 1024))
		cond_resched();
}

static int race_sender(void *data)
{
	struct race *race = data;
	int i;

	for (i = 1; i <= RACES; i++) {
		WRITE_ONCE(race->table, i);
		if (kernel_flush_word_owe(&race->word, FLUSH))
			/* Pairs with the other side: after the request. */
			smp_store_release(&race->retired, i);
		let_the_other_side_run(i);
	}
	WRITE_ONCE(race->over, true);
	return 0;
}

static void no_request_is_lost_in_a_race(struct kunit *test)
{
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);
	struct task_struct *sender;
	int i = 0, retired, cached = 0, flushed = 0, stale = 0;
	bool over;

	KUNIT_ASSERT_NOT_NULL(test, race);
	sender = kthread_run(race_sender, race, "kernel_flush_race");
	KUNIT_ASSERT_FALSE(test, IS_ERR(sender));
	get_task_struct(sender);
	do {
		/* One entry more, for the last request. */
		over = READ_ONCE(race->over);
		/* Before the entry, so that it must have seen the request. */
		retired = smp_load_acquire(&race->retired);
		if (kernel_flush_word_enter(&race->word) & FLUSH) {
			cached = READ_ONCE(race->table);
			kernel_flush_word_paid(&race->word, FLUSH);
			flushed++;
		}
		stale += cached < retired;
		kernel_flush_word_exit(&race->word);
		let_the_other_side_run(i++);
	} while (!over);
	kthread_stop_put(sender);
	KUNIT_EXPECT_EQ(test, stale, 0);
	KUNIT_EXPECT_GT(test, flushed, 0);
}

/* Softirqs may allocate as well, but must not wait for other CPUs. */
static int new_table_in_softirq(void)
{
	int err;

	local_bh_disable();
	err = kernel_flush_new_table();
	local_bh_enable();
	return err;
}

static void no_table_where_nobody_may_wait(struct kunit *test)
{
	int err;

	if (!static_key_enabled(&kernel_flush_active) ||
	    !cpu_feature_enabled(X86_FEATURE_PTI))
		kunit_skip(test, "holes are not filled late here");

	kernel_flush_huge_unmapped(PMD_SIZE);
	KUNIT_EXPECT_EQ(test, new_table_in_softirq(), -EBUSY);
	/* It was asked for, so that whoever comes later finds it done. */
	for (int i = 0; i < 50; i++) {
		msleep(20);
		err = new_table_in_softirq();
		if (!err)
			break;
	}
	KUNIT_EXPECT_EQ(test, err, 0);
}

static void a_hole_is_settled_before_a_table(struct kunit *test)
{
	kernel_flush_huge_unmapped(PMD_SIZE);
	KUNIT_EXPECT_EQ(test, kernel_flush_new_table(), 0);
	KUNIT_EXPECT_EQ(test, new_table_in_softirq(), 0);
}

static struct kunit_case kernel_flush_cases[] = {
	KUNIT_CASE(request_in_kernel_is_refused),
	KUNIT_CASE(request_in_user_mode_waits_for_entry),
	KUNIT_CASE(clean_entry_sees_nothing),
	KUNIT_CASE(nmi_before_the_flush_sees_the_request),
	KUNIT_CASE(nmi_after_exit_carries_out_a_request),
	KUNIT_CASE(nmi_in_the_kernel_only_reads),
	KUNIT_CASE(no_request_is_lost_in_a_race),
	KUNIT_CASE(no_table_where_nobody_may_wait),
	KUNIT_CASE(a_hole_is_settled_before_a_table),
	{ }
};

static struct kunit_suite kernel_flush_suite = {
	.name = "kernel_flush",
	.test_cases = kernel_flush_cases,
};

kunit_test_suite(kernel_flush_suite);

MODULE_DESCRIPTION("KUnit test of deferred kernel flushes");
MODULE_LICENSE("GPL");
