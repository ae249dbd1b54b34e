/* SPDX-License-Identifier: GPL-2.0 */
/* culprit.h - the longest interruption of a time, and whose doing it was. */
#ifndef QUELL_CULPRIT_H
#define QUELL_CULPRIT_H

#include "observe/flight.h"

struct culprit {
	bool		known;		/* something was timed */
	struct receipt	r;
	struct send	from;		/* if from.id is not 0 */
	/* In visible form; "" where there is none. */
	char		*function, *task;
};

/* By its own time: what nested in it is another one. */
void culprit_find(struct culprit *c, const struct flight *f,
		  const struct strtab *strings, uint64_t from, uint64_t to);
/* In one line, with names as they are. @wall: the time of day it began. The caller frees it. */
char *culprit_line(const struct culprit *c, const struct strtab *strings, uint64_t wall);
void culprit_free(struct culprit *c);

#endif
