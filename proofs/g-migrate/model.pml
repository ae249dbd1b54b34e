/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two CPUs run a sender of a flush and a walker, each on one of them; they
 * change places when the scheduler likes, not while one has preemption off
 * (sender) or interrupts off (walker). The sender clears the entry, interrupts
 * the CPU that it is not on, waits for the answer, frees the table.
 *
 * EARLY: which CPU it is on was found before it cleared the entry.
 */
#define MOVES 2

byte sender_cpu;		/* the walker is on the other, if it runs */
bool walker_runs = true;	/* or waits for a CPU */
bool preempt_off, irqs_off, freed;
byte entry = 1;
bool asked[2];

/* The scheduler: the sender goes to the other CPU, the walker to this one. */
proctype scheduler()
{
	byte n;
end:
	do
	:: n < MOVES && !preempt_off && !irqs_off ->
		atomic {
			!preempt_off && !irqs_off ->
			sender_cpu = 1 - sender_cpu;
			n++;
			printf("sender is on CPU %d now\n", sender_cpu)
		}
	:: n == MOVES -> break
	od
}

/* An interrupt is taken as soon as the CPU has interrupts on. */
proctype interrupts()
{
end:
	do
	:: atomic { asked[0] && (sender_cpu == 0 || !irqs_off) -> asked[0] = false; printf("CPU 0 takes the interrupt\n") }
	:: atomic { asked[1] && (sender_cpu == 1 || !irqs_off) -> asked[1] = false; printf("CPU 1 takes the interrupt\n") }
	od
}

proctype walker()
{
	byte n, seen;
end:
	do
	:: n < 2 ->
		irqs_off = true;
		atomic { seen = entry; printf("walker: reads entry = %d\n", seen) }
		if
		:: seen -> printf("walker: reads the table\n"); assert(!freed)
		:: else
		fi;
		seen = 0;
		irqs_off = false;
		n++
	:: n == 2 -> break
	od
}

proctype sender()
{
	byte here, queued;

#ifdef EARLY
	here = sender_cpu;
#endif
	entry = 0;
	printf("sender: clears the entry\n");
	preempt_off = true;
#ifndef EARLY
	here = sender_cpu;
#endif
	queued = sender_cpu;
	asked[1 - here] = true;
	printf("sender: asks CPU %d\n", 1 - here);
	preempt_off = false;
	!asked[0] && !asked[1];
#ifdef WITNESS
	bool witness = queued != sender_cpu;
	assert(!witness);
#endif
	freed = true;
	printf("sender: frees the table\n")
}

init { atomic { run scheduler(); run interrupts(); run walker(); run sender() } }
