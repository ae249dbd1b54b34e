/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A CPU comes up, runs the mm, walks, leaves the mm, goes down; and once more.
 * The remover skips CPUs that are offline or not in the mm's mask. Both masks
 * are read after the entry was cleared, with preemption off, so that no CPU
 * can go down (stop_machine) between the look and the answer to its IPI.
 *
 * EARLY: cpu_online_mask is copied before the entry is cleared.
 */
#define CPUS 2
#define TARGET 0
#define REMOVER 1
#define LIVES 2

mtype = { ENTRY, ONLINE };
#include "tso.pml"

bool in_mask, irqs_off, preempt_off, freed;

proctype target()
{
	byte n, seen;

	do
	:: n < LIVES ->
		STORE(TARGET, ONLINE, 1);
		printf("target: comes online\n");
		/* context switch to the mm: a locked set bit, then CR3 */
		atomic { MB(TARGET) -> in_mask = true; printf("target: runs the mm\n") }
		irqs_off = true;
		atomic { seen = mem[ENTRY]; printf("target: reads entry = %d\n", seen) }
		if
		:: seen -> printf("target: reads the table\n"); assert(!freed)
		:: else
		fi;
		irqs_off = false;
		seen = 0;
		atomic { MB(TARGET) -> in_mask = false; printf("target: leaves the mm\n") }
		atomic { !preempt_off -> STORE(TARGET, ONLINE, 0); printf("target: goes offline\n") }
		n++
	:: else -> break
	od
}

proctype remover()
{
	bool online, witness;

#ifdef EARLY
	online = mem[ONLINE];
#endif
	STORE(REMOVER, ENTRY, 0);
	printf("remover: clears the entry\n");
	MB(REMOVER);
	preempt_off = true;
#ifndef EARLY
	online = mem[ONLINE];
#endif
	if
	:: online && in_mask ->
		printf("remover: interrupts the target\n");
		!irqs_off
	:: else -> printf("remover: skips the target\n");
		witness = online
#ifdef WITNESS
		; assert(!witness)
#endif
	fi;
	preempt_off = false;
	freed = true;
	printf("remover: frees the table\n")
}

init {
	atomic {
		mem[ENTRY] = 1;
		run store_buffer(TARGET); run store_buffer(REMOVER);
		run target(); run remover()
	}
}
