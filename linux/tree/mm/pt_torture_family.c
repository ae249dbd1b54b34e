// SPDX-License-Identifier: GPL-2.0
/*
 * Torture test of pt_sync: the mms, and the page table that they share.
 *
 * The table is real: the page-table page below which the owner's anonymous
 * memory is mapped.  Only kernel threads use these mms, and they do not touch
 * user addresses once the memory is filled, so no TLB depends on it.
 */

#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pt_torture.h"

static struct pt_torture_family __rcu *families[PT_TORTURE_FAMILIES];

/**
 * pt_torture_address - where the memory is
 *
 * Return: the address, the same in each of the mms.
 */
unsigned long pt_torture_address(void)
{
	return ALIGN(SZ_1G, PMD_SIZE);
}

/**
 * pt_torture_stamp - tell the pages of a family apart
 * @page: which one
 *
 * Return: what its first word says.
 */
unsigned long pt_torture_stamp(int page)
{
	return 0x7074000000000000UL + page;
}

static int pt_torture_fill(unsigned long addr)
{
	unsigned long __user *word;
	int i;

	for (i = 0; i < PT_TORTURE_PAGES; i++) {
		word = (unsigned long __user *)(addr + i * PAGE_SIZE);
		if (put_user(pt_torture_stamp(i), word))
			return -EFAULT;
	}
	return 0;
}

static int pt_torture_member(struct pt_torture_family *f, int i)
{
	unsigned long addr = pt_torture_address();
	struct mm_struct *mm;
	int ret = 0;

	mm = pt_torture_core.mm_alloc();
	if (!mm)
		return -ENOMEM;
	f->mm[i] = mm;
	kthread_use_mm(mm);
	if (vm_mmap(NULL, addr, PMD_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 0) != addr)
		ret = -ENOMEM;
	else if (i == 0)
		ret = pt_torture_fill(addr);
	kthread_unuse_mm(mm);
	if (ret)
		return ret;
	f->pmdp[i] = pt_torture_core.pmd_alloc(mm, addr);
	return f->pmdp[i] ? 0 : -ENOMEM;
}

static void pt_torture_family_destroy(struct pt_torture_family *f)
{
	int i;

	for (i = 0; i < PT_TORTURE_MMS; i++) {
		if (f->mm[i])
			mmput(f->mm[i]);
	}
	kfree_rcu(f, rcu);
}

/**
 * pt_torture_family_create - make mms with memory, no table shared as yet
 *
 * Context: a kernel thread that uses no mm.
 *
 * Return: the family, with one reference, or NULL.
 */
struct pt_torture_family *pt_torture_family_create(void)
{
	struct pt_torture_family *f = kzalloc(sizeof(*f), GFP_KERNEL);
	int i;

	if (!f)
		return NULL;
	refcount_set(&f->users, 1);
	for (i = 0; i < PT_TORTURE_MMS; i++) {
		if (pt_torture_member(f, i)) {
			pt_torture_family_destroy(f);
			return NULL;
		}
	}
	pt_torture_count(PT_TORTURE_MMSETS);
	return f;
}

/**
 * pt_torture_family_publish - let walkers find a family
 * @slot: number of the remover
 * @f: the family in place of the one before, or NULL
 */
void pt_torture_family_publish(int slot, struct pt_torture_family *f)
{
	rcu_assign_pointer(families[slot], f);
}

/**
 * pt_torture_family_get - find a family, and keep it
 * @random: which one
 *
 * Return: a family, to be put, or NULL if there is none.
 */
struct pt_torture_family *pt_torture_family_get(unsigned long random)
{
	struct pt_torture_family *f = NULL;
	int i;

	rcu_read_lock();
	for (i = 0; i < PT_TORTURE_FAMILIES && !f; i++) {
		f = rcu_dereference(families[(random + i) %
					     PT_TORTURE_FAMILIES]);
		if (f && !refcount_inc_not_zero(&f->users))
			f = NULL;
	}
	rcu_read_unlock();
	return f;
}

/**
 * pt_torture_family_put - give back pt_torture_family_get()
 * @f: the family; the last to put it must leave none of its mms sharing
 */
void pt_torture_family_put(struct pt_torture_family *f)
{
	if (refcount_dec_and_test(&f->users))
		pt_torture_family_destroy(f);
}

/**
 * pt_torture_is_ours - may an interrupt walk this mm?
 * @mm: current->mm
 *
 * Context: interrupts off.
 *
 * Return: whether it belongs to a family.
 */
bool pt_torture_is_ours(const struct mm_struct *mm)
{
	struct pt_torture_family *f;
	int i, j;

	if (!mm)
		return false;
	for (i = 0; i < PT_TORTURE_FAMILIES; i++) {
		f = rcu_dereference_sched(families[i]);
		for (j = 0; f && j < PT_TORTURE_MMS; j++) {
			if (f->mm[j] == mm)
				return true;
		}
	}
	return false;
}
