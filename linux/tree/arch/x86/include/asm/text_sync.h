/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Synchronisation of patched kernel text that isolated CPUs in user mode carry
 * out at their next kernel entry: what those who patch call.
 * arch/x86/kernel/text_sync.c has the sender and the argument.
 */
#ifndef _ASM_X86_TEXT_SYNC_H
#define _ASM_X86_TEXT_SYNC_H

#include <linux/kernel_flush.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/sync_core.h>
#include <linux/text_sync.h>
#include <linux/types.h>

#ifdef CONFIG_TEXT_SYNC
/* In vmlinux.lds.S: entry code with the thunks beside it, and other thunks. */
extern char __text_sync_entry_start[], __text_sync_entry_end[];
extern char __text_sync_thunk_start[], __text_sync_thunk_end[];

void text_sync_site(struct text_sync *batch, void *addr, size_t len);
void text_sync(struct text_sync *batch);

/* For kernel/text_sync.c: is this possible at all, and the CPU's counter. */
static inline bool text_sync_active(void)
{
	return static_branch_unlikely(&kernel_flush_active);
}

static inline unsigned long *text_sync_synced(int cpu)
{
	return per_cpu_ptr(&kernel_flush.synced, cpu);
}
#else
static inline void text_sync_site(struct text_sync *batch, void *addr, size_t len) { }

static inline void text_sync_core(void *unused)
{
	sync_core();
}

static inline void text_sync(struct text_sync *batch)
{
	on_each_cpu(text_sync_core, NULL, 1);
}
#endif

/**
 * text_sync_at - synchronise after one instruction was patched
 * @addr: its address
 * @len: how many of its bytes
 */
static inline void text_sync_at(void *addr, size_t len)
{
	struct text_sync batch = { };

	text_sync_site(&batch, addr, len);
	text_sync(&batch);
}

#ifdef CONFIG_MODULES
/**
 * text_sync_module - synchronise after a module was relocated again
 * @mod: the module
 */
static inline void text_sync_module(struct module *mod)
{
	struct text_sync batch = { };

	text_sync_site(&batch, mod->mem[MOD_TEXT].base, mod->mem[MOD_TEXT].size);
	text_sync(&batch);
}
#endif

#endif /* _ASM_X86_TEXT_SYNC_H */
