// SPDX-License-Identifier: GPL-2.0
/* owner.c - only what tasks of a control group sent, or had to wait for. */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "join/owner.h"
#include "quell.h"

enum answer { NOT_ASKED, NO, YES, NOT_KNOWN };
enum { SENDER, VICTIM };

void owner_check(const struct owner_filter *o)
{
	if ((o->sender && !*o->sender) || (o->victim && !*o->victim))
		die(EXIT_USAGE, "--sender and --victim need the name of a control group");
}

static enum answer ask(struct owner_filter *o, int who, const char *name,
		       const struct strtab *t, uint32_t cgroup)
{
	size_t had = o->seen[who].room;
	const char *path;
	uint8_t *a;

	o->seen[who].answer = grow(o->seen[who].answer, &o->seen[who].room, cgroup + 1, 1);
	if (o->seen[who].room > had)
		memset(o->seen[who].answer + had, NOT_ASKED, o->seen[who].room - had);
	a = &o->seen[who].answer[cgroup];
	if (*a == NOT_ASKED) {
		path = strtab_get(t, cgroup);
		*a = cgroup_is(path, name) ? YES :
		     !cgroup || cgroup_unknown(path) ? NOT_KNOWN : NO;
	}
	return *a;
}

static enum answer sender(struct owner_filter *o, const struct strtab *t,
			  const struct send *from)
{
	/* Sent in an interrupt, or by a device: no task did it. */
	if (!from->cgroup && from->ctx != CTX_TASK)
		return NO;
	return ask(o, SENDER, o->sender, t, from->cgroup);
}

bool owner_received(struct owner_filter *o, const struct strtab *t,
		    const struct receipt *r, const struct send *from)
{
	enum answer by = YES, of = YES;

	if (o->sender)
		by = from ? sender(o, t, from) : r->how == HOW_SOURCE ? NO : NOT_KNOWN;
	/* On an idle CPU nobody waits. */
	if (o->victim)
		of = r->idle ? NO : ask(o, VICTIM, o->victim, t, r->victim_cgroup);
	if (by != NO && of != NO && (by == NOT_KNOWN || of == NOT_KNOWN))
		o->unknown += r->kind == RECEIPT_IRQ || r->kind == RECEIPT_PART;
	return by == YES && of == YES;
}

bool owner_sent(struct owner_filter *o, const struct strtab *t, const struct send *x)
{
	return !o->victim && (!o->sender || sender(o, t, x) == YES);
}

char *owner_text(const struct owner_filter *o)
{
	if (!o->sender && !o->victim)
		return NULL;
	return xasprintf("%s%s%s%s%s", o->sender ? "sent by " : "",
			 o->sender ? o->sender : "", o->sender && o->victim ? " and " : "",
			 o->victim ? "at the cost of " : "", o->victim ? o->victim : "");
}

void owner_free(struct owner_filter *o)
{
	for (int who = SENDER; who <= VICTIM; who++)
		free(o->seen[who].answer);
	memset(o->seen, 0, sizeof(o->seen));
}
