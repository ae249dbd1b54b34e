/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Total store order, what x86 does: every CPU has a store buffer, first in
 * first out, that drains whenever it likes. Loads go to memory at once (no
 * model here reads a location it has a store pending to). A locked operation
 * and a full barrier wait until the buffer is empty.
 *
 * The model defines CPUS, and its locations as an mtype of at most 7 names.
 */
byte mem[8];
chan buffer[CPUS] = [2] of { mtype, byte };

#define STORE(cpu, where, what)	buffer[cpu]!where,what
#define MB(cpu)			empty(buffer[cpu])

proctype store_buffer(byte cpu)
{
	mtype where;
	byte what;
end:
	do
	:: atomic {
		buffer[cpu]?where,what ->
		mem[where] = what;
		printf("(CPU %d's store of %d to %e reaches memory)\n", cpu, what, where);
		where = 0;
		what = 0
	}
	od
}
