/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The life of a bias: off -> engaging -> engaged -> leaving -> off, and back
 * from leaving, under two walkers that walk for ever and a remover that comes
 * at any time. Grace periods take their time: one waits for the walks (IRQs
 * off) and for the remover's read-side section that it finds. A cookie is done
 * when the period after the one now running has ended.
 *
 * Barriers are the business of e-engage and f-disengage; here everything is
 * sequentially consistent, and the order of steps is on trial.
 *
 * EARLY: trusted without asking whether the cookie is done (torture's
 *	early_bias).
 * F11: the remover asks whether it may trust before the entry is cleared, and
 *	publishing ends with trust, without a grace period between.
 * F13: engaging again keeps the cookie of the last time.
 * COOKIE_FIRST: the cookie is taken before walkers publish.
 */
#define WALKERS 2
#define LIVES 2

bool publish, trust, leaving;	/* struct pt_bias */
bool locked;			/* pt_bias_lock */
byte users, since, until;
bool slot[WALKERS];
bool entry = true, freed;

/* RCU readers: the walkers and, last, the remover */
#define READERS (WALKERS + 1)
bool reader[READERS], waits_for[READERS];
byte periods;		/* grace periods that have ended */
byte wanted;		/* until which one they are asked for */
bool running;

#define NEXT_PERIOD (periods + 1 + running)
#define DONE(cookie) (periods >= cookie)

inline ask_rcu(cookie) {
	cookie = NEXT_PERIOD;
	if
	:: cookie > wanted -> wanted = cookie
	:: else
	fi
}

proctype walker(byte cpu)
{
	bool publishes;
end:
	do
	:: atomic {
		reader[cpu] = true;
		publishes = publish;
		printf("walker %d: publishes: %d\n", cpu, publishes) }
		if
		:: publishes -> slot[cpu] = true
		:: else
		fi;
		if
		:: atomic { entry -> printf("walker %d: finds the table\n", cpu) }
			atomic { printf("walker %d: reads the table\n", cpu); assert(!freed) }
		:: !entry
		fi;
		atomic {	/* in one step: IRQs on a moment later changes nothing */
			slot[cpu] = false;
			reader[cpu] = false;
			waits_for[cpu] = false;
			publishes = false
		}
	od
}

proctype rcu()
{
end:
	do
	:: atomic { !running && periods < wanted ->
		running = true;
		waits_for[0] = reader[0];
		waits_for[1] = reader[1];
		waits_for[2] = reader[2];
		printf("rcu: grace period begins\n") }
	:: atomic { running && !waits_for[0] && !waits_for[1] && !waits_for[2] ->
		running = false;
		periods++;
		printf("rcu: grace period ends\n") }
	od
}

proctype biaser()	/* pt_bias_get() and pt_bias_put(): under one lock */
{
	byte n;

	do
	:: n < LIVES ->
		atomic { !locked -> locked = true };	/* get */
		if
		:: !publish ->
#ifdef COOKIE_FIRST
			atomic { ask_rcu(since) };
			publish = true
#else
			publish = true;
			printf("biaser: engages\n");
#ifdef F13
			if
			:: since == 0 -> atomic { ask_rcu(since) }
			:: else
			fi
#else
			atomic { ask_rcu(since) }
#endif
#endif
		:: else -> printf("biaser: engages while leaving\n")
		fi;
		users = 1;
		atomic { trust = true; locked = false;
			printf("biaser: may be trusted after period %d\n", since) };

		atomic { !locked -> locked = true };	/* put */
		trust = false;
		printf("biaser: no longer to be trusted\n");
#ifdef F11
		publish = false;
		atomic { users = 0; locked = false };
#else
		atomic { ask_rcu(until); users = 0; leaving = true; locked = false };
#endif
		n++
	:: else -> break
	od
}

proctype callback()	/* pt_bias_leave(): under the lock, so in one step */
{
end:
	do
	:: atomic { leaving && !locked && DONE(until) ->
		leaving = false;
		if
		:: users == 0 -> publish = false; printf("rcu callback: walkers publish no more\n")
		:: else
		fi }
	od
}

proctype remover()
{
	byte cpu;
	bool trusted, witness;

#ifndef F11
	atomic { entry = false; printf("remover: clears the entry\n") };
#endif
	reader[WALKERS] = true;
	if
	:: trust ->
#ifdef EARLY
		trusted = true
#else
		trusted = DONE(since)
#endif
	:: else
	fi;
	printf("remover: trusts the slots: %d\n", trusted);
#ifdef F11
	atomic { entry = false; printf("remover: clears the entry\n") };
#endif
	do
	:: cpu < WALKERS ->
		if
		:: atomic { trusted && !slot[cpu] ->
			witness = reader[cpu];
			printf("remover: skips walker %d\n", cpu) }
#ifdef WITNESS
			assert(!witness)
#endif
		:: !trusted || slot[cpu] ->
			printf("remover: interrupts walker %d\n", cpu);
			!reader[cpu]
		fi;
		cpu++
	:: else -> break
	od;
	atomic { reader[WALKERS] = false; waits_for[WALKERS] = false };
	freed = true;
	printf("remover: frees the table\n")
}

init { atomic {
	run walker(0); run walker(1); run rcu(); run biaser(); run callback(); run remover()
} }
