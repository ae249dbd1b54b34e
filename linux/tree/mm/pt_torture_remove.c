// SPDX-License-Identifier: GPL-2.0
/*
 * Torture test of pt_sync: removers.
 *
 * A remover unlinks the table from the mms that share it and from its owner,
 * with a sync each time, poisons it, lets some time pass, and puts everything
 * back.  It does so in the ways of the kernel's own removers, and without a
 * flush, for then nothing but the sync waits for walkers.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/mm.h>

#include "pt_torture.h"

enum removal { COLLAPSE, FLUSH, SILENT };

struct remover {
	int slot;
	struct pt_torture_family *f;
	struct mm_struct *used;		/* the mm of this thread, at times */
	struct pt_receipt last;		/* for PT_FAULT_STALE_RECEIPT */
	struct torture_random_state rand;
};

static unsigned long pt_torture_rand(struct remover *r)
{
	return torture_random(&r->rand);
}

/**
 * pt_torture_may_skip_flush - may a table be removed without a flush?
 *
 * "property" believes that flushes interrupt everybody, where they usually do.
 * There a removal without a flush is a fault.
 *
 * Return: whether nothing in force forbids it.
 */
bool pt_torture_may_skip_flush(void)
{
	int strategy = pt_torture_core.strategy_current();

	if (!pt_torture_core.flush_interrupts_all())
		return true;
	return !pt_torture_switching &&
	       strategy != pt_torture_core.strategy_find("property");
}

static enum removal pt_torture_how(struct remover *r)
{
	enum removal how = pt_torture_rand(r) % 3;

	switch (pt_torture_fault) {
	case PT_FAULT_NO_FLUSH:
	case PT_FAULT_V4_READ_BARRIER:
	case PT_FAULT_EARLY_BIAS:
	case PT_FAULT_OLD_COOKIE:
	case PT_FAULT_EARLY_STATE:
	case PT_FAULT_LAST_ONLY:
		return SILENT;
	case PT_FAULT_V4_ELIDE:
		return how == SILENT ? FLUSH : how;
	case PT_FAULT_STALE_RECEIPT:
		return how == COLLAPSE ? SILENT : how;
	default:
		if (how == SILENT && !pt_torture_may_skip_flush())
			return FLUSH;
		return how;
	}
}

static bool pt_torture_loads_early(void)
{
	return pt_torture_fault == PT_FAULT_V4_READ_BARRIER ||
	       pt_torture_fault == PT_FAULT_EARLY_STATE;
}

static bool pt_torture_biases_anew(void)
{
	return pt_torture_fault == PT_FAULT_EARLY_BIAS ||
	       pt_torture_fault == PT_FAULT_OLD_COOKIE;
}

static bool pt_torture_shares(struct remover *r)
{
	if (pt_torture_fault == PT_FAULT_LAST_ONLY)
		return true;
	/* Syncs of other mms take time, and load what is for this one. */
	if (pt_torture_loads_early() || pt_torture_biases_anew())
		return false;
	return pt_torture_rand(r) % 2;
}

/* A flush that proves something is remembered, for the fault that reuses it. */
static void pt_torture_note_receipt(struct remover *r, struct mm_struct *mm,
				    enum removal how,
				    struct pt_receipt *receipt)
{
	if (pt_receipt_valid(receipt, mm)) {
		pt_torture_count(PT_TORTURE_RECEIPTS);
		r->last = *receipt;
	} else if (pt_torture_fault == PT_FAULT_STALE_RECEIPT &&
		   how == SILENT) {
		*receipt = r->last;
	}
}

/* Clear the owner's entry and wait for its walkers. */
static pmd_t pt_torture_unlink(struct remover *r, struct vm_area_struct *vma)
{
	struct pt_receipt receipt = PT_RECEIPT_NONE;
	enum removal how = pt_torture_how(r);
	pmd_t *pmdp = r->f->pmdp[0];
	struct mm_struct *mm = vma->vm_mm;
	spinlock_t *ptl = pmd_lockptr(mm, pmdp);
	pmd_t pmd;

	if (pt_torture_loads_early()) {
		pt_torture_core.fault_load_early(mm);
		udelay(pt_torture_widen_us);
	}
	spin_lock(ptl);
	if (how == COLLAPSE) {
		pt_torture_count(PT_TORTURE_COLLAPSES);
		return pt_torture_core.collapse_flush_sync(vma,
							   pt_torture_address(),
							   pmdp, ptl);
	}
	pmd = *pmdp;
	set_pmd(pmdp, __pmd(0));
	if (how == FLUSH)
		pt_torture_core.flush(vma, pt_torture_address(), &receipt);
	else
		pt_torture_count(PT_TORTURE_SILENT);
	spin_unlock(ptl);
	pt_torture_note_receipt(r, mm, how, &receipt);
	pt_torture_core.sync_mm(mm, &receipt);
	return pmd;
}

/* Nobody stands on the table.  Everybody who does will see it. */
static void pt_torture_reuse(struct remover *r, pmd_t pmd)
{
	unsigned long *table = (unsigned long *)pmd_page_vaddr(pmd);
	spinlock_t *ptl = pte_lockptr(r->f->mm[0], &pmd);
	int i;

	/* The memory is still mapped: whoever looks for its pages waits. */
	spin_lock(ptl);
	for (i = 0; i < PTRS_PER_PTE; i++) {
		r->f->saved[i] = table[i];
		WRITE_ONCE(table[i], PT_TORTURE_POISON);
	}
	udelay(pt_torture_rand(r) % (pt_torture_hold_us + 1));
	for (i = 0; i < PTRS_PER_PTE; i++)
		WRITE_ONCE(table[i], r->f->saved[i]);
	spin_unlock(ptl);
}

static void pt_torture_link(struct mm_struct *mm, pmd_t *pmdp, pmd_t pmd)
{
	spinlock_t *ptl = pmd_lock(mm, pmdp);

	/* The entries of the table are there before the way to them. */
	smp_wmb();
	set_pmd(pmdp, pmd);
	spin_unlock(ptl);
}

static void pt_torture_unshare_one(struct remover *r, int i)
{
	struct pt_receipt receipt = PT_RECEIPT_NONE;
	bool last = i == PT_TORTURE_MMS - 1;
	enum removal how = pt_torture_how(r);
	struct mm_struct *mm = r->f->mm[i];
	struct vm_area_struct *vma;

	mmap_write_lock(mm);
	vma = find_vma(mm, pt_torture_address());
	pt_torture_link(mm, r->f->pmdp[i], __pmd(0));
	if (how != SILENT)
		pt_torture_core.flush(vma, pt_torture_address(), &receipt);
	pt_torture_note_receipt(r, mm, how, &receipt);
	if (last || pt_torture_fault != PT_FAULT_LAST_ONLY)
		pt_torture_core.sync_unshared(mm, &receipt, last);
	mmap_write_unlock(mm);
	pt_torture_count(PT_TORTURE_UNSHARES);
}

/* Let the other mms use the owner's table for a moment. */
static void pt_torture_share(struct remover *r)
{
	int i;

	for (i = 1; i < PT_TORTURE_MMS; i++)
		pt_torture_link(r->f->mm[i], r->f->pmdp[i], *r->f->pmdp[0]);
	if (pt_torture_rand(r) % 2)
		usleep_range(20, 200);
	else
		udelay(pt_torture_rand(r) % 100);
	for (i = 1; i < PT_TORTURE_MMS; i++)
		pt_torture_unshare_one(r, i);
}

static void pt_torture_remove(struct remover *r)
{
	struct mm_struct *mm = r->f->mm[0];
	pmd_t pmd;

	if (pt_torture_shares(r))
		pt_torture_share(r);
	mmap_write_lock(mm);
	pmd = pt_torture_unlink(r, find_vma(mm, pt_torture_address()));
	pt_torture_reuse(r, pmd);
	pt_torture_link(mm, r->f->pmdp[0], pmd);
	mmap_write_unlock(mm);
	pt_torture_check_locks();
	pt_torture_count(PT_TORTURE_REMOVALS);
}

static void pt_torture_bias_put_all(struct remover *r, int i)
{
	for (; r->f->biased[i]; r->f->biased[i]--)
		pt_torture_core.bias_put(r->f->mm[i]);
}

static void pt_torture_bias_get(struct remover *r, int i)
{
	pt_torture_core.bias_get(r->f->mm[i]);
	r->f->biased[i]++;
	pt_torture_count(PT_TORTURE_BIASES);
}

/* To catch trust that is too early, remove right after each new bias. */
static void pt_torture_bias_anew(struct remover *r)
{
	unsigned long end = jiffies + HZ / 5;
	int i;

	for (i = 0; i < PT_TORTURE_MMS; i++)
		pt_torture_bias_put_all(r, i);
	while (READ_ONCE(r->f->mm[0]->pt_walk_publish) &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	for (i = 0; i < PT_TORTURE_MMS; i++)
		pt_torture_bias_get(r, i);
}

static void pt_torture_bias(struct remover *r)
{
	int i = pt_torture_rand(r) % PT_TORTURE_MMS;

	if (pt_torture_biases_anew())
		pt_torture_bias_anew(r);
	else if (pt_torture_rand(r) % 64)
		return;
	else if (r->f->biased[i] >= 1 + pt_torture_rand(r) % 2)
		pt_torture_bias_put_all(r, i);
	else
		pt_torture_bias_get(r, i);
}

/* khugepaged uses no mm, MADV_COLLAPSE the one that it works on. */
static void pt_torture_use(struct remover *r, struct mm_struct *mm)
{
	if (r->used)
		kthread_unuse_mm(r->used);
	if (mm)
		kthread_use_mm(mm);
	r->used = mm;
}

/* The old family goes when its last walker lets go of it. */
static void pt_torture_renew(struct remover *r, bool again)
{
	struct pt_torture_family *new = NULL;
	int i;

	pt_torture_use(r, NULL);
	if (again)
		new = pt_torture_family_create();
	if (again && !new && r->f)
		return;
	pt_torture_family_publish(r->slot, new);
	if (r->f) {
		for (i = 0; i < PT_TORTURE_MMS; i++)
			pt_torture_bias_put_all(r, i);
		pt_torture_family_put(r->f);
	}
	r->f = new;
	r->last = PT_RECEIPT_NONE;
}

/**
 * pt_torture_remover - a thread that removes the table of its own family
 * @arg: its number
 *
 * Return: 0.
 */
int pt_torture_remover(void *arg)
{
	struct remover r = { .slot = (long)arg };

	pt_torture_renew(&r, true);
	if (!r.f)
		pr_alert("pt_sync-torture: no memory for mms\n");
	while (r.f && !torture_must_stop()) {
		if (pt_torture_rand(&r) % 2048 == 0)
			pt_torture_renew(&r, true);
		if (pt_torture_rand(&r) % 64 == 0)
			pt_torture_use(&r, r.used ? NULL : r.f->mm[0]);
		pt_torture_bias(&r);
		pt_torture_remove(&r);
		if (pt_torture_rand(&r) % 16 == 0)
			usleep_range(50, 500);
		cond_resched();
		stutter_wait("pt_torture_remover");
	}
	pt_torture_renew(&r, false);
	torture_kthread_stopping("pt_torture_remover");
	return 0;
}
