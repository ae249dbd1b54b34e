// SPDX-License-Identifier: GPL-2.0
/*
 * strtab.c - strings kept once and known by a number.
 *
 * A record names the same hundred functions a million times; numbers keep the
 * events small in memory and in the file, and make comparing them free.
 */
#include <stdlib.h>
#include <string.h>

#include "quell.h"
#include "strtab.h"

static uint32_t fnv1a(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t h = 2166136261u;

	while (len--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

static uint32_t *find_slot(const struct strtab *t, uint32_t hash, const void *data,
			   size_t len)
{
	size_t i = hash & (t->nslots - 1);

	for (; t->slot[i]; i = (i + 1) & (t->nslots - 1)) {
		struct blob *b = &t->item[t->slot[i]];

		if (b->hash == hash && b->len == len &&
		    (!len || !memcmp(b->data, data, len)))
			break;
	}
	return &t->slot[i];
}

static void more_slots(struct strtab *t)
{
	size_t id, i;

	t->nslots = t->nslots ? t->nslots * 2 : 256;
	free(t->slot);
	t->slot = xcalloc(t->nslots, sizeof(*t->slot));
	for (id = 1; id < t->n; id++) {
		i = t->item[id].hash & (t->nslots - 1);
		while (t->slot[i])
			i = (i + 1) & (t->nslots - 1);
		t->slot[i] = id;
	}
}

uint32_t strtab_put(struct strtab *t, const void *data, size_t len)
{
	uint32_t hash, *slot;
	struct blob *b;

	if (!t->n) {
		t->item = grow(t->item, &t->room, 1, sizeof(*t->item));
		t->item[0] = (struct blob){ .data = xstrdup("") };
		t->n = 1;
	}
	if (!len)
		return 0;
	if (2 * t->n >= t->nslots)
		more_slots(t);
	hash = fnv1a(data, len);
	slot = find_slot(t, hash, data, len);
	if (*slot)
		return *slot;
	t->item = grow(t->item, &t->room, t->n + 1, sizeof(*t->item));
	b = &t->item[t->n];
	b->data = xcalloc(len + 1, 1);
	memcpy(b->data, data, len);
	b->len = len;
	b->hash = hash;
	*slot = t->n;
	return t->n++;
}

uint32_t strtab_str(struct strtab *t, const char *s)
{
	return strtab_put(t, s, strlen(s));
}

uint32_t strtab_find(const struct strtab *t, const char *s)
{
	size_t len = strlen(s);

	return t->nslots && len ? *find_slot(t, fnv1a(s, len), s, len) : 0;
}

const char *strtab_get(const struct strtab *t, uint32_t id)
{
	return id < t->n ? t->item[id].data : "";
}

void strtab_free(struct strtab *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->item[i].data);
	free(t->item);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
