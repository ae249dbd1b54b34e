// SPDX-License-Identifier: GPL-2.0
/*
 * test_nest.c - timers, softirqs, work and tasks, fed by hand: each with its own
 * time, its name and who did it; and what is left of that when events are lost or
 * a kernel has them not.
 */
#include <stdlib.h>
#include <string.h>

#include "../record/hist.h"
#include "../join/interruption.h"
#include "../quell.h"
#include "tap.h"

enum { TICK = 0x1000, WAKEUP = 0x2000, DELAYED = 0x3000, WORK = 0x4000,
       SLEEP = 0x5000, QUEUE = 0x6000, STAT = 0x7000, ARM = 0x8000 };
enum { VICTIM = 100, OTHER = 200, WORKER = 300, MIGRATION = 400 };

static const char *symbol(void *arg, uint64_t addr)
{
	(void)arg;
	switch (addr) {
	case TICK:	return "tick_nohz_handler";
	case WAKEUP:	return "hrtimer_wakeup";
	case DELAYED:	return "delayed_work_timer_fn";
	case WORK:	return "vmstat_update";
	case SLEEP:	return "do_nanosleep";
	case QUEUE:	return "queue_work_on";
	case STAT:	return "vmstat_shepherd";
	case ARM:	return "hrtimer_start_range_ns";
	default:	return NULL;
	}
}

#define MAX_OUT	32

static struct scene {
	struct strtab	strings, stacks;
	struct join	*j;
	uint64_t	now;
	struct receipt	out[MAX_OUT];
	struct send	from[MAX_OUT];		/* id 0: none */
	int		n;
} s;

static void on_receipt(void *arg, const struct receipt *r)
{
	(void)arg;
	if (s.n == MAX_OUT)
		return;
	s.out[s.n] = *r;
	s.from[s.n++] = r->from ? *r->from : (struct send){ 0 };
}

static uint32_t comm(void *arg, int32_t pid)
{
	(void)arg;
	return strtab_str(&s.strings, pid == VICTIM ? "victim" : pid == OTHER ? "other" :
			  pid == WORKER ? "kworker" : pid == MIGRATION ? "migration/1" :
			  "somebody");
}

/* Everybody is in a group of the same name. */
static uint32_t cgroup(void *arg, int32_t pid)
{
	char *path = xasprintf("/%s", strtab_get(&s.strings, comm(arg, pid)));
	uint32_t id = strtab_str(&s.strings, path);

	free(path);
	return id;
}

static bool in_own_group(uint32_t task, uint32_t group)
{
	const char *name = strtab_get(&s.strings, task), *path = strtab_get(&s.strings, group);

	return *name && *name != '(' ? *path == '/' && !strcmp(path + 1, name) : !*path;
}

static bool kthread(void *arg, int32_t pid)
{
	(void)arg;
	return pid == WORKER || pid == MIGRATION;
}

static void begin(bool timed)
{
	static const struct join_ops ops = { .receipt = on_receipt, .symbol = symbol,
		.comm = comm, .cgroup = cgroup, .kthread = kthread };
	struct cpuset set;

	memset(&s, 0, sizeof(s));
	cpulist_parse("1", &set, NULL);
	s.j = join_new(&ops, NULL, &set, &s.strings, &s.stacks);
	if (timed)
		join_timed(s.j);
	s.now = 1000000;
}

static void end(void)
{
	join_free(s.j);
	strtab_free(&s.strings);
	strtab_free(&s.stacks);
}

/* @us after the event before, on CPU 1 (or that of @e) while @pid runs there. */
static void at(unsigned int us, int type, int32_t pid, struct event e)
{
	e.ts = s.now += us * 1000;
	e.type = type;
	e.pid = pid;
	e.cpu = e.cpu ? e.cpu : 1;
	join_event(s.j, &e);
}

static void stack_is(int cpu, int32_t pid, uint64_t outer, int ctx)
{
	uint64_t w[] = { ARM, outer };

	at(0, EV_STACK, pid, (struct event){ .cpu = cpu, .words = w, .nwords = 2, .ctx = ctx });
}

#define IRQ(v)		(struct event){ .vec = (v), .ctx = CTX_HARDIRQ }
#define TIMER(t, f)	(struct event){ .csd = (t), .func = (f), .ctx = CTX_HARDIRQ }
#define NUMBER(n)	(struct event){ .irq = (n), .ctx = CTX_SOFTIRQ }
#define TO(pid, state)	(struct event){ .target = (pid), .irq = (state) }

/* Is receipt @i of this cause, with this name, own time and whole time (us)? */
static bool is(int i, int kind, enum cause cause, const char *func, unsigned int own,
	       unsigned int span)
{
	const struct receipt *r = &s.out[i];

	return i < s.n && r->kind == kind && r->cause == cause && r->ns == own * 1000 &&
	       r->span == span * 1000 &&
	       (r->idle || in_own_group(r->victim, r->victim_cgroup)) && !strcmp(strtab_get(&s.strings, r->func), func);
}

static bool by(int i, const char *task, const char *site)
{
	return s.from[i].id && in_own_group(s.from[i].comm, s.from[i].cgroup) &&
	       !strcmp(strtab_get(&s.strings, s.from[i].comm), task) &&
	       !strcmp(strtab_get(&s.strings, s.from[i].site), site);
}

static void test_timers(void)
{
	begin(true);
	/* CPU 2 arms a timer that expires on CPU 1, in one interrupt with the tick. */
	at(0, EV_TIMER_ARM, OTHER, (struct event){ .cpu = 2, .csd = 0x10, .func = WAKEUP });
	stack_is(2, OTHER, SLEEP, CTX_TASK);
	at(1, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
	at(1, EV_TIMER_ENTRY, VICTIM, TIMER(0x10, WAKEUP));
	at(2, EV_TIMER_EXIT, VICTIM, TIMER(0x10, 0));
	at(1, EV_TIMER_ENTRY, VICTIM, TIMER(0x20, TICK));
	at(5, EV_TIMER_EXIT, VICTIM, TIMER(0x20, 0));
	at(1, EV_IRQ_EXIT, VICTIM, IRQ(VEC_TIMER));
	join_finish(s.j);
	ok(s.n == 2 && is(1, RECEIPT_IRQ, CAUSE_TICK, "hrtimer_wakeup", 5, 10) &&
	   by(1, "other", "do_nanosleep"),
	   "a timer interrupt is called by its first timer, and due to who armed it");
	ok(is(0, RECEIPT_PART, CAUSE_TICK, "tick_nohz_handler", 5, 5) && !s.from[0].id,
	   "the second one has a time of its own; armed unseen, it is nobody's");
	ok(s.out[1].victim_pid == VICTIM && !s.out[1].idle &&
	   !strcmp(strtab_get(&s.strings, s.out[1].victim), "victim"), "and who had to wait");
	end();
}

static void test_again(void)
{
	begin(true);
	for (int i = 0; i < 3; i++) {
		at(1000, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
		at(1, EV_TIMER_ENTRY, VICTIM, TIMER(0x20, TICK));
		at(1, EV_TIMER_EXIT, VICTIM, TIMER(0x20, 0));
		at(0, EV_TIMER_ARM, VICTIM, TIMER(0x20, TICK));
		stack_is(1, VICTIM, TICK, CTX_HARDIRQ);
		at(1, EV_IRQ_EXIT, VICTIM, IRQ(VEC_TIMER));
		at(1, EV_TICK, VICTIM, (struct event){ .irq = 4, .target = 0 });
	}
	join_finish(s.j);
	ok(s.n == 3 && !s.from[0].id && by(2, "(interrupt)", "(starts itself again)"),
	   "a timer that starts itself again is said to");
	ok(!s.out[0].name && !strcmp(strtab_get(&s.strings, s.out[1].name),
				     "more than one task may run"),
	   "the tick goes on for the reason the kernel gave");
	end();
	begin(true);
	at(0, EV_TIMER_ARM, OTHER, (struct event){ .csd = 0x20, .func = WAKEUP });
	stack_is(1, OTHER, SLEEP, CTX_TASK);
	for (int i = 0; i < 2; i++) {
		at(1000, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
		at(1, EV_TIMER_ENTRY, VICTIM, TIMER(0x20, WAKEUP));
		at(1, EV_TIMER_EXIT, VICTIM, TIMER(0x20, 0));
		at(0, EV_TIMER_ARM, VICTIM, TIMER(0x20, WAKEUP));
		at(1, EV_IRQ_EXIT, VICTIM, IRQ(VEC_TIMER));
	}
	at(1, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
	at(1, EV_TIMER_ENTRY, VICTIM, TIMER(0x20, TICK));
	at(1, EV_TIMER_EXIT, VICTIM, TIMER(0x20, 0));
	at(1, EV_IRQ_EXIT, VICTIM, IRQ(VEC_TIMER));
	join_finish(s.j);
	ok(s.n == 3 && by(1, "other", "do_nanosleep"), "one that was seen armed stays due to who did");
	ok(!s.from[2].id, "another timer at the same address is not");
	end();
}

/* An interrupt in a softirq behind an interrupt. */
static void test_softirq(void)
{
	begin(true);
	at(0, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
	at(1, EV_RAISE, VICTIM, (struct event){ .irq = 1, .ctx = CTX_HARDIRQ });
	stack_is(1, VICTIM, STAT, CTX_HARDIRQ);
	at(1, EV_IRQ_EXIT, VICTIM, IRQ(VEC_TIMER));
	at(1, EV_SOFTIRQ_ENTRY, VICTIM, NUMBER(1));
	at(2, EV_IRQ_ENTRY, VICTIM, (struct event){ .vec = VEC_DEVICE, .irq = 9, .name = 1 });
	at(3, EV_IRQ_EXIT, VICTIM, (struct event){ .vec = VEC_DEVICE, .irq = 9 });
	at(4, EV_SOFTIRQ_EXIT, VICTIM, NUMBER(1));
	join_finish(s.j);
	ok(s.n == 3 && is(0, RECEIPT_IRQ, CAUSE_TICK, "", 2, 2) &&
	   is(1, RECEIPT_IRQ, CAUSE_DEVICE, "", 3, 3) &&
	   is(2, RECEIPT_PART, CAUSE_SOFTIRQ, "TIMER", 6, 9),
	   "what nests is subtracted, what follows is not");
	ok(by(2, "(interrupt)", "vmstat_shepherd"), "a softirq is due to who raised it");
	end();
}

/* Delayed work: armed by one, queued by its timer, done by a worker. */
static void test_work(void)
{
	begin(true);
	at(0, EV_TIMER_ARM, OTHER, (struct event){ .cpu = 2, .csd = 0x10, .func = DELAYED });
	stack_is(2, OTHER, STAT, CTX_TASK);
	at(1, EV_SOFTIRQ_ENTRY, VICTIM, NUMBER(1));
	at(1, EV_TIMER_ENTRY, VICTIM, (struct event){ .csd = 0x10, .func = DELAYED, .ctx = CTX_SOFTIRQ });
	at(1, EV_WORK_QUEUE, VICTIM, (struct event){ .csd = 0x30, .func = WORK, .ctx = CTX_SOFTIRQ });
	stack_is(1, VICTIM, QUEUE, CTX_SOFTIRQ);
	at(1, EV_TIMER_EXIT, VICTIM, (struct event){ .csd = 0x10, .ctx = CTX_SOFTIRQ });
	at(1, EV_SOFTIRQ_EXIT, VICTIM, NUMBER(1));
	at(1, EV_SWITCH, VICTIM, TO(WORKER, 0));
	at(2, EV_WORK_START, WORKER, (struct event){ .csd = 0x30, .func = WORK });
	at(10, EV_IRQ_ENTRY, WORKER, IRQ(VEC_RESCHED));
	at(5, EV_IRQ_EXIT, WORKER, IRQ(VEC_RESCHED));
	at(10, EV_WORK_END, WORKER, (struct event){ .csd = 0x30 });
	at(1, EV_WORK_START, WORKER, (struct event){ .csd = 0x40, .func = STAT });
	at(2, EV_WORK_END, WORKER, (struct event){ .csd = 0x40 });
	at(1, EV_SWITCH, WORKER, TO(VICTIM, 1));
	at(100, EV_SWITCH, VICTIM, TO(OTHER, 1));	/* it sleeps: nobody waits */
	join_finish(s.j);
	ok(s.n == 5 && is(0, RECEIPT_PART, CAUSE_TICK, "delayed_work_timer_fn", 2, 2) &&
	   is(1, RECEIPT_PART, CAUSE_SOFTIRQ, "TIMER", 2, 4), "a timer in a softirq");
	ok(is(2, RECEIPT_IRQ, CAUSE_RESCHED, "", 5, 5) && s.out[2].victim_pid == WORKER && s.out[3].victim_pid == VICTIM &&
	   is(3, RECEIPT_PART, CAUSE_KWORKER, "vmstat_update", 23, 28) &&
	   by(3, "other", "vmstat_shepherd"),
	   "delayed work is due to who asked for it, not to its timer; the interrupt in it is not its time");
	ok(is(4, RECEIPT_PART, CAUSE_KWORKER, "vmstat_shepherd", 3, 3) && !s.from[4].id &&
	   s.out[4].how == HOW_UNKNOWN, "what the worker does next is another piece of work");
	end();
}

static void test_tasks(void)
{
	begin(true);
	at(0, EV_WAKING, OTHER, (struct event){ .cpu = 2, .target = MIGRATION });
	stack_is(2, OTHER, STAT, CTX_TASK);
	at(1, EV_SWITCH, VICTIM, TO(OTHER, 0));
	at(10, EV_SWITCH, OTHER, TO(MIGRATION, 0));
	at(2, EV_SWITCH, MIGRATION, TO(OTHER, 1));
	at(20, EV_SWITCH, OTHER, TO(VICTIM, 1));
	at(5, EV_SWITCH, VICTIM, TO(0, 2));
	at(5, EV_SWITCH, 0, TO(OTHER, 0));
	join_finish(s.j);
	ok(s.n == 3 && is(0, RECEIPT_PART, CAUSE_TASK, "other", 10, 10) &&
	   is(1, RECEIPT_PART, CAUSE_KTHREAD, "migration", 2, 2) &&
	   is(2, RECEIPT_PART, CAUSE_TASK, "other", 20, 20), "each that ran instead has its stretch");
	ok(s.out[0].victim_pid == VICTIM && s.out[1].victim_pid == OTHER &&
	   s.out[2].victim_pid == VICTIM && by(1, "somebody", "vmstat_shepherd") == false &&
	   by(1, "other", "vmstat_shepherd"), "at the cost of who waits, woken by whom");
	end();
	begin(true);
	at(1, EV_SWITCH, VICTIM, TO(OTHER, 0));
	at(10, EV_MIGRATE, OTHER, (struct event){ .target = VICTIM, .irq = 1 });
	at(10, EV_SWITCH, OTHER, TO(WORKER, 1));
	at(10, EV_SWITCH, WORKER, TO(0, 1));
	join_finish(s.j);
	ok(s.n == 1 && is(0, RECEIPT_PART, CAUSE_TASK, "other", 10, 10),
	   "who left for another CPU does not wait any more");
	end();
}

static void test_lost(void)
{
	begin(true);
	at(0, EV_TIMER_ARM, OTHER, (struct event){ .cpu = 2, .csd = 0x10, .func = WAKEUP });
	at(1, EV_SWITCH, VICTIM, TO(OTHER, 0));
	at(1, EV_IRQ_ENTRY, OTHER, IRQ(VEC_RESCHED));
	at(1, EV_LOST, 0, (struct event){ 0 });
	at(50, EV_IRQ_EXIT, OTHER, IRQ(VEC_RESCHED));
	at(1, EV_IRQ_ENTRY, OTHER, IRQ(VEC_TIMER));
	at(1, EV_TIMER_ENTRY, OTHER, TIMER(0x10, WAKEUP));
	at(1, EV_TIMER_EXIT, OTHER, TIMER(0x10, 0));
	at(1, EV_IRQ_EXIT, OTHER, IRQ(VEC_TIMER));
	join_finish(s.j);
	ok(s.n == 2 && is(0, RECEIPT_IRQ, CAUSE_RESCHED, "", 0, 0),
	   "where events were lost, an interrupt is counted and its time is not known");
	ok(is(1, RECEIPT_IRQ, CAUSE_TICK, "hrtimer_wakeup", 3, 3) && !s.from[1].id &&
	   s.out[1].victim_pid == OTHER, "and who armed what before is forgotten");
	end();
	begin(true);
	for (int i = 0; i < 40; i++)		/* no end ever comes */
		at(1, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
	for (int i = 0; i < 40; i++)
		at(1, EV_SOFTIRQ_EXIT, VICTIM, NUMBER(3));
	join_finish(s.j);
	ok(s.n == MAX_OUT && !s.out[5].ns, "ends that never come, or without a begin, do no harm");
	end();
}

static void test_without(void)
{
	begin(false);
	at(0, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
	at(1, EV_IRQ_ENTRY, 0, IRQ(VEC_RESCHED));
	join_finish(s.j);
	ok(s.n == 2 && is(0, RECEIPT_IRQ, CAUSE_TICK, "", 0, 0) && s.out[1].idle,
	   "without ends there are interrupts, and no times");
	end();
	begin(true);	/* a kernel without timer events, but with the ends of interrupts */
	at(0, EV_IRQ_ENTRY, VICTIM, IRQ(VEC_TIMER));
	at(7, EV_IRQ_EXIT, VICTIM, IRQ(VEC_TIMER));
	join_finish(s.j);
	ok(s.n == 1 && is(0, RECEIPT_IRQ, CAUSE_TICK, "", 7, 7), "with ends, times without names");
	end();
}

static void test_words(void)
{
	struct strtab strings = { 0 };
	struct send from = { .vec = VEC_TIMER, .pid = 812, .cpu = 3 };
	struct receipt r = { .kind = RECEIPT_IRQ, .cause = CAUSE_TICK, .cpu = 3,
			     .ts = 100, .ns = 31200, .span = 40000, .victim_pid = 901 };
	struct interruption i;
	char *text;

	strtab_str(&strings, "");
	r.func = strtab_str(&strings, "hrtimer_wakeup");
	r.victim = strtab_str(&strings, "worker");
	from.comm = strtab_str(&strings, "cyclictest");
	from.site = strtab_str(&strings, "do_nanosleep");
	ok(interruption_of(&r, &from, &i) && i.end == 40100 && i.own == 31200 && i.timed &&
	   i.layer == LAYER_IRQ, "a receipt as an interruption");
	text = interruption_text(&i, &strings);
	ok(!strcmp(text, "31.2 us on CPU 3: timer hrtimer_wakeup, armed by cyclictest/812 on CPU 3 in do_nanosleep; worker/901 waited"),
	   "in a line: %s", text);
	free(text);
	r.kind = RECEIPT_RIDE;
	ok(!interruption_of(&r, &from, &i), "one that rode along is none");
	strtab_free(&strings);
}

static void test_hist(void)
{
	struct hist h = { 0 };
	char t[16];

	for (uint32_t ns = 1; ns <= 100000; ns++)
		hist_add(&h, ns);
	ok(h.n == 100000 && h.max == 100000 && h.sum == 5000050000ull, "a histogram adds up");
	ok(hist_quantile(&h, 0.5) >= 50000 && hist_quantile(&h, 0.5) < 57000 &&
	   hist_quantile(&h, 0.99) >= 99000 && hist_quantile(&h, 0.99) <= 100000,
	   "quantiles are right within a slot");
	ok(h.shorter[0] == 999 && h.shorter[1] == 1000 && h.shorter[6] == 50000, "edges are exact");
	hist_add(&h, UINT32_MAX);
	hist_add(&h, 0);
	ok(hist_quantile(&h, 1) == UINT32_MAX && hist_quantile(NULL, 0.5) == 0, "ends of the range");
	ok(!strcmp(short_time(999, t), "999 ns") && !strcmp(short_time(12345, t), "12.3 us") &&
	   !strcmp(short_time(4500000, t), "4.5 ms") && !strcmp(short_time(1234000000, t), "1.234 s"),
	   "times in words");
}

void test_nest(void)
{
	test_timers();
	test_again();
	test_softirq();
	test_work();
	test_tasks();
	test_lost();
	test_without();
	test_words();
	test_hist();
}
