/* SPDX-License-Identifier: GPL-2.0 */
/*
 * join_state.h - the state of the join engine, shared by its three files:
 * join_send.c (what senders do), join_recv.c (what receivers do) and join.c
 * (handing out). Nobody else includes this.
 */
#ifndef QUELL_JOIN_STATE_H
#define QUELL_JOIN_STATE_H

#include "join.h"

enum request_kind { REQ_CALL, REQ_WAKEUP, REQ_IRQ_WORK };

struct request {			/* a csd on a target's queue */
	struct request	*next;
	struct send	*send;
	uint64_t	csd, func, ts;
	uint8_t		kind;
};

struct ipi {				/* sent, and not yet seen to arrive */
	struct ipi	*next;
	struct send	*send;
	struct request	*req;		/* NULL: gone, or the vector has none */
	uint64_t	ts;
	uint8_t		vec;
	uint8_t		passed;		/* interrupts that may have swallowed it */
};

struct context_state {			/* of a sending CPU */
	struct send	*open;		/* the call being put together */
	struct send	*await_stack;
	uint32_t	last_target;
	int32_t		pid;
};

struct cpu_state {
	struct context_state	ctx[NR_CTX];
	struct request		*req, **req_tail;
	struct ipi		*ipi, **ipi_tail;
	uint32_t		nreq;
	bool			in_call;
	struct receipt		irq;	/* the function-call interrupt under way */
	struct irq_name { uint32_t irq, name; } *head;	/* first handler seen */
	size_t			nheads, head_room;
};

struct settled {
	struct settled	*next;
	struct receipt	r;
};

struct join {
	struct join_ops	ops;
	void		*arg;
	struct cpuset	observed;
	struct strtab	*strings, *stacks;
	struct cpu_state *cpu[MAX_CPUS];
	struct settled	*out, **out_tail;
	struct send	*sends, **send_tail;
	uint64_t	next_id, from, to, expired;
	uint8_t		vec_single;
	struct { uint64_t addr; uint32_t id; } symbols[4096];
	/* What a send was, by all that decides on it: there are few kinds. */
	struct memo {
		uint32_t	stack, func, callsite, site;
		uint8_t		vec, cause;
		bool		deferrable, known;
	} memo[1024];
};

/* join.c */
struct cpu_state *join_cpu(struct join *j, unsigned int cpu);
uint32_t join_symbol_id(struct join *j, uint64_t addr);
const char *join_symbol(struct join *j, uint64_t addr);
void join_drop_ipi(struct cpu_state *t, struct ipi **p);
void join_drop_request(struct cpu_state *t, struct request **p);
/* @r is complete and came from @from (or from nobody known). */
void join_settle(struct join *j, const struct receipt *r, struct send *from);

/* join_send.c */
void join_on_queue(struct join *j, const struct event *e);
void join_on_send(struct join *j, const struct event *e);
void join_on_stack(struct join *j, const struct event *e);

/* join_recv.c */
void join_on_func(struct join *j, const struct event *e);
void join_on_irq_entry(struct join *j, const struct event *e);
void join_on_irq_exit(struct join *j, const struct event *e);
void join_end_call(struct join *j, struct cpu_state *t, uint64_t ts);

/* A send lives as long as anything refers to it; join.c frees it. */
static inline struct send *send_get(struct send *s)
{
	if (s)
		s->refs++;
	return s;
}

static inline void send_put(struct send *s)
{
	if (s)
		s->refs--;
}

#endif
