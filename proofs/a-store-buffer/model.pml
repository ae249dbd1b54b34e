/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Walkers that publish themselves against a remover that clears, looks at the
 * slots, interrupts whom it finds and frees the table. CPU 0 and 1 walk, CPU 2
 * removes, each behind its store buffer.
 *
 * F1: the remover has a read barrier between the clear and its look, which is
 * nothing at all here.
 */
#define CPUS 3
#define REMOVER 2
#define WALKS 2

mtype = { ENTRY, SLOT0, SLOT1 };
#include "tso.pml"

#define SLOT(cpu) (cpu == 0 -> SLOT0 : SLOT1)

bool irqs_off[2];
bool freed;

proctype walker(byte cpu)
{
	byte n, seen;

	do
	:: n < WALKS ->
		irqs_off[cpu] = true;
		STORE(cpu, SLOT(cpu), 1);
		printf("walker: publishes\n");
		MB(cpu);
		atomic {
			seen = mem[ENTRY];
			printf("walker: reads entry = %d\n", seen)
		}
		if
		:: seen ->
			printf("walker: reads the table\n");
			assert(!freed)
		:: else
		fi;
		STORE(cpu, SLOT(cpu), 0);
		irqs_off[cpu] = false;
		seen = 0;
		n++
	:: else -> break
	od
}

proctype remover()
{
	byte cpu;
	bool witness;

	STORE(REMOVER, ENTRY, 0);
	printf("remover: clears the entry\n");
#ifndef F1
	MB(REMOVER);
#endif
	do
	:: cpu < 2 ->
		if
		:: atomic { mem[SLOT(cpu)] -> printf("remover: interrupts CPU %d\n", cpu) };
			!irqs_off[cpu]	/* the IPI is taken when IRQs are on */
		:: atomic { !mem[SLOT(cpu)] ->
			witness = irqs_off[cpu];
			printf("remover: finds CPU %d's slot empty, skips it\n", cpu) }
#ifdef WITNESS
			assert(!witness)	/* a CPU with IRQs off is skipped at all */
#endif
		fi;
		cpu++
	:: else -> break
	od;
	freed = true;
	printf("remover: frees the table\n")
}

init {
	atomic {
		mem[ENTRY] = 1;
		run store_buffer(0); run store_buffer(1); run store_buffer(2);
		run walker(0); run walker(1); run remover()
	}
}
