// SPDX-License-Identifier: GPL-2.0
/*
 * join_nest.c - what began in what: interrupts, softirqs and timers of one CPU,
 * each with the time it took without those that nested in it.
 *
 * A CPU's events come in order, and what begins last ends first. Where an end is
 * missing - events were lost, or a kernel that switches tasks in a softirq
 * (PREEMPT_RT) - what was on top of it is closed without a time: too little is
 * told then, never too much.
 *
 * The first timer that expires in a timer interrupt is what that interrupt was
 * for: it lends it its name and its origin, and takes no time of its own.
 */
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

void join_victim(struct join *j, const struct event *e, struct receipt *r)
{
	r->ts = e->ts;
	r->cpu = e->cpu;
	r->idle = !e->pid;
	r->victim_pid = e->pid;
	r->victim = j->ops.comm ? j->ops.comm(j->arg, e->pid) : 0;
	r->victim_cgroup = join_cgroup(j, e->pid);
}

static void close_top(struct join *j, struct cpu_state *t, uint64_t ts, bool timed)
{
	struct frame *f = &t->frame[--t->nframes], *below;
	uint64_t span = timed && ts > f->r.ts ? ts - f->r.ts : 0, inside;

	inside = f->silent ? f->nested : span > f->nested ? span : f->nested;
	below = t->nframes ? f - 1 : t->running ? &t->run : NULL;
	if (below)
		below->nested += inside;
	if (timed) {
		f->r.span = clamp32(span ? span : 1);
		f->r.ns = clamp32(span > f->nested ? span - f->nested : 1);
	}
	if (f->kind == FRAME_CALL)
		t->irq_nested = f->nested;
	/* An interrupt came, however long it took. */
	else if (!f->silent && (timed || f->r.kind == RECEIPT_IRQ))
		join_settle(j, &f->r, f->from);
	send_put(f->from);
	if (!t->nframes)
		t->last_timer = 0;
}

struct frame *join_enter(struct join *j, struct cpu_state *t, enum frame_kind kind,
			 uint64_t key, const struct receipt *r, struct send *from)
{
	struct frame *f;

	if (t->nframes == MAX_FRAMES)		/* ends were lost */
		join_drop_frames(j, t);
	f = &t->frame[t->nframes++];
	*f = (struct frame){ .r = *r, .from = send_get(from), .key = key, .kind = kind };
	return f;
}

void join_leave(struct join *j, struct cpu_state *t, enum frame_kind kind,
		uint64_t key, uint64_t ts)
{
	int i = t->nframes;

	while (i-- > 0)
		if (t->frame[i].kind == kind && t->frame[i].key == key)
			break;
	if (i < 0)
		return;
	while (t->nframes > i + 1)
		close_top(j, t, ts, false);
	close_top(j, t, ts, true);
}

void join_drop_frames(struct join *j, struct cpu_state *t)
{
	while (t->nframes)
		close_top(j, t, 0, false);
}

/* Why the tick goes on, in the words of timer:tick_stop. */
static uint32_t tick_reason(struct join *j, const struct cpu_state *t)
{
	static const char *const why[] = {
		"a POSIX CPU timer is armed", "perf events need it",
		"more than one task may run", "the clock is not stable",
		"RCU waits for this CPU", "RCU waits for this CPU, expedited",
	};

	for (size_t i = 0; i < ARRAY_SIZE(why); i++)
		if (t->tick_why >> i & 1)
			return strtab_str(j->strings, why[i]);
	return 0;
}

static bool is_tick(const char *func)
{
	char name[128];

	plain_name(func, name, sizeof(name));
	return !strcmp(name, "tick_nohz_handler") || !strcmp(name, "tick_sched_timer");
}

static void timer_entry(struct join *j, struct cpu_state *t, const struct event *e)
{
	struct send *from = join_origin(j, ORIGIN_TIMER, e->csd);
	struct receipt r = {
		.kind = RECEIPT_PART, .vec = VEC_TIMER, .cause = CAUSE_TICK,
		.how = HOW_SOURCE, .func = join_symbol_id(j, e->func),
	};
	struct frame *below = t->nframes ? &t->frame[t->nframes - 1] : NULL, *f;
	bool first;

	/* Another timer at the same place, armed unseen. */
	if (from && from->func_addr != e->func)
		from = NULL;
	join_victim(j, e, &r);
	if (is_tick(strtab_get(j->strings, r.func)))
		r.name = tick_reason(j, t);
	first = below && below->kind == FRAME_IRQ && below->r.vec == VEC_TIMER &&
		!below->r.func;
	if (first) {
		below->r.func = r.func;
		below->r.name = r.name;
		below->from = send_get(from);
	}
	t->last_timer = e->csd;
	f = join_enter(j, t, FRAME_TIMER, e->csd, &r, first ? NULL : from);
	f->silent = first;
}

static void softirq_entry(struct join *j, struct cpu_state *t, const struct event *e)
{
	struct receipt r = {
		.kind = RECEIPT_PART, .vec = VEC_SOFTIRQ, .cause = CAUSE_SOFTIRQ,
	};
	struct send *from = NULL;

	if (e->irq < NR_SOFTIRQS) {
		from = t->raised[e->irq];
		t->raised[e->irq] = NULL;
	}
	r.func = join_softirq_name(j, e->irq);
	r.how = from ? HOW_IPI : HOW_UNKNOWN;
	join_victim(j, e, &r);
	join_enter(j, t, FRAME_SOFTIRQ, e->irq, &r, from);
	send_put(from);
}

void join_on_nested(struct join *j, const struct event *e)
{
	struct cpu_state *t = join_cpu(j, e->cpu);

	switch (e->type) {
	case EV_TIMER_ENTRY:
		timer_entry(j, t, e);
		return;
	case EV_TIMER_EXIT:
		join_leave(j, t, FRAME_TIMER, e->csd, e->ts);
		return;
	case EV_SOFTIRQ_ENTRY:
		softirq_entry(j, t, e);
		return;
	case EV_SOFTIRQ_EXIT:
		join_leave(j, t, FRAME_SOFTIRQ, e->irq, e->ts);
		return;
	case EV_TICK:
		t->tick_why = e->target ? 0 : e->irq;
		return;
	}
}
