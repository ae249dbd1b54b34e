/* SPDX-License-Identifier: GPL-2.0 */
/*
 * interruption.h - the one notion of what takes a CPU away from its task.
 *
 * Whatever it was - an interrupt of another CPU, a timer, a device, a softirq, a
 * kernel worker, another task - it began, it ended, somebody had to wait, and in
 * most cases somebody else is the reason. The join engine hands all of them out as
 * receipts, in a session and from a record; this is what they mean.
 *
 * Interruptions nest: a timer in an interrupt in a softirq. Each counts for
 * itself (@own), and what nested in it counts for itself. So the sum of @own is
 * what the task lost, and no moment of it is counted twice.
 *
 * Ends are known of function calls always, of all others with --what. An
 * interruption is handed out when it is over, so its begin may lie before that of
 * one that was handed out already.
 */
#ifndef QUELL_INTERRUPTION_H
#define QUELL_INTERRUPTION_H

#include "join/join.h"

/* What it nests in: a higher one runs on top of a lower one. */
enum layer { LAYER_TASK, LAYER_SOFTIRQ, LAYER_TIMER, LAYER_IRQ };

struct interruption {
	uint64_t	begin, end;	/* ns, as all times; end is begin: not known */
	uint64_t	own;		/* of that, what nothing nested took */
	enum cause	cause;
	enum layer	layer;
	unsigned int	cpu;
	bool		timed;		/* end and own are known */
	bool		idle;		/* the CPU was idle: nobody lost anything */
	uint32_t	victim;		/* the task that ran: string number, or 0 */
	int32_t		victim_pid;
	uint32_t	victim_cgroup;	/* string number, or 0 */
	uint32_t	what;		/* function, device, vector, task; or 0 */
	uint32_t	detail;		/* of a timer: why the tick runs; or 0 */
	const struct send *culprit;	/* who did it, from where; NULL: not known */
};

/* False: @r took no time of its own (it rode along, or was polled). */
bool interruption_of(const struct receipt *r, const struct send *from,
		     struct interruption *i);

/*
 * In one line: "31.2 us on CPU 3: timer hrtimer_wakeup, armed by cyclictest/812
 * on CPU 3 in do_nanosleep; worker/901 waited". The caller frees it. Names are as
 * they are: print it with text_put().
 */
char *interruption_text(const struct interruption *i, const struct strtab *strings);

/* How the culprit came to be it: "sent", "armed", "raised", "queued", "woken". */
const char *culprit_did(const struct send *from);

#endif
