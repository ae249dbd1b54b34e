/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Translations of two sizes in the TLB of a CPU that is asked to flush later.
 * A mapping has an attribute that stands for its frame and memory type. The TLB
 * has room for one large and one small translation of the same address, and the
 * hardware fills it from the page table whenever it may: with the kernel's CR3
 * loaded, that is always (NO_PTI) or from entry to exit.
 *
 * Wrong is: two translations at a time that differ in the attribute. And without
 * page table isolation: two at all once the sender has gone on, for nothing
 * ends that before the next entry.
 *
 * SPLIT: a large page is split; then the attribute of a part changes.
 * AREA: the same in vmalloc space; then the parts are unmapped, which may always
 * wait, and another page gets the address.
 * HUGE: a large page is unmapped; then a small one gets its address.
 * REFILL: first another large one gets it, which is then split.
 * HIDE: a page is split to take presence from a small one; the flush of that
 * one page interrupts, and nothing may then translate it. It does not reach the
 * large page's translation, which may be another PCID's: what a CPU owes it pays as
 * it is interrupted (NO_PAY: does not). Later the page is present again.
 * LEND: the same for a moment, so that flush may be deferred (WAITS: in HIDE, too).
 * DEFER: the flush after the first step may be deferred. quell: SPLIT, HUGE,
 * HIDE and LEND, and only with page table isolation.
 * NO_SETTLE: what was deferred is not made up for before the sizes or attributes
 * could meet; quell does that with page table isolation.
 */
#define KERNEL 1
#define FLUSH 2
#define ENTRIES 2
#define NONE 0
#define LARGE 1
#define SMALL 2

#ifdef NO_PTI
#define USER_CR3	true
#else
#define USER_CR3	false
#endif

byte word;
byte size = LARGE;		/* the page table */
byte attribute = 1;
byte large, small;		/* the TLB: attributes, 0: none */
bool kernel_cr3 = USER_CR3;
bool takes_irqs = true;
bool gone_on;			/* the sender's first flush is over, or deferred */
bool waits;			/* the last one was deferred */

#define FLUSH_TLB	large = 0; small = 0; printf("    cpu: flushes\n")

inline look()
{
	assert(!(large && small && large != small));
#ifdef NO_PTI
	assert(!(large && small && gone_on));
#endif
#ifdef WITNESS
	bool witness = large && small && gone_on;
	assert(!witness);
#endif
}

proctype cpu()
{
	byte n, old;

	do
	:: n < ENTRIES ->
		atomic { takes_irqs = false; kernel_cr3 = true; printf("cpu: enters, kernel CR3\n") };
		atomic { old = word; word = word | KERNEL; printf("cpu: fetch_or(KERNEL), was %d\n", old) };
		if
		:: old & FLUSH ->
			atomic { FLUSH_TLB };
			word = word & ~FLUSH
		:: else
		fi;
		takes_irqs = true;
		takes_irqs = false;
		atomic { word = 0; printf("cpu: exit clears KERNEL\n") };
		atomic { kernel_cr3 = USER_CR3; takes_irqs = true; printf("cpu: user mode\n") };
		n++
	:: else -> break
	od
}

proctype hardware()
{
end:
	do
	:: atomic { kernel_cr3 && size == LARGE && !large -> large = attribute;
		printf("    cpu: caches the large page, %d\n", large); look() }
	:: atomic { kernel_cr3 && size == SMALL && !small -> small = attribute;
		printf("    cpu: caches the small page, %d\n", small); look() }
	od
}

inline interrupt()
{
	printf("sender: sends an IPI\n");
	atomic { takes_irqs -> FLUSH_TLB }
}

/* The interrupt finds the CPU in user mode, where it may owe, or in the kernel,
 * where it has paid. */
inline interrupt_for_small_page()
{
	printf("sender: sends an IPI for the small page\n");
	atomic {
		takes_irqs ->
		small = 0;
#ifndef NO_PAY
		if
		:: word & FLUSH -> FLUSH_TLB; word = word & ~FLUSH
		:: else
		fi
#endif
	}
}

inline flush_or_defer()
{
	atomic {
		waits = !(word & KERNEL);
		if
		:: waits -> word = word | FLUSH; printf("sender: defers\n")
		:: else
		fi
	};
	if
	:: waits
	:: else -> interrupt()
	fi
}

proctype sender()
{
#if defined(SPLIT) || defined(AREA) || defined(HIDE) || defined(LEND)
	atomic { size = SMALL; printf("sender: splits the page\n") };
#else
	atomic { size = NONE; printf("sender: unmaps the page\n") };
#endif
#ifdef DEFER
	flush_or_defer();
#else
	interrupt();
#endif
	atomic { gone_on = true; look() };
#ifdef AREA
	atomic { size = NONE; printf("sender: unmaps the small pages\n") };
	flush_or_defer();
#endif
#if defined(HIDE) || defined(LEND)
	atomic { size = NONE; printf("sender: takes presence away\n") };
#if defined(LEND) || defined(WAITS)
	flush_or_defer();
#else
	interrupt_for_small_page();
#endif
#ifndef LEND
	atomic { printf("sender: nobody has a translation\n"); assert(!large && !small) };
#endif
	atomic { size = SMALL; printf("sender: gives presence back\n") };
#endif
#ifdef REFILL
	atomic { size = LARGE; attribute = 2; printf("sender: a large page is there again\n") };
#endif
#if defined(DEFER) && !defined(AREA) && !defined(NO_PTI) && !defined(NO_SETTLE)
	interrupt();
#endif
	atomic { size = SMALL; attribute = 2; printf("sender: the small page is now %d\n", attribute) };
#if defined(SPLIT) || defined(HIDE) || defined(LEND)
	interrupt()
#endif
}

init {
	atomic {
		if	/* what the last stay in the kernel left behind */
		:: large = 0
		:: large = 1
		fi;
		run cpu(); run hardware(); run sender()
	}
}
