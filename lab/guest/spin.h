/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Staying in user mode, and noticing when one did not. The only file with
 * instructions of one architecture.
 */
#ifndef QUELL_SPIN_H
#define QUELL_SPIN_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

/*
 * Under single-threaded TCG this is also what lets the next virtual CPU run:
 * a loop without it would keep the host for a tenth of a second per turn.
 */
static inline void spin_relax(void)
{
	__builtin_ia32_pause();
}

static inline uint64_t spin_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/*
 * A segment register holding a null selector other than 0 is set to 0 by
 * every return from the kernel through IRET, and long mode uses neither ES's
 * base nor its limit. So a 1 put there says, with no clock involved, whether
 * this thread has been interrupted since.
 */
#define SPIN_TELLS true

static inline void spin_arm(void)
{
	__asm__ volatile("mov %w0, %%es" : : "r" (1));
}

static inline bool spin_interrupted(void)
{
	uint16_t es;

	__asm__ volatile("mov %%es, %w0" : "=r" (es));
	return es != 1;
}

#elif defined(__aarch64__)

static inline void spin_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

static inline uint64_t spin_cycles(void)
{
	uint64_t count;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r" (count));
	return count;
}

/* No register tells: only gaps in the counter do. */
#define SPIN_TELLS false

static inline void spin_arm(void)
{
}

static inline bool spin_interrupted(void)
{
	return false;
}

#else
#error "say here how this architecture waits and reads its clock"
#endif

#endif
