/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_WALK_H
#define _LINUX_PT_WALK_H

/*
 * Lockless page-table walkers, and who can see them.
 *
 * A walker runs with interrupts off between pt_walk_begin() and pt_walk_end().
 * As a rule nobody can see it, and it pays one predicted branch.  A remover
 * that expects to sync often biases an mm; from then on walkers of that mm
 * publish themselves in a per-CPU slot and pay a full barrier, and once a
 * grace period has passed the remover interrupts only CPUs whose slot says
 * that they are walking.
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
 */

#include <linux/lockdep.h>
#include <linux/mm_types.h>
#include <linux/percpu.h>

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

unsigned long __pt_walk_publish(struct mm_struct *mm);

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
	/*
	 * E, F: a stale value does no harm, for a grace period lies between
	 * any change of it and a remover that relies on the change.  A plain
	 * load folds into the compare instruction.
	 */
	if (likely(!data_race(mm->pt_bias.publish)))
		return 0;
	return __pt_walk_publish(mm);
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
	 * pt_walk_active().
	 */
	smp_store_release(this_cpu_ptr(&active_lockless_pt_walk_mm),
			  pt_walk_outer(token));
}

bool pt_walk_visible(void);
bool pt_walk_active(int cpu, const struct mm_struct *mm);

void pt_bias_init(struct mm_struct *mm);
void pt_bias_get(struct mm_struct *mm);
void pt_bias_put(struct mm_struct *mm);
void pt_bias_get_sticky(struct mm_struct *mm);
void pt_bias_put_sticky(struct mm_struct *mm);
void pt_bias_scan(struct mm_struct *mm);
void pt_bias_pass_done(bool done);
bool pt_bias_trusted(struct mm_struct *mm);

#else /* !CONFIG_PT_SYNC */

static inline unsigned long pt_walk_begin(struct mm_struct *mm)
{
	return 0;
}

static inline void pt_walk_end(unsigned long token) { }

static inline bool pt_walk_visible(void)
{
	return true;
}

static inline void pt_bias_init(struct mm_struct *mm) { }
static inline void pt_bias_get(struct mm_struct *mm) { }
static inline void pt_bias_put(struct mm_struct *mm) { }
static inline void pt_bias_get_sticky(struct mm_struct *mm) { }
static inline void pt_bias_scan(struct mm_struct *mm) { }
static inline void pt_bias_pass_done(bool done) { }

#endif /* CONFIG_PT_SYNC */
#endif /* _LINUX_PT_WALK_H */
