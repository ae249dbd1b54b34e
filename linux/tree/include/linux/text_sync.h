/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Synchronisation of patched kernel text that leaves CPUs in user mode alone:
 * what generic code calls, and what the architectures share. For those who only
 * want that each CPU has passed a full barrier, or has left what it was in the
 * middle of, there are calls and work for all CPUs that are not in user mode.
 */
#ifndef _LINUX_TEXT_SYNC_H
#define _LINUX_TEXT_SYNC_H

#include <linux/smp.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct text_sync - one batch of patched instructions
 * @first: address of the first of them
 * @sites: how many there are
 * @early: how many lie in code that runs before a CPU that enters the kernel
 *	   has synchronised
 * @syncs: synchronisations so far
 */
struct text_sync {
	void		*first;
	unsigned int	sites;
	unsigned int	early;
	unsigned int	syncs;
};

#ifdef CONFIG_TEXT_SYNC
bool text_sync_may_defer(void);
void text_sync_count(struct text_sync *batch, unsigned int interrupted,
		     unsigned int deferred);

bool cpu_in_user_mode(int cpu);
void smp_call_function_in_kernel(smp_call_func_t func);
int schedule_on_each_cpu_in_kernel(work_func_t func);
#else
static inline bool cpu_in_user_mode(int cpu)
{
	return false;
}

static inline void smp_call_function_in_kernel(smp_call_func_t func)
{
	smp_call_function(func, NULL, 1);
}

static inline int schedule_on_each_cpu_in_kernel(work_func_t func)
{
	return schedule_on_each_cpu(func);
}
#endif

//@80
/* On x86 this is a debt of the word of linux/kernel_flush.h. */
#if defined(CONFIG_TEXT_SYNC) && !defined(CONFIG_X86)
#include <asm/text_sync.h>
#else
static __always_inline void text_sync_enter(void) { }
#endif

//@end
#endif /* _LINUX_TEXT_SYNC_H */
