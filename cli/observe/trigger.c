// SPDX-License-Identifier: GPL-2.0
/*
 * trigger.c - when the flight recorder dumps.
 *
 *   IDLE  --a reason-->  WAITING  --`after` is over-->  (dump)  --> PAUSED --> IDLE
 *
 * A reason while WAITING belongs to the dump that is coming; one while PAUSED is
 * counted and dumps nothing, so that a storm fills no disk. PAUSED is told by the
 * times of the reasons alone, and what somebody asked for (a marker, a signal) is not
 * held back by what was merely long.
 */
#include <stdio.h>
#include <string.h>

#include "join/interruption.h"
#include "observe/trigger.h"

static void reason(struct trigger *t, enum trigger_by by, uint64_t ts, const char *text)
{
	struct pending *d = &t->dump;

	if (d->wanted && ts < d->at + t->rules.after)
		return;
	if (d->wanted || (t->last[by != BY_LENGTH].is &&
			  ts < t->last[by != BY_LENGTH].at + t->rules.pause)) {
		t->held_back++;
		return;
	}
	*d = (struct pending){ .wanted = true, .by = by, .at = ts };
	snprintf(d->text, sizeof(d->text), "%s", text);
}

void trigger_receipt(struct trigger *t, const struct receipt *r)
{
	struct interruption i;

	/* Who is not running loses nothing to another task. */
	if (!t->rules.over || !interruption_of(r, NULL, &i) ||
	    i.end - i.begin <= t->rules.over || (i.idle && i.layer == LAYER_TASK))
		return;
	reason(t, BY_LENGTH, r->ts, "");
	if (t->dump.wanted && r->ts < t->dump.at + t->rules.after)
		t->dump.longer++;
}

void trigger_mark(struct trigger *t, uint64_t ts, const char *text)
{
	if (strstr(text, t->rules.mark))
		reason(t, BY_MARK, ts, text);
}

void trigger_signal(struct trigger *t, uint64_t ts)
{
	reason(t, BY_SIGNAL, ts, "");
}

bool trigger_due(const struct trigger *t, uint64_t ts, uint64_t *from, uint64_t *to)
{
	const struct pending *d = &t->dump;

	if (!d->wanted || ts < d->at + t->rules.after)
		return false;
	*from = d->at > t->rules.before ? d->at - t->rules.before : 0;
	*to = d->at + t->rules.after;
	return true;
}

void trigger_done(struct trigger *t)
{
	t->last[t->dump.by != BY_LENGTH].is = true;
	t->last[t->dump.by != BY_LENGTH].at = t->dump.at;
	t->held_back = 0;
	t->dump = (struct pending){ .wanted = false };
}
