/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _QUELL_LIVE_COMPAT_H
#define _QUELL_LIVE_COMPAT_H

/* The names that Linux 6.12 has for what is in 6.1, too. */

#include <linux/context_tracking_state.h>
#include <linux/ftrace.h>
#include <linux/ptrace.h>
#include <linux/seq_file.h>
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

#ifndef DEFINE_SHOW_STORE_ATTRIBUTE

/* name_show() and name_write() as the file operations name_fops. */
#define DEFINE_SHOW_STORE_ATTRIBUTE(name)				\
static int name##_open(struct inode *inode, struct file *file)		\
{									\
	return single_open(file, name##_show, inode->i_private);	\
}									\
static const struct file_operations name##_fops = {			\
	.owner = THIS_MODULE,						\
	.open = name##_open,						\
	.read = seq_read,						\
	.write = name##_write,						\
	.llseek = seq_lseek,						\
	.release = single_release,					\
}

#endif

#endif /* _QUELL_LIVE_COMPAT_H */
