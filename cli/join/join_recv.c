// SPDX-License-Identifier: GPL-2.0
/*
 * join_recv.c - what receivers do: tell for every interrupt which send it was,
 * or that none is known. The rules are at the top of join.c.
 */
#include "join/join_state.h"
#include "quell.h"

#define LATE_NS	100000000ull	/* an IPI that has not come by then merged, */
#define LATE	64		/* and one that so many interrupts have passed */

/* @how: HOW_CSD if a request was served, HOW_IPI if a bare IPI merged. */
static void settle_rider(struct join *j, const struct receipt *irq, int how,
			 unsigned int cpu, uint64_t ts, struct send *from)
{
	struct receipt r = {
		.ts = ts, .cpu = cpu, .how = how,
		.kind = irq ? RECEIPT_RIDE : RECEIPT_POLLED,
		.vec = irq ? irq->vec : from->vec, .func = from->func,
	};

	join_settle(j, &r, from);
}

static bool is_call(const struct receipt *r)
{
	return r->vec == VEC_CALL || r->vec == VEC_CALL_SINGLE;
}

/* Request *@p is being served on @cpu, in @irq if that is not NULL. */
static void serve(struct join *j, unsigned int cpu, struct receipt *irq,
		  struct request **p, uint64_t ts)
{
	struct cpu_state *t = j->cpu[cpu];
	struct request *r = *p;
	struct ipi **i;

	if (irq)
		irq->served++;
	for (i = &t->ipi; irq && !irq->from && *i; i = &(*i)->next) {
		if ((*i)->req != r || (*i)->vec != irq->vec)
			continue;
		irq->from = send_get(r->send);
		irq->how = HOW_CSD;
		irq->func = r->send->func;
		join_drop_ipi(t, i);
		join_drop_request(t, p);
		return;
	}
	settle_rider(j, irq, HOW_CSD, cpu, ts, r->send);
	join_drop_request(t, p);
}

/*
 * A csd is queued again only after it was run. Where that was not seen, the idle
 * loop did it: it polls for requests, and its own time is not traced.
 */
void join_run_unseen(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->target);
	struct request **p;

	/* In an interrupt it may be just about to run: csds are free a little earlier. */
	if (!e->csd || t->in_call)
		return;
	for (p = &t->req; *p; p = &(*p)->next) {
		if ((*p)->csd != e->csd)
			continue;
		serve(j, e->target, NULL, p, e->ts);
		return;
	}
}

void join_on_func(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);
	struct receipt *irq = t->in_call ? &t->irq : NULL;
	struct request **p, *r;
	uint64_t began;
	bool wakeup = false;

	if (!e->csd)		/* the sender ran its own function itself */
		return;
	began = irq ? irq->ts : e->ts;
	for (p = &t->req; *p; p = &(*p)->next)
		if ((*p)->csd == e->csd && (*p)->func == e->func)
			break;
	if (*p) {
		wakeup = (*p)->kind == REQ_WAKEUP;
		serve(j, e->cpu, irq, p, e->ts);
	} else if (irq) {
		/* Queued before the trace began: what ran is known all the same. */
		irq->served++;
		if (!irq->func)
			irq->func = join_symbol_id(j, e->func);
	}
	/* All wake-ups of the batch are done by this one function. */
	for (p = &t->req; wakeup && (r = *p); ) {
		if (r->kind == REQ_WAKEUP && r->ts < began)
			serve(j, e->cpu, irq, p, e->ts);
		else
			p = &r->next;
	}
}

/*
 * The interrupt ran no request that opened the queue: it is an IPI that is out
 * and has nothing left to run. A send is traced a moment before it happens, so
 * one that seems to have merged may still be coming; and where a late IPI's request was run by another
 * one's interrupt, and that one's by the next, the last of the chain comes up
 * empty; so an IPI is kept for a while, and the one that fewest interrupts may
 * have swallowed is taken, the oldest of those.
 */
static void match_ipi(struct cpu_state *t, struct receipt *irq)
{
	struct ipi **p, **found = NULL, *i;

	for (p = &t->ipi; (i = *p); p = &i->next) {
		if (i->vec != irq->vec || i->req || i->ts > irq->ts)
			continue;
		if (!found || i->passed < (*found)->passed)
			found = p;
	}
	if (!found)
		return;
	irq->from = send_get((*found)->send);
	irq->how = HOW_IPI;
	if (!irq->func)
		irq->func = irq->from->func;
	join_drop_ipi(t, found);
}

static void pass_ipis(struct join *j, struct cpu_state *t, struct receipt *irq)
{
	struct ipi **p = &t->ipi, *i;

	while ((i = *p)) {
		if (i->vec != irq->vec || i->req || i->ts > irq->ts) {
			p = &i->next;
		} else if (irq->ts - i->ts < LATE_NS && i->passed < LATE) {
			/* Its own interrupt may still come; see match_ipi(). */
			i->passed++;
			p = &i->next;
		} else {
			settle_rider(j, irq, HOW_IPI, irq->cpu, irq->ts,
				     i->send);
			join_drop_ipi(t, p);
		}
	}
}

static uint64_t irq_key(const struct event *e)
{
	return e->vec == VEC_DEVICE ? e->irq : (uint64_t)(e->vec + 1) << 32 | e->name;
}

/* An interrupt that serves no requests is all there is to it. */
static void plain_irq(struct join *j, struct cpu_state *t, struct receipt *irq,
		      uint64_t key)
{
	if (irq->vec == VEC_RESCHED || irq->vec == VEC_IRQ_WORK) {
		match_ipi(t, irq);
		pass_ipis(j, t, irq);
	} else {
		irq->how = HOW_SOURCE;
	}
	if (j->timed)
		join_enter(j, t, FRAME_IRQ, key, irq, irq->from);
	else
		join_settle(j, irq, irq->from);
	send_put(irq->from);
}

void join_end_call(struct join *j, struct cpu_state *t, uint64_t ts)
{
	struct receipt *irq = &t->irq;
	uint64_t ns = ts > irq->ts ? ts - irq->ts : 0;
	struct request **p, *r;

	t->in_call = false;
	irq->span = clamp32(ns);
	irq->ns = clamp32(ns > t->irq_nested ? ns - t->irq_nested : 0);
	t->irq_nested = 0;
	for (p = &t->req; (r = *p); ) {
		if (r->kind == REQ_IRQ_WORK && r->ts < irq->ts)
			serve(j, irq->cpu, irq, p, irq->ts);
		else
			p = &r->next;
	}
	if (!irq->from)
		match_ipi(t, irq);
	pass_ipis(j, t, irq);
	join_settle(j, irq, irq->from);
	send_put(irq->from);
}

/* Shared lines run several handlers per interrupt; the first one counts. */
static bool first_handler(struct cpu_state *t, const struct event *e)
{
	for (size_t i = 0; i < t->nheads; i++)
		if (t->head[i].irq == e->irq)
			return t->head[i].name == e->name;
	t->head = grow(t->head, &t->head_room, t->nheads + 1, sizeof(*t->head));
	t->head[t->nheads++] = (struct irq_name){ e->irq, e->name };
	return true;
}

void join_on_irq_entry(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);
	struct receipt irq = {
		.vec = e->vec, .name = e->name, .kind = RECEIPT_IRQ,
	};

	join_victim(j, e, &irq);
	if (e->vec == VEC_DEVICE && !first_handler(t, e)) {
		irq.kind = RECEIPT_PART;
		irq.cause = CAUSE_DEVICE;
		irq.how = HOW_SOURCE;
		if (j->timed)
			join_enter(j, t, FRAME_IRQ, irq_key(e), &irq, NULL);
		return;
	}
	if (j->ops.irq)
		j->ops.irq(j->arg, &irq);
	if (!is_call(&irq)) {
		plain_irq(j, t, &irq, irq_key(e));
		return;
	}
	/* They do not nest: the end of the last one was lost. */
	if (t->in_call)
		join_end_call(j, t, t->irq.ts);
	t->in_call = true;
	t->irq = irq;
	t->irq_nested = 0;
	if (j->timed)
		join_enter(j, t, FRAME_CALL, irq_key(e), &irq, NULL);
}

void join_on_irq_exit(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);

	bool call = e->vec == VEC_CALL || e->vec == VEC_CALL_SINGLE;

	if (j->timed)
		join_leave(j, t, call ? FRAME_CALL : FRAME_IRQ, irq_key(e), e->ts);
	if (t->in_call && t->irq.vec == e->vec)
		join_end_call(j, t, e->ts);
}
