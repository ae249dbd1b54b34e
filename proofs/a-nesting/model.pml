/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One slot per CPU, and a walk that is interrupted by an NMI (or, between the
 * two, by nothing else: IRQs are off) that walks as well. NMIs hit between any
 * two steps of the outer walk, also between its branch, its load of the old
 * slot and its store. The NMI shares the CPU's store buffer.
 *
 * F3: the inner walk ends by clearing the slot; quell puts back what it found.
 * OTHER_MM: the inner walk walks an mm of its own. Putting back is not enough
 * then, so "every walker walks current->mm" is part of the rule.
 */
#define CPUS 2
#define WALKER 0
#define REMOVER 1
#define NMIS 2
#define MM 1

#ifdef OTHER_MM
#define INNER 2
#else
#define INNER MM
#endif

mtype = { ENTRY, SLOT };
#include "tso.pml"

bool irqs_off, nmi, freed;
byte slot;	/* what this CPU itself sees in its slot */
bool biased;	/* turned on under the walkers: not yet trusted then */
bool trusted;

#define STEP(x)	atomic { !nmi -> x }

proctype outer()
{
	byte old, seen, publishes;

	STEP(irqs_off = true);
	STEP(publishes = biased);
	if
	:: publishes ->
		STEP(old = slot);
		STEP(slot = MM; STORE(WALKER, SLOT, MM); printf("walker: publishes\n"));
		STEP(MB(WALKER))
	:: else
	fi;
	STEP(seen = mem[ENTRY]; printf("walker: reads entry = %d\n", seen));
	if
	:: seen ->
		STEP(printf("walker: reads the table\n"); assert(!freed));
		STEP(printf("walker: reads the table\n"); assert(!freed))
	:: else
	fi;
	if
	:: publishes -> STEP(slot = old; STORE(WALKER, SLOT, old))
	:: else
	fi;
	STEP(irqs_off = false; printf("walker: is done\n"))
}

proctype inner()
{
	byte n, old, seen, publishes;
end:
	do
	:: n < NMIS ->
		nmi = true;
		printf("NMI: begins\n");
		publishes = biased;
		if
		:: publishes ->
			old = slot;
			slot = INNER;
			STORE(WALKER, SLOT, INNER);
			MB(WALKER)
		:: else
		fi;
#ifndef OTHER_MM
		seen = mem[ENTRY];
		if
		:: seen -> assert(!freed)
		:: else
		fi;
#endif
		if
		:: publishes ->
#ifdef F3
			old = 0;
#endif
			slot = old;
			STORE(WALKER, SLOT, old);
			printf("NMI: leaves %d in the slot\n", old)
		:: else
		fi;
		n++;
		old = 0; seen = 0; publishes = 0;
		nmi = false
	:: n == NMIS -> break
	od
}

proctype remover()
{
	bool witness;

	biased = true;
	printf("remover: biases the mm\n");
	atomic { !irqs_off && !nmi -> trusted = true; printf("(grace period)\n") }
	STORE(REMOVER, ENTRY, 0);
	MB(REMOVER);
	printf("remover: has cleared the entry\n");
	if
	:: atomic { mem[SLOT] == MM -> printf("remover: interrupts the walker\n") };
		!irqs_off && !nmi
	:: atomic { mem[SLOT] != MM ->
		witness = irqs_off;
		printf("remover: finds %d in the slot, skips the CPU\n", mem[SLOT]) }
#ifdef WITNESS
		assert(!witness)
#endif
	fi;
	freed = true;
	printf("remover: frees the table\n")
}

init {
	atomic {
		mem[ENTRY] = 1;
		run store_buffer(WALKER); run store_buffer(REMOVER);
		run outer(); run inner(); run remover()
	}
}
