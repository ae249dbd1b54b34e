/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _QUELL_LIVE_COMPAT_H
#define _QUELL_LIVE_COMPAT_H

/* The names that Linux 6.12 has for what is in 6.1, too. */

#include <linux/context_tracking_state.h>
#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)

/* One counter for RCU and context tracking, as in 6.12: this bit of it. */
#define CT_RCU_WATCHING RCU_DYNTICKS_IDX
#define ct_rcu_watching_cpu_acquire ct_dynticks_cpu_acquire

#define ftrace_regs_get_argument(fregs, n) \
	regs_get_kernel_argument(&(fregs)->regs, n)
#define ftrace_regs_set_instruction_pointer(fregs, ip) \
	ftrace_instruction_pointer_set(fregs, ip)

#endif

#endif /* _QUELL_LIVE_COMPAT_H */
