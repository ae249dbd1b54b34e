/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _QUELL_LIVE_H
#define _QUELL_LIVE_H

/*
 * What the parts of the live module share: sync.c replaces
 * tlb_remove_table_sync_one(), collapse.c tells it whose table a collapse has
 * unlinked, stats.c shows what came of it.
 */

#include <linux/atomic.h>
#include <linux/mm_types.h>
#include <linux/version.h>

/*
 * A module is built for one kernel configuration, so what the configuration
 * must have is asked here. On split-read configurations a walker may read two
 * halves of an entry and lean on the broadcast for more than the sync's word.
 */
#ifndef CONFIG_X86_64
#error "quell_live: only x86_64 is known"
#endif
#ifndef CONFIG_LIVEPATCH
#error "quell_live: this kernel cannot be patched live (CONFIG_LIVEPATCH)"
#endif
#ifndef CONFIG_MMU_GATHER_RCU_TABLE_FREE
#error "quell_live: this kernel has no syncs (CONFIG_MMU_GATHER_RCU_TABLE_FREE)"
#endif
#ifdef CONFIG_GUP_GET_PXX_LOW_HIGH
#error "quell_live: this kernel reads entries in halves (CONFIG_GUP_GET_PXX_LOW_HIGH)"
#endif

/* Linux as the module sees it; a test builds one for a Linux nobody knows. */
#ifndef LIVE_LINUX
#define LIVE_LINUX LINUX_VERSION_CODE
#endif

enum {
	LIVE_SYNCS,		/* syncs asked for */
	LIVE_MM_KNOWN,		/* ... of which the mm was known */
	LIVE_ONLINE,		/* CPUs online, summed over the syncs */
	LIVE_INTERRUPTED,	/* CPUs interrupted */
	LIVE_SKIPPED_IDLE,	/* CPUs spared: in a quiescent state */
	LIVE_SKIPPED_MM,	/* ... not running the mm */
	LIVE_NS,		/* time spent */
	LIVE_STATS,
};

extern atomic64_t live_stats[LIVE_STATS];

void live_stats_init(void);
void live_stats_exit(void);

int live_collapse_init(void);
void live_collapse_exit(void);
void live_collapse_trust(bool trust);
struct mm_struct *live_collapse_mm(unsigned long caller);

#endif /* _QUELL_LIVE_H */
