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
	/* In an interrupt it may be just about to run: csds are free a little earlier. */
	if (e->csd && !t->in_call)
		join_run_unseen(j, e->target, e->csd, e->ts);
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
