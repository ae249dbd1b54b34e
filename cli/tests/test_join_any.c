// SPDX-License-Identifier: GPL-2.0
/*
 * test_join_any.c - the join engine, fed at random.
 */
#include <stdlib.h>

#include "join_scene.h"
#include "tap.h"

/*
 * Whatever comes, in whatever order: every interrupt entry on an observed CPU
 * is handed out exactly once, and a send explains at most the interrupts sent.
 */
void test_join_any(void)
{
	static const int vecs[] = { VEC_CALL, VEC_CALL_SINGLE, VEC_RESCHED,
				    VEC_IRQ_WORK, VEC_TIMER };
	static const uint64_t funcs[] = { SYNC, FLUSH, TTWU, WORK };
	static const uint64_t sites[] = { MANY, SINGLE, WORK_ON, WAKE };
	unsigned int seed = 1, bad = 0, over = 0;

	for (int round = 0; round < 2000; round++) {
		int entries = 0, irqs = 0, from_sends = 0, ipis = 0;

		begin("0-3");
		for (int i = 0; i < 40; i++) {
			int cpu = rand_r(&seed) % 4, to = rand_r(&seed) % 5;
			int ctx = rand_r(&seed) % NR_CTX;
			int vec = vecs[rand_r(&seed) % 5];
			uint64_t csd = 0x10 + rand_r(&seed) % 3;

			switch (rand_r(&seed) % 8) {
			case 0:
			case 1:
				queue(cpu, ctx, to, sites[rand_r(&seed) % 4],
				      funcs[rand_r(&seed) % 4], csd);
				break;
			case 2:
				send_one(cpu, ctx, to, rand_r(&seed) % 3 ? GENERIC : 0);
				break;
			case 3:
				send_mask(cpu, rand_r(&seed) % 32);
				break;
			case 4:
				stack(cpu, SYNC_ONE, COLLAPSE);
				break;
			case 5:
				entry(cpu, vec);
				entries++;
				break;
			case 6:
				run(cpu, funcs[rand_r(&seed) % 4], csd);
				break;
			default:
				leave(cpu, vec);
			}
		}
		join_finish(s.j);
		for (int i = 0; i < s.n; i++) {
			irqs += s.out[i].kind == RECEIPT_IRQ;
			from_sends += s.out[i].kind == RECEIPT_IRQ && s.out[i].send;
		}
		for (int i = 0; i < s.nsends; i++)
			ipis += s.sends[i].wanted;
		if (s.n < MAX_OUT) {
			bad += irqs != entries;
			over += from_sends > ipis;
		}
		end();
	}
	ok(!bad, "2000 random traces: every interrupt counted once (%u wrong)", bad);
	ok(!over, "and no more interrupts explained than were sent (%u wrong)", over);
}
