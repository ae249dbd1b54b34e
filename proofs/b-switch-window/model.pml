/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The windows in which current->mm is the mm and others cannot see it, all
 * with IRQs off or nearly so, so that only an NMI can walk there, or code that is
 * called in the window (perf's, by the scheduler's events):
 *  - kthread_use_mm(): current->mm is set, switch_mm comes after;
 *  - a context switch away: rq->curr goes first; 6.12 then clears the bit;
 *    current, which is what an NMI finds, comes last;
 *  - a temporary mm (text poking, EFI): a flush trims the bit of a CPU whose
 *    loaded mm is another one (EFI runs with IRQs on).
 * The walker gives up when current is not what the runqueue says, and when the
 * loaded mm is not current->mm, which is what nmi_uaccess_okay() tells.
 *
 * F12: it asks neither. F15: it does not ask in a task. NO_TASK_CURR: it does not ask the runqueue. NEUTRAL: it
 * asks, but loaded_mm is not invalidated before the bit is cleared in a switch.
 */
#define MM 1
#define OTHER 2
#define SWITCHING 3
#define NMIS 2

byte task_mm = OTHER, loaded = OTHER;	/* of the task, of the CPU */
bool rq_curr = true, current_is = true;	/* is it this task? */
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
	STEP(task_mm = MM; printf("cpu: kthread_use_mm: current->mm = mm\n"));
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
	STEP(rq_curr = false; printf("cpu: context switch: rq->curr is another task\n"));
#ifndef NEUTRAL
	STEP(loaded = SWITCHING);
#endif
	STEP(in_mask = false; printf("cpu: context switch clears the bit\n"));
	STEP(loaded = OTHER);
	STEP(current_is = false; printf("cpu: current is another task\n"));
	STEP(irqs_off = false)
}

proctype nmis()
{
	byte n, seen;
	bool walks, task;
end:
	do
	:: n < NMIS ->
		nmi = true;
		if
		:: irqs_off -> task = true
		:: task = false
		fi;
		walks = (current_is && task_mm == MM);
#ifndef F12
#ifndef NO_TASK_CURR
		walks = walks && rq_curr;
#endif
		walks = walks && loaded == MM;
#ifdef F15
		walks = walks || (task && current_is && task_mm == MM);
#endif
#endif
		if
		:: walks ->
			if
			:: task -> printf("event in the window: walks current->mm\n")
			:: else -> printf("NMI: walks current->mm\n")
			fi;
			seen = entry;
			if
			:: seen -> printf("it reads the table\n"); assert(!freed)
			:: else
			fi
		:: else -> printf("it gives up\n")
		fi;
		n++;
		seen = 0; walks = false; task = false;
		nmi = false
	:: n == NMIS -> break
	od
}

proctype remover()
{
	bool witness, runs;

	entry = 0;
	printf("remover: clears the entry\n");
	/* two questions, one after the other */
	runs = in_mask;
	if
	:: runs -> atomic { runs = (rq_curr && task_mm == MM) }
	:: else
	fi;
	if
	:: runs -> printf("remover: interrupts the CPU\n");
		!irqs_off && !nmi
	:: else ->
		witness = nmi;
		printf("remover: CPU does not run the mm, skips it\n")
#ifdef WITNESS
		; assert(!witness)
#endif
	fi;
	freed = true;
	printf("remover: frees the table\n")
}

init { atomic { run cpu(); run nmis(); run remover() } }
