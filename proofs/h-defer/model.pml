/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An isolated CPU: enters the kernel, uses a vmalloc address, goes back to user
 * mode. The sender unmaps a vmalloc page, flushes or defers, and frees the page;
 * then it maps another one at the same address and does it again. With the
 * kernel's CR3 loaded the hardware may cache the translation at any step. NMI-like
 * entries hit at every step, also each other.
 *
 * A use is wrong when the TLB still holds a page that was freed.
 *
 * NO_PTI: the kernel's CR3 is always loaded, so the hardware may do that in user
 * mode as well.
 * GUEST: the CPU goes to user mode or into a guest. That has a CR3 and a tag of
 * its own, so what the host had in the TLB stays and nothing is added. VM exit
 * loads the host's CR3. An NMI may be the reason of the exit; its handler runs
 * before the hook (VMX; with SVM it waits).
 * REENTRY: and there is a fast path that uses the address and goes back into the
 * guest without the hooks.
 * DROP: the sender defers and does not write the debt down.
 * F5: kernel_cr3_loaded in the order flush, then flag (NMIs=0: not needed).
 * F6: flag, then flush, but an NMI that finds the kernel's CR3 does neither.
 * F10: the entry takes the request, then flushes.
 * GIVE_BACK: an NMI clears KERNEL whether or not it set it.
 * BOOT_CLEAR: a CPU starts in the kernel with KERNEL clear.
 */
#define KERNEL 1
#define FLUSH 2
#define ENTRIES 2
#define PAGES 2
#ifndef NMIS
#define NMIS 2
#endif

#ifdef NO_PTI
#define USER_CR3	true
#else
#define USER_CR3	false
#endif

byte word;		/* quell's; for F5 and F6 bit 0 is kernel_cr3_loaded */
byte live = 1;		/* the page that is mapped, 0: none */
byte tlb;		/* the page the TLB holds, 0: none */
bool dead[PAGES + 1];
bool kernel_cr3 = USER_CR3;
bool takes_irqs = true;	/* user mode, or kernel with IRQs on */
byte level;		/* 0: the task, 1: an NMI, 2: another in it */
byte below[3];		/* what the NMI at that level interrupted */

#define STEP(l, x)	atomic { level == l -> x }
#define FLUSH_TLB	tlb = 0; printf("    cpu: flushes\n")
#define USE		printf("    cpu: uses the address, TLB has page %d\n", tlb); \
			assert(!(tlb && dead[tlb]))

inline entry_hook(l, old)
{
#if defined(F5)
	STEP(l, FLUSH_TLB);
	STEP(l, word = KERNEL; printf("cpu: kernel_cr3_loaded = 1\n"))
#elif defined(F6)
	STEP(l, word = KERNEL; printf("cpu: kernel_cr3_loaded = 1\n"));
	STEP(l, FLUSH_TLB)
#elif defined(F10)
	STEP(l, old = word; word = KERNEL; printf("cpu: xchg(KERNEL), was %d\n", old));
	if
	:: old & FLUSH -> STEP(l, FLUSH_TLB)
	:: else
	fi
#else
	STEP(l, old = word; word = word | KERNEL; printf("cpu: fetch_or(KERNEL), was %d\n", old));
	if
	:: old & FLUSH ->
		STEP(l, FLUSH_TLB);
		STEP(l, word = word & ~FLUSH)
	:: else
	fi
#endif
}

proctype cpu()
{
	byte n, old;

#ifdef BOOT_CLEAR
	kernel_cr3 = true;
	STEP(0, USE);
	kernel_cr3 = USER_CR3;
#endif
	do
	:: n < ENTRIES ->
		STEP(0, takes_irqs = false; kernel_cr3 = true; printf("cpu: enters, kernel CR3\n"));
		entry_hook(0, old);
		STEP(0, takes_irqs = true);
		STEP(0, USE);
		STEP(0, takes_irqs = false);
		STEP(0, word = word & ~KERNEL; printf("cpu: exit clears KERNEL\n"));
		if
		:: STEP(0, kernel_cr3 = USER_CR3; takes_irqs = true; printf("cpu: user CR3\n"))
#ifdef GUEST
		:: STEP(0, kernel_cr3 = false; takes_irqs = true; printf("cpu: the guest's CR3\n"));
#ifdef REENTRY
			STEP(0, takes_irqs = false; kernel_cr3 = true; printf("cpu: VM exit\n"));
			STEP(0, USE);
			STEP(0, kernel_cr3 = false; takes_irqs = true; printf("cpu: back into the guest\n"))
#endif
#endif
		fi;
		old = 0;
		n++
	:: else -> break
	od
}

/* An NMI-like entry at level l hits whatever runs below it. */
proctype nmi_like(byte l)
{
	byte n, old;
	bool was_kernel;
end:
	do
	:: n < NMIS ->
		atomic { level < l -> below[l] = level; level = l; was_kernel = kernel_cr3; kernel_cr3 = true;
			n++;
			printf("NMI %d: begins, kernel CR3 was loaded: %d\n", l, was_kernel) };
#if defined(F5) || defined(F6)
		if
		:: !was_kernel -> entry_hook(l, old)
		:: else
		fi;
		STEP(l, USE);
		if
		:: !was_kernel -> STEP(l, word = 0)
		:: else
		fi;
#else
		entry_hook(l, old);
		STEP(l, USE);
#ifdef GIVE_BACK
		STEP(l, word = word & ~KERNEL);
#else
		if
		:: !(old & KERNEL) -> STEP(l, word = word & ~KERNEL)
		:: else
		fi;
#endif
#endif
		atomic { level == l ->
			kernel_cr3 = was_kernel;
			old = 0; was_kernel = false;
			level = below[l];
			printf("NMI %d: ends\n", l) }
	:: n == NMIS -> break
	od
}

proctype hardware()
{
end:
	do
	:: atomic { kernel_cr3 && live && !tlb -> tlb = live;
		printf("    cpu: caches page %d\n", tlb) }
	od
}

proctype sender()
{
	byte page;
	bool deferred;

	do
	:: live && live <= PAGES ->
		page = live;
		atomic { live = 0; printf("sender: unmaps page %d\n", page) };
		atomic {
			if
			:: word & KERNEL -> printf("sender: sends an IPI\n")
			:: else -> deferred = true;
#if !defined(F5) && !defined(F6) && !defined(DROP)
				word = word | FLUSH;
#endif
				printf("sender: defers\n")
			fi
		}
		if
		:: deferred
		:: else -> atomic { takes_irqs && level == 0 -> FLUSH_TLB }
		fi;
#ifdef WITNESS
		bool witness = deferred;
		assert(!witness);
#endif
		deferred = false;
		dead[page] = true;
		printf("sender: frees page %d\n", page);
		if
		:: page < PAGES -> atomic { live = page + 1; printf("sender: maps page %d\n", live) }
		:: else -> break
		fi
	od
}

init {
	atomic {
		if	/* what the last stay in the kernel left behind */
		:: tlb = 0
		:: tlb = 1
		fi;
		run cpu(); run nmi_like(1); run nmi_like(2); run hardware(); run sender()
	}
}
