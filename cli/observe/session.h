/* SPDX-License-Identifier: GPL-2.0 */
/*
 * session.h - observing the running kernel: what top, record and export share.
 */
#ifndef QUELL_SESSION_H
#define QUELL_SESSION_H

#include "join/account.h"
#include "observe/collect.h"
#include "observe/names.h"
#include "options.h"
#include "join/owner.h"
#include "quell.h"
#include "record/summary.h"
#include "system.h"

struct session_options {
	const char	*cpus;		/* --cpus; NULL: isolated ones, else all */
	const char	*what;		/* --what; NULL: interrupts alone */
	uint64_t	buffer_kb;
};

#define SESSION_OPTIONS(o)						\
	TEXT_OPTION("cpus", 'c', &(o)->cpus),				\
	TEXT_OPTION("what", 'w', &(o)->what),				\
	NUMBER("buffer", 0, &(o)->buffer_kb, "buffer size in KiB", 1, 1 << 20)

/* What --help says of them. */
#define USAGE_CPUS							\
	"  -c, --cpus LIST        CPUs to observe: a list or \"all\"\n"	\
	"                         (default: the isolated ones; if there are none, all)\n"
#define USAGE_WHAT							\
	"  -w, --what LIST        trace timer, softirq, irq, sched or all as well, comma-\n" \
	"                         separated; more is named and timed, and more code is\n" \
	"                         patched at the start and at the end (default: ipi)\n"
#define USAGE_BUFFER							\
	"      --buffer KIB       trace buffer per CPU (default: the kernel's)\n"

/* Who else hears of it, in times since the window opened; see watch.c, test.c. */
struct session_tap {
	void (*send)(void *arg, const struct send *s);
	void (*receipt)(void *arg, const struct receipt *r, const struct send *from);
	/* A line that somebody wrote to trace_marker, or a notice of ours. */
	void (*mark)(void *arg, uint64_t ts, const char *text);
	void (*notice)(void *arg, uint64_t ts, const char *text);
	/* The numbers of stacks mean nothing from now on. */
	void (*no_stacks)(void *arg);
	void *arg;
};

struct session {
	struct system	sys;
	struct summary	sum;
	struct strtab	strings, stacks;
	size_t		kept_stacks;	/* of the first in the table, for rows */
	struct collect	*collect;
	struct join	*join;
	struct account	*account;
	struct names	*names;
	bool		kernels_proc;	/* /proc has the kernel's numbers */
	bool		names_doubted;	/* events were lost */
	unsigned int	what;		/* groups of events, see collect.h */
	bool		all_cpus;	/* observe whatever comes online */
	bool		on_screen;	/* set by top: complaints go to @notice */
	char		notice[160];	/* the last complaint */
	uint64_t	noticed;	/* when, 0: never */
	uint64_t	next_check, next_reopen, reopen_pause;
	struct { const char *key; char value[24]; } clock[3];
	size_t		nclocks;
	unsigned int	reopened;	/* times somebody else stopped us */
	size_t		nnames;		/* distinct names so far */
	size_t		ngroups;	/* distinct control groups so far */
	bool		whole_paths;	/* of these, see cgroup_whole() */
	unsigned int	asked;		/* for theirs, since @asking_since */
	uint64_t	asking_since;
	struct owner_filter only;	/* set before session_open() */
	struct names	*saved;		/* saved_cmdlines at the start */
	struct rec_writer *writer;	/* set by record before session_open() */
	bool		write_failed;
	bool		no_rows;	/* record: the summary is not needed */
	struct session_tap tap;		/* set before session_open() */
	uint64_t	from, to;	/* the window, CLOCK_MONOTONIC */
};

/* The CPUs @text names, checked against what is online; dies on nonsense. */
void choose_cpus(const struct system *sys, const char *text, struct cpuset *out);

void session_open(struct session *s, const struct session_options *o);
/* What a reader of @writer's file has to know first. */
void session_to_record(struct session *s);
/* The same for @w, of which 0 is @began of the window. */
void session_describe(struct session *s, struct rec_writer *w, uint64_t began);
void session_poll(struct session *s);
/* How many ms until the next session_poll(): fewer if there is much to read. */
unsigned int session_pause(const struct session *s);
/* Close the window, read the rest and compare with /proc/interrupts. */
void session_close(struct session *s);
void session_free(struct session *s);

/*
 * session_watch.c: once a second, is what we see what happens? Tells the user
 * what is not, and begins anew if somebody else stopped the trace.
 */
void session_watch(struct session *s, uint64_t fed);
void session_notice(struct session *s, const char *fmt, ...) printf_like(2, 3);
/* Ask everybody's name, now that changes are traced. */
void session_ask_names(struct session *s);

/* session_names.c: what task @pid is called at this point of the trace. */
uint32_t session_name(struct session *s, int32_t pid);
/* session_cgroup.c: the path of its control group, or what stands for it. */
uint32_t session_cgroup(struct session *s, int32_t pid);
/* Is @pid a thread of the kernel's? */
bool session_kthread(int32_t pid);

/* Sleep, but wake up for a signal. */
void pause_ms(unsigned int ms);

#endif
