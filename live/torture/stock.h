/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _QUELL_TORTURE_STOCK_H
#define _QUELL_TORTURE_STOCK_H

#include <linux/cpu.h>
#include <linux/cleanup.h>
#include <linux/version.h>

/*
 * A stock kernel has no bias. The one place where the torture looks into an mm
 * for it is there for faults that only quell's kernel can have, so any word of
 * the mm will do.
 */
#define pt_walk_publish mm_users.counter

/* 6.1 has guards, but not this one. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
DEFINE_LOCK_GUARD_0(cpus_read_lock, cpus_read_lock(), cpus_read_unlock())
#endif

#endif /* _QUELL_TORTURE_STOCK_H */
