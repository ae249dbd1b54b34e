// SPDX-License-Identifier: GPL-2.0
/*
 * recread.c - reads a record; the format is described in recfile.h.
 *
 * A file is somebody else's word: every length, number and reference is
 * checked before it is used, and tests/fuzz_recfile.c tries to prove otherwise.
 */
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "quell.h"
#include "recfile.h"

#define MAX_CHUNK	(16u << 20)	/* the writer stays far below */
#define AGREEMENT_SIZE	48

struct reader {
	struct rec_visitor	*v;
	struct send		*send;
	size_t			nsends, room;
	uint64_t		nreceipts;
	bool			ended;
};

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

/* A number that must be below @limit. */
static uint64_t below(struct cursor *c, size_t size, uint64_t limit)
{
	uint64_t v = take(c, size);

	if (v >= limit)
		c->bad = true;
	return v;
}

static uint32_t string_ref(struct reader *r, struct cursor *c)
{
	uint32_t id = take(c, 4);

	if (id && id >= r->v->strings->n)
		c->bad = true;
	return id;
}

static void read_strings(struct reader *r, struct cursor *c)
{
	struct strtab *t = r->v->strings;
	uint32_t id = take(c, 4);

	while (c->left && !c->bad) {
		uint16_t len = take(c, 2);

		/* Empty, twice the same or out of order: not ours. */
		if (!len || len > c->left || memchr(c->p, 0, len) ||
		    strtab_put(t, c->p, len) != id++) {
			c->bad = true;
			return;
		}
		c->p += len;
		c->left -= len;
	}
}

static void read_stacks(struct reader *r, struct cursor *c)
{
	struct strtab *t = r->v->stacks;
	uint32_t id = take(c, 4), frame[256];

	while (c->left && !c->bad) {
		uint16_t n = below(c, 2, ARRAY_SIZE(frame));

		for (size_t i = 0; i < n && !c->bad; i++)
			frame[i] = string_ref(r, c);
		if (!n || c->bad ||
		    strtab_put(t, frame, n * sizeof(*frame)) != id++)
			c->bad = true;
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

static void read_sends(struct reader *r, struct cursor *c)
{
	struct send s;

	while (c->left && !c->bad) {
		memset(&s, 0, sizeof(s));
		s.id = take(c, 8);
		s.ts = take(c, 8);
		s.func = string_ref(r, c);
		s.callsite = string_ref(r, c);
		s.site = string_ref(r, c);
		s.comm = string_ref(r, c);
		s.stack = take(c, 4);
		s.targets = take(c, 4);
		s.ipis = take(c, 4);
		s.wanted = take(c, 4);
		s.pid = (int32_t)take(c, 4);
		s.cpu = below(c, 2, MAX_CPUS);
		s.ctx = below(c, 1, NR_CTX);
		s.vec = below(c, 1, NR_VECS);
		s.cause = below(c, 2, NR_CAUSES);
		s.deferrable = below(c, 2, 2);
		take(c, 8);
		if (s.id != r->nsends + 1 ||
		    (s.stack && s.stack >= r->v->stacks->n))
			c->bad = true;
		if (c->bad)
			return;
		r->send = grow(r->send, &r->room, r->nsends + 1, sizeof(s));
		r->send[r->nsends++] = s;
		if (r->v->send)
			r->v->send(r->v->arg, &s);
	}
}

static void read_receipts(struct reader *r, struct cursor *c)
{
	struct receipt x;

	while (c->left && !c->bad) {
		memset(&x, 0, sizeof(x));
		x.ts = take(c, 8);
		x.send = take(c, 8);
		x.ns = take(c, 4);
		x.func = string_ref(r, c);
		x.name = string_ref(r, c);
		x.served = take(c, 4);
		x.cpu = below(c, 2, MAX_CPUS);
		x.kind = below(c, 1, NR_RECEIPTS);
		x.vec = below(c, 1, NR_VECS);
		x.cause = below(c, 2, NR_CAUSES);
		x.how = below(c, 1, NR_HOWS);
		x.idle = below(c, 1, 2);
		take(c, 8);
		if (x.send > r->nsends)
			c->bad = true;
		if (c->bad)
			return;
		r->nreceipts++;
		if (r->v->receipt)
			r->v->receipt(r->v->arg, &x,
				      x.send ? &r->send[x.send - 1] : NULL);
	}
}

static void read_agreements(struct reader *r, struct cursor *c)
{
	struct agreement a;

	while (c->left && !c->bad) {
		memset(&a, 0, sizeof(a));
		if (c->left < AGREEMENT_SIZE || memchr(c->p, 0, 16) == NULL) {
			c->bad = true;
			return;
		}
		memcpy(a.label, c->p, sizeof(a.label));
		c->p += 16;
		c->left -= 16;
		a.cpu = below(c, 2, MAX_CPUS);
		a.traced = below(c, 1, 2);
		take(c, 5);
		a.kernel = take(c, 8);
		a.counted = take(c, 8);
		a.slack = take(c, 8);
		if (!c->bad && r->v->agreement)
			r->v->agreement(r->v->arg, &a);
	}
}

static const char *read_end(struct reader *r, struct cursor *c)
{
	struct rec_end e;

	e.duration = take(c, 8);
	e.sends = take(c, 8);
	e.receipts = take(c, 8);
	e.lost = take(c, 8);
	e.expired = take(c, 8);
	if (c->bad || c->left || e.sends != r->nsends ||
	    e.receipts != r->nreceipts)
		return "corrupt: the totals at its end are not what it holds";
	r->ended = true;
	if (r->v->end)
		r->v->end(r->v->arg, &e);
	return NULL;
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
	else if (!memcmp(type, "SEND", 4))
		read_sends(r, c);
	else if (!memcmp(type, "RCPT", 4))
		read_receipts(r, c);
	else if (!memcmp(type, "AGRE", 4))
		read_agreements(r, c);
	else if (!memcmp(type, "END ", 4))
		return read_end(r, c);
	else
		return "corrupt: it has a part of unknown kind";
	return c->bad ? "corrupt: a part of it makes no sense" : NULL;
}

/* One chunk from @f; *done is set at a clean end of the file. */
static const char *next_chunk(struct reader *r, FILE *f, bool *done)
{
	unsigned char head[12], *payload;
	struct cursor h = { head, sizeof(head), false }, c = { 0 };
	const char *wrong;
	uint32_t len, crc;
	size_t n;

	n = fread(head, 1, sizeof(head), f);
	if (!n && feof(f)) {
		*done = true;
		return r->ended ? NULL : "truncated: its end is missing";
	}
	if (n != sizeof(head))
		return "truncated";
	h.p += 4;
	h.left -= 4;
	len = take(&h, 4);
	crc = take(&h, 4);
	if (len > MAX_CHUNK)
		return "corrupt: a part of it is impossibly large";
	payload = xcalloc(len, 1);
	n = fread(payload, 1, len, f);
	if (n != len)
		wrong = "truncated";
	else if (crc32(payload, len) != crc)
		wrong = "corrupt: a checksum does not fit";
	else {
		c.p = payload;
		c.left = len;
		wrong = read_chunk(r, (const char *)head, &c);
	}
	free(payload);
	return wrong;
}

const char *rec_read(FILE *f, struct rec_visitor *v)
{
	struct reader r = { .v = v };
	unsigned char head[12];
	const char *wrong = NULL;
	bool done = false;
	size_t n;

	n = fread(head, 1, sizeof(head), f);
	if (n < 8 || memcmp(head, "QUELLREC", 8))
		return n && n < 8 && !memcmp(head, "QUELLREC", n) ? "truncated" :
			"not a record of quell";
	if (n < sizeof(head))
		return "truncated";
	if ((head[8] | head[9] << 8 | head[10] << 16 | (uint32_t)head[11] << 24) !=
	    RECFILE_VERSION)
		return "of another version of quell; this one reads version 1";
	/* Number 0 must exist before the first reference to it. */
	strtab_put(v->strings, "", 0);
	strtab_put(v->stacks, "", 0);
	while (!wrong && !done)
		wrong = next_chunk(&r, f, &done);
	free(r.send);
	return wrong;
}
