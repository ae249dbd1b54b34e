/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of deferred kernel flushes share with each other only. */
#ifndef _KERNEL_FLUSH_INTERNAL_H
#define _KERNEL_FLUSH_INTERNAL_H

#include <linux/types.h>

/* Why there is no deferral, NULL if there is. */
extern const char *kernel_flush_inactive;
extern bool kernel_flush_senders_defer;

//@63
/* Before kernel_flush_init(). */
#ifdef CONFIG_KERNEL_FLUSH
bool kernel_flush_expected(void);
#else
static inline bool kernel_flush_expected(void)
{
	return false;
}
#endif

//@end
void kernel_flush_count_request(unsigned int interrupts, unsigned int deferrals);

/* The rules' test, for the other one's file in debugfs. */
int kernel_flush_test_rule(const char *name, u32 times);

#endif /* _KERNEL_FLUSH_INTERNAL_H */
