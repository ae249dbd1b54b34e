/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A remover that works through several gathers. Each clears an entry, flushes
 * in one of the ways flushes go, syncs and frees. The flush yields a receipt
 * when it interrupted every CPU; with a receipt the sync interrupts nobody.
 *
 * F7: the sync skips because flushes interrupt on this machine, whether or not
 *	this caller flushed.
 * F8: the mark that an IPI was sent lives in the gather and outlives a flush.
 * SPLIT: flush and sync are two calls, and the entry is cleared between them.
 */
#define WALKERS 2
#define GATHERS 3

bool entry = true, freed;
bool irqs_off[WALKERS];

proctype walker(byte cpu)
{
end:
	do
	:: irqs_off[cpu] = true;
		if
		:: atomic { entry -> printf("walker %d: finds the table\n", cpu) }
			atomic { printf("walker %d: reads the table\n", cpu); assert(!freed) }
		:: !entry
		fi;
		irqs_off[cpu] = false
	od
}

proctype remover()
{
	byte n, cpu;
	bool receipt, witness;

#define INTERRUPT_ALL							\
	cpu = 0;							\
	do								\
	:: cpu < WALKERS -> !irqs_off[cpu]; cpu++			\
	:: else -> break						\
	od

#ifdef SPLIT
#define CLEAR_EARLY	skip
#define CLEAR_LATE	entry = false; printf("remover: clears the entry\n")
#else
#define CLEAR_EARLY	entry = false; printf("remover: clears the entry\n")
#define CLEAR_LATE	skip
#endif

	do
	:: n < GATHERS ->
#ifndef F8
		receipt = false;
#endif
		CLEAR_EARLY;
		if
		:: printf("remover: flushes, interrupts everybody\n");
			INTERRUPT_ALL;
			receipt = true
#ifdef F8
		:: printf("remover: flushes by a broadcast instruction\n")
#elif !defined(SPLIT)
		:: printf("remover: flushes by a broadcast instruction\n")
		:: printf("remover: does not flush\n")
#endif
		fi;
		CLEAR_LATE;
#ifdef F7
		receipt = true;
#endif
		if
		:: receipt ->
			printf("remover: syncs, interrupts nobody\n");
			witness = irqs_off[0]
#ifdef WITNESS
			; assert(!witness)
#endif
		:: else ->
			printf("remover: syncs, interrupts everybody\n");
			INTERRUPT_ALL
		fi;
		freed = true;
		printf("remover: frees the table\n");
		atomic { freed = false; entry = true; printf("remover: links a new one\n") };
		n++
	:: else -> break
	od
}

init { atomic { run walker(0); run walker(1); run remover() } }
