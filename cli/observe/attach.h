/* SPDX-License-Identifier: GPL-2.0 */
/*
 * attach.h - show what a service (quell serve) observes, instead of observing: that
 * switches no events on, so it patches no kernel text and interrupts nobody.
 */
#ifndef QUELL_ATTACH_H
#define QUELL_ATTACH_H

#include "observe/local.h"
#include "observe/session.h"

struct attach;

struct attach_options {
	const char	*path;		/* --attach */
	bool		alone;		/* --alone */
};

#define ATTACH_OPTIONS(o)						\
	TEXT_OPTION("attach", 0, &(o)->path),				\
	FLAG("alone", 0, &(o)->alone)
#define USAGE_ATTACH							\
	"      --attach PATH      show what the quell serve at PATH observes (default, without\n" \
	"                         --cpus, --what, --buffer, --sender and --victim: the\n" \
	"                         one at " LOCAL_PATH ", if there is one)\n"	\
	"      --alone            observe here, even if a service runs\n"

/*
 * Return: NULL if it is to be observed here; else @s->sum has what the service saw.
 * Dies with one line if what was asked for cannot be.
 */
struct attach *attach_open(const struct attach_options *o,
			   const struct session_options *own, struct session *s);
/*
 * Take the service's next snapshot into @s->sum. A service that is gone for a moment
 * is said, one that stays away ends the program. True: it began anew, so that all
 * numbers begin again.
 */
bool attach_poll(struct attach *a, struct session *s);
/* Of the window, when the last snapshot was made. */
uint64_t attach_age(const struct attach *a);
const char *attach_path(const struct attach *a);
void attach_close(struct attach *a, struct session *s);

#endif
