// SPDX-License-Identifier: GPL-2.0
/*
 * join_out.c - what is handed out. A send is made, gets its stack, and is judged
 * once that had the time to arrive; a receipt waits as long, for its send has to be
 * told first.
 */
#include <stdlib.h>
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

/* ---- a send, and its stack ---------------------------------------------- */

/* In an interrupt the current task is a bystander; it must not be blamed. */
static uint32_t sender_name(struct join *j, const struct event *e)
{
	static const char *const contexts[NR_CTX] = {
		[CTX_SOFTIRQ] = "(softirq)", [CTX_HARDIRQ] = "(interrupt)",
		[CTX_NMI] = "(NMI)",
	};

	if (e->ctx != CTX_TASK)
		return strtab_str(j->strings, contexts[e->ctx]);
	return j->ops.comm ? j->ops.comm(j->arg, e->pid) : 0;
}

struct send *join_new_send(struct join *j, const struct event *e, int vec,
			     uint64_t func)
{
	struct send *s = xcalloc(1, sizeof(*s));

	s->ts = e->ts;
	s->cpu = e->cpu;
	s->pid = e->pid;
	s->ctx = e->ctx;
	s->vec = vec;
	s->func_addr = func;
	s->callsite_addr = e->callsite;
	s->func = join_symbol_id(j, func);
	s->callsite = join_symbol_id(j, e->callsite);
	s->comm = sender_name(j, e);
	if (e->ctx == CTX_TASK)
		s->cgroup = join_cgroup(j, e->pid);
	*j->send_tail = s;
	j->send_tail = &s->next;
	return s;
}

void join_await_stack(struct join *j, const struct event *e, struct send *s)
{
	struct context_state *c = &join_cpu(j, e->cpu)->ctx[e->ctx];

	send_put(c->await_stack);
	c->await_stack = send_get(s);
	/* What is queued in this context belongs to one task. */
	if (c->open && c->pid != e->pid) {
		send_put(c->open);
		c->open = NULL;
	}
	c->pid = e->pid;
}

void join_on_stack(struct join *j, const struct event *e)
{
	struct context_state *c = &join_cpu(j, e->cpu)->ctx[e->ctx];
	uint32_t id[128];
	size_t n = 0;

	if (!c->await_stack || c->pid != e->pid)
		return;
	for (uint32_t i = 0; i < e->nwords && n < ARRAY_SIZE(id); i++)
		id[n++] = join_symbol_id(j, e->words[i]);
	c->await_stack->stack = strtab_put(j->stacks, id, n * sizeof(*id));
	send_put(c->await_stack);
	c->await_stack = NULL;
}

/* ---- handing out -------------------------------------------------------- */

void join_settle(struct join *j, const struct receipt *r, struct send *from)
{
	struct settled *o;

	if (r->ts < j->from || r->ts >= j->to)
		return;
	o = xcalloc(1, sizeof(*o));
	o->r = *r;
	o->r.from = send_get(from);
	*j->out_tail = o;
	j->out_tail = &o->next;
}

static enum cause cause_of(struct join *j, const struct send *s,
			   const char *const *frame, size_t n)
{
	bool call = s->vec == VEC_CALL || s->vec == VEC_CALL_SINGLE;
	enum cause c;

	if (!s->func)
		return call ? classify_stack(frame, n) : classify_vec(s->vec);
	c = classify_func(strtab_get(j->strings, s->func));
	if (c != CAUSE_CALL)
		return c;
	if (s->vec == VEC_IRQ_WORK ||
	    !strncmp(strtab_get(j->strings, s->callsite), "irq_work_queue_on", 17))
		return CAUSE_IRQ_WORK;
	/* A function quell does not know, sent by one that it does? */
	c = classify_stack(frame, n);
	return c == CAUSE_UNKNOWN ? CAUSE_CALL : c;
}

static void judge_send(struct join *j, struct send *s)
{
	const struct blob *b = s->stack ? &j->stacks->item[s->stack] : NULL;
	size_t n = b ? b->len / sizeof(uint32_t) : 0, i;
	const char *frame[128];
	uint32_t id;

	s->site = s->callsite;
	for (i = n; i-- > 0; ) {
		memcpy(&id, b->data + i * sizeof(id), sizeof(id));
		if (i < ARRAY_SIZE(frame))
			frame[i] = strtab_get(j->strings, id);
		/* From the outside in: the innermost frame that is a reason. */
		if (!is_plumbing(strtab_get(j->strings, id)))
			s->site = id;
	}
	if (n > ARRAY_SIZE(frame))
		n = ARRAY_SIZE(frame);
	if (!s->fixed)
		s->cause = cause_of(j, s, frame, n);
	s->deferrable = s->cause == CAUSE_TLB_KERNEL && stack_deferrable(frame, n);
	s->site = strtab_str(j->strings,
			     inlined_site(s->cause, strtab_get(j->strings, s->site),
					  j->ops.has_symbol));
}

/* The send's call site and cause, once its stack had the time to arrive. */
static void settle_send(struct join *j, struct send *s)
{
	uint32_t h = ((s->stack * 31 + s->func) * 31 + s->callsite) * 31 + s->vec;
	struct memo *m = &j->memo[(h ^ h >> 16) % ARRAY_SIZE(j->memo)];
	enum cause fixed = s->cause;

	if (s->settled)
		return;
	s->settled = true;
	if (!m->known || m->stack != s->stack || m->func != s->func ||
	    m->callsite != s->callsite || m->vec != s->vec) {
		judge_send(j, s);
		*m = (struct memo){ s->stack, s->func, s->callsite, s->site,
				    s->vec, s->cause, s->deferrable, true };
	}
	s->site = m->site;
	s->cause = s->fixed ? fixed : m->cause;
	s->deferrable = m->deferrable;
}

void join_forget_stacks(struct join *j)
{
	for (struct send *s = j->sends; s; s = s->next) {
		if (s->stack)
			settle_send(j, s);
		s->stack = 0;
	}
	memset(j->memo, 0, sizeof(j->memo));
}

static void emit_send(struct join *j, struct send *s)
{
	if (s->emitted)
		return;
	s->emitted = true;
	s->id = ++j->next_id;	/* in the order handed out, without gaps */
	settle_send(j, s);
	if (j->ops.send)
		j->ops.send(j->arg, s);
}

void join_retire_sends(struct join *j, uint64_t before)
{
	struct send **p = &j->sends, *s;

	while ((s = *p)) {
		/* Made in the order of time: so was all that follows. */
		if (s->ts >= before)
			return;
		if (s->refs) {
			p = &s->next;
			continue;
		}
		/* An IPI that merged with another still was sent. */
		if (s->wanted && s->ts >= j->from && s->ts < j->to)
			emit_send(j, s);
		*p = s->next;
		free(s);
	}
	j->send_tail = p;
}

static void emit(struct join *j, struct receipt *r)
{
	if (r->from) {
		emit_send(j, r->from);
		r->send = r->from->id;
		if (r->kind != RECEIPT_PART)
			r->cause = r->from->cause;
	} else if (r->kind == RECEIPT_PART) {
		;		/* known since it began */
	} else if (r->func && r->vec != VEC_TIMER) {
		r->cause = classify_func(strtab_get(j->strings, r->func));
	} else {
		r->cause = classify_vec(r->vec);
	}
	if (j->ops.receipt)
		j->ops.receipt(j->arg, r);
	send_put(r->from);
}

void join_emit(struct join *j, uint64_t before)
{
	struct settled *o;

	while ((o = j->out) && o->r.ts < before) {
		j->out = o->next;
		if (!j->out)
			j->out_tail = &j->out;
		emit(j, &o->r);
		free(o);
	}
}
