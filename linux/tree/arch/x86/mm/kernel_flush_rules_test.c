// SPDX-License-Identifier: GPL-2.0
/*
 * One command for each kind of change whose flush must interrupt isolated CPUs
 * in user mode, and for some that must not: what they are told, by the
 * interrupts they get, is for user space to count
 * (lab/guest/checks/kernel-flush.c).
 */
#include <linux/io.h>
#include <linux/kernel_flush.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/set_memory.h>
#include <linux/vmalloc.h>

#include "kernel_flush_internal.h"

#define PAGES_PER_BLOCK	(PMD_SIZE / PAGE_SIZE)
/* Where nothing has been, in address space alone. */
#define PLACES		512

static DEFINE_MUTEX(rules_lock);
/* All pages that were given to a command, to be freed by "release". */
static LIST_HEAD(blocks);
static unsigned long small_page;

static unsigned long take_block(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, PMD_SHIFT - PAGE_SHIFT);

	if (!page)
		return 0;
	list_add(&page->lru, &blocks);
	return (unsigned long)page_address(page);
}

/* 2 MiB that the direct map has in a large page, which no test has split yet. */
static unsigned long large_page(void)
{
	unsigned int level = PG_LEVEL_4K;
	unsigned long addr;

	do {
		addr = take_block();
		if (addr && !lookup_address(addr, &level))
			return 0;
	} while (addr && level == PG_LEVEL_4K);
	return addr;
}

/* A page that the direct map has as such. */
static unsigned long page_of_its_own(void)
{
	if (!small_page) {
		small_page = take_block();
		if (small_page && set_memory_4k(small_page, 1))
			small_page = 0;
	}
	return small_page;
}

/* "prepare": so that nothing else interrupts later. */
static int prepare(u32 unused)
{
	return page_of_its_own() ? 0 : -ENOMEM;
}

/* "permission": two changes of permissions of a small page.  May wait. */
static int change_permission(u32 unused)
{
	unsigned long addr = page_of_its_own();

	if (!addr)
		return -ENOMEM;
	return set_memory_ro(addr, 1) ?: set_memory_rw(addr, 1);
}

/* "split": of a large page, for a permission. */
static int split_page_for_permission(u32 unused)
{
	unsigned long addr = large_page();

	if (!addr)
		return -ENOMEM;
	return set_memory_ro(addr, 1) ?: set_memory_rw(addr, 1);
}

/* "hide": of a large page, to take presence from a small one and give it back. */
static int split_page_for_presence(u32 unused)
{
	unsigned long addr = large_page();

	if (!addr)
		return -ENOMEM;
	return set_memory_np(addr, 1) ?: set_memory_p(addr, 1);
}

/* "lend": the same without a flush, as vfree(), whose flush may wait. */
static int lend_page(u32 unused)
{
	unsigned long addr = large_page();

	if (!addr)
		return -ENOMEM;
	return set_direct_map_invalid_noflush(virt_to_page(addr)) ?:
	       set_direct_map_default_noflush(virt_to_page(addr));
}

/* "forced": a split as for SEV-SNP, where nothing else changes. */
static int force_split(u32 unused)
{
	unsigned long addr = large_page();

	return addr ? set_memory_4k(addr, 1) : -ENOMEM;
}

/* "large": two changes of permissions of a large page that stays one. */
static int change_large_page(u32 unused)
{
	unsigned long addr = large_page();

	if (!addr)
		return -ENOMEM;
	return set_memory_ro(addr, PAGES_PER_BLOCK) ?:
	       set_memory_rw(addr, PAGES_PER_BLOCK);
}

/* "collapse": of small pages into a large one, where the kernel does that. */
static int collapse(u32 unused)
{
	unsigned long addr = large_page();

	if (!addr)
		return -ENOMEM;
	return set_memory_ro(addr, 1) ?: set_memory_rw(addr, 1) ?:
	       set_memory_rox(addr, PAGES_PER_BLOCK) ?:
	       set_memory_nx(addr, PAGES_PER_BLOCK) ?:
	       set_memory_rw(addr, PAGES_PER_BLOCK);
}

/* "absent": presence is taken and given back. */
static int make_absent(u32 unused)
{
	unsigned long addr = page_of_its_own();

	if (!addr)
		return -ENOMEM;
	return set_memory_np(addr, 1) ?: set_memory_p(addr, 1);
}

/* "poison": the same, as for a page with a memory error. */
static int poison(u32 unused)
{
	unsigned long addr = page_of_its_own();

	if (!addr)
		return -ENOMEM;
	return set_mce_nospec(PHYS_PFN(__pa(addr))) ?:
	       clear_mce_nospec(PHYS_PFN(__pa(addr)));
}

/* "type": the memory type is changed and changed back. */
static int change_type(u32 unused)
{
	unsigned long addr = page_of_its_own();

	if (!addr)
		return -ENOMEM;
	return set_memory_uc(addr, 1) ?: set_memory_wb(addr, 1);
}

/* "owed": the same, after a split that may wait has been left to wait. */
static int change_type_with_split_owed(u32 unused)
{
	return split_page_for_permission(0) ?: change_type(0);
}

/* "lent": the same, after a split for presence. */
static int change_type_after_lending(u32 unused)
{
	return lend_page(0) ?: change_type(0);
}

/* "huge": vmalloc space in a huge leaf, freed and purged. */
static int free_huge(u32 unused)
{
	void *area = vmalloc_huge(PMD_SIZE, GFP_KERNEL);

	if (!area)
		return -ENOMEM;
	if (!is_vm_area_hugepages(area)) {
		vfree(area);
		return -EOPNOTSUPP;
	}
	vfree(area);
	vm_unmap_aliases();
	return 0;
}

/* A huge leaf of vmalloc space, each time where there has been nothing before. */
static struct vm_struct *places;
static struct page *placed;

static unsigned long place_huge(void)
{
	static unsigned long next;
	unsigned long addr;

	if (!places)
		places = get_vm_area((PLACES + 1) * PMD_SIZE, VM_SPARSE);
	if (!placed)
		placed = alloc_pages(GFP_KERNEL, PMD_SHIFT - PAGE_SHIFT);
	if (!places || !placed || next == PLACES)
		return 0;
	addr = ALIGN((unsigned long)places->addr, PMD_SIZE) + next++ * PMD_SIZE;
	return vmap_page_range(addr, addr + PMD_SIZE, page_to_phys(placed),
			       PAGE_KERNEL) ? 0 : addr;
}

/* "reuse": it is unmapped, then a small page mapped in its place. */
static int reuse_huge(u32 unused)
{
	unsigned long addr = place_huge();
	int err;

	if (!addr)
		return -ENOMEM;
	vm_area_unmap_pages(places, addr, addr + PMD_SIZE);
	err = vm_area_map_pages(places, addr, addr + PAGE_SIZE, &placed);
	vm_area_unmap_pages(places, addr, addr + PAGE_SIZE);
	return err;
}

/* "area": it is split for a permission, then unmapped. */
static int split_area(u32 unused)
{
	unsigned long addr = place_huge();
	int err;

	if (!addr)
		return -ENOMEM;
	err = set_memory_ro(addr, 1) ?: set_memory_rw(addr, 1);
	vm_area_unmap_pages(places, addr, addr + PMD_SIZE);
	return err;
}

/* "everywhere": what was flush_tlb_all(), for the events in /proc/vmstat. */
static int flush_everywhere(u32 unused)
{
	flush_tlb_on_each_cpu_deferrable(NULL, NULL);
	return 0;
}

/* "release": give back all memory. */
static int release(u32 unused)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, PMD_SHIFT - PAGE_SHIFT);
	}
	small_page = 0;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(u32 arg);
} rules[] = {
	{ "prepare", prepare },
	{ "permission", change_permission },
	{ "split", split_page_for_permission },
	{ "hide", split_page_for_presence },
	{ "lend", lend_page },
	{ "forced", force_split },
	{ "large", change_large_page },
	{ "collapse", collapse },
	{ "absent", make_absent },
	{ "poison", poison },
	{ "type", change_type },
	{ "owed", change_type_with_split_owed },
	{ "lent", change_type_after_lending },
	{ "huge", free_huge },
	{ "reuse", reuse_huge },
	{ "area", split_area },
	{ "everywhere", flush_everywhere },
	{ "release", release },
};

/**
 * kernel_flush_test_rule - run a command of the rules' test
 * @name: the command
 * @times: how often, 0 for once
 *
 * Return: 0, -EINVAL if there is none of that name, or why it failed.
 */
int kernel_flush_test_rule(const char *name, u32 times)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		if (strcmp(name, rules[i].name))
			continue;
		guard(mutex)(&rules_lock);
		do {
			err = rules[i].run(0);
			if (signal_pending(current))
				err = err ?: -EINTR;
		} while (!err && times && --times);
		return err;
	}
	return -EINVAL;
}
