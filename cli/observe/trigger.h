/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trigger.h - when the flight recorder dumps: the rules, without a clock or a file
 * of its own. Times are ns since the window opened.
 */
#ifndef QUELL_TRIGGER_H
#define QUELL_TRIGGER_H

#include "observe/flight.h"

enum trigger_by { BY_LENGTH, BY_MARK, BY_SIGNAL };

struct trigger_rules {
	uint64_t	over;		/* longer than this; 0: length is no reason */
	uint64_t	before, after;	/* what of the time around is wanted */
	uint64_t	pause;		/* from a dump's reason to the next one's */
	const char	*mark;		/* in a marker's text */
};

/* A dump that is due when what comes after its reason is there. */
struct pending {
	bool		wanted;
	enum trigger_by	by;
	uint64_t	at;		/* of the reason */
	uint64_t	longer;		/* interrupts longer than the limit in it */
	char		text[FLIGHT_NOTE];	/* of a marker */
};

struct trigger {
	struct trigger_rules	rules;
	struct pending		dump;
	/* Of the last dump by length, and of the last that was asked for. */
	struct { bool is; uint64_t at; } last[2];
	uint64_t		held_back;	/* reasons since then, too soon after */
};

void trigger_receipt(struct trigger *t, const struct receipt *r);
void trigger_mark(struct trigger *t, uint64_t ts, const char *text);
void trigger_signal(struct trigger *t, uint64_t ts);
/* All up to @ts was told. True: the dump can be written, and its part of time. */
bool trigger_due(const struct trigger *t, uint64_t ts, uint64_t *from, uint64_t *to);
/* It was written: begin anew. */
void trigger_done(struct trigger *t);

#endif
