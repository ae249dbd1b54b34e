// SPDX-License-Identifier: GPL-2.0
/*
 * join.c - which sender caused which interrupt, without guessing.
 *
 * What the kernel does (kernel/smp.c), and what of it the trace shows:
 *
 *  - A request (csd) is put on the target's queue: csd_queue_cpu, with the
 *    csd's address. Only the request that finds the queue empty *opens* it,
 *    and only then an IPI is sent: ipi_send_cpu or ipi_send_cpumask, by the
 *    same context, right afterwards. Later requests ride along.
 *  - The interrupt takes the whole queue off and runs it: csd_function_entry,
 *    with the same address. So an interrupt that ran a request which opened
 *    the queue was caused by its sender, and by no other: one batch has exactly
 *    one opener. This is HOW_CSD.
 *  - The queue may be emptied before the IPI arrives: by the idle loop, or by
 *    an interrupt already under way. Then the IPI finds nothing to run. It is
 *    still due to a sender: that of an IPI whose request is gone. HOW_IPI.
 *  - A csd may be queued again before its last run is traced (it is unlocked
 *    first when nobody waits), so requests of one address are first-in first-out.
 *  - irq_work queued on another CPU shares the queue, but running it is not
 *    traced. It is known by the function that queued it, and is over when an
 *    interrupt that began after it is.
 *  - Wake-ups share one csd_function_entry: that of the first of the batch.
 *  - Reschedule and irq_work vectors carry nothing. The local APIC keeps one
 *    bit per vector, so several sends may end as one interrupt: the first one
 *    set the bit, the others merged into it and are shown as riders, once it
 *    is too late for an interrupt of their own.
 *
 * An interrupt that none of this explains has no known sender, and is shown so.
 */
#include <stdlib.h>
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

#define EXPIRE_NS	5000000000ull

struct join *join_new(const struct join_ops *ops, void *arg,
		      const struct cpuset *observed, struct strtab *strings,
		      struct strtab *stacks)
{
	struct join *j = xcalloc(1, sizeof(*j));

	j->ops = *ops;
	j->arg = arg;
	j->observed = *observed;
	j->strings = strings;
	j->stacks = stacks;
	j->out_tail = &j->out;
	j->send_tail = &j->sends;
	j->to = UINT64_MAX;
	j->vec_single = VEC_CALL_SINGLE;
	return j;
}

void join_one_call_vector(struct join *j)
{
	j->vec_single = VEC_CALL;
}

void join_timed(struct join *j)
{
	j->timed = true;
}

void join_window(struct join *j, uint64_t from, uint64_t to)
{
	j->from = from;
	j->to = to;
}

uint64_t join_expired(const struct join *j)
{
	return j->expired;
}

struct cpu_state *join_cpu(struct join *j, unsigned int cpu)
{
	struct cpu_state *c = j->cpu[cpu];

	if (!c) {
		c = j->cpu[cpu] = xcalloc(1, sizeof(*c));
		c->req_tail = &c->req;
		c->ipi_tail = &c->ipi;
	}
	return c;
}

uint32_t join_symbol_id(struct join *j, uint64_t addr)
{
	size_t i = (addr ^ addr >> 12) % ARRAY_SIZE(j->symbols);
	char hex[24];
	const char *name;

	if (!addr)
		return 0;
	if (j->symbols[i].addr != addr) {
		name = j->ops.symbol ? j->ops.symbol(j->arg, addr) : NULL;
		if (!name) {
			snprintf(hex, sizeof(hex), "0x%llx",
				 (unsigned long long)addr);
			name = hex;
		}
		j->symbols[i].addr = addr;
		j->symbols[i].id = strtab_str(j->strings, name);
	}
	return j->symbols[i].id;
}

const char *join_symbol(struct join *j, uint64_t addr)
{
	return strtab_get(j->strings, join_symbol_id(j, addr));
}

/* ---- what a target has coming ------------------------------------------- */

void join_drop_ipi(struct cpu_state *t, struct ipi **p)
{
	struct ipi *i = *p;

	*p = i->next;
	if (!*p)
		t->ipi_tail = p;
	send_put(i->send);
	free(i);
}

void join_drop_request(struct cpu_state *t, struct request **p)
{
	struct request *r = *p;
	struct ipi *i;

	for (i = t->ipi; i; i = i->next)
		if (i->req == r)
			i->req = NULL;
	*p = r->next;
	if (!*p)
		t->req_tail = p;
	t->nreq--;
	send_put(r->send);
	free(r);
}

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

/*
 * What @c had coming may have come unseen: the next interrupt must not be
 * taken for it. The one under way may have ended long before the next end
 * that is seen, so its time is not known.
 */
static void forget_cpu(struct join *j, struct cpu_state *c)
{
	join_drop_frames(j, c);
	join_drop_tasks(c);
	for (int i = 0; i < NR_SOFTIRQS; i++) {
		send_put(c->raised[i]);
		c->raised[i] = NULL;
	}
	c->tick_why = 0;
	if (c->in_call)
		join_end_call(j, c, c->irq.ts);
	while (c->req)
		join_drop_request(c, &c->req);
	while (c->ipi)
		join_drop_ipi(c, &c->ipi);
	for (int i = 0; i < NR_CTX; i++) {
		send_put(c->ctx[i].open);
		send_put(c->ctx[i].await_stack);
		c->ctx[i] = (struct context_state){ 0 };
	}
}

void join_gap(struct join *j)
{
	join_forget_origins(j);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (j->cpu[cpu])
			forget_cpu(j, j->cpu[cpu]);
}

void join_forget_symbols(struct join *j)
{
	memset(j->symbols, 0, sizeof(j->symbols));
}

void join_observe(struct join *j, int cpu)
{
	cpuset_add(&j->observed, cpu);
}

void join_event(struct join *j, const struct event *e)
{
	if (e->cpu >= MAX_CPUS || e->ctx >= NR_CTX)
		return;
	if (e->ts > j->last)
		j->last = e->ts;
	switch (e->type) {
	case EV_QUEUE:
		if (e->target < MAX_CPUS)
			join_on_queue(j, e);
		return;
	case EV_SEND:
		join_on_send(j, e);
		return;
	case EV_STACK:
		join_on_stack(j, e);
		return;
	case EV_TASK:
		if (j->ops.task)
			j->ops.task(j->arg, e->target, e->comm);
		return;
	case EV_MARK:
		if (j->ops.mark)
			j->ops.mark(j->arg, e->ts, (const char *)e->words);
		return;
	case EV_LOST:
		forget_cpu(j, join_cpu(j, e->cpu));
		/* What was armed there, and fires anywhere. */
		join_forget_origins(j);
		if (j->ops.lost)
			j->ops.lost(j->arg, e->cpu, e->ts);
		return;
	case EV_TIMER_ARM:
	case EV_WORK_QUEUE:
	case EV_WAKING:
		join_on_origin(j, e);
		return;
	case EV_MIGRATE:
		join_on_task(j, e);
		return;
	}
	if (!cpuset_has(&j->observed, e->cpu))
		return;
	switch (e->type) {
	case EV_FUNC:
		join_on_func(j, e);
		return;
	case EV_IRQ_ENTRY:
		join_on_irq_entry(j, e);
		return;
	case EV_IRQ_EXIT:
		join_on_irq_exit(j, e);
		return;
	case EV_RAISE:
		join_on_origin(j, e);
		return;
	case EV_SWITCH:
	case EV_WORK_START:
	case EV_WORK_END:
		join_on_task(j, e);
		return;
	default:
		join_on_nested(j, e);
	}
}

/* ---- handing out -------------------------------------------------------- */

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

static void retire_sends(struct join *j, uint64_t before)
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

static void expire(struct join *j, struct cpu_state *t, uint64_t before)
{
	while (t->req && t->req->ts < before) {
		j->expired++;
		join_drop_request(t, &t->req);
	}
	while (t->ipi && t->ipi->ts < before) {
		j->expired += !t->ipi->passed;
		join_drop_ipi(t, &t->ipi);
	}
}

void join_advance(struct join *j, uint64_t ts)
{
	uint64_t before = ts > JOIN_SETTLE_NS ? ts - JOIN_SETTLE_NS : 0;
	struct settled *o;

	while ((o = j->out) && o->r.ts < before) {
		j->out = o->next;
		if (!j->out)
			j->out_tail = &j->out;
		emit(j, &o->r);
		free(o);
	}
	if (ts > EXPIRE_NS)
		for (int cpu = 0; cpu < MAX_CPUS; cpu++)
			if (j->cpu[cpu])
				expire(j, j->cpu[cpu], ts - EXPIRE_NS);
	retire_sends(j, before);
}

void join_finish(struct join *j)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (j->cpu[cpu])
			join_end_tasks(j, j->cpu[cpu]);
	join_gap(j);
	join_advance(j, UINT64_MAX);
}

void join_free(struct join *j)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (j->cpu[cpu])
			free(j->cpu[cpu]->head);
		free(j->cpu[cpu]);
	}
	free(j->origins);
	free(j);
}
