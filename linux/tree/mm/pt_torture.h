/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _MM_PT_TORTURE_H
#define _MM_PT_TORTURE_H

/* What the parts of the torture test of pt_sync share. */

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/pgtable.h>
#include <linux/refcount.h>
#include <linux/torture.h>
#include <linux/types.h>

#include "pt_torture_core.h"

#define PT_TORTURE_MMS		3	/* one owns the table, two share it */
#define PT_TORTURE_FAMILIES	8
#define PT_TORTURE_PAGES	64	/* that the table maps */

/* A word of a removed table.  As an entry it is present nowhere. */
#define PT_TORTURE_POISON	0xa4a4a4a4a4a4a4a4UL

/**
 * struct pt_torture_family - mms that at times share one page table
 * @mm: the first is the owner, the others share
 * @pmdp: where each mm points to the table
 * @biased: how many biases the remover holds
 * @users: the remover, and walkers that use one of the mms
 * @rcu: interrupts look families up
 * @saved: the entries while the table is poisoned
 */
struct pt_torture_family {
	struct mm_struct *mm[PT_TORTURE_MMS];
	pmd_t *pmdp[PT_TORTURE_MMS];
	unsigned int biased[PT_TORTURE_MMS];
	refcount_t users;
	struct rcu_head rcu;
	unsigned long saved[PTRS_PER_PTE];
};

struct pt_torture_family *pt_torture_family_create(void);
struct pt_torture_family *pt_torture_family_get(unsigned long random);
void pt_torture_family_put(struct pt_torture_family *f);
void pt_torture_family_publish(int slot, struct pt_torture_family *f);
bool pt_torture_is_ours(const struct mm_struct *mm);
unsigned long pt_torture_address(void);
unsigned long pt_torture_stamp(int page);

int pt_torture_walker(void *arg);
int pt_torture_kicker(void *arg);
void pt_torture_walk_irq(void *unused);
void pt_torture_walk_nmi(void);
int pt_torture_walk_switches(void);
void pt_torture_walk_no_switches(void);
int pt_torture_remover(void *arg);
bool pt_torture_may_skip_flush(void);

/* What has been done, counted per CPU, in NMIs too. */
enum {
	PT_TORTURE_WALKS,	/* in tasks */
	PT_TORTURE_IRQ_WALKS,
	PT_TORTURE_NMI_WALKS,
	PT_TORTURE_NESTED,	/* of these, in the middle of another walk */
	PT_TORTURE_TABLES,	/* walks that have stood on a table */
	PT_TORTURE_GUPS,	/* calls of GUP-fast that got a page */
	PT_TORTURE_NMI_GUPS,	/* walks in GUP-fast from NMI */
	PT_TORTURE_SWITCH_ASKS,	/* walks that a switch of tasks asked for */
	PT_TORTURE_REMOVALS,	/* of a table */
	PT_TORTURE_COLLAPSES,	/* ... by the function that collapse uses */
	PT_TORTURE_SILENT,	/* ... without a flush */
	PT_TORTURE_RECEIPTS,	/* ... with a receipt */
	PT_TORTURE_UNSHARES,	/* an mm left a shared table */
	PT_TORTURE_BIASES,	/* biases taken and given back */
	PT_TORTURE_MMSETS,	/* families created and destroyed */
	PT_TORTURE_SWITCHES,	/* of the strategy */
	PT_TORTURE_COUNTS,
};

DECLARE_PER_CPU(unsigned long [PT_TORTURE_COUNTS], pt_torture_counts);
#define pt_torture_count(what)	this_cpu_inc(pt_torture_counts[what])

/* Parameters that others than pt_torture.c look at. */
extern enum pt_fault pt_torture_fault;
extern bool pt_torture_switching;
extern unsigned int pt_torture_walk_us;
extern unsigned int pt_torture_hold_us;
extern unsigned int pt_torture_widen_us;

extern atomic_t pt_torture_found;
void pt_torture_seen(const char *where, const char *what);
void pt_torture_check_locks(void);

#endif /* _MM_PT_TORTURE_H */
