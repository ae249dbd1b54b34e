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
 *    still due to its sender: the oldest IPI whose request is gone. HOW_IPI.
 *  - A csd may be queued again before its last run is traced (it is unlocked
 *    first when nobody waits), so requests of one address are first-in first-out.
 *  - irq_work queued on another CPU shares the queue, but running it is not
 *    traced. It is known by the function that queued it, and is over when an
 *    interrupt that began after it is.
 *  - Wake-ups share one csd_function_entry: that of the first of the batch.
 *  - Reschedule and irq_work vectors carry nothing. The local APIC keeps one
 *    bit per vector, so several sends may end as one interrupt: the first one
 *    set the bit, the others merged into it and are shown as riders.
 *
 * An interrupt that none of this explains has no known sender, and is shown so.
 */
#include <stdlib.h>
#include <string.h>

#include "join.h"
#include "quell.h"

#define SETTLE_NS	50000000ull	/* a stack follows its event within this */
#define EXPIRE_NS	5000000000ull
#define MAX_PENDING	65536u		/* per target, against lost receipts */

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
};

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

void join_window(struct join *j, uint64_t from, uint64_t to)
{
	j->from = from;
	j->to = to;
}

uint64_t join_expired(const struct join *j)
{
	return j->expired;
}

static struct cpu_state *state_of(struct join *j, unsigned int cpu)
{
	struct cpu_state *c = j->cpu[cpu];

	if (!c) {
		c = j->cpu[cpu] = xcalloc(1, sizeof(*c));
		c->req_tail = &c->req;
		c->ipi_tail = &c->ipi;
	}
	return c;
}

static uint32_t symbol_id(struct join *j, uint64_t addr)
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

static const char *symbol(struct join *j, uint64_t addr)
{
	return strtab_get(j->strings, symbol_id(j, addr));
}

/* ---- sends -------------------------------------------------------------- */

static struct send *get(struct send *s)
{
	if (s)
		s->refs++;
	return s;
}

static void put(struct send *s)
{
	if (s)
		s->refs--;	/* freed by retire_sends() */
}

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

static struct send *new_send(struct join *j, const struct event *e, int vec,
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
	s->func = symbol_id(j, func);
	s->callsite = symbol_id(j, e->callsite);
	s->comm = sender_name(j, e);
	*j->send_tail = s;
	j->send_tail = &s->next;
	return s;
}

/* The send's call site and cause, once its stack had the time to arrive. */
static void settle_send(struct join *j, struct send *s)
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
	if (s->func)
		s->cause = classify_func(strtab_get(j->strings, s->func));
	else if (s->vec == VEC_CALL || s->vec == VEC_CALL_SINGLE)
		s->cause = classify_stack(frame, n);
	else
		s->cause = classify_vec(s->vec);
	/* Any function but the known ones, run by the irq_work vector. */
	if (s->cause == CAUSE_CALL && (s->vec == VEC_IRQ_WORK ||
	    !strncmp(strtab_get(j->strings, s->callsite), "irq_work_queue_on", 17)))
		s->cause = CAUSE_IRQ_WORK;
	s->site = strtab_str(j->strings,
			     inlined_site(s->cause, strtab_get(j->strings, s->site),
					  j->ops.has_symbol));
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
		if (s->refs || s->ts >= before) {
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

/* ---- what a target has coming ------------------------------------------- */

static void drop_ipi(struct cpu_state *t, struct ipi **p)
{
	struct ipi *i = *p;

	*p = i->next;
	if (!*p)
		t->ipi_tail = p;
	put(i->send);
	free(i);
}

static void drop_request(struct cpu_state *t, struct request **p)
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
	put(r->send);
	free(r);
}

static void add_ipi(struct join *j, struct send *s, unsigned int target,
		    struct request *req)
{
	struct cpu_state *t;
	struct ipi *i;

	s->ipis++;
	if (!cpuset_has(&j->observed, target))
		return;
	s->wanted++;
	t = state_of(j, target);
	i = xcalloc(1, sizeof(*i));
	i->send = get(s);
	i->req = req;
	i->ts = s->ts;
	i->vec = s->vec;
	*t->ipi_tail = i;
	t->ipi_tail = &i->next;
}

static void settle(struct join *j, const struct receipt *r, struct send *from)
{
	struct settled *o;

	if (r->ts < j->from || r->ts >= j->to)
		return;
	o = xcalloc(1, sizeof(*o));
	o->r = *r;
	o->r.from = get(from);
	*j->out_tail = o;
	j->out_tail = &o->next;
}

static void settle_rider(struct join *j, const struct receipt *irq,
			 unsigned int cpu, uint64_t ts, struct send *from)
{
	struct receipt r = {
		.ts = ts, .cpu = cpu, .how = HOW_CSD,
		.kind = irq ? RECEIPT_RIDE : RECEIPT_POLLED,
		.vec = irq ? irq->vec : from->vec, .func = from->func,
	};

	settle(j, &r, from);
}

/* ---- the sending side --------------------------------------------------- */

/* Queued by a call to one CPU, so the next event is another call. */
static bool calls_one(const char *callsite)
{
	static const char *const one[] = {
		"generic_exec_single", "smp_call_function_single",
		"__smp_call_function_single", "smp_call_function_any",
		"irq_work_queue_on", "ttwu_queue", "__ttwu_queue",
	};

	for (size_t i = 0; i < ARRAY_SIZE(one); i++)
		if (!strncmp(callsite, one[i], strlen(one[i])))
			return true;
	return false;
}

static void on_queue(struct join *j, const struct event *e)
{
	struct context_state *c = &state_of(j, e->cpu)->ctx[e->ctx];
	struct send *s = c->open;
	struct cpu_state *t;
	struct request *r;

	if (!s || c->pid != e->pid || s->callsite_addr != e->callsite ||
	    s->func_addr != e->func || e->target <= c->last_target ||
	    calls_one(symbol(j, e->callsite))) {
		put(c->open);
		s = c->open = get(new_send(j, e, VEC_CALL, e->func));
		c->pid = e->pid;
	}
	c->last_target = e->target;
	s->targets++;
	if (!cpuset_has(&j->observed, e->target))
		return;
	t = state_of(j, e->target);
	if (t->nreq >= MAX_PENDING) {
		j->expired++;
		drop_request(t, &t->req);
	}
	r = xcalloc(1, sizeof(*r));
	r->send = get(s);
	r->csd = e->csd;
	r->func = e->func;
	r->ts = e->ts;
	if (!strncmp(symbol(j, e->callsite), "irq_work_queue_on", 17))
		r->kind = REQ_IRQ_WORK;
	else if (!strncmp(symbol(j, e->func), "sched_ttwu_pending", 18))
		r->kind = REQ_WAKEUP;
	*t->req_tail = r;
	t->req_tail = &r->next;
	t->nreq++;
}

/* The request this call queued for @target; NULL if its event was not seen. */
static struct request *request_of(struct join *j, struct send *s,
				  unsigned int target)
{
	struct request *r, *found = NULL;

	if (cpuset_has(&j->observed, target))
		for (r = state_of(j, target)->req; r; r = r->next)
			if (r->send == s)
				found = r;
	return found;
}

static void on_send(struct join *j, const struct event *e)
{
	struct context_state *c = &state_of(j, e->cpu)->ctx[e->ctx];
	bool call = e->func && !strncmp(symbol(j, e->func),
					"generic_smp_call_function", 25);
	struct send *s = NULL;
	unsigned int cpu;

	if (call && c->open && c->pid == e->pid)
		s = c->open;
	if (!e->func)
		s = new_send(j, e, VEC_RESCHED, 0);
	else if (!call)
		s = new_send(j, e, VEC_IRQ_WORK, e->func);
	else if (!s)
		s = new_send(j, e, VEC_CALL, 0);
	if (call)
		s->vec = e->nwords ? VEC_CALL : j->vec_single;

	if (!e->nwords && e->target < MAX_CPUS)
		add_ipi(j, s, e->target, call ? request_of(j, s, e->target) : NULL);
	for (cpu = 0; cpu < e->nwords * 64 && cpu < MAX_CPUS; cpu++)
		if (e->words[cpu / 64] >> (cpu % 64) & 1)
			add_ipi(j, s, cpu, request_of(j, s, cpu));
	if (!s->targets || s->targets < s->ipis)
		s->targets = s->ipis;

	s->closed = true;
	put(c->await_stack);
	c->await_stack = get(s);
	c->pid = e->pid;
	if (call) {
		put(c->open);
		c->open = NULL;
	}
}

static void on_stack(struct join *j, const struct event *e)
{
	struct context_state *c = &state_of(j, e->cpu)->ctx[e->ctx];
	uint32_t id[128];
	size_t n = 0;

	if (!c->await_stack || c->pid != e->pid)
		return;
	for (uint32_t i = 0; i < e->nwords && n < ARRAY_SIZE(id); i++)
		id[n++] = symbol_id(j, e->words[i]);
	c->await_stack->stack = strtab_put(j->stacks, id, n * sizeof(*id));
	put(c->await_stack);
	c->await_stack = NULL;
}

/* ---- the receiving side ------------------------------------------------- */

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
		irq->from = get(r->send);
		irq->how = HOW_CSD;
		irq->func = r->send->func;
		drop_ipi(t, i);
		drop_request(t, p);
		return;
	}
	settle_rider(j, irq, cpu, ts, r->send);
	drop_request(t, p);
}

static void on_func(struct join *j, const struct event *e)
{
	struct cpu_state *t = state_of(j, e->cpu);
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
			irq->func = symbol_id(j, e->func);
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
 * The interrupt ran no request that opened the queue: the oldest IPI that is
 * out and has nothing left to run is what it was. Newer ones merged with it.
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
	irq->from = get((*found)->send);
	irq->how = HOW_IPI;
	if (!irq->func)
		irq->func = irq->from->func;
	drop_ipi(t, found);
}

static void pass_ipis(struct join *j, struct cpu_state *t, struct receipt *irq)
{
	struct ipi **p = &t->ipi, *i;

	while ((i = *p)) {
		if (i->vec != irq->vec || i->req || i->ts > irq->ts) {
			p = &i->next;
		} else if (is_call(irq) && !i->passed) {
			/* Its own empty interrupt may still come; see HOW_IPI. */
			i->passed = 1;
			p = &i->next;
		} else {
			settle_rider(j, irq, irq->cpu, irq->ts, i->send);
			drop_ipi(t, p);
		}
	}
}

/* An interrupt that serves no requests is all there is to it. */
static void plain_irq(struct join *j, struct cpu_state *t, struct receipt *irq)
{
	if (irq->vec == VEC_RESCHED || irq->vec == VEC_IRQ_WORK) {
		match_ipi(t, irq);
		pass_ipis(j, t, irq);
	} else {
		irq->how = HOW_SOURCE;
	}
	settle(j, irq, irq->from);
	put(irq->from);
}

static void end_call(struct join *j, struct cpu_state *t, uint64_t ts)
{
	struct receipt *irq = &t->irq;
	uint64_t ns = ts > irq->ts ? ts - irq->ts : 0;
	struct request **p, *r;

	t->in_call = false;
	irq->ns = ns > UINT32_MAX ? UINT32_MAX : ns;
	for (p = &t->req; (r = *p); ) {
		if (r->kind == REQ_IRQ_WORK && r->ts < irq->ts)
			serve(j, irq->cpu, irq, p, irq->ts);
		else
			p = &r->next;
	}
	if (!irq->from)
		match_ipi(t, irq);
	pass_ipis(j, t, irq);
	settle(j, irq, irq->from);
	put(irq->from);
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

static void on_irq_entry(struct join *j, const struct event *e)
{
	struct cpu_state *t = state_of(j, e->cpu);
	struct receipt irq = {
		.ts = e->ts, .cpu = e->cpu, .vec = e->vec, .name = e->name,
		.kind = RECEIPT_IRQ,
	};

	if (e->vec == VEC_DEVICE && !first_handler(t, e))
		return;
	if (!is_call(&irq)) {
		plain_irq(j, t, &irq);
		return;
	}
	/* They do not nest: the end of the last one was lost. */
	if (t->in_call)
		end_call(j, t, t->irq.ts);
	t->in_call = true;
	t->irq = irq;
}

static void on_irq_exit(struct join *j, const struct event *e)
{
	struct cpu_state *t = state_of(j, e->cpu);

	if (t->in_call && t->irq.vec == e->vec)
		end_call(j, t, e->ts);
}

void join_event(struct join *j, const struct event *e)
{
	if (e->cpu >= MAX_CPUS || e->ctx >= NR_CTX)
		return;
	switch (e->type) {
	case EV_QUEUE:
		if (e->target < MAX_CPUS)
			on_queue(j, e);
		return;
	case EV_SEND:
		on_send(j, e);
		return;
	case EV_STACK:
		on_stack(j, e);
		return;
	}
	if (!cpuset_has(&j->observed, e->cpu))
		return;
	if (e->type == EV_FUNC)
		on_func(j, e);
	else if (e->type == EV_IRQ_ENTRY)
		on_irq_entry(j, e);
	else if (e->type == EV_IRQ_EXIT)
		on_irq_exit(j, e);
}

/* ---- handing out -------------------------------------------------------- */

static void emit(struct join *j, struct receipt *r)
{
	if (r->from) {
		emit_send(j, r->from);
		r->send = r->from->id;
		r->cause = r->from->cause;
	} else if (r->func) {
		r->cause = classify_func(strtab_get(j->strings, r->func));
	} else {
		r->cause = classify_vec(r->vec);
	}
	if (j->ops.receipt)
		j->ops.receipt(j->arg, r);
	put(r->from);
}

static void expire(struct join *j, struct cpu_state *t, uint64_t before)
{
	while (t->req && t->req->ts < before) {
		j->expired++;
		drop_request(t, &t->req);
	}
	while (t->ipi && t->ipi->ts < before) {
		j->expired += !t->ipi->passed;
		drop_ipi(t, &t->ipi);
	}
}

void join_advance(struct join *j, uint64_t ts)
{
	uint64_t before = ts > SETTLE_NS ? ts - SETTLE_NS : 0;
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
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		struct cpu_state *c = j->cpu[cpu];

		if (!c)
			continue;
		if (c->in_call)
			end_call(j, c, c->irq.ts);
		while (c->req)
			drop_request(c, &c->req);
		while (c->ipi)
			drop_ipi(c, &c->ipi);
		for (int i = 0; i < NR_CTX; i++) {
			put(c->ctx[i].open);
			put(c->ctx[i].await_stack);
			c->ctx[i] = (struct context_state){ 0 };
		}
	}
	join_advance(j, UINT64_MAX);
}

void join_free(struct join *j)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (j->cpu[cpu])
			free(j->cpu[cpu]->head);
		free(j->cpu[cpu]);
	}
	free(j);
}
