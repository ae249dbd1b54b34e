/* SPDX-License-Identifier: GPL-2.0 */
/* top.h - shared by top.c (options, keys, time) and top_view.c (what it looks like). */
#ifndef QUELL_TOP_H
#define QUELL_TOP_H

#include "observe/session.h"
#include "cmd/term.h"

enum top_sort { BY_RATE, BY_COUNT, BY_CAUSE, BY_TIME, NR_SORTS };
extern const char *const top_sort_names[NR_SORTS];

struct top_view {
	enum top_sort	sort;
	bool		avoidable, by_cpu, help, paused, typing;
	char		filter[32];
	double		seconds;	/* that the rates are of */
	double		age;		/* since the start, at the last table */
	const char	*service;	/* that observes; NULL: we do */
};

/* The screen, at most as wide and high as it is. */
void top_screen(const struct session *s, const struct top_view *v, const struct term *t);
/*
 * The same as lines, for a file or a pipe: what changed since the last time. False:
 * nothing did, and nothing is printed. Cut to @cols if that is not 0.
 */
bool top_lines(const struct session *s, const struct top_view *v, bool always, int cols);

#endif
