/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test points in the deferred synchronisation of patched text: a detector of
 * stale text and orders that are wrong on purpose.  Nothing of it is there
 * without CONFIG_TEXT_SYNC_TEST.
 */
#ifndef _ASM_X86_TEXT_SYNC_TEST_H
#define _ASM_X86_TEXT_SYNC_TEST_H

#include <linux/compiler.h>
#include <linux/types.h>

/* Faults that can be switched on, beside those of kernel_flush. */
enum text_sync_broken {
	TEXT_SYNC_BROKEN_NONE,
	TEXT_SYNC_BROKEN_MIDDLE,	/* no synchronisation of the second step */
	TEXT_SYNC_BROKEN_EARLY,		/* sites in entry code are deferred too */
	TEXT_SYNC_BROKEN_CR3,		/* the debt is paid without serialising */
};

#ifdef CONFIG_TEXT_SYNC_TEST
bool text_sync_test_broken(enum text_sync_broken what);
void text_sync_test_written(bool early);
void text_sync_test_synced(bool early);
void text_sync_test_serialised(void);
void text_sync_test_point(int point);
#else
static __always_inline bool text_sync_test_broken(enum text_sync_broken what)
{
	return false;
}

static __always_inline void text_sync_test_written(bool early) { }
static __always_inline void text_sync_test_synced(bool early) { }
static __always_inline void text_sync_test_serialised(void) { }
static __always_inline void text_sync_test_point(int point) { }
#endif

#endif /* _ASM_X86_TEXT_SYNC_TEST_H */
