/* SPDX-License-Identifier: GPL-2.0 */
/*
 * owner.h - only what tasks of a control group sent, or had to wait for: the
 * options --sender and --victim.
 *
 * What is not known matches nothing, and is counted.
 */
#ifndef QUELL_OWNER_H
#define QUELL_OWNER_H

#include "join/join.h"
#include "options.h"

struct owner_filter {
	const char	*sender, *victim;	/* as in cgroup_is(); NULL: anybody */
	uint64_t	unknown;		/* interruptions of which nobody knows */
	/* By the number of a path, so that each is looked at once. */
	struct { uint8_t *answer; size_t room; } seen[2];
};

#define OWNER_OPTIONS(o)						\
	TEXT_OPTION("sender", 0, &(o)->sender),				\
	TEXT_OPTION("victim", 0, &(o)->victim)

#define USAGE_OWNER							\
	"      --sender NAME      only what tasks of this control group sent: a path, systemd\n" \
	"                         unit, container or pod, see quell(1)\n"	\
	"      --victim NAME      only what tasks of this one had to wait for\n"

/* Dies on what names nothing. */
void owner_check(const struct owner_filter *o);
/* Is this one of those asked for? */
bool owner_received(struct owner_filter *o, const struct strtab *t,
		    const struct receipt *r, const struct send *from);
/* A request has no victim yet: if one is asked for, only interruptions are shown. */
bool owner_sent(struct owner_filter *o, const struct strtab *t, const struct send *x);
/* "sent by cron.service and at the cost of db.service"; NULL: all. The caller frees it. */
char *owner_text(const struct owner_filter *o);
void owner_free(struct owner_filter *o);

#endif
