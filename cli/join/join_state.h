/* SPDX-License-Identifier: GPL-2.0 */
/*
 * join_state.h - the state of the join engine, shared by its files. Nobody else
 * includes this; the engine's face is join.h. Files call only what is below them
 * (tests/layers.sh):
 *
 *	join.c		takes an event and hands it to the one whose it is
 *	join_recv.c	what receivers do	join_send.c	what senders do
 *	join_task.c	which task ran instead
 *	join_nest.c	what began in what
 *	join_origin.c	who armed, raised, queued, woke
 *	join_out.c	what is handed out
 *	join_base.c	CPUs, names, what a target has coming
 */
#ifndef QUELL_JOIN_STATE_H
#define QUELL_JOIN_STATE_H

#include "join/join.h"

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

#define MAX_FRAMES	12	/* interrupt, softirq, timer and so on, in each other */
#define MAX_WAITING	8
#define NR_SOFTIRQS	10

enum frame_kind { FRAME_CALL, FRAME_IRQ, FRAME_SOFTIRQ, FRAME_TIMER };

struct frame {				/* began, and has not ended */
	struct receipt	r;
	struct send	*from;
	uint64_t	key, nested;
	uint8_t		kind;
	bool		silent;		/* its time is that of the one below it */
};

struct waiting {			/* wants to run here, and another one does */
	int32_t		pid;
	uint32_t	name, cgroup;
	struct receipt	r;		/* as which it interrupted somebody itself */
	struct send	*from;
};

struct working { int32_t pid; uint32_t func; struct send *from; };

struct cpu_state {
	struct context_state	ctx[NR_CTX];
	struct request		*req, **req_tail;
	struct ipi		*ipi, **ipi_tail;
	uint32_t		nreq;
	bool			in_call;
	struct receipt		irq;	/* the function-call interrupt under way */
	uint64_t		irq_nested;
	struct frame		frame[MAX_FRAMES];
	int			nframes;
	struct send		*raised[NR_SOFTIRQS];
	uint64_t		last_timer;	/* that expired in what is under way */
	uint32_t		tick_why;	/* dependency that keeps the tick */
	/* The task that runs instead of the last of those that wait. */
	bool			running, named;
	int32_t			run_pid;
	struct frame		run;
	struct waiting		waiting[MAX_WAITING];
	int			nwaiting;
	struct working		working[MAX_WAITING];
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
	uint64_t	next_id, from, to, expired, last;
	bool		timed;		/* all ends are traced */
	struct origin	*origins;
	uint8_t		vec_single;
	struct { uint64_t addr; uint32_t id; } symbols[4096];
	/* What a send was, by all that decides on it: there are few kinds. */
	struct memo {
		uint32_t	stack, func, callsite, site;
		uint8_t		vec, cause;
		bool		deferrable, known;
	} memo[1024];
};

/* join_base.c */
struct cpu_state *join_cpu(struct join *j, unsigned int cpu);
uint32_t join_symbol_id(struct join *j, uint64_t addr);
const char *join_symbol(struct join *j, uint64_t addr);
void join_drop_ipi(struct cpu_state *t, struct ipi **p);
void join_drop_request(struct cpu_state *t, struct request **p);
enum cause join_task_cause(struct join *j, int32_t pid, uint32_t *name);
/* The control group of task @pid. */
uint32_t join_cgroup(struct join *j, int32_t pid);

/* join_out.c */
struct send *join_new_send(struct join *j, const struct event *e, int vec,
			   uint64_t func);
void join_await_stack(struct join *j, const struct event *e, struct send *s);
void join_on_stack(struct join *j, const struct event *e);
/* @r is complete and came from @from (or from nobody known). */
void join_settle(struct join *j, const struct receipt *r, struct send *from);
/* Hand out what was settled before that time; then forget sends of before it. */
void join_emit(struct join *j, uint64_t before);
void join_retire_sends(struct join *j, uint64_t before);

/* join_origin.c: by the address of a timer or of work, or the number of a task. */
enum origin_kind { ORIGIN_TIMER, ORIGIN_WORK, ORIGIN_WAKE };
void join_on_origin(struct join *j, const struct event *e);
/* Who it was, if known; keep it with send_get(). */
struct send *join_origin(struct join *j, enum origin_kind kind, uint64_t key);
/* The same, once: then it is forgotten. The caller has the reference. */
struct send *join_take_origin(struct join *j, enum origin_kind kind, uint64_t key);
void join_forget_origins(struct join *j);
uint32_t join_softirq_name(struct join *j, uint32_t vec);

/* join_nest.c */
struct frame *join_enter(struct join *j, struct cpu_state *t, enum frame_kind kind,
			 uint64_t key, const struct receipt *r, struct send *from);
void join_leave(struct join *j, struct cpu_state *t, enum frame_kind kind,
		uint64_t key, uint64_t ts);
void join_drop_frames(struct join *j, struct cpu_state *t);
void join_on_nested(struct join *j, const struct event *e);
/* It takes the time of the task that @e came in. */
void join_victim(struct join *j, const struct event *e, struct receipt *r);

/* join_task.c */
void join_on_task(struct join *j, const struct event *e);
void join_drop_tasks(struct cpu_state *t);
/* All that is under way ends now, at the end of the trace. */
void join_end_tasks(struct join *j, struct cpu_state *t);

/* join_send.c */
void join_on_queue(struct join *j, const struct event *e);
void join_on_send(struct join *j, const struct event *e);

/* join_recv.c */
void join_on_func(struct join *j, const struct event *e);
void join_on_irq_entry(struct join *j, const struct event *e);
void join_on_irq_exit(struct join *j, const struct event *e);
/* A request is about to be queued: its csd is free, so an older one was run. */
void join_run_unseen(struct join *j, const struct event *e);
void join_end_call(struct join *j, struct cpu_state *t, uint64_t ts);

static inline uint32_t clamp32(uint64_t ns)
{
	return ns > UINT32_MAX ? UINT32_MAX : ns;
}

/* A send lives as long as anything refers to it; join_out.c frees it. */
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
