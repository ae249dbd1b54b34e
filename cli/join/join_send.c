// SPDX-License-Identifier: GPL-2.0
/*
 * join_send.c - what senders do: put requests together to calls, note which of
 * them sent an interrupt, and wait for the stack that says from where.
 *
 * A call queues its requests and sends its IPI in one context of one CPU, in
 * program order. An interrupt in between may do the same, but in its own
 * context; so the last thing queued in a context is what its IPI is for.
 */
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

#define MAX_PENDING	65536u		/* per target, against lost receipts */

static void add_ipi(struct join *j, struct send *s, unsigned int target,
		    struct request *req)
{
	struct cpu_state *t;
	struct ipi *i;

	s->ipis++;
	if (!cpuset_has(&j->observed, target))
		return;
	s->wanted++;
	t = join_cpu(j, target);
	i = xcalloc(1, sizeof(*i));
	i->send = send_get(s);
	i->req = req;
	i->ts = s->ts;
	i->vec = s->vec;
	*t->ipi_tail = i;
	t->ipi_tail = &i->next;
}

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

void join_on_queue(struct join *j, const struct event *e)
{
	struct context_state *c = &join_cpu(j, e->cpu)->ctx[e->ctx];
	struct send *s = c->open;
	struct cpu_state *t;
	struct request *r;

	if (!s || c->pid != e->pid || s->callsite_addr != e->callsite ||
	    s->func_addr != e->func || e->target <= c->last_target ||
	    calls_one(join_symbol(j, e->callsite))) {
		send_put(c->open);
		s = c->open = send_get(join_new_send(j, e, VEC_CALL, e->func));
		c->pid = e->pid;
	}
	c->last_target = e->target;
	s->targets++;
	if (!cpuset_has(&j->observed, e->target))
		return;
	t = join_cpu(j, e->target);
	if (t->nreq >= MAX_PENDING) {
		j->expired++;
		join_drop_request(t, &t->req);
	}
	r = xcalloc(1, sizeof(*r));
	r->send = send_get(s);
	r->csd = e->csd;
	r->func = e->func;
	r->ts = e->ts;
	if (!strncmp(join_symbol(j, e->callsite), "irq_work_queue_on", 17))
		r->kind = REQ_IRQ_WORK;
	else if (!strncmp(join_symbol(j, e->func), "sched_ttwu_pending", 18))
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
		for (r = join_cpu(j, target)->req; r; r = r->next)
			if (r->send == s)
				found = r;
	return found;
}

void join_on_send(struct join *j, const struct event *e)
{
	struct context_state *c = &join_cpu(j, e->cpu)->ctx[e->ctx];
	bool call = e->func && !strncmp(join_symbol(j, e->func),
					"generic_smp_call_function", 25);
	struct send *s = NULL;
	unsigned int cpu;

	if (e->irq)
		call = e->irq == 1 + VEC_CALL || e->irq == 1 + VEC_CALL_SINGLE;
	if (call && c->open && c->pid == e->pid)
		s = c->open;
	if (e->irq && !call)
		s = join_new_send(j, e, e->irq - 1, 0);
	else if (!e->func && !call)
		s = join_new_send(j, e, VEC_RESCHED, 0);
	else if (!call)
		s = join_new_send(j, e, VEC_IRQ_WORK, e->func);
	else if (!s)
		s = join_new_send(j, e, VEC_CALL, 0);
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
	join_await_stack(j, e, s);
	if (call) {
		send_put(c->open);
		c->open = NULL;
	}
}
