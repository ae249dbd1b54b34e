/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Synchronisation of patched kernel text that context-tracked CPUs in user mode
 * carry out at their next kernel entry: the hook in that entry, and what those
 * who patch call.  arch/arm64/kernel/text_sync.c has the argument (I).
 */
#ifndef __ASM_TEXT_SYNC_H
#define __ASM_TEXT_SYNC_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/types.h>

#include <asm/barrier.h>

struct text_sync;

#ifdef CONFIG_TEXT_SYNC
/**
 * struct text_seen - up to where a CPU has synchronised at kernel entries
 * @generation: a value of text_generation that it had read before an ISB
 * @synced: how often it did so, for the statistics
 */
struct text_seen {
	long		generation;
	unsigned long	synced;
};

DECLARE_PER_CPU(struct text_seen, text_seen);
extern atomic_long_t text_generation;

/**
 * text_sync_enter - synchronise if text was patched since the last time
 *
 * RCU watches this CPU, so whoever patches from now on interrupts it (I3).
 */
static __always_inline void text_sync_enter(void)
{
	struct text_seen *seen = raw_cpu_ptr(&text_seen);
	long generation = raw_atomic_long_read(&text_generation);

	if (likely(generation == READ_ONCE(seen->generation)))
		return;
	/* I4: what is executed after this is fetched after the read above. */
	isb();
	/* Only now: an NMI before the ISB has to see that one is due. */
	WRITE_ONCE(seen->generation, generation);
	WRITE_ONCE(seen->synced, seen->synced + 1);
}

void text_sync_site(struct text_sync *batch, void *addr, size_t len);
void text_sync(struct text_sync *batch);
void text_sync_range(unsigned long start, unsigned long end);

/* For kernel/text_sync.c: is this possible at all, and the CPU's counter. */
bool text_sync_active(void);

static inline unsigned long *text_sync_synced(int cpu)
{
	return per_cpu_ptr(&text_seen.synced, cpu);
}
#else
static inline void text_sync_site(struct text_sync *batch, void *addr, size_t len) { }

static inline void text_sync(struct text_sync *batch)
{
	kick_all_cpus_sync();
}

static inline void text_sync_range(unsigned long start, unsigned long end)
{
	kick_all_cpus_sync();
}
#endif

#endif /* __ASM_TEXT_SYNC_H */
