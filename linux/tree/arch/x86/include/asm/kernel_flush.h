/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deferred flushes of kernel addresses: the word that a sender and an isolated
 * CPU share, and the hooks in kernel entry and exit that keep it.
 * arch/x86/mm/kernel_flush.c has the sender and the ordering argument (H).
 */
#ifndef _ASM_X86_KERNEL_FLUSH_H
#define _ASM_X86_KERNEL_FLUSH_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include <asm/kernel_flush_test.h>

/* The CPU can reach kernel addresses, so a flush must interrupt it. */
#define KERNEL_FLUSH_KERNEL	BIT(0)
/* What this CPU owes before it reaches them again: a flush of its TLB. */
#define KERNEL_FLUSH_FLUSH	BIT(1)
//@66
/* And to serialise, because kernel text was patched. */
#define KERNEL_FLUSH_SYNC	BIT(2)
//@end
/* All that it can owe.  kernel_flush_pay() pays it. */
//@!66
#define KERNEL_FLUSH_DEBTS	KERNEL_FLUSH_FLUSH
//@66
#define KERNEL_FLUSH_DEBTS	(KERNEL_FLUSH_FLUSH | KERNEL_FLUSH_SYNC)
//@end

/**
 * struct kernel_flush - one CPU's side of the deal
 * @word: KERNEL_FLUSH_KERNEL and KERNEL_FLUSH_DEBTS
 * @flushed: flushes carried out at a kernel entry, for the statistics
//@66
 * @synced: how often it serialised there
//@end
 *
 * Whoever takes part starts, idles and goes offline with KERNEL_FLUSH_KERNEL
 * set; housekeeping CPUs never clear it.
 */
struct kernel_flush {
	atomic_t	word;
	unsigned long	flushed;
//@66
	unsigned long	synced;
//@end
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct kernel_flush, kernel_flush);
DECLARE_STATIC_KEY_FALSE(kernel_flush_active);

void kernel_flush_pay(int debts);
void flush_tlb_kernel_range_deferrable(unsigned long start, unsigned long end);
void flush_tlb_on_each_cpu_deferrable(smp_call_func_t flush, void *info);
void flush_tlb_split_deferrable(void);
void flush_tlb_settle_splits(void);
void flush_tlb_settle_holes(void);
void kernel_flush_huge_unmapped(unsigned long size);
int kernel_flush_new_table(void);
bool kernel_flush_large_may_wait(void);
bool kernel_flush_small_pages(void);

void kernel_flush_count(enum kernel_flush_rule rule);

/*
 * The state machine.  While KERNEL is set nobody but this CPU writes its word;
 * while it is clear, senders add debts by compare-and-exchange.  Proven in
 * the model h-word.
 */

/**
 * kernel_flush_word_enter - kernel addresses become reachable
 * @word: this CPU's word
 *
 * A compare-and-exchange, as the word is nearly always zero here.
 *
 * Return: the word as it was; debts in it stay until kernel_flush_word_paid().
 */
static __always_inline int kernel_flush_word_enter(atomic_t *word)
{
	int old = 0;

	if (likely(raw_atomic_try_cmpxchg(word, &old, KERNEL_FLUSH_KERNEL)))
		return 0;
	return raw_atomic_fetch_or(KERNEL_FLUSH_KERNEL, word);
}

/**
 * kernel_flush_word_nmi_enter - the same for an entry from anywhere
 * @word: this CPU's word
 *
 * KERNEL is set by this CPU alone, so if it reads as set, it is, and so is
 * every debt that was not paid yet: nothing to write.  That is every NMI in
 * the kernel, and all of a CPU that takes no part.
 *
 * Return: as kernel_flush_word_enter().
 */
static __always_inline int kernel_flush_word_nmi_enter(atomic_t *word)
{
	int old = raw_atomic_read(word);

	while (!(old & KERNEL_FLUSH_KERNEL) &&
	       !raw_atomic_try_cmpxchg(word, &old, old | KERNEL_FLUSH_KERNEL))
		;
	return old;
}

/**
 * kernel_flush_word_paid - debts were paid
 * @word: this CPU's word
 * @debts: which
 *
 * Only after the flush: an NMI before it must see the debt too.
 */
static __always_inline void kernel_flush_word_paid(atomic_t *word, int debts)
{
	raw_atomic_andnot(debts, word);
}

/**
 * kernel_flush_word_exit - kernel addresses are out of reach
 * @word: this CPU's word
 *
 * All debts are paid and no sender can have added one, so this is a store.
 * All uses of kernel addresses must be over before a sender can see it and
 * free pages: release ordering.
 */
static __always_inline void kernel_flush_word_exit(atomic_t *word)
{
	raw_atomic_set_release(word, 0);
}

/**
 * kernel_flush_word_owe - leave a debt to a CPU, for its next kernel entry
 * @word: that CPU's word
 * @debt: a bit of KERNEL_FLUSH_DEBTS
 *
 * A debt that is already there must be renewed by a read-modify-write: a mere
 * read could be satisfied before the caller's page table change is visible,
 * and that debt may be paid in between.
 *
 * Return: true if the CPU will pay it, false if it must be interrupted.
 */
static inline bool kernel_flush_word_owe(atomic_t *word, int debt)
{
	int old = atomic_read(word);

	do {
		if (old & KERNEL_FLUSH_KERNEL)
			return false;
	} while (!atomic_try_cmpxchg(word, &old, old | debt));
	return true;
}

/*
 * The hooks.  With the static branch "likely", an isolated CPU goes straight
 * on; elsewhere it is one jump, in a branch that only isolated CPUs take.
 */

/**
 * kernel_flush_user_exit - an isolated CPU has left user mode or a guest
 *
 * Before anything on this CPU may touch memory that was not mapped all the
 * time since kernel_flush_user_enter().
 */
static __always_inline void kernel_flush_user_exit(void)
{
	int old;

	if (!static_branch_likely(&kernel_flush_active))
		return;

	kernel_flush_test_point(KERNEL_FLUSH_ENTERING);
	if (kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_ORDER)) {
		kernel_flush_test_broken_entry();
		return;
	}
	old = kernel_flush_word_enter(&raw_cpu_ptr(&kernel_flush)->word);
	if (unlikely(old & KERNEL_FLUSH_DEBTS))
		kernel_flush_pay(old & KERNEL_FLUSH_DEBTS);
	kernel_flush_test_point(KERNEL_FLUSH_ENTERED);
}

/**
 * kernel_flush_user_enter - an isolated CPU goes to user mode or into a guest
 *
 * After everything on this CPU that may touch such memory.
 */
static __always_inline void kernel_flush_user_enter(void)
{
	if (!static_branch_likely(&kernel_flush_active))
		return;

	kernel_flush_test_point(KERNEL_FLUSH_LEAVING);
	kernel_flush_word_exit(&raw_cpu_ptr(&kernel_flush)->word);
	kernel_flush_test_point(KERNEL_FLUSH_LEFT);
}

/**
 * kernel_flush_nmi_enter - an NMI-like exception, from anywhere
 *
 * It can come between the hooks above and user mode, or between taking the
 * word and paying what is owed; then it pays by itself.
 *
 * Return: to be handed to kernel_flush_nmi_exit().
 */
static __always_inline bool kernel_flush_nmi_enter(void)
{
	int old;

	if (!static_branch_unlikely(&kernel_flush_active) ||
	    kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_NMI))
		return false;

	old = kernel_flush_word_nmi_enter(&raw_cpu_ptr(&kernel_flush)->word);
	if (unlikely(old & KERNEL_FLUSH_DEBTS))
		kernel_flush_pay(old & KERNEL_FLUSH_DEBTS);
	kernel_flush_test_point(KERNEL_FLUSH_NMI);
	return !(old & KERNEL_FLUSH_KERNEL);
}

/**
 * kernel_flush_nmi_exit - end of an NMI-like exception
 * @ours: what kernel_flush_nmi_enter() said
 */
static __always_inline void kernel_flush_nmi_exit(bool ours)
{
	if (ours)
		kernel_flush_word_exit(&raw_cpu_ptr(&kernel_flush)->word);
}

#endif /* _ASM_X86_KERNEL_FLUSH_H */
