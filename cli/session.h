/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session.h - observing the running kernel: what top, record and export share.
 */
#ifndef QUELL_SESSION_H
#define QUELL_SESSION_H

#include "collect.h"
#include "options.h"
#include "summary.h"
#include "system.h"

struct session_options {
	const char	*cpus;		/* --cpus; NULL: isolated ones, else all */
	uint64_t	buffer_kb;
};

#define SESSION_OPTIONS(o)						\
	TEXT_OPTION("cpus", 'c', &(o)->cpus),				\
	NUMBER("buffer", 0, &(o)->buffer_kb, "buffer size in KiB", 1, 1 << 20)

struct session {
	struct system	sys;
	struct summary	sum;
	struct strtab	strings, stacks;
	struct collect	*collect;
	struct join	*join;
	struct counters	first, last;
	struct rec_writer *writer;	/* set by record before session_open() */
	bool		write_failed;
	bool		no_rows;	/* record: the summary is not needed */
	uint64_t	from, to;	/* the window, CLOCK_MONOTONIC */
	uint64_t	*slack, *inside; /* per row of @first and observed CPU */
};

/* The CPUs @text names, checked against what is online; dies on nonsense. */
void choose_cpus(const struct system *sys, const char *text, struct cpuset *out);

void session_open(struct session *s, const struct session_options *o);
void session_poll(struct session *s);
/* Close the window, read the rest and compare with /proc/interrupts. */
void session_close(struct session *s);
void session_free(struct session *s);

/* Sleep, but wake up for a signal. */
void pause_ms(unsigned int ms);

#endif
