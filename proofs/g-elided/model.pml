/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hypervisor takes the walker's vCPU off the host CPU at any step, also in
 * the middle of a walk. The flush finds it preempted, leaves a request in
 * shared memory that the vCPU carries out when it runs again, and sends it no
 * IPI. That is a good flush. It is no sync.
 *
 * F2: the flush counts as having interrupted everybody. quell: a CPU that was
 * left out voids the receipt, and the sync's IPI waits until the vCPU runs.
 */
#define PREEMPTIONS 2

bool entry = true, freed;
bool irqs_off;
bool preempted, request;

#define STEP(x)	atomic { !preempted -> x }

proctype vcpu()
{
	bool seen;
end:
	do
	:: STEP(irqs_off = true);
		STEP(seen = entry; printf("vcpu: reads entry = %d\n", seen));
		if
		:: seen -> STEP(printf("vcpu: reads the table\n"); assert(!freed))
		:: else
		fi;
		STEP(irqs_off = false; seen = false)
	od
}

proctype hypervisor()
{
	byte n;

	do
	:: n < PREEMPTIONS ->
		atomic { preempted = true; printf("hypervisor: preempts the vcpu\n") };
		atomic { preempted = false; request = false;
			printf("hypervisor: runs the vcpu, which flushes its TLB first\n") };
		n++
	:: else -> break
	od
}

proctype remover()
{
	bool receipt, witness;

	entry = false;
	printf("remover: clears the entry\n");
	if
	:: atomic { preempted -> request = true;
		printf("remover: flushes, leaves the preempted vcpu a request\n") };
#ifdef F2
		receipt = true
#endif
	:: !preempted ->
		printf("remover: flushes, sends the vcpu an IPI\n");
		atomic { !preempted && !irqs_off -> receipt = true }
	fi;
	if
	:: receipt -> printf("remover: syncs, interrupts nobody\n");
		witness = true
#ifdef WITNESS
		; assert(!witness)
#endif
	:: else ->
		printf("remover: syncs, sends the vcpu an IPI\n");
		!preempted && !irqs_off
	fi;
	freed = true;
	printf("remover: frees the table\n")
}

init { atomic { run vcpu(); run hypervisor(); run remover() } }
