// SPDX-License-Identifier: GPL-2.0
/* culprit.c - the longest interruption of a time, and whose doing it was. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "observe/culprit.h"
#include "record/events.h"
#include "join/interruption.h"
#include "quell.h"
#include "text.h"

void culprit_find(struct culprit *c, const struct flight *f,
		  const struct strtab *strings, uint64_t from, uint64_t to)
{
	memset(c, 0, sizeof(*c));
	c->known = flight_longest(f, from, to, &c->r, &c->from);
	c->function = text_visible(strtab_get(strings, c->r.func ? c->r.func : c->r.name));
	c->task = text_visible(strtab_get(strings, c->from.comm));
}

char *culprit_line(const struct culprit *c, const struct strtab *strings, uint64_t wall)
{
	struct interruption i;
	char day[40], *text, *line;

	if (!c->known || !interruption_of(&c->r, c->from.id ? &c->from : NULL, &i))
		return xstrdup("no interruption of a known length");
	text = interruption_text(&i, strings);
	line = xasprintf("%s, %s", wall_time(wall, day), text);
	free(text);
	return line;
}

void culprit_free(struct culprit *c)
{
	free(c->function);
	free(c->task);
}
