// SPDX-License-Identifier: GPL-2.0
/*
 * test_join_reuse.c - requests that no interrupt ran, and csds that are queued again:
 * the idle loop polls for requests, an IPI may come late, and a csd is free a moment
 * before its run is traced.
 */
#include "join_scene.h"
#include "tap.h"

static void test_polled(void)
{
	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	run(1, SYNC, 0x10);			/* the idle loop found it */
	entry(1, VEC_CALL_SINGLE);		/* and still the IPI arrives */
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_POLLED, 1, HOW_CSD, 0, CAUSE_PT_SYNC) &&
	   got(1, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_PT_SYNC),
	   "an interrupt that finds its work done is still its sender's");
	end();

	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	run(1, SYNC, 0x10);			/* polled; its IPI is under way */
	for (int cpu = 2; cpu < 5; cpu++) {	/* and serves the next, and so on */
		queue(cpu, CTX_TASK, 1, MANY, FLUSH, cpu);
		send_one(cpu, CTX_TASK, 1, GENERIC);
		entry(1, VEC_CALL_SINGLE);
		run(1, FLUSH, cpu);
		leave(1, VEC_CALL_SINGLE);
	}
	entry(1, VEC_CALL_SINGLE);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 5 && got(4, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_PT_SYNC),
	   "four IPIs, four interrupts, the last one empty: none is unknown");
	end();

	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);	/* polling idle: no IPI */
	run(1, SYNC, 0x10);
	join_finish(s.j);
	ok(s.n == 1 && got(0, RECEIPT_POLLED, 1, HOW_CSD, 0, CAUSE_PT_SYNC),
	   "a request without an interrupt is not counted as one");
	end();

	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);	/* polled, and no event tells */
	queue(2, CTX_TASK, 1, MANY, SYNC, 0x10);	/* but its csd is free again */
	send_one(2, CTX_TASK, 1, GENERIC);
	entry(1, VEC_CALL_SINGLE);
	run(1, SYNC, 0x10);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_POLLED, 1, HOW_CSD, 0, CAUSE_PT_SYNC) &&
	   got(1, RECEIPT_IRQ, 1, HOW_CSD, 2, CAUSE_PT_SYNC),
	   "what the idle loop ran unseen is not taken for the next that uses its csd");
	end();
}

static void test_reuse(void)
{
	begin("1");
	queue(0, CTX_TASK, 1, SINGLE, FLUSH, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	entry(1, VEC_CALL_SINGLE);
	/* Unlocked before its run is traced: queued again already. */
	queue(2, CTX_TASK, 1, SINGLE, FLUSH, 0x10);
	send_one(2, CTX_TASK, 1, GENERIC);
	run(1, FLUSH, 0x10);
	leave(1, VEC_CALL_SINGLE);
	entry(1, VEC_CALL_SINGLE);
	run(1, FLUSH, 0x10);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_IRQ, 1, HOW_CSD, 0, CAUSE_TLB_USER) &&
	   got(1, RECEIPT_IRQ, 1, HOW_CSD, 2, CAUSE_TLB_USER),
	   "a request queued again before its last run is traced: first in, first out");
	end();
}

void test_join_reuse(void)
{
	test_polled();
	test_reuse();
}
