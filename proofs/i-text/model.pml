/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A patched instruction of arm64, which is written in one step, and the
 * generation that counts the syncs. A sync interrupts a CPU, unless the CPU's
 * state says user mode and RCU does not watch it.
 *
 * A context-tracked CPU enters the kernel, executes the instruction and goes
 * back to user mode. What it executes is what it fetched, which may be of any
 * time since its last context synchronisation event: it fetches whenever it
 * likes, in user mode as well. Interrupts and the exception from user mode are
 * such events. Those of NMI-like entries are not counted upon: nothing that they
 * read orders them. They hit at every step and nest, and execute it too.
 *
 * Executing is wrong when the version is older than the last complete batch.
 *
 * EXCEPTION: entry relies on the exception that brought the CPU there.
 * CHECK_FIRST: entry looks at the generation before RCU watches.
 * TAKE_FIRST: entry says that it has synchronised, then does (as F10).
 * NMI_BLIND: an NMI that interrupts the kernel does not look at the generation.
 * STATE_ONLY: the sender does not look at RCU's bit.
 * LATE: the sender counts after it has looked at the state.
 * FLAG: the sender sets a flag, and entry clears it when it has synchronised.
 * EARLY: the instruction also runs before the generation is looked at.
 * EVERYBODY: the sender interrupts whatever the state says.
 */
#ifndef ENTRIES
#define ENTRIES 2
#endif
#ifndef NMIS
#define NMIS 1
#endif
#ifndef BATCHES
#define BATCHES 2
#endif

byte text;		/* the version in memory */
byte fetched;		/* the version that this CPU has fetched */
byte complete;		/* the last batch that is over */
byte generation, seen;
bool user = true, watching;
bool takes_irqs = true;	/* user mode, or kernel with IRQs on */
byte level;		/* 0: the task, 1: an NMI, 2: another in it */
byte below[3];

#define STEP(l, x)	atomic { level == l -> x }
#define SYNCHRONISE	fetched = text; printf("    cpu: synchronises\n")
#define EXECUTE		printf("    cpu: executes version %d\n", fetched); \
			assert(fetched >= complete)

inline look(l, g)
{
#ifndef EXCEPTION
	STEP(l, g = generation; printf("cpu: generation %d, seen %d\n", g, seen));
	if
#ifdef FLAG
	:: g ->
		STEP(l, SYNCHRONISE);
		STEP(l, generation = 0)
#else
	:: g != seen ->
#ifdef TAKE_FIRST
		STEP(l, seen = g);
		STEP(l, SYNCHRONISE)
#else
		STEP(l, SYNCHRONISE);
		STEP(l, seen = g)
#endif
#endif
	:: else
	fi;
	g = 0
#else
	skip
#endif
}

proctype cpu()
{
	byte n, g;

	do
	:: n < ENTRIES ->
		STEP(0, takes_irqs = false; printf("cpu: enters\n"); SYNCHRONISE);
#ifdef EARLY
		STEP(0, EXECUTE);
#endif
#ifdef CHECK_FIRST
		look(0, g);
#endif
		STEP(0, user = false; watching = true; printf("cpu: RCU watches\n"));
#ifndef CHECK_FIRST
		look(0, g);
#endif
		STEP(0, takes_irqs = true);
		STEP(0, EXECUTE);
		STEP(0, takes_irqs = false);
		STEP(0, EXECUTE);
		STEP(0, user = true; watching = false; printf("cpu: exit\n"));
		STEP(0, takes_irqs = true; printf("cpu: user mode\n"));
		n++
	:: else -> break
	od
}

proctype nmi_like(byte l)
{
	byte n, g;
	bool ours;
end:
	do
	:: n < NMIS ->
		atomic { level < l -> below[l] = level; level = l; n++;
			printf("NMI %d: begins\n", l) };
#ifdef EARLY
		STEP(l, EXECUTE);
#endif
#ifndef NMI_BLIND
		look(l, g);
#endif
		STEP(l, ours = !watching);
		if
		:: ours ->
			STEP(l, watching = true);
			look(l, g)
		:: else
		fi;
		STEP(l, EXECUTE);
		if
		:: ours -> STEP(l, watching = false)
		:: else
		fi;
		atomic { level == l -> ours = false; level = below[l];
			printf("NMI %d: ends\n", l) }
	:: n == NMIS -> break
	od
}

/* At any time. */
proctype fetch()
{
end:
	do
	:: atomic { fetched != text -> fetched = text; printf("    cpu: fetches version %d\n", text) }
	od
}

inline count()
{
#ifdef FLAG
	atomic { generation = 1; printf("sender: sets the flag\n") }
#else
	atomic { generation++; printf("sender: counts %d\n", generation) }
#endif
}

proctype sender()
{
	byte batch = 1;
	bool deferred;

	do
	:: batch <= BATCHES ->
		atomic { text = batch; printf("sender: batch %d\n", batch) };
#ifndef LATE
		count();
#endif
		atomic {
			if
#if defined(EVERYBODY)
			:: true -> printf("sender: sends an IPI\n")
#elif defined(STATE_ONLY)
			:: user -> deferred = true; printf("sender: defers\n")
			:: else -> printf("sender: sends an IPI\n")
#else
			:: user && !watching -> deferred = true; printf("sender: defers\n")
			:: else -> printf("sender: sends an IPI\n")
#endif
			fi
		};
#ifdef LATE
		count();
#endif
		if
		:: deferred
		:: else -> atomic { takes_irqs && level == 0 -> SYNCHRONISE }
		fi;
#ifdef WITNESS
		bool witness = deferred;
		assert(!witness);
#endif
		deferred = false;
		atomic { complete = batch; printf("sender: batch %d is over\n", batch) };
		batch++
	:: else -> break
	od
}

init {
	atomic { run cpu(); run nmi_like(1); run nmi_like(2); run fetch(); run sender() }
}
