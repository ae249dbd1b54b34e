/* SPDX-License-Identifier: GPL-2.0 */
/*
 * events.h - a record interrupt by interrupt, in the order of time: as lines, as
 * JSON lines, or for a trace viewer. In bounded memory, however long it is.
 */
#ifndef QUELL_EVENTS_H
#define QUELL_EVENTS_H

#include "record/summary.h"

/* As the user gave them; NULL and 0: all. */
struct event_filter {
	const char	*from, *to, *cpus, *causes, *task;
	uint64_t	longer;
	struct owner_filter *only;
};

static inline bool filters(const struct event_filter *x)
{
	return x->from || x->to || x->cpus || x->causes || x->task || x->longer;
}

/* An interrupt and who sent it. */
struct shown_event {
	struct receipt	r;
	struct send	from;
	bool		sent;		/* @from is known */
	bool		avoidable;
	const char	*why;
};

/* What is known of the record when an event is shown. */
struct event_source {
	struct summary	*s;		/* its facts, no rows */
	uint64_t	wall, mono;	/* when the window opened; 0: not told */
};

struct event_printer {
	void (*begin)(const struct event_source *src, FILE *f);
	void (*event)(const struct event_source *src, FILE *f, const struct shown_event *e);
	void (*note)(const struct event_source *src, FILE *f, uint64_t ts, const char *text);
	/* s->lost and so on are known now. */
	void (*end)(const struct event_source *src, FILE *f);
};

extern const struct event_printer print_lines, print_json_lines, print_perfetto;

/* Dies if the record cannot be read. False: it was cut. */
bool show_events(const char *path, const struct event_filter *x,
		 const struct event_printer *p, FILE *f);

/* "2026-11-25T12:03:04.123456789Z" */
const char *wall_time(uint64_t ns, char buf[40]);

#endif
