/* SPDX-License-Identifier: GPL-2.0 */
/*
 * collect_state.h - shared by collect_setup.c (which events), collect.c
 * (reading them) and collect_decode.c (what they say). Nobody else includes this.
 */
#ifndef QUELL_COLLECT_STATE_H
#define QUELL_COLLECT_STATE_H

#include <event-parse.h>
#include <kbuffer.h>
#include <tracefs.h>

#include "observe/collect.h"

struct field {
	int	offset, size;
	bool	dynamic;
};

enum decode {
	DEC_NONE, DEC_QUEUE, DEC_FUNC, DEC_SEND_CPU, DEC_SEND_MASK, DEC_STACK,
	DEC_VECTOR_ENTRY, DEC_VECTOR_EXIT, DEC_IRQ_ENTRY,
	DEC_IPI_ENTRY, DEC_IPI_EXIT, DEC_TASK, DEC_MARK, DEC_IRQ_EXIT, DEC_GROUP,
	DEC_PROBE,	/* @name: words of the mask, 0: none */
};

struct decoder {
	uint8_t		how, vec, type;		/* type: enum event_type */
	uint32_t	name;
	struct field	a, b, c, d;
};

struct source {				/* one CPU's buffer */
	struct tracefs_cpu	*tcpu;
	struct event		*q;	/* read, not yet fed */
	size_t			head, n, room;
	bool			more;	/* may be in the buffer, older than is wanted now */
	int			cpu;
};

struct reason { uint64_t addr; uint32_t name; uint8_t vec; };

struct collect {
	struct tracefs_instance	*instance;
	struct tep_handle	*tep;
	struct kbuffer		*kbuf;
	struct strtab		*strings;
	struct source		*src;
	size_t			nsrc, src_room, nreasons, buffer_kb;
	size_t			taken;		/* events of the last poll */
	uint64_t		lost_before;	/* in instances that are gone */
	char			*state;		/* of the instance, as we set it up */
	struct { char system[48], name[40]; const char *by; bool stack; } on[80];
	struct cpuset		observed;
	size_t			non;
	struct decoder		*dec[65536];
	struct reason		reason[32];
	void			*page;
	int			long_size;
	bool			has_csd, has_stacks, one_vector, marks;
	const char		*degraded;	/* what is missed, in a sentence */
	char			degraded_text[200];
	unsigned int		what;		/* groups */
	const char		*lacks;		/* an event of theirs */
};

/* collect_decode.c: put the record at @rec into the queue of @s, if it is known. */
void collect_take(struct collect *c, struct source *s, void *rec, int len,
		  uint64_t ts);
/* Switch on what is wanted and note how to decode it. */
void collect_want_events(struct collect *c, const struct cpuset *observed);
/* Have what is written to trace_marker copied to the instance, if it can be. */
void collect_set_marks(struct collect *c);
/* collect_probes.c: senders by kprobes; false if there are none, @degraded says it. */
bool collect_want_probes(struct collect *c);
/* collect_groups.c: those of the other groups. */
void collect_want_groups(struct collect *c);

/* collect_setup.c, for collect_groups.c */
struct decoder *collect_enable(struct collect *c, const char *system,
			       const char *name, int how, bool must, const char *by);
bool collect_field(struct tep_event *ev, const char *name, struct field *out);
struct tep_event *collect_event(struct collect *c, const char *system,
				const char *name);
/* Return: false if this kernel gives no stacks there. */
bool collect_stack(struct collect *c, const char *system, const char *name,
		   const char *by);

/* Observe other CPUs from now on; patches no text. */
void collect_set_filters(struct collect *c, const struct cpuset *observed);
/* What the instance is set to, in one string; the caller frees it. */
char *collect_state(struct collect *c);

#endif
