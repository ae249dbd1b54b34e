/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls and work for all CPUs that are not in user mode: for those who only
 * want that each CPU has passed a full barrier, or has left what it was in the
 * middle of.
 */
#ifndef _LINUX_TEXT_SYNC_H
#define _LINUX_TEXT_SYNC_H

#include <linux/smp.h>
#include <linux/workqueue.h>

#ifdef CONFIG_TEXT_SYNC
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

#endif /* _LINUX_TEXT_SYNC_H */
