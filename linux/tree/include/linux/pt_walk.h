/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_WALK_H
#define _LINUX_PT_WALK_H

/*
 * Lockless page-table walkers, and who can see them.
 *
 * A walker has interrupts off.  What tells others that this CPU may be walking
 * is that it runs a task of the mm.  Perf, in an interrupt, in an NMI or called
 * by the scheduler, can find a moment when that cannot be seen from outside, and
 * then must not walk.
//@40
 *
 * As a rule nobody sees the walk itself, and it pays one predicted branch.  A
 * remover that expects to sync often biases an mm; from then on walkers of
 * that mm publish themselves in a per-CPU slot and pay a full barrier, and
 * once a grace period has passed the remover interrupts only CPUs whose slot
 * says that they are walking.
 *
 *	OFF ------ get ------> ENGAGING      publish, not to be trusted yet
 *	ENGAGING - grace ----> ENGAGED       publish, trusted
 *	ENG.... -- last put -> LEAVING       publish, not to be trusted any more
 *	LEAVING -- grace ----> OFF
 *	LEAVING -- get ------> as it was before the put
 *
 * Publishing outlasts trust on both sides by a grace period: walkers run with
 * interrupts off and removers read the slots under rcu_read_lock(), so no
 * remover that trusts meets a walker that does not publish (scenarios E and F
 * of Documentation/mm/pt_sync.rst).
//@end
 */

#include <linux/irqflags.h>
//@40
#include <linux/lockdep.h>
#include <linux/mm_types.h>
#include <linux/percpu.h>
//@end
#include <linux/preempt.h>

#ifdef CONFIG_MMU_GATHER_RCU_TABLE_FREE

bool pt_walk_visible(void);

/**
 * pt_walk_enter - may the current mm be walked now?
 *
 * To be asked where the walk may be one of perf's, or of an interrupt.  A task
 * with interrupts on is in none of the moments that pt_walk_visible() is about.
 *
 * Return: false if nobody would wait for the walk; else pt_walk_exit() is due.
 *
 * Context: a task, softirq, or interrupts off.  It stays true as long as what
 * was interrupted does not go on.
 */
static __always_inline bool pt_walk_enter(void)
{
	return likely(in_task() && !irqs_disabled()) || pt_walk_visible();
}

/**
 * pt_walk_exit - leave a walk that pt_walk_enter() has allowed
 */
static __always_inline void pt_walk_exit(void)
{
	/*
	 * D: it may have been just before the store to rq->curr that tells
	 * others that the task is gone.  x86 keeps loads and stores in order.
	 */
	if (!IS_ENABLED(CONFIG_X86) && unlikely(in_nmi() || irqs_disabled()))
		smp_mb(); /* D */
}

#else /* walkers are waited for by every flush */

static inline bool pt_walk_enter(void)
{
	return true;
}

static inline void pt_walk_exit(void) { }

#endif

//@40
#ifdef CONFIG_PT_SYNC

/*
 * The slot of a walk nested in the walk of another mm: it walks both.  Even,
 * for a token keeps a flag in bit 0.
 */
#define PT_WALK_ANY	((struct mm_struct *)-2L)

DECLARE_PER_CPU(struct mm_struct *, active_lockless_pt_walk_mm);

/*
 * A token is what the slot held before, so that the end of a nested walk
 * restores the outer one, with a bit set so that it is never zero.
 */
#define PT_WALK_PUBLISHED	1UL

static __always_inline struct mm_struct *pt_walk_outer(unsigned long token)
{
	return (struct mm_struct *)(token & ~PT_WALK_PUBLISHED);
}

unsigned long __pt_walk_nest(struct mm_struct *mm);

/**
 * pt_walk_begin - enter a lockless walk of @mm
 * @mm: current->mm or &init_mm
 *
 * Return: a token for pt_walk_end(), zero if the walk is not published.
 *
 * Context: interrupts off.  May nest, also from NMI.
 */
static __always_inline unsigned long pt_walk_begin(struct mm_struct *mm)
{
	lockdep_assert_irqs_disabled();
	/*
	 * E, F: a stale value does no harm, for a grace period lies between
	 * any change of it and a remover that relies on the change.  A plain
	 * load folds into the compare instruction.
	 */
	if (likely(!data_race(mm->pt_walk_publish)))
		return 0;
	if (unlikely(this_cpu_read(active_lockless_pt_walk_mm)))
		return __pt_walk_nest(mm);
	this_cpu_write(active_lockless_pt_walk_mm, mm);
	/*
	 * A: the slot is visible before the first entry is loaded.  Pairs with
	 * the barrier between the cleared entry and the load of the slot in
	 * pt_sync().
	 */
	smp_mb();
	return PT_WALK_PUBLISHED;
}

/**
 * pt_walk_end - leave a lockless walk
 * @token: what pt_walk_begin() returned
 */
static __always_inline void pt_walk_end(unsigned long token)
{
	if (likely(!token))
		return;
	/*
	 * D: whoever sees that the walk is over may use the table again, so
	 * everything the walk loaded comes first.  Pairs with the acquire in
	 * pt_walk_active().  On x86 every store is a release, and this one a
	 * single instruction.
	 */
	if (IS_ENABLED(CONFIG_X86)) {
		barrier(); /* D */
		this_cpu_write(active_lockless_pt_walk_mm,
			       pt_walk_outer(token));
	} else {
		/* D */
		smp_store_release(this_cpu_ptr(&active_lockless_pt_walk_mm),
				  pt_walk_outer(token));
	}
}

bool pt_walk_active(int cpu, const struct mm_struct *mm);

//@45
void pt_bias_init(struct mm_struct *mm);
void pt_bias_get(struct mm_struct *mm);
void pt_bias_put(struct mm_struct *mm);
void pt_bias_touch(struct mm_struct *mm);
//@50
#ifdef CONFIG_PT_SYNC_LAB
void pt_bias_get_sticky(struct mm_struct *mm);
void pt_bias_put_sticky(struct mm_struct *mm);
#endif
//@45
void pt_bias_scan(struct mm_struct *mm);
void pt_bias_pass_done(bool done);
bool pt_bias_trusted(struct mm_struct *mm);

//@40
#else /* !CONFIG_PT_SYNC */

static inline unsigned long pt_walk_begin(struct mm_struct *mm)
{
	return 0;
}

static inline void pt_walk_end(unsigned long token) { }
//@45
static inline void pt_bias_init(struct mm_struct *mm) { }
static inline void pt_bias_get(struct mm_struct *mm) { }
static inline void pt_bias_put(struct mm_struct *mm) { }
static inline void pt_bias_scan(struct mm_struct *mm) { }
static inline void pt_bias_pass_done(bool done) { }
//@40

#endif /* CONFIG_PT_SYNC */

//@end
#endif /* _LINUX_PT_WALK_H */
