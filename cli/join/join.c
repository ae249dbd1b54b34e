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
		if (e->target >= MAX_CPUS)
			return;
		if (cpuset_has(&j->observed, e->target))
			join_run_unseen(j, e);
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

	join_emit(j, before);
	if (ts > EXPIRE_NS)
		for (int cpu = 0; cpu < MAX_CPUS; cpu++)
			if (j->cpu[cpu])
				expire(j, j->cpu[cpu], ts - EXPIRE_NS);
	join_retire_sends(j, before);
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
