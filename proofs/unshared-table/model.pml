/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Three mms share a hugetlb PMD table. Two leave it, one after the other, each
 * under i_mmap_rwsem from the cleared entry to the end of the sync; then the
 * third has it for itself and fills it with something else. A walker of a mm
 * that has left must not stand on it then.
 *
 * A sync that broadcasts is needed from the last to leave only. A sync that
 * waits for the walkers of one mm is needed from everybody who leaves.
 *
 * F14: targeted, by the last to leave only.
 * SWITCH: the strategy changes from "broadcast, the last only" to "targeted,
 *	everybody" at any time. In between everybody broadcasts for a grace
 *	period, which waits for the syncs and walks it finds.
 * NO_GRACE: it changes at once.
 */
#define MMS 3
#define LEAVERS 2
#define BROADCAST_BY_LAST 0
#define BROADCAST 1
#define TARGETED 2

bool linked[LEAVERS];
byte users = MMS;
bool i_mmap_rwsem;
bool other_use;		/* the table is the third mm's alone */
bool irqs_off[LEAVERS], syncing[LEAVERS];
byte strategy;

proctype walker(byte mm)
{
end:
	do
	:: irqs_off[mm] = true;
		if
		:: atomic { linked[mm] -> printf("walker of mm %d: finds the table\n", mm) }
			atomic { printf("walker of mm %d: reads the table\n", mm); assert(!other_use) }
		:: !linked[mm]
		fi;
		irqs_off[mm] = false
	od
}

proctype leaver(byte mm)
{
	byte now;
	bool last, witness;

	atomic { !i_mmap_rwsem -> i_mmap_rwsem = true };
	linked[mm] = false;
	atomic { users--; last = (users == 1);
		printf("mm %d: leaves, is the last: %d\n", mm, last) };
	atomic { syncing[mm] = true; now = strategy };
#ifdef F14
	if
	:: last -> printf("mm %d: waits for its walkers\n", mm); !irqs_off[mm]
	:: else
	fi;
#else
	if
	:: now == BROADCAST_BY_LAST && !last -> printf("mm %d: leaves the sync to the last\n", mm)
	:: now == TARGETED ->
		printf("mm %d: waits for its walkers\n", mm);
		witness = irqs_off[1 - mm];
		!irqs_off[mm]
#ifdef WITNESS
		; assert(!witness)
#endif
	:: else ->
		printf("mm %d: waits for all walkers\n", mm);
		!irqs_off[0];
		!irqs_off[1]
	fi;
#endif
	syncing[mm] = false;
	i_mmap_rwsem = false
}

proctype heir()
{
	atomic { !i_mmap_rwsem && users == 1 -> i_mmap_rwsem = true };
	other_use = true;
	printf("mm 2: has the table for itself\n")
}

#if defined(SWITCH) || defined(NO_GRACE)
proctype switcher()
{
#ifdef SWITCH
	byte i;

	strategy = BROADCAST;
	printf("switch: everybody broadcasts\n");
	do	/* a grace period: whoever is at it now gets done */
	:: i < LEAVERS -> !irqs_off[i]; !syncing[i]; i++
	:: else -> break
	od;
#endif
	strategy = TARGETED;
	printf("switch: targeted\n")
}
#endif

init {
	atomic {
		linked[0] = true; linked[1] = true;
#if defined(SWITCH) || defined(NO_GRACE)
		strategy = BROADCAST_BY_LAST;
		run switcher();
#else
		strategy = TARGETED;
#endif
		run walker(0); run walker(1); run leaver(0); run leaver(1); run heir()
	}
}
