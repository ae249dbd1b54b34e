// SPDX-License-Identifier: GPL-2.0
/*
 * recread.c - reads a record; the format is described in recfile.h.
 *
 * A file is somebody else's word: every length, number and reference is
 * checked before it is used, and tests/fuzz_recfile.c tries to prove otherwise.
 * Memory is bounded: one chunk, the last REC_WINDOW sends, and the strings and
 * stacks, of which there may be only so many.
 */
#include <stdlib.h>
#include <string.h>

#include "crc32.h"
#include "quell.h"
#include "recfile.h"

#define MAX_CHUNK	(16u << 20)	/* the writer stays far below */
#define MAX_KINDS	64
#define MAX_STRINGS	(1u << 20)
#define MAX_TEXT	(256u << 20)	/* of strings and stacks together */

struct kind {				/* as this file has it */
	bool	there;
	int	known;			/* enum rec_kind, -1: not ours */
	int	n;
	char	type[REC_FIELDS];
	int	field[REC_FIELDS];	/* ours, -1: not ours */
	uint64_t prev[REC_FIELDS];
};

struct reader {
	struct rec_visitor	*v;
	struct kind		kind[MAX_KINDS];
	struct send		*send;		/* a ring of the last ones */
	size_t			room;
	uint64_t		nsends, nreceipts, nparts, text;
	/* Causes and vectors are strings: each is looked up once. */
	uint8_t			*cause, *vec;	/* + 1; 0: not yet */
	size_t			causes, vecs;
	struct rec_end		sofar;
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

static bool more_text(struct reader *r, const struct strtab *t, size_t len)
{
	r->text += len + sizeof(struct blob);
	return t->n < MAX_STRINGS && r->text <= MAX_TEXT;
}

static void read_strings(struct reader *r, struct cursor *c)
{
	struct strtab *t = r->v->strings;
	uint32_t id = take(c, 4);

	while (c->left && !c->bad) {
		uint16_t len = take(c, 2);

		/* Empty, twice the same or out of order: not ours. */
		if (!len || len > c->left || memchr(c->p, 0, len) ||
		    !more_text(r, t, len) ||
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
		uint16_t n = take(c, 2);

		if (!n || n >= ARRAY_SIZE(frame)) {
			c->bad = true;
			return;
		}
		for (size_t i = 0; i < n && !c->bad; i++) {
			frame[i] = take(c, 4);
			if (frame[i] >= r->v->strings->n)
				c->bad = true;
		}
		if (c->bad || !more_text(r, t, n * sizeof(*frame)) ||
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

static uint8_t *cached(uint8_t **table, size_t *room, uint32_t id)
{
	size_t had = *room;

	*table = grow(*table, room, id + 1, 1);
	if (*room > had)
		memset(*table + had, 0, *room - had);
	return &(*table)[id];
}

static enum cause cause_of(struct reader *r, uint32_t id)
{
	uint8_t *c = cached(&r->cause, &r->causes, id);

	if (!*c)
		*c = cause_by_key(strtab_get(r->v->strings, id)) + 1;
	return *c - 1;
}

static enum vec vec_of(struct reader *r, uint32_t id)
{
	uint8_t *c = cached(&r->vec, &r->vecs, id);

	for (int v = 0; !*c && v < NR_VECS; v++)
		if (v == NR_VECS - 1 ||
		    !strcmp(strtab_get(r->v->strings, id), vec_key(v)))
			*c = v + 1;
	return *c - 1;
}

static void saw(struct reader *r, uint64_t ts)
{
	if ((int64_t)ts >= 0 && ts >= r->sofar.duration)
		r->sofar.duration = ts + 1;
}

static bool take_send(struct reader *r, const uint64_t *v)
{
	struct send s = {
		.id = v[SEND_ID], .ts = v[SEND_TS], .func = v[SEND_FUNC],
		.callsite = v[SEND_CALLSITE], .site = v[SEND_SITE],
		.comm = v[SEND_COMM], .stack = v[SEND_STACK],
		.targets = v[SEND_TARGETS], .ipis = v[SEND_IPIS],
		.wanted = v[SEND_WANTED], .pid = (int32_t)v[SEND_PID],
		.cpu = v[SEND_CPU], .ctx = v[SEND_CTX],
		.vec = vec_of(r, v[SEND_VEC]), .cause = cause_of(r, v[SEND_CAUSE]),
		.deferrable = v[SEND_DEFERRABLE],
	};

	s.fixed = s.vec == VEC_TIMER || s.vec == VEC_SOFTIRQ || s.vec == VEC_WORK ||
		  s.vec == VEC_WAKE;

	if (s.id != r->nsends + 1 || v[SEND_CPU] >= MAX_CPUS ||
	    v[SEND_CTX] >= NR_CTX || v[SEND_DEFERRABLE] > 1 || v[SEND_AGAIN] > 1)
		return false;
	if (r->room < REC_WINDOW)
		r->send = grow(r->send, &r->room, r->nsends + 1, sizeof(s));
	r->send[r->nsends++ % REC_WINDOW] = s;
	if (r->v->send && !v[SEND_AGAIN])
		r->v->send(r->v->arg, &s);
	return true;
}

static bool take_irq(struct reader *r, const uint64_t *v, bool part)
{
	struct send *from = NULL;
	struct receipt x = {
		.ts = v[IRQ_TS], .ns = v[IRQ_NS], .func = v[IRQ_FUNC],
		.name = v[IRQ_NAME], .served = v[IRQ_SERVED], .cpu = v[IRQ_CPU],
		.kind = v[IRQ_KIND], .vec = vec_of(r, v[IRQ_VEC]),
		.cause = cause_of(r, v[IRQ_CAUSE]), .how = v[IRQ_HOW],
		.idle = v[IRQ_IDLE], .span = v[IRQ_SPAN],
		.victim_pid = (int32_t)v[IRQ_PID], .victim = v[IRQ_VICTIM],
	};

	if (v[IRQ_CPU] >= MAX_CPUS || v[IRQ_KIND] >= NR_RECEIPTS ||
	    part != (v[IRQ_KIND] == RECEIPT_PART) || v[IRQ_SPAN] > UINT32_MAX ||
	    v[IRQ_HOW] >= NR_HOWS || v[IRQ_IDLE] > 1 || v[IRQ_NS] > UINT32_MAX ||
	    v[IRQ_FROM] > r->nsends || v[IRQ_FROM] > REC_WINDOW)
		return false;
	if (v[IRQ_FROM]) {
		x.send = r->nsends + 1 - v[IRQ_FROM];
		from = &r->send[(x.send - 1) % REC_WINDOW];
	}
	r->nreceipts += !part;
	r->nparts += part;
	saw(r, x.ts);
	if (r->v->receipt)
		r->v->receipt(r->v->arg, &x, from);
	return true;
}

static bool take_agreement(struct reader *r, const uint64_t *v)
{
	struct agreement a = {
		.cpu = v[AGREE_CPU], .traced = v[AGREE_TRACED],
		.kernel = v[AGREE_KERNEL], .counted = v[AGREE_COUNTED],
		.slack = v[AGREE_SLACK],
	};

	if (v[AGREE_CPU] >= MAX_CPUS || v[AGREE_TRACED] > 1)
		return false;
	snprintf(a.label, sizeof(a.label), "%s",
		 strtab_get(r->v->strings, v[AGREE_LABEL]));
	if (r->v->agreement)
		r->v->agreement(r->v->arg, &a);
	return true;
}

static bool take_end(struct reader *r, const uint64_t *v)
{
	struct rec_end e = {
		.duration = v[END_DURATION], .sends = v[END_SENDS],
		.receipts = v[END_IRQS], .lost = v[END_LOST],
		.expired = v[END_EXPIRED], .unaccounted = v[END_UNACCOUNTED],
		.parts = v[END_PARTS],
	};

	if (e.sends != r->nsends || e.receipts != r->nreceipts ||
	    e.parts != r->nparts)
		return false;
	r->ended = true;
	if (r->v->end)
		r->v->end(r->v->arg, &e);
	return true;
}

static bool take_entry(struct reader *r, int known, const uint64_t *v)
{
	switch (known) {
	case REC_SEND:
		return take_send(r, v);
	case REC_IRQ:
	case REC_PART:
		return take_irq(r, v, known == REC_PART);
	case REC_AGREE:
		return take_agreement(r, v);
	case REC_NOTE:
		if (r->v->note)
			r->v->note(r->v->arg, v[NOTE_TS],
				   strtab_get(r->v->strings, v[NOTE_TEXT]));
		return true;
	case REC_SOFAR:
		if (v[SOFAR_TS] > r->sofar.duration)
			r->sofar.duration = v[SOFAR_TS];
		r->sofar.lost = v[SOFAR_LOST];
		r->sofar.unaccounted = v[SOFAR_UNACCOUNTED];
		return true;
	case REC_ENDS:
		return take_end(r, v);
	}
	r->v->skipped++;
	return true;
}

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
			    (k->type[i] == 'k' && x >= r->v->stacks->n))
				c->bad = true;
			if (k->field[i] >= 0)
				v[k->field[i]] = x;
		}
		if (!c->bad && !take_entry(r, k->known, v))
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
	free(r->cause);
	free(r->vec);
	free(r);
	return wrong;
}
