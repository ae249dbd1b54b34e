/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One slot per CPU, and a walk that is interrupted by an NMI that walks as
 * well, and that by another (a machine check in it). They hit between any two
 * steps, also between the branch of the walk below, its load of the old slot
 * and its store. All share the CPU's store buffer.
 *
 * F3: the inner walk ends by clearing the slot; quell puts back what it found.
 * OTHER_MM: the inner walk is of another mm and puts its own name there.
 * ANY: it puts there what is everybody's mm (PT_WALK_ANY), as quell does.
 * TOKEN: and what is put back has lost its lowest bit, as it does if
 *	PT_WALK_ANY is odd and the token keeps its own bit there.
 */
#define CPUS 2
#define WALKER 0
#define REMOVER 1
#define MM 2
#define OTHER 4
#ifdef TOKEN
#define MM_ANY 7
#define PUT_BACK(old) (old & ~1)
#else
#define MM_ANY 6
#define PUT_BACK(old) old
#endif

#if defined(OTHER_MM)
#define INNER OTHER
#elif defined(ANY) || defined(TOKEN)
#define INNER MM_ANY
#else
#define INNER MM
#endif

mtype = { ENTRY, SLOT };
#include "tso.pml"

bool irqs_off, freed;
byte level;	/* 0: the outer walk, 1 and 2: NMI-like */
byte slot;	/* what this CPU itself sees in its slot */
bool biased;	/* turned on under the walkers: not yet trusted then */

#define STEP(l, x)	atomic { level == l -> x }

proctype outer()
{
	byte old, seen, publishes;

	STEP(0, irqs_off = true);
	STEP(0, publishes = biased);
	if
	:: publishes ->
		STEP(0, old = slot);
		STEP(0, slot = MM; STORE(WALKER, SLOT, MM); printf("walker: publishes\n"));
		STEP(0, MB(WALKER))
	:: else
	fi;
	STEP(0, seen = mem[ENTRY]; printf("walker: reads entry = %d\n", seen));
	if
	:: seen ->
		STEP(0, printf("walker: reads the table\n"); assert(!freed));
		STEP(0, printf("walker: reads the table\n"); assert(!freed))
	:: else
	fi;
	if
	:: publishes -> STEP(0, slot = old; STORE(WALKER, SLOT, old))
	:: else
	fi;
	STEP(0, irqs_off = false; printf("walker: is done\n"))
}

proctype inner(byte l)
{
	byte old, seen, below;
	bool publishes;

	atomic { level < l -> below = level; level = l; printf("NMI %d: begins\n", l) };
	STEP(l, publishes = biased);
	if
	:: publishes ->
		STEP(l, old = slot);
		STEP(l, slot = INNER; STORE(WALKER, SLOT, INNER); printf("NMI %d: writes %d to the slot\n", l, INNER));
		STEP(l, MB(WALKER))
	:: else
	fi;
#if INNER == MM
	STEP(l, seen = mem[ENTRY]; printf("NMI %d: reads entry = %d\n", l, seen));
	if
	:: seen -> STEP(l, printf("NMI %d: reads the table\n", l); assert(!freed))
	:: else
	fi;
#endif
	if
	:: publishes ->
#ifdef F3
		STEP(l, slot = 0; STORE(WALKER, SLOT, 0); printf("NMI %d: leaves the slot empty\n", l))
#else
		STEP(l, slot = PUT_BACK(old); STORE(WALKER, SLOT, PUT_BACK(old));
			printf("NMI %d: leaves %d in the slot\n", l, PUT_BACK(old)))
#endif
	:: else
	fi;
	atomic { level == l -> level = below; printf("NMI %d: ends\n", l) }
}

#define WALKS_MM(what) (what == MM || what == MM_ANY)

proctype remover()
{
	bool witness;

	biased = true;
	printf("remover: biases the mm\n");
	atomic { !irqs_off && level == 0 -> printf("(grace period)\n") }
	STORE(REMOVER, ENTRY, 0);
	MB(REMOVER);
	printf("remover: has cleared the entry\n");
	if
	:: atomic { WALKS_MM(mem[SLOT]) -> printf("remover: interrupts the walker\n") };
		!irqs_off && level == 0
	:: atomic { !WALKS_MM(mem[SLOT]) ->
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
		run outer(); run inner(1); run inner(2); run remover()
	}
}
