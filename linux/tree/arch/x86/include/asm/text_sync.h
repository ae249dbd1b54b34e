/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Synchronisation of patched kernel text that isolated CPUs in user mode carry
 * out at their next kernel entry: what those who patch call.
 * arch/x86/kernel/text_sync.c has the sender and the argument.
 */
#ifndef _ASM_X86_TEXT_SYNC_H
#define _ASM_X86_TEXT_SYNC_H

#include <linux/module.h>
#include <linux/smp.h>
#include <linux/sync_core.h>
#include <linux/types.h>

/**
 * struct text_sync - one batch of patched instructions
 * @first: address of the first of them
 * @sites: how many there are
 * @early: how many lie in code that runs before debts are paid
 * @syncs: synchronisations so far
 */
struct text_sync {
	void		*first;
	unsigned int	sites;
	unsigned int	early;
	unsigned int	syncs;
};

#ifdef CONFIG_TEXT_SYNC
/* In vmlinux.lds.S: entry code with the thunks beside it, and other thunks. */
extern char __text_sync_entry_start[], __text_sync_entry_end[];
extern char __text_sync_thunk_start[], __text_sync_thunk_end[];

void text_sync_site(struct text_sync *batch, void *addr, size_t len);
void text_sync(struct text_sync *batch);
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
