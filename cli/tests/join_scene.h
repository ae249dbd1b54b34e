/* SPDX-License-Identifier: GPL-2.0 */
/*
 * join_scene.h - the join engine on a stage.
 *
 * Each test writes down a scene: who queues, who sends, who is interrupted and
 * runs what. Then the receipts are compared, all of them.
 */
#ifndef QUELL_JOIN_SCENE_H
#define QUELL_JOIN_SCENE_H

#include <stdlib.h>
#include <string.h>

#include "../join/join.h"
#include "../quell.h"

/* Addresses of a make-believe kernel. */
enum { GENERIC = 0x1000, SYNC = 0x2000, FLUSH = 0x3000, TTWU = 0x4000,
       MANY = 0x5000, SINGLE = 0x6000, WORK_ON = 0x7000, WORK = 0x8000,
       WAKE = 0x9000, COLLAPSE = 0xa000, SYNC_ONE = 0xb000 };

static inline const char *symbol(void *arg, uint64_t addr)
{
	(void)arg;
	switch (addr) {
	case GENERIC:	return "generic_smp_call_function_single_interrupt";
	case SYNC:	return "tlb_remove_table_smp_sync";
	case FLUSH:	return "flush_tlb_func";
	case TTWU:	return "sched_ttwu_pending";
	case MANY:	return "smp_call_function_many_cond";
	case SINGLE:	return "generic_exec_single";
	case WORK_ON:	return "irq_work_queue_on";
	case WORK:	return "some_irq_work";
	case WAKE:	return "ttwu_queue_wakelist";
	case COLLAPSE:	return "collapse_huge_page";
	case SYNC_ONE:	return "tlb_remove_table_sync_one";
	default:	return NULL;
	}
}

#define MAX_OUT	64

static struct scene {
	struct strtab	strings, stacks;
	struct join	*j;
	uint64_t	now;
	struct receipt	out[MAX_OUT];
	struct send	from[MAX_OUT];		/* of out[i]; cpu 0xffff: none */
	struct send	sends[MAX_OUT];
	int		n, nsends;
	int		interrupts, riders, unknown;	/* all of them */
} s;

static inline void on_send(void *arg, struct send *x)
{
	(void)arg;
	if (s.nsends < MAX_OUT)
		s.sends[s.nsends++] = *x;
}

static inline void on_receipt(void *arg, const struct receipt *r)
{
	(void)arg;
	s.interrupts += r->kind == RECEIPT_IRQ;
	s.riders += r->kind == RECEIPT_RIDE;
	s.unknown += r->kind == RECEIPT_IRQ && !r->from;
	if (s.n == MAX_OUT)
		return;
	s.out[s.n] = *r;
	if (r->from)
		s.from[s.n] = *r->from;
	else
		s.from[s.n].cpu = 0xffff;
	s.n++;
}

static inline void begin(const char *observed)
{
	static const struct join_ops ops = { .send = on_send,
		.receipt = on_receipt, .symbol = symbol };
	struct cpuset set;

	memset(&s, 0, sizeof(s));
	cpulist_parse(observed, &set, NULL);
	s.j = join_new(&ops, NULL, &set, &s.strings, &s.stacks);
	s.now = 1000000;
}

static inline void end(void)
{
	join_finish(s.j);
	join_free(s.j);
	strtab_free(&s.strings);
	strtab_free(&s.stacks);
}

static inline void feed(struct event e)
{
	e.ts = s.now += 1000;
	join_event(s.j, &e);
}

/* CPU @cpu, in @ctx, queues csd @csd for @target. */
static inline void queue(int cpu, int ctx, int target, uint64_t callsite, uint64_t func,
		  uint64_t csd)
{
	feed((struct event){ .type = EV_QUEUE, .cpu = cpu, .ctx = ctx,
		.pid = 100 + cpu, .target = target, .callsite = callsite,
		.func = func, .csd = csd });
}

static inline void send_one(int cpu, int ctx, int target, uint64_t callback)
{
	feed((struct event){ .type = EV_SEND, .cpu = cpu, .ctx = ctx,
		.pid = 100 + cpu, .target = target, .callsite = MANY,
		.func = callback });
}

static inline void send_mask(int cpu, uint64_t mask)
{
	feed((struct event){ .type = EV_SEND, .cpu = cpu, .pid = 100 + cpu,
		.callsite = MANY, .func = GENERIC, .words = &mask, .nwords = 1 });
}

static inline void stack(int cpu, uint64_t innermost, uint64_t outer)
{
	uint64_t w[] = { MANY, innermost, outer };

	feed((struct event){ .type = EV_STACK, .cpu = cpu, .pid = 100 + cpu,
		.words = w, .nwords = 3 });
}

static inline void entry(int cpu, int vec)
{
	feed((struct event){ .type = EV_IRQ_ENTRY, .cpu = cpu, .vec = vec,
		.ctx = CTX_HARDIRQ });
}

static inline void leave(int cpu, int vec)
{
	feed((struct event){ .type = EV_IRQ_EXIT, .cpu = cpu, .vec = vec,
		.ctx = CTX_HARDIRQ });
}

static inline void run(int cpu, uint64_t func, uint64_t csd)
{
	feed((struct event){ .type = EV_FUNC, .cpu = cpu, .func = func,
		.csd = csd, .ctx = CTX_HARDIRQ });
}

/* Is receipt @i of this kind, on @cpu, joined so, from CPU @from, for @cause? */
static inline bool got(int i, int kind, int cpu, int how, int from, enum cause cause)
{
	const struct receipt *r = &s.out[i];

	return i < s.n && r->kind == kind && r->cpu == cpu && r->how == how &&
	       s.from[i].cpu == (from < 0 ? 0xffff : from) && r->cause == cause;
}

#endif
