/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The windows in which current->mm is the mm and mm_cpumask() does not say so,
 * all with IRQs off, so only an NMI can walk there:
 *  - kthread_use_mm(): current->mm is set, switch_mm comes after;
 *  - a context switch away, as 6.12 does it: the bit goes before current;
 *  - a temporary mm (text poking, EFI): a flush trims the bit of a CPU whose
 *    loaded mm is another one (EFI runs with IRQs on).
 * The walker gives up when the loaded mm is not current->mm, which is what
 * nmi_uaccess_okay() tells.
 *
 * F12: it does not ask. NEUTRAL: it asks, but loaded_mm is not invalidated
 * before the bit is cleared in a switch.
 */
#define MM 1
#define OTHER 2
#define SWITCHING 3
#define NMIS 2

byte current_mm = OTHER, loaded = OTHER;
bool in_mask, irqs_off, nmi, freed;
byte entry = 1;

#define STEP(x)	atomic { !nmi -> x }

inline switch_to_mm() {
	STEP(loaded = SWITCHING);
	STEP(in_mask = true);
	STEP(loaded = MM)
}

proctype cpu()
{
	STEP(irqs_off = true);
	STEP(current_mm = MM; printf("cpu: kthread_use_mm: current->mm = mm\n"));
	switch_to_mm();
	STEP(irqs_off = false; printf("cpu: mm is loaded, bit set\n"));

	/* a temporary mm; an interrupt may trim the bit */
	STEP(loaded = SWITCHING);
	STEP(loaded = OTHER; printf("cpu: uses a temporary mm\n"));
	if
	:: STEP(in_mask = false; printf("cpu: a flush finds another mm loaded, trims the bit\n"))
	:: STEP(skip)
	fi;
	STEP(irqs_off = true);
	switch_to_mm();
	STEP(irqs_off = false; printf("cpu: is back from the temporary mm\n"));

	/* switch away, 6.12's order */
	STEP(irqs_off = true);
#ifndef NEUTRAL
	STEP(loaded = SWITCHING);
#endif
	STEP(in_mask = false; printf("cpu: context switch clears the bit\n"));
	STEP(loaded = OTHER);
	STEP(current_mm = OTHER; printf("cpu: current is another task\n"));
	STEP(irqs_off = false)
}

proctype nmis()
{
	byte n, seen;
	bool walks;
end:
	do
	:: n < NMIS ->
		nmi = true;
		walks = (current_mm == MM);
#ifndef F12
		walks = walks && loaded == MM;
#endif
		if
		:: walks ->
			printf("NMI: walks current->mm\n");
			seen = entry;
			if
			:: seen -> printf("NMI: reads the table\n"); assert(!freed)
			:: else
			fi
		:: else -> printf("NMI: gives up\n")
		fi;
		n++;
		seen = 0; walks = false;
		nmi = false
	:: n == NMIS -> break
	od
}

proctype remover()
{
	bool witness;

	entry = 0;
	printf("remover: clears the entry\n");
	if
	:: atomic { in_mask -> printf("remover: interrupts the CPU\n") };
		!irqs_off && !nmi
	:: atomic { !in_mask ->
		witness = nmi;
		printf("remover: CPU is not in the mask, skips it\n") }
#ifdef WITNESS
		assert(!witness)
#endif
	fi;
	freed = true;
	printf("remover: frees the table\n")
}

init { atomic { run cpu(); run nmis(); run remover() } }
