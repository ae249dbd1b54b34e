// SPDX-License-Identifier: GPL-2.0
/*
 * collect_groups.c - the groups of events beyond interrupts, which --what asks for.
 *
 * Whoever arms a timer or queues work may be on any CPU, so those events come from
 * all of them, with a stack each; the others come from the observed CPUs only. Each
 * is one more that patches kernel text at the start and at the end: so only what
 * was asked for. tests/groups.sh measures what each group costs.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "observe/collect_state.h"
#include "quell.h"

static const struct { const char *name; unsigned int what; } groups[] = {
	{ "ipi", WHAT_IPI }, { "timer", WHAT_TIMER }, { "softirq", WHAT_SOFTIRQ },
	{ "irq", WHAT_IRQ }, { "sched", WHAT_SCHED }, { "all", WHAT_ALL },
};

/* Fields: the object, the function, a task or result, a number. */
static const struct group_event {
	const char	*system, *name;
	uint8_t		type;
	unsigned int	what;
	const char	*by;		/* filtered so; NULL: from all CPUs */
	bool		stack;
	const char	*object, *func, *target, *number;
} events[] = {
	{ "timer", "hrtimer_start", EV_TIMER_ARM, WHAT_TIMER, NULL, true, "hrtimer", "function", NULL, NULL },
	{ "timer", "timer_start", EV_TIMER_ARM, WHAT_TIMER, NULL, true, "timer", "function", NULL, NULL },
	{ "timer", "hrtimer_expire_entry", EV_TIMER_ENTRY, WHAT_TIMER, "CPU", false, "hrtimer", "function", NULL, NULL },
	{ "timer", "hrtimer_expire_exit", EV_TIMER_EXIT, WHAT_TIMER, "CPU", false, "hrtimer", NULL, NULL, NULL },
	{ "timer", "timer_expire_entry", EV_TIMER_ENTRY, WHAT_TIMER, "CPU", false, "timer", "function", NULL, NULL },
	{ "timer", "timer_expire_exit", EV_TIMER_EXIT, WHAT_TIMER, "CPU", false, "timer", NULL, NULL, NULL },
	{ "timer", "tick_stop", EV_TICK, WHAT_TIMER, "CPU", false, NULL, NULL, "success", "dependency" },
	{ "irq", "softirq_raise", EV_RAISE, WHAT_SOFTIRQ, "CPU", true, NULL, NULL, NULL, "vec" },
	{ "irq", "softirq_entry", EV_SOFTIRQ_ENTRY, WHAT_SOFTIRQ, "CPU", false, NULL, NULL, NULL, "vec" },
	{ "irq", "softirq_exit", EV_SOFTIRQ_EXIT, WHAT_SOFTIRQ, "CPU", false, NULL, NULL, NULL, "vec" },
	{ "workqueue", "workqueue_queue_work", EV_WORK_QUEUE, WHAT_SCHED, NULL, true, "work", "function", NULL, NULL },
	{ "workqueue", "workqueue_execute_start", EV_WORK_START, WHAT_SCHED, "CPU", false, "work", "function", NULL, NULL },
	{ "workqueue", "workqueue_execute_end", EV_WORK_END, WHAT_SCHED, "CPU", false, "work", NULL, NULL, NULL },
	{ "sched", "sched_waking", EV_WAKING, WHAT_SCHED, "target_cpu", true, NULL, NULL, "pid", NULL },
	{ "sched", "sched_migrate_task", EV_MIGRATE, WHAT_SCHED, "orig_cpu", false, NULL, NULL, "pid", "orig_cpu" },
	{ "sched", "sched_switch", EV_SWITCH, WHAT_SCHED, "CPU", false, NULL, NULL, "next_pid", "prev_state" },
};

unsigned int what_parse(const char *text)
{
	unsigned int what = WHAT_IPI, one;
	char *list = xstrdup(text), *save = NULL, *word;
	bool any = false;

	for (word = strtok_r(list, ",", &save); word && what;
	     word = strtok_r(NULL, ",", &save)) {
		one = 0;
		for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
			if (!strcmp(groups[i].name, word))
				one = groups[i].what;
		what = one ? what | one : 0;
		any = true;
	}
	free(list);
	return any ? what : 0;
}

char *what_format(unsigned int what)
{
	char *text = xstrdup(""), *more;

	if (what == WHAT_ALL) {
		free(text);
		return xstrdup("all");
	}
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		if (groups[i].what == WHAT_ALL || !(groups[i].what & what))
			continue;
		more = xasprintf("%s%s%s", text, *text ? "," : "", groups[i].name);
		free(text);
		text = more;
	}
	return text;
}

static void want(struct collect *c, const struct group_event *g)
{
	struct decoder *d = collect_enable(c, g->system, g->name, DEC_GROUP, false, g->by);
	struct tep_event *ev = collect_event(c, g->system, g->name);

	if (!d) {
		c->lacks = g->name;
		return;
	}
	d->type = g->type;
	if (g->object)
		collect_field(ev, g->object, &d->a);
	if (g->func)
		collect_field(ev, g->func, &d->b);
	if (g->target)
		collect_field(ev, g->target, &d->c);
	if (g->number)
		collect_field(ev, g->number, &d->d);
	if (g->stack)
		collect_stack(c, g->system, g->name, g->by);
}

void collect_want_groups(struct collect *c)
{
	c->lacks = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (c->what & events[i].what)
			want(c, &events[i]);
}
