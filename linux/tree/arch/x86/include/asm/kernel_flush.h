/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Deferred flushes of kernel addresses: the word that a sender and an isolated
 * CPU share, and the hooks in kernel entry and exit that keep it.
 * arch/x86/mm/kernel_flush.c has the sender and the ordering argument (H).
 */
#ifndef _ASM_X86_KERNEL_FLUSH_H
#define _ASM_X86_KERNEL_FLUSH_H

#include <linux/atomic.h>
#include <linux/context_tracking_state.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/smp.h>

#include <asm/kernel_flush_test.h>

/* The CPU can reach kernel addresses, so a flush must interrupt it. */
#define KERNEL_FLUSH_KERNEL	1
/* Somebody wants this CPU to flush before it reaches them again. */
#define KERNEL_FLUSH_PENDING	2

/**
 * struct kernel_flush - one CPU's side of the deal
 * @word: KERNEL_FLUSH_KERNEL and KERNEL_FLUSH_PENDING
 * @flushed: flushes carried out at a kernel entry, for the statistics
 *
 * Whoever takes part starts, idles, runs guests and goes offline with
 * KERNEL_FLUSH_KERNEL set; housekeeping CPUs never clear it.
 */
struct kernel_flush {
	atomic_t	word;
	unsigned long	flushed;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct kernel_flush, kernel_flush);
DECLARE_STATIC_KEY_FALSE(kernel_flush_active);

void kernel_flush_now(void);
void flush_tlb_kernel_range_deferrable(unsigned long start, unsigned long end);
void flush_tlb_on_each_cpu_deferrable(smp_call_func_t flush, void *info);

/*
 * The state machine.  Every access that decides anything is a
 * read-modify-write of the one word.  Proven in proofs/h-word.
 */

/**
 * kernel_flush_word_enter - kernel addresses become reachable
 * @word: this CPU's word
 *
 * An atomic fetch_or of KERNEL_FLUSH_KERNEL, as a compare-and-exchange first,
 * because that is one locked instruction on x86 and the word is nearly always
 * zero here.
 *
 * Return: the word as it was; KERNEL_FLUSH_PENDING in it stays set until
 * kernel_flush_word_flushed().
 */
static __always_inline int kernel_flush_word_enter(atomic_t *word)
{
	int old = 0;

	if (likely(raw_atomic_try_cmpxchg(word, &old, KERNEL_FLUSH_KERNEL)))
		return 0;
	return raw_atomic_fetch_or(KERNEL_FLUSH_KERNEL, word);
}

/**
 * kernel_flush_word_flushed - the request was carried out
 * @word: this CPU's word
 *
 * Only after the flush: an NMI before it must see the request too (F10).
 */
static __always_inline void kernel_flush_word_flushed(atomic_t *word)
{
	raw_atomic_and(~KERNEL_FLUSH_PENDING, word);
}

/**
 * kernel_flush_word_exit - kernel addresses are out of reach
 * @word: this CPU's word
 *
 * All uses of them must be over before a sender can see it and free pages:
 * wants release ordering at least, and is a locked instruction here.
 */
static __always_inline void kernel_flush_word_exit(atomic_t *word)
{
	/* For the one who reads this on another architecture. */
	smp_mb__before_atomic();
	raw_atomic_and(~KERNEL_FLUSH_KERNEL, word);
}

/**
 * kernel_flush_word_request - ask a CPU to flush at its next kernel entry
 * @word: that CPU's word
 *
 * A request that is already there must be renewed by a read-modify-write: a
 * mere read could be satisfied before the caller's page table change is
 * visible, and that request may be carried out in between.
 *
 * Return: true if the CPU will flush, false if it must be interrupted.
 */
static inline bool kernel_flush_word_request(atomic_t *word)
{
	int old = atomic_read(word);

	do {
		if (old & KERNEL_FLUSH_KERNEL)
			return false;
	} while (!atomic_try_cmpxchg(word, &old, old | KERNEL_FLUSH_PENDING));
	return true;
}

/*
 * The hooks.  With the static branch "likely", an isolated CPU goes straight
 * on; elsewhere it is one jump, in a branch that only isolated CPUs take.
 */

/**
 * kernel_flush_user_exit - an isolated CPU has left user mode
 * @state: the context it comes from
 *
 * Before anything on this CPU may touch memory that was not mapped all the
 * time since kernel_flush_user_enter().  A guest runs with the host's kernel
 * addresses in the TLB, so only user mode counts.
 */
static __always_inline void kernel_flush_user_exit(enum ctx_state state)
{
	int old;

	if (!static_branch_likely(&kernel_flush_active) ||
	    state != CT_STATE_USER)
		return;

	kernel_flush_test_point(KERNEL_FLUSH_ENTERING);
	if (kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_ORDER)) {
		kernel_flush_test_broken_entry();
		return;
	}
	old = kernel_flush_word_enter(&raw_cpu_ptr(&kernel_flush)->word);
	if (unlikely(old & KERNEL_FLUSH_PENDING))
		kernel_flush_now();
	kernel_flush_test_point(KERNEL_FLUSH_ENTERED);
}

/**
 * kernel_flush_user_enter - an isolated CPU goes to user mode
 * @state: the context it goes to
 *
 * After everything on this CPU that may touch such memory.
 */
static __always_inline void kernel_flush_user_enter(enum ctx_state state)
{
	if (!static_branch_likely(&kernel_flush_active) ||
	    state != CT_STATE_USER)
		return;

	kernel_flush_test_point(KERNEL_FLUSH_LEAVING);
	kernel_flush_word_exit(&raw_cpu_ptr(&kernel_flush)->word);
	kernel_flush_test_point(KERNEL_FLUSH_LEFT);
}

/**
 * kernel_flush_nmi_enter - an NMI-like exception, from anywhere
 *
 * It can come between the hooks above and user mode, or between taking a
 * request and carrying it out; then it flushes by itself.
 *
 * Return: to be handed to kernel_flush_nmi_exit().
 */
static __always_inline bool kernel_flush_nmi_enter(void)
{
	int old;

	if (!static_branch_unlikely(&kernel_flush_active) ||
	    kernel_flush_test_broken(KERNEL_FLUSH_BROKEN_NMI))
		return false;

	old = kernel_flush_word_enter(&raw_cpu_ptr(&kernel_flush)->word);
	if (unlikely(old & KERNEL_FLUSH_PENDING))
		kernel_flush_now();
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
