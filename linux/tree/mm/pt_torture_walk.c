// SPDX-License-Identifier: GPL-2.0
/*
 * Torture test of pt_sync: lockless walkers, in tasks, interrupts and NMIs.
 *
 * A walker looks for the table of current->mm and then reads words of it for a
 * while, with interrupts off throughout.  None of these may be poison: that
 * is only written when nobody can stand on the table.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/pt_walk.h>
#include <linux/sched/mm.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/tracepoint.h>

#include "pt_torture.h"

/* How deep in walks this CPU is, to tell nested ones. */
static DEFINE_PER_CPU(int, walk_depth);

static bool pt_torture_read(const unsigned long *table, unsigned int us)
{
	u64 end = ktime_get_mono_fast_ns() + us * NSEC_PER_USEC;
	int i, at = 0;

	do {
		for (i = 0; i < 16; i++, at = (at + 1) % PTRS_PER_PTE) {
			if (READ_ONCE(table[at]) == PT_TORTURE_POISON)
				return true;
		}
		cpu_relax();
	} while (ktime_get_mono_fast_ns() < end);
	return false;
}

/* One walk of @us, with an NMI in the middle of it if @nest. */
static void pt_torture_walk(struct mm_struct *mm, unsigned int us, bool nest,
			    const char *where)
{
	const unsigned long *table;
	unsigned long token;
	bool seen;
	pmd_t pmd;

	this_cpu_inc(walk_depth);
	token = pt_walk_begin(mm);
	pmd = READ_ONCE(*pt_torture_core.pmd_find(mm, pt_torture_address()));
	if (!pmd_none(pmd)) {
		pt_torture_count(PT_TORTURE_TABLES);
		table = (const unsigned long *)pmd_page_vaddr(pmd);
		seen = pt_torture_read(table, us / 2);
		if (nest)
			pt_torture_core.nmi_send(smp_processor_id());
		seen |= pt_torture_read(table, us / 2);
		if (seen)
			pt_torture_seen(where, "a removed table");
	}
	pt_walk_end(token);
	this_cpu_dec(walk_depth);
}

/* A length between nothing and @most, mostly short. */
static unsigned int pt_torture_us(unsigned long random, unsigned int most)
{
	unsigned int us = random % (most + 1);

	return random & BIT(30) ? us : us / 8;
}

/**
 * pt_torture_walk_irq - walk from an interrupt
 * @unused: for smp_call_function_single()
 */
void pt_torture_walk_irq(void *unused)
{
	unsigned long random = ktime_get_mono_fast_ns() >> 3;

	if (!pt_torture_is_ours(current->mm))
		return;
	pt_torture_count(PT_TORTURE_IRQ_WALKS);
	pt_torture_walk(current->mm,
			pt_torture_us(random, pt_torture_walk_us),
			pt_torture_core.nmi_send && random % 4 == 0,
			"an interrupt");
}

/* GUP-fast in an NMI may walk: stand on the table it is about to read. */
static void pt_torture_walk_gup(void)
{
	pt_torture_count(PT_TORTURE_NMI_GUPS);
	if (this_cpu_read(walk_depth))
		pt_torture_count(PT_TORTURE_NESTED);
	/* get_user_pages_fast_only() has just asked for it. */
	pt_torture_walk(data_race(current->mm), pt_torture_walk_us, false,
			"GUP-fast in an NMI");
}

/**
 * pt_torture_walk_nmi - walk from an NMI
 *
 * It may come while the mm is being switched, and then must not walk; GUP-fast
 * asks for itself.
 */
void pt_torture_walk_nmi(void)
{
	/* The task may be storing it at this moment, in kthread_use_mm(). */
	struct mm_struct *mm = data_race(current->mm);
	unsigned long random = ktime_get_mono_fast_ns() >> 3;
	unsigned int us = pt_torture_walk_us;
	struct page *page;

	if (!pt_torture_is_ours(mm))
		return;
	if (random % 4 == 0 || pt_torture_fault == PT_FAULT_NMI_GUP) {
		if (pt_torture_core.gup(pt_torture_address(), &page,
					pt_torture_walk_gup) > 0)
			put_page(page);
		return;
	}
	if (!pt_torture_core.walk_visible())
		return;
	pt_torture_count(PT_TORTURE_NMI_WALKS);
	if (this_cpu_read(walk_depth)) {
		pt_torture_count(PT_TORTURE_NESTED);
		us = pt_torture_us(random, us / 2);
	}
	pt_torture_walk(mm, us, false, "an NMI");
}

/*
 * An event of the scheduler, as perf has them: a task, which the runqueue does
 * not name any more.  Nothing is printed here, for that may wake somebody.
 */
static void pt_torture_walk_switch(void *unused, bool preempt,
				   struct task_struct *prev,
				   struct task_struct *next,
				   unsigned int prev_state)
{
	if (!pt_torture_is_ours(current->mm))
		return;
	pt_torture_count(PT_TORTURE_SWITCH_ASKS);
	if (!pt_walk_enter())
		return;
	pt_torture_walk(current->mm, pt_torture_walk_us, false, NULL);
	pt_walk_exit();
}

/* The kernel exports its tracepoints by a search only. */
static struct tracepoint *pt_torture_switch;

static void pt_torture_find_switch(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "sched_switch"))
		pt_torture_switch = tp;
}

/**
 * pt_torture_walk_switches - walk from each switch of tasks
 *
 * Return: 0, or why not.
 */
int pt_torture_walk_switches(void)
{
	for_each_kernel_tracepoint(pt_torture_find_switch, NULL);
	if (!pt_torture_switch)
		return -ENOENT;
	return tracepoint_probe_register(pt_torture_switch,
					 pt_torture_walk_switch, NULL);
}

/**
 * pt_torture_walk_no_switches - and no more
 */
void pt_torture_walk_no_switches(void)
{
	tracepoint_probe_unregister(pt_torture_switch, pt_torture_walk_switch,
				    NULL);
	tracepoint_synchronize_unregister();
}

/* Pages that GUP-fast pins must be the ones that were asked for. */
static void pt_torture_gup(unsigned long random)
{
	struct page *pages[8];
	int first = random % PT_TORTURE_PAGES;
	int want = min_t(int, 1 + random / PT_TORTURE_PAGES % ARRAY_SIZE(pages),
			 PT_TORTURE_PAGES - first);
	unsigned long *word;
	int i, got;

	got = get_user_pages_fast_only(pt_torture_address() + first * PAGE_SIZE,
				       want, 0, pages);
	if (got > 0)
		pt_torture_count(PT_TORTURE_GUPS);
	for (i = 0; i < got; i++) {
		word = kmap_local_page(pages[i]);
		if (READ_ONCE(*word) != pt_torture_stamp(first + i))
			pt_torture_seen("GUP-fast", "a wrong page");
		kunmap_local(word);
		put_page(pages[i]);
	}
}

static void pt_torture_walks(struct mm_struct *mm,
			     struct torture_random_state *rand)
{
	unsigned long random, flags;
	int often = pt_torture_fault == PT_FAULT_EARLY_STATE ? 4 : 32;
	int i, n = torture_random(rand) % 64;

	/* At times only take the mm, for NMIs to walk meanwhile. */
	if (pt_torture_fault == PT_FAULT_BLIND_NMI ||
	    pt_torture_fault == PT_FAULT_NMI_GUP)
		n = n == 1;
	else if (torture_random(rand) % 4 == 0)
		n = 0;

	for (i = 0; i < n && !torture_must_stop(); i++) {
		random = torture_random(rand);
		if (random % 8 == 0) {
			pt_torture_gup(random / 8);
			continue;
		}
		pt_torture_count(PT_TORTURE_WALKS);
		local_irq_save(flags);
		pt_torture_walk(mm, pt_torture_us(random, pt_torture_walk_us),
				pt_torture_core.nmi_send && random % 8 < 3,
				"a task");
		local_irq_restore(flags);
		/* Idle, with the mm still there. */
		if (random % often == 1)
			usleep_range(50, 500);
		cond_resched();
	}
}

/**
 * pt_torture_walker - a thread that borrows mms and walks them
 * @arg: unused
 *
 * Return: 0.
 */
int pt_torture_walker(void *arg)
{
	DEFINE_TORTURE_RANDOM(rand);

	set_user_nice(current, MAX_NICE);
	do {
		struct pt_torture_family *f;
		struct mm_struct *mm;

		f = pt_torture_family_get(torture_random(&rand));
		if (!f) {
			schedule_timeout_interruptible(1);
			continue;
		}
		/* The others have no table most of the time. */
		mm = f->mm[0];
		if (torture_random(&rand) % 2)
			mm = f->mm[torture_random(&rand) % PT_TORTURE_MMS];
		kthread_use_mm(mm);
		pt_torture_walks(mm, &rand);
		kthread_unuse_mm(mm);
		pt_torture_family_put(f);
		cond_resched();
		stutter_wait("pt_torture_walker");
	} while (!torture_must_stop());
	torture_kthread_stopping("pt_torture_walker");
	return 0;
}

static int pt_torture_random_cpu(struct torture_random_state *rand)
{
	int n = torture_random(rand) % num_online_cpus();
	int cpu;

	for_each_online_cpu(cpu) {
		if (!n--)
			return cpu;
	}
	return cpumask_first(cpu_online_mask);
}

static void pt_torture_nop(void *unused)
{
}

static void pt_torture_kick(struct torture_random_state *rand)
{
	int i, n = torture_random(rand) % 32;

	guard(cpus_read_lock)();
	guard(preempt)();
	smp_call_function_single(pt_torture_random_cpu(rand),
				 pt_torture_walk_irq, NULL, 0);
	for (i = 0; i < n && pt_torture_core.nmi_send; i++) {
		pt_torture_core.nmi_send(pt_torture_random_cpu(rand));
		udelay(torture_random(rand) % 8);
	}
}

/**
 * pt_torture_kicker - a thread that makes others walk, wherever they are
 * @arg: unused
 *
 * Return: 0.
 */
int pt_torture_kicker(void *arg)
{
	DEFINE_TORTURE_RANDOM(rand);

	do {
		pt_torture_kick(&rand);
		usleep_range(20, 200);
		stutter_wait("pt_torture_kicker");
	} while (!torture_must_stop());
	/* What was sent has arrived. */
	smp_call_function(pt_torture_nop, NULL, 1);
	torture_kthread_stopping("pt_torture_kicker");
	return 0;
}
