// SPDX-License-Identifier: GPL-2.0
/*
 * join_task.c - which task ran while another one, that could have, waited.
 *
 * A task that is switched out and does not sleep waits for its CPU. What runs until
 * it comes back interrupts it: a stretch per task that ran, each for itself. Those
 * who wait are kept in order, and a stretch is at the cost of the last one. If the
 * CPU goes idle nobody waits any more, and one who left for another CPU does not
 * wait here. A task that goes to sleep by itself is not interrupted.
 *
 * A kernel worker's stretch is called by the work it does: what it does after the
 * first piece is a stretch of its own.
 */
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

static void end_stretch(struct join *j, struct cpu_state *t, uint64_t ts)
{
	struct frame *f = &t->run;
	uint64_t span = ts > f->r.ts ? ts - f->r.ts : 0;

	if (!t->running)
		return;
	t->running = false;
	f->r.span = clamp32(span ? span : 1);
	f->r.ns = clamp32(span > f->nested ? span - f->nested : 1);
	join_settle(j, &f->r, f->from);
	send_put(f->from);
	f->from = NULL;
}

/* The work that task @pid is in the midst of. */
static struct working *work_of(struct cpu_state *t, int32_t pid)
{
	for (int i = 0; i < MAX_WAITING; i++)
		if (t->working[i].pid == pid)
			return &t->working[i];
	return NULL;
}

static void call_by_work(struct cpu_state *t, const struct working *w)
{
	struct send *old = t->run.from;

	t->run.r.cause = CAUSE_KWORKER;
	t->run.r.func = w->func;
	t->run.r.vec = VEC_WORK;
	t->run.r.how = w->from ? HOW_IPI : HOW_UNKNOWN;
	t->run.from = send_get(w->from);
	send_put(old);
	t->named = true;
}

/* @pid runs from now on, at the cost of the last of those who wait. */
static void begin_stretch(struct join *j, struct cpu_state *t, const struct event *e,
			  int32_t pid, struct waiting *back)
{
	struct waiting *v = &t->waiting[t->nwaiting - 1];
	struct working *w = work_of(t, pid);
	struct receipt r = { .kind = RECEIPT_PART, .vec = VEC_WAKE };
	struct send *from = join_take_origin(j, ORIGIN_WAKE, pid);

	r.cause = join_task_cause(j, pid, &r.func);
	r.how = from ? HOW_IPI : HOW_UNKNOWN;
	if (!from && back) {		/* it was its turn again */
		from = send_get(back->from);
		if (back->r.kind == RECEIPT_PART) {
			r.cause = back->r.cause;
			r.func = back->r.func;
			r.vec = back->r.vec;
		}
		r.how = from ? HOW_IPI : HOW_SOURCE;
	}
	r.ts = e->ts;
	r.cpu = e->cpu;
	r.victim_pid = v->pid;
	r.victim = v->name;
	r.victim_cgroup = v->cgroup;
	t->run = (struct frame){ .r = r, .from = from };
	t->running = true;
	t->named = false;
	t->run_pid = pid;
	if (w)
		call_by_work(t, w);
}

static void forget_waiting(struct cpu_state *t, int i)
{
	send_put(t->waiting[i].from);
	t->nwaiting--;
	memmove(t->waiting + i, t->waiting + i + 1,
		(t->nwaiting - i) * sizeof(*t->waiting));
}

static int place_of(const struct cpu_state *t, int32_t pid)
{
	for (int i = 0; i < t->nwaiting; i++)
		if (t->waiting[i].pid == pid)
			return i;
	return -1;
}

static void has_to_wait(struct join *j, struct cpu_state *t, int32_t pid,
			const struct receipt *as, struct send *from)
{
	struct waiting *v;

	if (t->nwaiting == MAX_WAITING)
		forget_waiting(t, 0);
	v = &t->waiting[t->nwaiting++];
	*v = (struct waiting){ .pid = pid, .from = send_get(from) };
	v->name = j->ops.comm ? j->ops.comm(j->arg, pid) : 0;
	v->cgroup = join_cgroup(j, pid);
	if (as)
		v->r = *as;
}

static void on_switch(struct join *j, struct cpu_state *t, const struct event *e)
{
	int32_t prev = e->pid, next = e->target;
	bool was = t->running && t->run_pid == prev;
	struct waiting back = { 0 };
	struct receipt as = t->run.r;
	struct send *from = was ? send_get(t->run.from) : NULL, *awake;
	int i;

	join_drop_frames(j, t);
	end_stretch(j, t, e->ts);
	if (prev && !e->irq && next && place_of(t, prev) < 0)
		has_to_wait(j, t, prev, was ? &as : NULL, from);
	send_put(from);
	while (!next && t->nwaiting)
		forget_waiting(t, 0);
	i = place_of(t, next);
	if (i >= 0) {
		back = t->waiting[i];
		send_get(back.from);
		forget_waiting(t, i);
	}
	if (next && t->nwaiting) {
		begin_stretch(j, t, e, next, i >= 0 ? &back : NULL);
	} else if (next) {
		/* Why it runs is of no interest: nobody waits. */
		awake = join_take_origin(j, ORIGIN_WAKE, next);
		send_put(awake);
	}
	send_put(back.from);
}

static void on_migrate(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->irq);
	int i = place_of(t, e->target);

	if (i < 0)
		return;
	forget_waiting(t, i);
	if (!t->nwaiting)
		end_stretch(j, t, e->ts);
}

static void on_work_start(struct join *j, struct cpu_state *t, const struct event *e)
{
	struct working *w = work_of(t, e->pid);
	struct frame next;

	if (!w)
		w = work_of(t, 0);
	if (!w)
		w = &t->working[0];
	send_put(w->from);
	*w = (struct working){ e->pid, join_symbol_id(j, e->func),
			       join_take_origin(j, ORIGIN_WORK, e->csd) };
	if (!t->running || t->run_pid != e->pid)
		return;
	if (t->named) {
		next = t->run;
		next.from = NULL;
		next.nested = 0;
		next.r.ts = e->ts;
		end_stretch(j, t, e->ts);
		t->run = next;
		t->running = true;
	}
	call_by_work(t, w);
}

static void on_work_end(struct cpu_state *t, const struct event *e)
{
	struct working *w = work_of(t, e->pid);

	if (!w)
		return;
	send_put(w->from);
	*w = (struct working){ 0 };
}

void join_on_task(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);

	switch (e->type) {
	case EV_SWITCH:
		on_switch(j, t, e);
		return;
	case EV_WORK_START:
		on_work_start(j, t, e);
		return;
	case EV_WORK_END:
		on_work_end(t, e);
		return;
	case EV_MIGRATE:
		if (e->irq < MAX_CPUS)
			on_migrate(j, e);
		return;
	}
}

void join_drop_tasks(struct cpu_state *t)
{
	if (t->running)
		send_put(t->run.from);
	t->running = false;
	while (t->nwaiting)
		forget_waiting(t, 0);
	for (int i = 0; i < MAX_WAITING; i++) {
		send_put(t->working[i].from);
		t->working[i] = (struct working){ 0 };
	}
}

void join_end_tasks(struct join *j, struct cpu_state *t)
{
	end_stretch(j, t, j->last);
}
