/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A patched instruction, as first byte and tail, each with the version it is
 * of. Versions are numbered by batches; INT3 is a first byte of no version.
 * A batch is three steps - INT3, tail, first byte - with a sync after each, and
 * the breakpoint's handler has its data from before the first to after the last.
 *
 * An isolated CPU enters the kernel, executes the instruction and goes back to
 * user mode. What it executes is what it fetched, which may be of any time
 * since it last serialised, the two parts of different times: it fetches
 * whenever it likes, in user mode as well. NMI-like entries hit at every step
 * and nest; they execute the instruction too.
 *
 * Executing is wrong when the parts do not belong together, when it is a
 * breakpoint whose handler's data is gone, or when the version is older than
 * the last complete batch.
 *
 * TAKE_FIRST: the entry takes the debt, then serialises (F10).
 * CR3: the entry relies on what serialises before it takes the word.
 * NMI_BLIND: an NMI that interrupts the kernel does not look at the word.
 * SKIP_MIDDLE: no sync after the second step for a CPU in user mode.
 * DEFER_ONCE: a CPU that deferred the first step is not looked at for the others.
 * CLEAR_ALL: the entry pays the other debt, a flush, and clears both.
 * EARLY: the instruction also runs before the word is taken.
 * EVERYBODY: the sender interrupts whatever the word says.
 */
#define KERNEL 1
#define FLUSH 2
#define SYNC 4
#ifndef ENTRIES
#define ENTRIES 2
#endif
#ifndef NMIS
#define NMIS 1
#endif
#ifndef BATCHES
#define BATCHES 2
#endif
#define INT3 9

byte word;
byte first, tail;	/* in memory */
byte f_first, f_tail;	/* as this CPU has fetched them */
byte complete;		/* the last batch that is over */
bool handler;		/* the breakpoint's handler has its data */
bool takes_irqs = true;	/* user mode, or kernel with IRQs on */
byte level;		/* 0: the task, 1: an NMI, 2: another in it */
byte below[3];

#define STEP(l, x)	atomic { level == l -> x }
#define SERIALISE	f_first = first; f_tail = tail; printf("    cpu: serialises\n")
#define EXECUTE		printf("    cpu: executes first byte %d, tail %d\n", f_first, f_tail); \
			assert(f_first == INT3 -> handler : (f_first == f_tail && f_first >= complete))

inline entry_hook(l, old)
{
#ifdef CR3
	STEP(l, SERIALISE);
#endif
	STEP(l, old = word; word = word | KERNEL; printf("cpu: fetch_or(KERNEL), was %d\n", old));
	if
#ifdef CLEAR_ALL
	:: old & FLUSH -> STEP(l, word = word & ~(FLUSH | SYNC))
	:: !(old & FLUSH) && old & SYNC ->
#else
	:: old & FLUSH -> STEP(l, word = word & ~FLUSH)
	:: else
	fi;
	if
	:: old & SYNC ->
#endif
#if defined(TAKE_FIRST)
		STEP(l, word = word & ~SYNC);
		STEP(l, SERIALISE)
#elif defined(CR3)
		STEP(l, word = word & ~SYNC)
#else
		STEP(l, SERIALISE);
		STEP(l, word = word & ~SYNC)
#endif
	:: else
	fi
}

proctype cpu()
{
	byte n, old;

	do
	:: n < ENTRIES ->
		STEP(0, takes_irqs = false; printf("cpu: enters\n"));
#ifdef EARLY
		STEP(0, EXECUTE);
#endif
		entry_hook(0, old);
		STEP(0, takes_irqs = true);
		STEP(0, EXECUTE);
		STEP(0, takes_irqs = false);
		STEP(0, EXECUTE);
		STEP(0, word = word & ~KERNEL; printf("cpu: exit clears KERNEL\n"));
		STEP(0, takes_irqs = true; printf("cpu: user mode\n"));
		old = 0;
		n++
	:: else -> break
	od
}

proctype nmi_like(byte l)
{
	byte n, old;
	bool blind;
end:
	do
	:: n < NMIS ->
		atomic { level < l -> below[l] = level; level = l; n++;
#ifdef NMI_BLIND
			blind = !takes_irqs;
#endif
			printf("NMI %d: begins\n", l) };
#ifdef EARLY
		STEP(l, EXECUTE);
#endif
		if
		:: blind
		:: else -> entry_hook(l, old)
		fi;
		STEP(l, EXECUTE);
		if
		:: !blind && !(old & KERNEL) -> STEP(l, word = word & ~KERNEL)
		:: else
		fi;
		atomic { level == l -> old = 0; blind = false; level = below[l];
			printf("NMI %d: ends\n", l) }
	:: n == NMIS -> break
	od
}

/* At any time, either part alone. */
proctype fetch()
{
end:
	do
	:: atomic { f_first != first -> f_first = first; printf("    cpu: fetches first byte %d\n", first) }
	:: atomic { f_tail != tail -> f_tail = tail; printf("    cpu: fetches tail %d\n", tail) }
	od
}

/* The other debt: somebody asks for a flush. */
proctype flusher()
{
end:
	atomic { !(word & KERNEL) -> word = word | FLUSH; printf("flusher: defers\n") }
}

inline sync()
{
	atomic {
		if
#ifdef EVERYBODY
		:: true -> printf("sender: sends an IPI\n")
#else
		:: word & KERNEL -> printf("sender: sends an IPI\n")
		:: else -> deferred = true; word = word | SYNC; printf("sender: defers\n")
#endif
		fi
	};
	if
	:: deferred
	:: else -> atomic { takes_irqs && level == 0 -> SERIALISE }
	fi;
#ifdef WITNESS
	bool witness = deferred;
	assert(!witness);
#endif
	stays_out = deferred;
	deferred = false
}

proctype sender()
{
	byte batch = 1;
	bool deferred, stays_out;

	do
	:: batch <= BATCHES ->
		handler = true;
		atomic { first = INT3; printf("sender: batch %d, INT3\n", batch) };
		sync();
		atomic { tail = batch; printf("sender: the tail\n") };
#if defined(SKIP_MIDDLE)
		if
		:: word & KERNEL -> sync()
		:: else
		fi;
#elif defined(DEFER_ONCE)
		if
		:: stays_out
		:: else -> sync()
		fi;
#else
		sync();
#endif
		atomic { first = batch; printf("sender: the first byte\n") };
#ifdef DEFER_ONCE
		if
		:: stays_out
		:: else -> sync()
		fi;
#else
		sync();
#endif
		atomic { handler = false; complete = batch; printf("sender: batch %d is over\n", batch) };
		batch++
	:: else -> break
	od
}

init {
	atomic { run cpu(); run nmi_like(1); run nmi_like(2); run fetch(); run flusher(); run sender() }
}
