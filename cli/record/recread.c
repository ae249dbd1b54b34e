// SPDX-License-Identifier: GPL-2.0
/*
 * recread.c - reads a record; the format is described in recfile.h, and what an
 * entry says is taken in by recentry.c.
 *
 * A file is somebody else's word: every length, number and reference is
 * checked before it is used, and tests/fuzz_recfile.c tries to prove otherwise.
 * Memory is bounded: one chunk, the last REC_WINDOW sends, and the strings and
 * stacks, of which there may be only so many.
 */
#include <stdlib.h>
#include <string.h>

#include "record/crc32.h"
#include "quell.h"
#include "record/recread.h"

#define MAX_CHUNK	(16u << 20)	/* the writer stays far below */
#define MAX_STRINGS	(1u << 20)
#define MAX_TEXT	(256u << 20)	/* of strings and stacks together */

struct cursor {
	const unsigned char	*p;
	size_t			left;
	bool			bad;
};

static uint64_t take(struct cursor *c, size_t size)
{
	uint64_t v = 0;

	if (c->left < size) {
		c->bad = true;
		c->left = 0;
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)c->p[i] << (8 * i);
	c->p += size;
	c->left -= size;
	return v;
}

static uint64_t take_varint(struct cursor *c)
{
	uint64_t v = 0;
	uint8_t byte;
	int shift = 0;

	do {
		byte = take(c, 1);
		if (shift == 63 && byte > 1)
			c->bad = true;
		v |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && shift < 64 && !c->bad);
	if (byte & 0x80)
		c->bad = true;
	return v;
}

/* ---- strings, stacks, meta ------------------------------------------------ */

static bool more_text(uint64_t *text, const struct strtab *t, size_t len)
{
	*text += len + sizeof(struct blob);
	return t->n < MAX_STRINGS && *text <= MAX_TEXT / 2;
}

static void read_strings(struct reader *r, struct cursor *c)
{
	struct strtab *t = r->v->strings;
	uint32_t id = take(c, 4);

	while (c->left && !c->bad) {
		uint16_t len = take(c, 2);

		/* Empty, twice the same or out of order: not ours. */
		if (!len || len > c->left || memchr(c->p, 0, len) ||
		    !more_text(&r->text, t, len) ||
		    strtab_put(t, c->p, len) != id++) {
			c->bad = true;
			return;
		}
		c->p += len;
		c->left -= len;
	}
}

/*
 * A recording without end does not keep all its stacks: now and then it begins to
 * number them anew, and what was sent before refers to none any more.
 */
static void forget_stacks(struct reader *r)
{
	for (size_t i = 0; i < r->room && i < r->nsends; i++)
		r->send[i].stack = 0;
	if (r->v->no_stacks)
		r->v->no_stacks(r->v->arg);
	else
		strtab_free(r->v->stacks);
	strtab_put(r->v->stacks, "", 0);
	r->nstacks = r->stack_text = 0;
}

static void read_stacks(struct reader *r, struct cursor *c)
{
	struct strtab *t = r->v->stacks;
	uint32_t number = take(c, 4), frame[256];

	if (number == 1 && r->nstacks)
		forget_stacks(r);
	while (c->left && !c->bad) {
		uint16_t n = take(c, 2);

		/* Empty or out of order: not ours. */
		if (!n || n >= ARRAY_SIZE(frame) || number++ != r->nstacks + 1) {
			c->bad = true;
			return;
		}
		for (size_t i = 0; i < n && !c->bad; i++) {
			frame[i] = take(c, 4);
			if (frame[i] >= r->v->strings->n)
				c->bad = true;
		}
		if (c->bad || r->nstacks >= MAX_STRINGS ||
		    !more_text(&r->stack_text, t, n * sizeof(*frame))) {
			c->bad = true;
			return;
		}
		r->stack = grow(r->stack, &r->stack_room, r->nstacks + 2, sizeof(*r->stack));
		r->stack[0] = 0;
		r->stack[++r->nstacks] = strtab_put(t, frame, n * sizeof(*frame));
	}
}

static void read_meta(struct reader *r, struct cursor *c)
{
	char *text = xcalloc(c->left + 1, 1), *line, *save = NULL, *eq;

	memcpy(text, c->p, c->left);
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		eq = strchr(line, '=');
		if (!eq)
			continue;
		*eq = '\0';
		if (r->v->meta)
			r->v->meta(r->v->arg, line, eq + 1);
	}
	free(text);
	c->left = 0;
}

/* ---- kinds ---------------------------------------------------------------- */

/* The place of "@name:" among the fields of our kind @known; -1: not ours. */
static int field_of(int known, const char *name, size_t len, char type)
{
	const char *f = rec_layout[known].fields, *colon;

	for (int i = 0; f && *f; i++) {
		colon = strchr(f, ':');
		if (!colon)
			break;
		if ((size_t)(colon - f) == len && !memcmp(f, name, len))
			return colon[1] == type ||
			       (strchr("nd", colon[1]) && strchr("nd", type)) ? i : -1;
		f = strchr(colon, ' ');
		if (f)
			f++;
	}
	return -1;
}

static bool read_kind(struct reader *r, char *line)
{
	char *save = NULL, *word, *colon, *end;
	struct kind *k;
	unsigned long n;

	word = strtok_r(line, " ", &save);
	n = word ? strtoul(word, &end, 10) : 0;
	if (!n || n >= MAX_KINDS || *end || r->kind[n].there)
		return false;
	k = &r->kind[n];
	k->there = true;
	k->known = -1;
	word = strtok_r(NULL, " ", &save);
	for (int i = 0; word && i < NR_REC_KINDS; i++)
		if (!strcmp(rec_layout[i].name, word))
			k->known = i;
	while ((word = strtok_r(NULL, " ", &save))) {
		colon = strchr(word, ':');
		if (!colon || !strchr("ndsk", colon[1]) || !colon[1] || colon[2] ||
		    k->n == REC_FIELDS)
			return false;
		k->type[k->n] = colon[1];
		k->field[k->n++] = k->known < 0 ? -1 :
			field_of(k->known, word, colon - word, colon[1]);
	}
	return true;
}

static void read_kinds(struct reader *r, struct cursor *c)
{
	char *text = xcalloc(c->left + 1, 1), *line, *save = NULL;

	memcpy(text, c->p, c->left);
	for (line = strtok_r(text, "\n", &save); line && !c->bad;
	     line = strtok_r(NULL, "\n", &save))
		c->bad = !read_kind(r, line);
	free(text);
	c->left = 0;
}

/* ---- entries -------------------------------------------------------------- */

static void read_data(struct reader *r, struct cursor *c)
{
	uint64_t v[REC_FIELDS], x;
	struct kind *k;

	for (int i = 0; i < MAX_KINDS; i++)
		memset(r->kind[i].prev, 0, sizeof(r->kind[i].prev));
	while (c->left && !c->bad) {
		x = take_varint(c);
		if (x >= MAX_KINDS || !r->kind[x].there || r->ended) {
			c->bad = true;
			return;
		}
		k = &r->kind[x];
		memset(v, 0, sizeof(v));
		for (int i = 0; i < k->n; i++) {
			x = take_varint(c);
			if (k->type[i] == 'd')
				x = k->prev[i] += x & 1 ? ~(x >> 1) : x >> 1;
			if ((k->type[i] == 's' && x >= r->v->strings->n) ||
			    (k->type[i] == 'k' && x > r->nstacks))
				c->bad = true;
			else if (k->type[i] == 'k')
				x = x ? r->stack[x] : 0;
			if (k->field[i] >= 0)
				v[k->field[i]] = x;
		}
		if (!c->bad && !rec_take_entry(r, k->known, v))
			c->bad = true;
	}
}

static const char *read_chunk(struct reader *r, const char *type,
			      struct cursor *c)
{
	if (r->ended)
		return "corrupt: something follows its end";
	if (!memcmp(type, "STRS", 4))
		read_strings(r, c);
	else if (!memcmp(type, "STKS", 4))
		read_stacks(r, c);
	else if (!memcmp(type, "META", 4))
		read_meta(r, c);
	else if (!memcmp(type, "KIND", 4))
		read_kinds(r, c);
	else if (!memcmp(type, "DATA", 4))
		read_data(r, c);
	else
		return "corrupt: it has a part of unknown kind";
	return c->bad ? "corrupt: a part of it makes no sense" : NULL;
}

/* One chunk from @f; *done is set where the file ends, or was cut. */
static const char *next_chunk(struct reader *r, FILE *f, bool *done)
{
	unsigned char head[12], *payload;
	struct cursor h = { head, sizeof(head), false }, c = { 0 };
	const char *wrong = NULL;
	uint32_t len, crc;
	size_t n;

	n = fread(head, 1, sizeof(head), f);
	if (n && r->ended)
		return "corrupt: something follows its end";
	*done = n != sizeof(head);
	if (*done)
		return NULL;
	h.p += 4;
	h.left -= 4;
	len = take(&h, 4);
	crc = take(&h, 4);
	if (len > MAX_CHUNK)
		return "corrupt: a part of it is impossibly large";
	payload = malloc(len ? len : 1);
	if (!payload)
		return "too large: out of memory";
	if (fread(payload, 1, len, f) != len) {
		*done = true;
	} else if (crc32(payload, len) != crc) {
		wrong = "corrupt: a checksum does not fit";
	} else {
		c.p = payload;
		c.left = len;
		wrong = read_chunk(r, (const char *)head, &c);
	}
	free(payload);
	return wrong;
}

static const char *read_head(FILE *f)
{
	unsigned char head[12];
	static char text[80];
	uint32_t version;
	size_t n;

	n = fread(head, 1, sizeof(head), f);
	if (n < 8 || memcmp(head, "QUELLREC", 8))
		return n && n < 8 && !memcmp(head, "QUELLREC", n) ? "truncated" :
			"not a record of quell";
	if (n < sizeof(head))
		return "truncated";
	version = head[8] | head[9] << 8 | head[10] << 16 | (uint32_t)head[11] << 24;
	if (version == RECFILE_VERSION)
		return NULL;
	snprintf(text, sizeof(text), "of another version of quell (format %u; this one reads %u)",
		 version, RECFILE_VERSION);
	return text;
}

const char *rec_read(FILE *f, struct rec_visitor *v)
{
	struct reader *r;
	const char *wrong = read_head(f);
	bool done = false;

	if (wrong)
		return wrong;
	r = xcalloc(1, sizeof(*r));
	r->v = v;
	/* Number 0 must exist before the first reference to it. */
	strtab_put(v->strings, "", 0);
	strtab_put(v->stacks, "", 0);
	while (!wrong && !done)
		wrong = next_chunk(r, f, &done);
	if (!wrong && ferror(f))
		wrong = "unreadable";
	if (!wrong && !r->ended && !r->kind[1].there)
		wrong = "truncated: nothing of it is left";
	if (!wrong && !r->ended) {
		v->cut = true;
		r->sofar.sends = r->nsends;
		r->sofar.receipts = r->nreceipts;
		r->sofar.parts = r->nparts;
		if (v->end)
			v->end(v->arg, &r->sofar);
	}
	free(r->send);
	free(r->stack);
	free(r->cause);
	free(r->vec);
	free(r);
	return wrong;
}
