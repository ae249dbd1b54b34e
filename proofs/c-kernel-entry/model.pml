/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A CPU in an RCU extended quiescent state (user mode on a context-tracked
 * CPU, idle, a guest) is not interrupted. It enters the kernel and walks, or
 * an NMI hits it there and walks; both first say so by a locked operation,
 * which drains the store buffer of the CPU.
 *
 * F9: the remover reads the state with its cleared entry still in its own
 * store buffer. LATE: the CPU walks before it says that it entered.
 */
#define CPUS 2
#define TARGET 0
#define REMOVER 1
#define ENTRIES 2
#define NMIS 2

mtype = { ENTRY };
#include "tso.pml"

bool watching;	/* CT_RCU_WATCHING of the target: written by locked operations only */
bool irqs_off, nmi, freed;

#define STEP(x)	atomic { !nmi -> x }

proctype target()
{
	byte n, seen;

	do
	:: n < ENTRIES ->
		STEP(irqs_off = true);	/* user mode takes interrupts until here */
#ifndef LATE
		STEP(MB(TARGET) -> watching = true; printf("target: enters the kernel\n"));
#endif
		STEP(seen = mem[ENTRY]; printf("target: reads entry = %d\n", seen));
		if
		:: seen -> STEP(printf("target: reads the table\n"); assert(!freed))
		:: else
		fi;
#ifdef LATE
		STEP(MB(TARGET) -> watching = true; printf("target: enters the kernel\n"));
#endif
		STEP(MB(TARGET) -> watching = false; printf("target: is back in user mode\n"));
		STEP(irqs_off = false; seen = 0);
		n++
	:: else -> break
	od
}

proctype nmis()
{
	byte n, seen;
	bool mine;
end:
	do
	:: n < NMIS ->
		nmi = true;
		if
		:: atomic { !watching -> MB(TARGET); watching = true; mine = true;
			printf("NMI: hits a quiescent CPU, says so\n") }
		:: watching -> printf("NMI: hits the kernel\n")
		fi;
		atomic { seen = mem[ENTRY]; printf("NMI: reads entry = %d\n", seen) }
		if
		:: seen -> printf("NMI: reads the table\n"); assert(!freed)
		:: else
		fi;
		if
		:: mine -> atomic { MB(TARGET); watching = false }
		:: else
		fi;
		n++;
		seen = 0; mine = false;
		nmi = false
	:: n == NMIS -> break
	od
}

proctype remover()
{
	bool witness;

	STORE(REMOVER, ENTRY, 0);
	printf("remover: clears the entry\n");
#ifndef F9
	MB(REMOVER);
#endif
	if
	:: atomic { watching -> printf("remover: interrupts the target\n") };
		!irqs_off && !nmi
	:: atomic { !watching -> witness = true;
		printf("remover: finds the target quiescent, skips it\n") }
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
		run store_buffer(TARGET); run store_buffer(REMOVER);
		run target(); run nmis(); run remover()
	}
}
