/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A CPU runs a task of the mm, then a kernel thread that leaves the mm loaded
 * (lazy TLB), then the task again. Its page walker, in hardware, may at any
 * time put the upper-level entry into the paging-structure cache and later
 * walk on through what it cached: speculation asks nobody. Coming back from
 * lazy it compares generations and flushes. An IPI makes a lazy CPU load
 * init_mm.
 *
 * The remover unshares a PMD table: nothing was freed by this mm, so the flush
 * says "no tables freed" and lazy CPUs are left out (F4). quell: the flush
 * counts freed and unshared tables alike, which includes lazy CPUs.
 */
#define TURNS 2

bool linked = true, freed;
bool cached;		/* in the paging-structure cache */
bool loaded = true;	/* CR3 is this mm's */
bool lazy;
byte generation, flushed;

proctype cpu()
{
	byte n;

	do
	:: n < TURNS ->
		atomic { lazy = true; printf("cpu: runs a kernel thread, lazily\n") };
		atomic {	/* switch_mm_irqs_off(), back to the task */
			lazy = false;
			if
			:: !loaded || flushed != generation -> cached = false; flushed = generation
			:: else
			fi;
			loaded = true;
			printf("cpu: runs the task again\n")
		}
		n++
	:: else -> break
	od
}

proctype speculation()
{
end:
	do
	:: atomic { loaded && linked && !cached -> cached = true;
		printf("cpu: caches the upper-level entry\n") }
	:: atomic { loaded && cached ->
		if
		:: freed -> printf("cpu: speculates through the old table\n")
		:: else
		fi;
		assert(!freed) }
	od
}

proctype remover()
{
	bool all, witness;

#ifndef F4
	all = true;	/* freed_tables || unshared_tables */
#endif
	linked = false;
	printf("remover: unshares the table\n");
	generation++;
	if
	:: atomic { !lazy || all ->
		printf("remover: the flush interrupts the cpu, lazy: %d\n", lazy);
		cached = false;
		witness = lazy;
		if
		:: lazy -> loaded = false
		:: else -> flushed = generation
		fi }
#ifdef WITNESS
		assert(!witness)
#endif
	:: atomic { lazy && !all -> printf("remover: the flush leaves the lazy cpu out\n") }
	fi;
	freed = true;
	printf("remover: the last user frees the table\n")
}

init { atomic { run cpu(); run speculation(); run remover() } }
