/* SPDX-License-Identifier: GPL-2.0 */
/*
 * join.h - from trace events to interruptions with a known sender.
 *
 * The engine is fed with events in time order and hands out, through
 * callbacks, what was sent and what was received. It knows nothing of tracefs,
 * so tests feed it by hand.
 */
#ifndef QUELL_JOIN_H
#define QUELL_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "classify.h"
#include "cpulist.h"
#include "strtab.h"

enum event_type {
	EV_QUEUE,	/* csd:csd_queue_cpu */
	EV_FUNC,	/* csd:csd_function_entry */
	EV_SEND,	/* ipi:ipi_send_cpu, ipi:ipi_send_cpumask; or a kprobe, and
			   @irq is 1 + its vector, which @func cannot tell then */
	EV_STACK,	/* the kernel stack of the event before it */
	EV_IRQ_ENTRY,
	EV_IRQ_EXIT,
	EV_TASK,	/* from now on task @target is called @comm */
	EV_LOST,	/* events of this CPU were lost before this moment */
	EV_MARK,	/* somebody wrote the line in @words to trace_marker */
	/* The other groups; @csd is the timer's or the work's address. */
	EV_TIMER_ARM,	/* timer:hrtimer_start, timer:timer_start */
	EV_TIMER_ENTRY,	/* timer:hrtimer_expire_entry, timer:timer_expire_entry */
	EV_TIMER_EXIT,
	EV_TICK,	/* timer:tick_stop: @target stopped, else because of @irq */
	EV_RAISE,	/* irq:softirq_raise; @irq: its vector */
	EV_SOFTIRQ_ENTRY,
	EV_SOFTIRQ_EXIT,
	EV_WORK_QUEUE,	/* workqueue:workqueue_queue_work */
	EV_WORK_START,	/* workqueue:workqueue_execute_start */
	EV_WORK_END,
	EV_WAKING,	/* sched:sched_waking of task @target */
	EV_SWITCH,	/* to task @target; @irq: the one before does not wait for the CPU */
	EV_MIGRATE,	/* task @target leaves CPU @irq */
};

enum context { CTX_TASK, CTX_SOFTIRQ, CTX_HARDIRQ, CTX_NMI, NR_CTX };

struct event {
	uint64_t	ts;
	union {
		struct {
			uint64_t	callsite;
			uint64_t	func;	/* EV_SEND: the callback */
		};
		char		comm[16];	/* EV_TASK */
	};
	uint64_t	csd;
	uint64_t	*words;		/* EV_SEND: CPU mask; EV_STACK: frames */
	uint32_t	nwords;		/* 0 in EV_SEND: to @target alone */
	uint32_t	target;
	uint32_t	name;		/* string number: device, other vector */
	uint32_t	irq;
	int32_t		pid;
	uint16_t	cpu;
	uint8_t		type;
	uint8_t		vec;
	uint8_t		ctx;
};

/*
 * One call of smp_call_function*(), smp_send_reschedule(), irq_work_queue(); or,
 * by @vec, of what armed a timer, raised a softirq, queued work or woke a task.
 */
struct send {
	uint64_t	id;		/* from 1 */
	uint64_t	ts;
	uint64_t	callsite_addr;
	uint64_t	func_addr;
	uint32_t	func, callsite, site, comm;	/* string numbers */
	uint32_t	cgroup;				/* the path; 0: no task, or not asked */
	uint32_t	stack;				/* stack number */
	uint32_t	targets;	/* CPUs the work was queued for */
	uint32_t	ipis;		/* CPUs an interrupt was sent to */
	uint32_t	wanted;		/* of these, CPUs under observation */
	uint32_t	refs;
	int32_t		pid;
	uint32_t	rec_part;	/* of a record, and its number there */
	uint64_t	rec_id;
	uint16_t	cpu;
	uint8_t		ctx;
	uint8_t		vec;
	uint8_t		cause;
	bool		deferrable;	/* see stack_deferrable() */
	bool		fixed;		/* @cause is known without a stack */
	bool		closed, emitted, settled;
	struct send	*next;
};

/* How the sender of an interrupt is known. */
enum how {
	HOW_UNKNOWN,	/* it is not */
	HOW_CSD,	/* the interrupt ran the very request that was sent */
	HOW_IPI,	/* an IPI that was sent to this CPU and had not arrived */
	HOW_SOURCE,	/* timer or device: there is no sending CPU */
	NR_HOWS
};

enum receipt_kind {
	RECEIPT_IRQ,	/* an interrupt; the only kind that is counted as one */
	RECEIPT_RIDE,	/* a request served by an interrupt somebody else caused */
	RECEIPT_POLLED,	/* a request the CPU found without any interrupt */
	RECEIPT_PART,	/* no interrupt, but it took the CPU: softirq, timer, task */
	NR_RECEIPTS
};

struct receipt {
	uint64_t	ts;
	uint64_t	send;		/* send number, 0: unknown */
	struct send	*from;
	/*
	 * What it took: from its begin (@ts) to its end, and of that without
	 * what interrupted it in turn. 0: not known.
	 */
	uint32_t	span, ns;
	uint32_t	func, name;	/* string numbers */
	uint32_t	victim;		/* name of the task that had to wait; 0: not known */
	uint32_t	victim_cgroup;	/* its control group's path; 0: none, or not asked */
	int32_t		victim_pid;	/* 0: the CPU was idle */
	uint32_t	served;		/* requests this interrupt served */
	uint16_t	cpu;
	uint8_t		kind, vec, cause, how;
	bool		idle;		/* the CPU was idle when it came */
};

struct join_ops {
	void (*send)(void *arg, struct send *s);
	void (*receipt)(void *arg, const struct receipt *r);
	/* At once, in the order of the events; its sender is not known yet. */
	void (*irq)(void *arg, const struct receipt *r);
	void (*task)(void *arg, int32_t pid, const char comm[16]);
	void (*lost)(void *arg, unsigned int cpu, uint64_t ts);
	void (*mark)(void *arg, uint64_t ts, const char *text);
	const char *(*symbol)(void *arg, uint64_t addr);	/* or NULL */
	bool (*has_symbol)(const char *name);			/* or NULL */
	uint32_t (*comm)(void *arg, int32_t pid);
	uint32_t (*cgroup)(void *arg, int32_t pid);		/* or NULL */
	bool (*kthread)(void *arg, int32_t pid);		/* or NULL */
};

/* A stack follows its event within this: so late are receipts handed out. */
#define JOIN_SETTLE_NS	50000000ull

struct join;

struct join *join_new(const struct join_ops *ops, void *arg,
		      const struct cpuset *observed, struct strtab *strings,
		      struct strtab *stacks);
/* One vector serves calls to one and to many (arm64). */
void join_one_call_vector(struct join *j);
/*
 * The end of every interrupt is traced: their times are known, and so are those
 * of timers, softirqs and tasks as far as these are.
 */
void join_timed(struct join *j);
/* Only what happens in [from, to) is handed out. */
void join_window(struct join *j, uint64_t from, uint64_t to);
void join_event(struct join *j, const struct event *e);
/* Everything before @ts has been fed: hand out what is settled. */
void join_advance(struct join *j, uint64_t ts);
void join_finish(struct join *j);
/* Nothing was seen for a while: what was under way is not known any more. */
void join_gap(struct join *j);
/* Addresses may have another name from now on. */
void join_forget_symbols(struct join *j);
/* The table of stacks will be emptied: nothing may refer to it any more. */
void join_forget_stacks(struct join *j);
void join_observe(struct join *j, int cpu);
void join_free(struct join *j);
/* Requests and IPIs that nobody was seen to serve within five seconds. */
uint64_t join_expired(const struct join *j);

#endif
