// SPDX-License-Identifier: GPL-2.0
/*
 * A detector of stale translations for deferred flushes of kernel addresses,
 * with delays that widen their windows and orders that are broken on purpose.
 *
 * A TLB that keeps kernel translations over a trip to user mode is what makes
 * a lost flush a fault, and emulators do not have one.  So each CPU has a
 * model of such a TLB with one entry, for the address that the test maps and
 * unmaps.  The model is filled where hardware may fill its TLB, emptied where
 * a flush instruction was executed whose range has the address, and nowhere
 * else; at each kernel entry and exit the entry is used, and it is stale if its
 * mapping is known to be gone. The flush instructions, the hooks, the word and
 * the senders are the real ones.
 *
 * Without page table isolation emulators do keep them. So there is an address
 * more, which is always mapped, to one page or another, and truly read at the
 * same places ("live").
 */
#include <linux/cpuhotplug.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel_flush.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nmi.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/apic.h>
//@69
#include <asm/text_sync_test.h>
//@end

#include "kernel_flush_internal.h"

/**
 * struct model_tlb - what a TLB could still hold of the test's address
 * @entry: the mapping's number in the upper half, @flushes at the time of the
 *	   fill in the lower half: the entry is gone once they differ
 * @flushes: flushes of this CPU so far
 * @entries: kernel entries from user mode
 * @uses: uses of the address in which a translation was there
 * @kept: those in which it came from @entry, not from the page table
 * @stale: those in which it should have been gone
 * @live_uses: reads of the address that is always mapped
 * @live_stale: those that found a page which was replaced there
 * @nested: NMIs this CPU sent to itself at a test point
 * @nesting: one of them is on its way
 */
struct model_tlb {
	u64		entry;
	u32		flushes;
	unsigned long	entries;
	unsigned long	uses;
	unsigned long	kept;
	unsigned long	stale;
	unsigned long	live_uses;
	unsigned long	live_stale;
	unsigned long	nested;
	bool		nesting;
};

static DEFINE_PER_CPU(struct model_tlb, model_tlb);
static DEFINE_PER_CPU(atomic_t, expected_nmis);

/* The page table as the model walks it: the mapping's number or 0. */
static u32 mapped;
/* All mappings up to this number are unmapped and flushed. */
static u32 retired;

static u32 delay;	/* loops at each test point */
static u32 broken;	/* enum kernel_flush_broken */
static u32 dwell;	/* microseconds that churn leaves a page mapped */
static u32 nest;	/* 1 + the test point at which CPUs send themselves NMIs */
static u32 adopt;	/* NMIs of nobody, such as the emulator's, are ours */
static atomic_t adopted;

static DEFINE_MUTEX(map_lock);
static struct vm_struct *area;
static struct page *pages[2];
static u32 last_map;

/* Where that page is mapped: NULL until there is one. */
static void *address;

static struct vm_struct *huge_area;
static struct page *huge_page;

/* The address that is always mapped, to the page that holds the number @live. */
static u32 *live_address;
static struct page *live_pages[2];
static u32 live;
/* All pages of up to this number were replaced, and flushed. */
static u32 live_retired;

static u32 snp_host;	/* as on an SEV-SNP host: no split may wait */

bool noinstr kernel_flush_test_snp_host(void)
{
	return READ_ONCE(snp_host);
}

/* A CPU's TLB has nothing of these addresses any more. */
noinstr void kernel_flush_test_flushed(unsigned long start, unsigned long end)
{
	struct model_tlb *tlb = raw_cpu_ptr(&model_tlb);

	if (start <= (unsigned long)address && (unsigned long)address < end)
		WRITE_ONCE(tlb->flushes, tlb->flushes + 1);
}

bool noinstr kernel_flush_test_broken(enum kernel_flush_broken what)
{
	return READ_ONCE(broken) == what;
}

/* Translate the address; the page table is read after the flush count. */
static __always_inline u32 translate(struct model_tlb *tlb, bool *kept)
{
	u32 flushes = READ_ONCE(tlb->flushes);
	u64 entry = READ_ONCE(tlb->entry);
	u32 map;

	barrier();
	*kept = entry >> 32 && (u32)entry == flushes;
	if (*kept)
		return entry >> 32;
	map = READ_ONCE(mapped);
	if (map)
		WRITE_ONCE(tlb->entry, (u64)map << 32 | flushes);
	return map;
}

static __always_inline void use_live_address(struct model_tlb *tlb)
{
	u32 *from = READ_ONCE(live_address);
	u32 gone;

	if (!from)
		return;
	/* Before the read; pairs with replace_live_page(). */
	gone = smp_load_acquire(&live_retired);
	tlb->live_uses++;
	tlb->live_stale += READ_ONCE(*from) <= gone;
}

static __always_inline void use_address(struct model_tlb *tlb)
{
	u32 gone, map;
	bool kept;

	use_live_address(tlb);

	/* Before the use; pairs with unmap_page(). */
	gone = smp_load_acquire(&retired);
	map = translate(tlb, &kept);
	if (!map)
		return;
	tlb->uses++;
	tlb->kept += kept;
	if (map <= gone) {
		tlb->stale++;
		/* Once per loss, not until the next flush. */
		WRITE_ONCE(tlb->entry, 0);
	}
}

/* It arrives here, or in the next few instructions, and does not nest again. */
static __always_inline void send_nmi_to_self(struct model_tlb *tlb)
{
	tlb->nested++;
	instrumentation_begin();
	atomic_inc(this_cpu_ptr(&expected_nmis));
	__apic_send_IPI_mask(cpumask_of(raw_smp_processor_id()), NMI_VECTOR);
	instrumentation_end();
}

/* Speculation may fill the TLB whenever the kernel's page table is loaded. */
static __always_inline void linger(struct model_tlb *tlb, u32 point)
{
	bool kept, nests = READ_ONCE(nest) == 1 + point && !tlb->nesting;
	u32 loops = READ_ONCE(delay) + nests;

	translate(tlb, &kept);
	if (READ_ONCE(live_address))
		READ_ONCE(*live_address);
	if (nests) {
		WRITE_ONCE(tlb->nesting, true);
		send_nmi_to_self(tlb);
	}
	while (loops--)
		cpu_relax();
	if (nests)
		WRITE_ONCE(tlb->nesting, false);
}

noinstr void kernel_flush_test_point(enum kernel_flush_point point)
{
	struct model_tlb *tlb = raw_cpu_ptr(&model_tlb);

//@69
	text_sync_test_point(point);
//@end
	switch (point) {
	case KERNEL_FLUSH_ENTERING:
	case KERNEL_FLUSH_TAKEN:
	case KERNEL_FLUSH_LEFT:
		linger(tlb, point);
		break;
	case KERNEL_FLUSH_ENTERED:
		tlb->entries++;
		fallthrough;
	case KERNEL_FLUSH_NMI:
	case KERNEL_FLUSH_LEAVING:
		use_address(tlb);
		break;
	}
}

/* F5: the flush comes first, and a request after it is overwritten. */
noinstr void kernel_flush_test_broken_entry(void)
{
	struct kernel_flush *kf = raw_cpu_ptr(&kernel_flush);

	kernel_flush_pay(KERNEL_FLUSH_DEBTS);
	linger(raw_cpu_ptr(&model_tlb), KERNEL_FLUSH_TAKEN);
	raw_atomic_set(&kf->word, KERNEL_FLUSH_KERNEL);
	kernel_flush_test_point(KERNEL_FLUSH_ENTERED);
}

/* Map a page that holds the mapping's number, at the same address each time. */
static int map_page(void)
{
	unsigned long addr = (unsigned long)area->addr;
	struct page *page = pages[++last_map & 1];
	int err;

	*(u32 *)page_address(page) = last_map;
	err = vm_area_map_pages(area, addr, addr + PAGE_SIZE, &page);
	if (!err)
		WRITE_ONCE(mapped, last_map);
	return err;
}

static void unmap_page(void)
{
	unsigned long addr = (unsigned long)area->addr;

	WRITE_ONCE(mapped, 0);
	vm_area_unmap_pages(area, addr, addr + PAGE_SIZE);
	/* After the flush; pairs with use_address(). */
	smp_store_release(&retired, last_map);
}

static int set_live_pte(pte_t *pte, unsigned long addr, void *data)
{
	struct page *page = data;

	set_pte_at(&init_mm, addr, pte, mk_pte(page, PAGE_KERNEL));
	return 0;
}

/* The sender's side for the address that is always mapped. */
static void replace_live_page(void)
{
	unsigned long addr = (unsigned long)live_address;
	struct page *page = live_pages[++live & 1];

	*(u32 *)page_address(page) = live;
	apply_to_existing_page_range(&init_mm, addr, PAGE_SIZE, set_live_pte, page);
	flush_tlb_kernel_range_deferrable(addr, addr + PAGE_SIZE);
	/* After the flush; pairs with use_live_address(). */
	smp_store_release(&live_retired, live - 1);
}

/* "churn N": map and unmap N times. */
static int churn(u32 rounds)
{
	int err = 0;

	guard(mutex)(&map_lock);
	if (mapped)
		unmap_page();
	while (rounds-- && !err) {
		err = map_page();
		if (err)
			break;
		if (dwell)
			usleep_range(dwell, dwell);
		unmap_page();
		cond_resched();
		if (signal_pending(current))
			err = -EINTR;
	}
	return err;
}

/* "replace N": the page of the address that is always mapped, N times. */
static int replace(u32 rounds)
{
	guard(mutex)(&map_lock);
	while (rounds-- && !signal_pending(current)) {
		replace_live_page();
		cond_resched();
	}
	return 0;
}

/* "remap": leave the next page mapped. */
static int remap(u32 unused)
{
	guard(mutex)(&map_lock);
	if (mapped)
		unmap_page();
	return map_page();
}

/*
 * "tables": put a huge mapping where there is an empty page table, which frees
 * that page table.  This must interrupt every CPU.
 */
static int free_tables(u32 unused)
{
	unsigned long addr = ALIGN((unsigned long)huge_area->addr, PMD_SIZE);
	int err;

	guard(mutex)(&map_lock);
	err = vm_area_map_pages(huge_area, addr, addr + PAGE_SIZE, pages);
	if (err)
		return err;
	vm_area_unmap_pages(huge_area, addr, addr + PAGE_SIZE);
	err = vmap_page_range(addr, addr + PMD_SIZE, page_to_phys(huge_page),
			      PAGE_KERNEL);
	vm_area_unmap_pages(huge_area, addr, addr + PMD_SIZE);
	return err;
}

/* A CPU that comes up has an empty TLB: INIT turned paging off. */
static int come_up(unsigned int cpu)
{
	kernel_flush_test_flushed(0, TLB_FLUSH_ALL);
	return 0;
}

static int take_nmi(unsigned int type, struct pt_regs *regs)
{
	if (atomic_dec_if_positive(this_cpu_ptr(&expected_nmis)) < 0) {
		if (!READ_ONCE(adopt))
			return NMI_DONE;
		atomic_inc(&adopted);
	}
	use_address(this_cpu_ptr(&model_tlb));
	return NMI_HANDLED;
}

/* "nmi CPU": send one; it may merge with the one before. */
static int send_nmi(u32 cpu)
{
	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return -EINVAL;
	atomic_inc(&per_cpu(expected_nmis, cpu));
	__apic_send_IPI_mask(cpumask_of(cpu), NMI_VECTOR);
	return 0;
}

static void take_interrupt(void *unused)
{
	use_address(this_cpu_ptr(&model_tlb));
}

/* "interrupt CPU": and wait for it. */
static int send_interrupt(u32 cpu)
{
	if (cpu >= nr_cpu_ids)
		return -EINVAL;
	return smp_call_function_single(cpu, take_interrupt, NULL, 1);
}

static int reset(u32 unused)
{
	struct model_tlb *tlb;
	int cpu;

	for_each_possible_cpu(cpu) {
		tlb = per_cpu_ptr(&model_tlb, cpu);
		WRITE_ONCE(tlb->entries, 0);
		WRITE_ONCE(tlb->uses, 0);
		WRITE_ONCE(tlb->kept, 0);
		WRITE_ONCE(tlb->stale, 0);
		WRITE_ONCE(tlb->live_uses, 0);
		WRITE_ONCE(tlb->live_stale, 0);
		WRITE_ONCE(tlb->nested, 0);
	}
	atomic_set(&adopted, 0);
	return 0;
}

/* Each runs something, or sets a value that is looked at above. */
static const struct {
	const char *name;
	int (*run)(u32 arg);
	u32 *value;
} commands[] = {
	{ "churn", churn },
	{ "replace", replace },
	{ "remap", remap },
	{ "tables", free_tables },
	{ "nmi", send_nmi },
	{ "interrupt", send_interrupt },
	{ "reset", reset },
	{ "broken", .value = &broken },
	{ "delay", .value = &delay },
	{ "dwell", .value = &dwell },
	{ "nest", .value = &nest },
	{ "adopt", .value = &adopt },
	{ "snp", .value = &snp_host },
};

/* /sys/kernel/debug/pt_sync/kernel_flush_test: "COMMAND NUMBER". */
static ssize_t test_write(struct file *file, const char __user *ubuf,
			  size_t count, loff_t *pos)
{
	char buf[32] = "", name[32];
	u32 arg = 0;
	int err, i;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sscanf(buf, "%31s %u", name, &arg) < 1)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		if (commands[i].value) {
			WRITE_ONCE(*commands[i].value, arg);
			return count;
		}
		err = commands[i].run(arg);
		return err ?: count;
	}
	err = kernel_flush_test_rule(name, arg);
	return err ?: count;
}

static int test_show(struct seq_file *m, void *unused)
{
	struct model_tlb sum = { };
	struct model_tlb *tlb;
	u32 content = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		tlb = per_cpu_ptr(&model_tlb, cpu);
		sum.entries += READ_ONCE(tlb->entries);
		sum.uses += READ_ONCE(tlb->uses);
		sum.kept += READ_ONCE(tlb->kept);
		sum.stale += READ_ONCE(tlb->stale);
		sum.live_uses += READ_ONCE(tlb->live_uses);
		sum.live_stale += READ_ONCE(tlb->live_stale);
		sum.nested += READ_ONCE(tlb->nested);
	}
	/* What this CPU's own TLB makes of the address. */
	if (copy_from_kernel_nofault(&content, area->addr, sizeof(content)))
		content = 0;
	seq_printf(m, "content %u\n", content);
	seq_printf(m, "mapped %u\n", READ_ONCE(mapped));
	seq_printf(m, "remapped %u\n", READ_ONCE(last_map));
	seq_printf(m, "entries %lu\n", sum.entries);
	seq_printf(m, "uses %lu\n", sum.uses);
	seq_printf(m, "kept %lu\n", sum.kept);
	seq_printf(m, "stale %lu\n", sum.stale);
	seq_printf(m, "live_uses %lu\n", sum.live_uses);
	seq_printf(m, "live_stale %lu\n", sum.live_stale);
	seq_printf(m, "nested %lu\n", sum.nested);
	seq_printf(m, "adopted %d\n", atomic_read(&adopted));
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(test);

static int __init map_live_page(void)
{
	struct vm_struct *where = get_vm_area(PAGE_SIZE, VM_SPARSE);
	unsigned long addr;
	int err;

	if (!where)
		return -ENOMEM;
	addr = (unsigned long)where->addr;
	live = 1;
	*(u32 *)page_address(live_pages[live]) = live;
	err = vm_area_map_pages(where, addr, addr + PAGE_SIZE, &live_pages[live]);
	if (!err)
		WRITE_ONCE(live_address, where->addr);
	return err;
}

static int __init kernel_flush_test_init(void)
{
	struct dentry *dir;
	int i, err;

	area = get_vm_area(PAGE_SIZE, VM_SPARSE);
	huge_area = get_vm_area(2 * PMD_SIZE, VM_SPARSE);
	huge_page = alloc_pages(GFP_KERNEL, get_order(PMD_SIZE));
	if (!area || !huge_area || !huge_page)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		live_pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i] || !live_pages[i])
			return -ENOMEM;
	}
	WRITE_ONCE(address, area->addr);
	err = map_live_page();
	if (err)
		return err;
	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "x86/kernel_flush_test:online",
					come_up, NULL);
	if (err < 0)
		return err;
	err = register_nmi_handler(NMI_LOCAL, take_nmi, 0, "kernel_flush_test");
	if (err)
		return err;
	dir = debugfs_lookup("pt_sync", NULL);
	debugfs_create_file("kernel_flush_test", 0600, dir, NULL, &test_fops);
	dput(dir);
	return 0;
}
late_initcall_sync(kernel_flush_test_init);
