/* SPDX-License-Identifier: GPL-2.0 */
/*
 * classify.h - what kind of interrupt it was, told from the function that it
 * ran, and whether quell's kernel would have avoided it.
 */
#ifndef QUELL_CLASSIFY_H
#define QUELL_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cause {
	CAUSE_UNKNOWN,		/* nothing is known but that it happened */
	CAUSE_PT_SYNC,
	CAUSE_TLB_USER,
	CAUSE_TLB_KERNEL,
	CAUSE_MEMBARRIER,
	CAUSE_TEXT,
	CAUSE_RESCHED,
	CAUSE_WAKEUP,
	CAUSE_RCU,
	CAUSE_NOHZ,
	CAUSE_CLOCK,
	CAUSE_PERF,
	CAUSE_MSR,
	CAUSE_TRACING,
	CAUSE_CALL,		/* a function call, by name */
	CAUSE_IRQ_WORK,
	CAUSE_TICK,
	CAUSE_DEVICE,
	CAUSE_VECTOR,		/* another vector, by name */
	/* Of these /proc/interrupts has no count: they take time, that is all. */
	CAUSE_SOFTIRQ,
	CAUSE_KWORKER,
	CAUSE_KTHREAD,
	CAUSE_TASK,		/* another task ran instead */
	NR_CAUSES
};

enum vec {
	VEC_CALL,		/* function call to many (arm64: to any) */
	VEC_CALL_SINGLE,	/* function call to one */
	VEC_RESCHED,
	VEC_IRQ_WORK,
	VEC_TIMER,
	VEC_DEVICE,
	VEC_SOFTIRQ,		/* no vectors of the processor: who raised it, */
	VEC_WORK,		/* who queued the work, */
	VEC_WAKE,		/* who woke the task */
	VEC_OTHER,		/* the last one */
	NR_VECS
};

struct cause_info {
	const char	*key;		/* in files, JSON and metrics */
	const char	*title;
	const char	*funcs;		/* blank-separated; NULL: told otherwise */
	const char	*what;
	const char	*needed;
	const char	*avoid;
};

/* What of the observed system decides on "avoidable"; stored in records. */
struct avoid_facts {
	bool	auto_strategy;	/* pt_sync=auto is in force, or the live module */
	bool	kernel_flush;	/* kernel flushes are deferred already */
	bool	pti;
	bool	broadcast_hw;	/* INVLPGB, arm64: kernel flushes need no IPI */
};

const struct cause_info *cause_info(enum cause c);
enum cause cause_by_key(const char *key);
/* Does it come as an interrupt, so that the processor counts it? */
static inline bool cause_is_irq(enum cause c)
{
	return c < CAUSE_SOFTIRQ;
}
enum cause classify_func(const char *func);
/* For kernels without csd:* events: by the first telling frame of the sender. */
enum cause classify_stack(const char *const *frames, size_t n);
enum cause classify_vec(enum vec v);
const char *vec_key(enum vec v);

/* What of a single interrupt decides on it. */
struct avoid_case {
	bool	isolated;	/* the CPU that received it */
	bool	idle;		/* it was idle, so not in user mode */
	bool	deferrable;	/* a flush of a kind that may come later */
};

/*
 * Would quell have avoided this interrupt? *why is set either way, to a string
 * in static storage.
 */
bool avoidable(enum cause c, const struct avoid_case *x,
	       const struct avoid_facts *f, const char **why);

/* Is a flush from this stack one that quell's kernel may put off? */
bool stack_deferrable(const char *const *frames, size_t n);

/* "flush_tlb_func.isra.0" -> "flush_tlb_func", into @buf. */
const char *plain_name(const char *sym, char *buf, size_t size);
/*
 * The call site a compiler may have inlined into @site, if @has says that the
 * kernel has no function of that name; else @site.
 */
const char *inlined_site(enum cause c, const char *site, bool (*has)(const char *));
/* Is this frame only the way into the IPI code, so not the call site? */
bool is_plumbing(const char *func);

#endif
