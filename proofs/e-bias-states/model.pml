/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole life of a bias: unbiased -> engaging -> engaged (cookie pending)
 * -> trusted (cookie done) -> disengaging -> unbiased, and again, under two
 * walkers and a remover that runs at any time. RCU counts grace periods; a
 * cookie is done when the period after the one now running has ended.
 *
 * The state is one word: OFF, PUBLISH (walkers publish, nobody trusts) or a
 * cookie. Barriers are the business of e-engage and f-disengage; here
 * everything is sequentially consistent, and the order of steps is on trial.
 *
 * EARLY: trusted without asking whether the cookie is done (torture's
 *	early_bias). F11: the remover asks before it clears the entry.
 * F13: engaging again goes back to the old cookie instead of a new one.
 * COOKIE_FIRST: the cookie is taken before walkers publish.
 */
#define WALKERS 2
#define LIVES 2
#define OFF 0
#define PUBLISH 1
#define COOKIE(n) (n + 2)

byte state = OFF;
bool slot[WALKERS];
bool irqs_off[WALKERS], waits_for[WALKERS];
bool entry = 1, freed;
byte periods;		/* grace periods that have ended */
byte wanted;		/* until which one they are asked for */
bool running;

proctype walker(byte cpu)
{
	bool publishes;
end:
	do
	:: atomic {
		irqs_off[cpu] = true;
		publishes = (state != OFF);
		printf("walker %d: reads state %d\n", cpu, state) }
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
			irqs_off[cpu] = false;
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
		waits_for[0] = irqs_off[0];
		waits_for[1] = irqs_off[1];
		printf("rcu: grace period begins\n") }
	:: atomic { running && !waits_for[0] && !waits_for[1] ->
		running = false;
		periods++;
		printf("rcu: grace period ends\n") }
	od
}

proctype biaser()
{
	byte n, cookie;

	do
	:: n < LIVES ->
#ifdef COOKIE_FIRST
		atomic { cookie = periods + 1 + running; wanted = cookie };
		state = PUBLISH;
		state = COOKIE(cookie);
#else
		state = PUBLISH;
		printf("biaser: engages\n");
#ifdef F13
		if
		:: cookie == 0 -> atomic { cookie = periods + 1 + running; wanted = cookie }
		:: else
		fi;
#else
		atomic { cookie = periods + 1 + running; wanted = cookie };
#endif
		atomic { state = COOKIE(cookie); printf("biaser: cookie %d\n", cookie) };
#endif
		state = PUBLISH;
		printf("biaser: nobody trusts any more\n");
		state = OFF;
		printf("biaser: disengaged\n");
		n++
	:: else -> break
	od
}

proctype remover()
{
	byte cpu, found;
	bool trusted, witness;

#ifndef F11
	atomic { entry = 0; printf("remover: clears the entry\n") };
#endif
	found = state;
	atomic {
#ifdef EARLY
		trusted = (found > PUBLISH);
#else
		trusted = (found > PUBLISH && COOKIE(periods) >= found);
#endif
		printf("remover: found state %d, trusts: %d\n", found, trusted)
	}
#ifdef F11
	atomic { entry = 0; printf("remover: clears the entry\n") };
#endif
	do
	:: cpu < WALKERS ->
		if
		:: atomic { trusted && !slot[cpu] ->
			witness = irqs_off[cpu];
			printf("remover: skips walker %d\n", cpu) }
#ifdef WITNESS
			assert(!witness)
#endif
		:: !trusted || slot[cpu] ->
			printf("remover: interrupts walker %d\n", cpu);
			!irqs_off[cpu]
		fi;
		cpu++
	:: else -> break
	od;
	freed = true;
	printf("remover: frees the table\n")
}

init { atomic { run walker(0); run walker(1); run rcu(); run biaser(); run remover() } }
