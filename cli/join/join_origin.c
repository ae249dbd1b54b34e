// SPDX-License-Identifier: GPL-2.0
/*
 * join_origin.c - who armed the timer, raised the softirq, queued the work or
 * woke the task that takes a CPU later.
 *
 * Each is a send that waits for its receipt, by the address of the timer or of the
 * work, or by the number of the task. A timer keeps its own when it expires: one
 * that starts itself again does so without an event. What was replaced unseen would
 * be laid at the wrong door; so when events are lost all of this is forgotten.
 *
 * The table is of fixed size: timers that were armed long ago and never expire
 * make room for new ones.
 */
#include <stdlib.h>
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

#define SETS	4096u
#define WAYS	4

struct origin {
	uint64_t	key;		/* 0: free */
	struct send	*send;
};

static struct origin *set_of(struct join *j, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15ull;

	if (!j->origins)
		j->origins = xcalloc(SETS * WAYS, sizeof(*j->origins));
	return j->origins + (h >> 40) % SETS * WAYS;
}

/* Addresses of the kernel and numbers of tasks do not meet. */
static uint64_t key_of(enum origin_kind kind, uint64_t key)
{
	return kind == ORIGIN_WAKE ? key << 8 | 1 : key ^ kind << 1;
}

static struct origin *find(struct join *j, enum origin_kind kind, uint64_t key)
{
	struct origin *o = set_of(j, key_of(kind, key));

	for (int i = 0; i < WAYS; i++)
		if (o[i].send && o[i].key == key_of(kind, key))
			return &o[i];
	return NULL;
}

static void put(struct join *j, enum origin_kind kind, uint64_t key, struct send *s)
{
	struct origin *set = set_of(j, key_of(kind, key)), *o = find(j, kind, key);

	for (int i = 0; !o && i < WAYS; i++)
		if (!set[i].send)
			o = &set[i];
	if (!o) {
		o = set;
		for (int i = 1; i < WAYS; i++)
			if (set[i].send->ts < o->send->ts)
				o = &set[i];
	}
	send_put(o->send);
	o->key = key_of(kind, key);
	o->send = send_get(s);
}

struct send *join_origin(struct join *j, enum origin_kind kind, uint64_t key)
{
	struct origin *o = find(j, kind, key);

	return o ? o->send : NULL;
}

struct send *join_take_origin(struct join *j, enum origin_kind kind, uint64_t key)
{
	struct origin *o = find(j, kind, key);
	struct send *s = o ? o->send : NULL;

	if (o)
		o->send = NULL;
	return s;
}

void join_forget_origins(struct join *j)
{
	for (size_t i = 0; j->origins && i < SETS * WAYS; i++) {
		send_put(j->origins[i].send);
		j->origins[i].send = NULL;
	}
}

uint32_t join_softirq_name(struct join *j, uint32_t vec)
{
	static const char *const names[NR_SOFTIRQS] = {
		"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET",
		"SCHED", "HRTIMER", "RCU",
	};

	return vec < NR_SOFTIRQS ? strtab_str(j->strings, names[vec]) : 0;
}

static struct send *origin(struct join *j, const struct event *e, int vec,
			   enum cause cause, uint32_t func)
{
	struct send *s = join_new_send(j, e, vec, e->func);

	s->func = func;
	s->cause = cause;
	s->fixed = true;
	s->targets = 1;
	join_await_stack(j, e, s);
	return s;
}

/* Delayed work is queued by its timer; it is due to who armed that. */
static struct send *behind_timer(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);
	struct frame *f = t->nframes ? &t->frame[t->nframes - 1] : NULL;
	struct send *s, *by;

	if (!f || f->kind != FRAME_TIMER || strcmp(strtab_get(j->strings, f->r.func),
						   "delayed_work_timer_fn"))
		return NULL;
	by = f->silent && t->nframes > 1 ? t->frame[t->nframes - 2].from : f->from;
	if (!by)
		return NULL;
	s = join_new_send(j, e, VEC_WORK, e->func);
	s->cause = CAUSE_KWORKER;
	s->fixed = true;
	s->targets = 1;
	s->ts = by->ts;
	s->cpu = by->cpu;
	s->pid = by->pid;
	s->ctx = by->ctx;
	s->comm = by->comm;
	s->cgroup = by->cgroup;
	s->stack = by->stack;
	join_await_stack(j, e, NULL);	/* the stack is only the timer's */
	return s;
}

/*
 * A timer that starts itself again, in its function or by what that returns: who
 * armed it at first is the reason still.
 */
static void arm(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);
	struct send *s = join_origin(j, ORIGIN_TIMER, e->csd);
	bool itself = e->ctx != CTX_TASK && t->nframes && t->last_timer == e->csd;

	if (itself && s && s->func_addr == e->func) {
		join_await_stack(j, e, NULL);
		return;
	}
	s = origin(j, e, VEC_TIMER, CAUSE_TICK, join_symbol_id(j, e->func));
	if (itself) {
		s->callsite = strtab_str(j->strings, "(starts itself again)");
		join_await_stack(j, e, NULL);
	}
	put(j, ORIGIN_TIMER, e->csd, s);
}

void join_on_origin(struct join *j, const struct event *e)
{
	struct cpu_state *t;
	struct send *s;
	enum cause cause;
	uint32_t name;

	switch (e->type) {
	case EV_TIMER_ARM:
		arm(j, e);
		return;
	case EV_WORK_QUEUE:
		s = behind_timer(j, e);
		if (!s)
			s = origin(j, e, VEC_WORK, CAUSE_KWORKER,
				   join_symbol_id(j, e->func));
		put(j, ORIGIN_WORK, e->csd, s);
		return;
	case EV_WAKING:
		cause = join_task_cause(j, e->target, &name);
		put(j, ORIGIN_WAKE, e->target, origin(j, e, VEC_WAKE, cause, name));
		return;
	case EV_RAISE:
		t = join_cpu(j, e->cpu);
		/* Raised again before it ran: the first one is the reason. */
		if (e->irq < NR_SOFTIRQS && !t->raised[e->irq])
			t->raised[e->irq] = send_get(origin(j, e, VEC_SOFTIRQ,
				CAUSE_SOFTIRQ, join_softirq_name(j, e->irq)));
		return;
	}
}
