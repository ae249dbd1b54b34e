// SPDX-License-Identifier: GPL-2.0
/*
 * recwrite.c - writes a record; the format is described in recfile.h, and the
 * files that it goes to are recout.c's.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/crc32.h"
#include "quell.h"
#include "record/recfile.h"
#include "record/recout.h"

#define FLUSH_AT	(1 << 18)

#define IRQ_LAYOUT "ts:d from:n ns:n func:s name:s served:n cpu:n kind:n vec:s " \
		   "cause:s how:n idle:n span:n pid:n victim:s cgroup:s"

#define TALLY_LAYOUT "cause:s irqs:n rides:n polled:n parts:n unknown:n avoidable:n " \
		     "sends:n ipis:n requests:n ns:n"

const struct rec_layout rec_layout[NR_REC_KINDS] = {
	[REC_SEND] = { "send", "id:d ts:d again:n func:s callsite:s site:s "
		"comm:s stack:k targets:n ipis:n wanted:n pid:n cpu:n ctx:n "
		"vec:s cause:s deferrable:n cgroup:s" },
	[REC_IRQ] = { "irq", IRQ_LAYOUT },
	[REC_AGREE] = { "agree", "label:s cpu:n traced:n kernel:n counted:n slack:n" },
	[REC_NOTE] = { "note", "ts:d text:s" },
	[REC_SOFAR] = { "sofar", "ts:n lost:n unaccounted:n" },
	[REC_ENDS] = { "end", "duration:n sends:n irqs:n lost:n expired:n "
		"unaccounted:n parts:n" },
	[REC_PART] = { "part", IRQ_LAYOUT },
	[REC_TALLY] = { "tally", TALLY_LAYOUT },
	[REC_ROW] = { "row", TALLY_LAYOUT " func:s site:s comm:s known:n detail:s why:s "
		"senders:s receivers:s timed:n lost:n max:n cgroup:s" },
	[REC_CPU] = { "cpu", "cpu:n irqs:n avoidable:n lost:n" },
	[REC_SHARE] = { "share", "cpu:n cause:s irqs:n avoidable:n" },
	[REC_HIST] = { "hist", "cause:s n:n sum:n max:n" },
	[REC_BUCKET] = { "bucket", "edge:n at:n n:n" },
	[REC_VICTIM] = { "victim", "cgroup:s times:n lost:n max:n" },
};

struct buffer {
	unsigned char	*data;
	size_t		len, room;
};

struct map {			/* numbers of all strings to those of this file */
	uint32_t	*to;
	size_t		room, n;	/* n: given in this file */
	size_t		first;		/* of those not yet written */
	struct buffer	out;
};

struct rec_writer {
	struct rec_out	*out;
	struct strtab	*strings, *stacks;
	struct map	string, stack;
	struct buffer	meta, all_meta, data;
	uint64_t	prev[NR_REC_KINDS][REC_FIELDS];
	uint64_t	nsends, nreceipts, nparts;
	uint64_t	origin;		/* when this part began */
	uint64_t	lost, unaccounted;	/* before this part */
	unsigned int	part;
	bool		failed;
};

static void put(struct buffer *b, uint64_t v, int size)
{
	b->data = grow(b->data, &b->room, b->len + size, 1);
	for (int i = 0; i < size; i++)
		b->data[b->len++] = v >> (8 * i);
}

static void put_bytes(struct buffer *b, const void *p, size_t n)
{
	b->data = grow(b->data, &b->room, b->len + n, 1);
	memcpy(b->data + b->len, p, n);
	b->len += n;
}

static void put_varint(struct buffer *b, uint64_t v)
{
	b->data = grow(b->data, &b->room, b->len + 10, 1);
	for (; v >= 0x80; v >>= 7)
		b->data[b->len++] = v | 0x80;
	b->data[b->len++] = v;
}

static void chunk(struct rec_writer *w, const char *type, struct buffer *b)
{
	unsigned char head[12];
	uint32_t crc = crc32(b->data, b->len);

	memcpy(head, type, 4);
	for (int i = 0; i < 4; i++) {
		head[4 + i] = b->len >> (8 * i);
		head[8 + i] = crc >> (8 * i);
	}
	if (!rec_out_write(w->out, head, sizeof(head)) ||
	    !rec_out_write(w->out, b->data, b->len))
		w->failed = true;
	b->len = 0;
}

/* ---- strings and stacks, numbered as this file uses them ----------------- */

/* The place of @id in @m; 0 there: this file has no number for it yet. */
static uint32_t *place(struct map *m, uint32_t id)
{
	size_t had = m->room;

	m->to = grow(m->to, &m->room, id + 1, sizeof(*m->to));
	if (m->room > had)
		memset(m->to + had, 0, (m->room - had) * sizeof(*m->to));
	return &m->to[id];
}

static uint32_t *add(struct map *m, uint32_t id)
{
	uint32_t *to = place(m, id);

	if (!m->out.len)
		put(&m->out, m->n + 1, 4);
	*to = ++m->n;
	return to;
}

static uint32_t string_number(struct rec_writer *w, uint32_t id)
{
	struct blob *s;
	uint32_t *to;

	if (!id || id >= w->strings->n)
		return 0;
	to = place(&w->string, id);
	if (!*to) {
		to = add(&w->string, id);
		s = &w->strings->item[id];
		put(&w->string.out, s->len & 0xffff, 2);
		put_bytes(&w->string.out, s->data, s->len & 0xffff);
	}
	return *to;
}

static uint32_t stack_number(struct rec_writer *w, uint32_t id)
{
	uint32_t frame, number[256], *to;
	struct blob *s;
	size_t n;

	if (!id || id >= w->stacks->n)
		return 0;
	to = place(&w->stack, id);
	if (*to)
		return *to;
	s = &w->stacks->item[id];
	n = s->len / sizeof(frame);
	if (n >= ARRAY_SIZE(number))
		n = ARRAY_SIZE(number) - 1;
	for (size_t i = 0; i < n; i++) {
		memcpy(&frame, s->data + i * sizeof(frame), sizeof(frame));
		number[i] = string_number(w, frame);
	}
	to = add(&w->stack, id);
	put(&w->stack.out, n, 2);
	for (size_t i = 0; i < n; i++)
		put(&w->stack.out, number[i], 4);
	return *to;
}

/* ---- entries -------------------------------------------------------------- */

static bool entry(struct rec_writer *w, enum rec_kind kind, const uint64_t *v)
{
	const char *f = rec_layout[kind].fields;
	struct buffer *b = &w->data;
	int64_t d;

	put_varint(b, kind + 1);
	for (int i = 0; (f = strchr(f, ':')); i++) {
		switch (*++f) {
		case 'd':
			d = v[i] - w->prev[kind][i];
			w->prev[kind][i] = v[i];
			put_varint(b, d < 0 ? ~((uint64_t)d << 1) : (uint64_t)d << 1);
			break;
		case 's':
			put_varint(b, string_number(w, v[i]));
			break;
		case 'k':
			put_varint(b, stack_number(w, v[i]));
			break;
		default:
			put_varint(b, v[i]);
		}
	}
	return b->len < FLUSH_AT || rec_flush(w);
}

static uint64_t text_id(struct rec_writer *w, const char *text)
{
	return strtab_str(w->strings, text);
}

bool rec_flush(struct rec_writer *w)
{
	if (w->meta.len)
		chunk(w, "META", &w->meta);
	if (w->string.out.len)
		chunk(w, "STRS", &w->string.out);
	if (w->stack.out.len)
		chunk(w, "STKS", &w->stack.out);
	if (w->data.len)
		chunk(w, "DATA", &w->data);
	/* A chunk is read by itself. */
	memset(w->prev, 0, sizeof(w->prev));
	if (!rec_out_flush(w->out))
		w->failed = true;
	return !w->failed;
}

static void begin_file(struct rec_writer *w)
{
	struct buffer b = { 0 };
	char *line;

	put_bytes(&b, "QUELLREC", 8);
	put(&b, RECFILE_VERSION, 4);
	if (!rec_out_write(w->out, b.data, b.len))
		w->failed = true;
	b.len = 0;
	for (int k = 0; k < NR_REC_KINDS; k++) {
		line = xasprintf("%d %s %s\n", k + 1, rec_layout[k].name,
				 rec_layout[k].fields);
		put_bytes(&b, line, strlen(line));
		free(line);
	}
	chunk(w, "KIND", &b);
	free(b.data);
}

static struct rec_writer *create(struct rec_out *out, struct strtab *strings,
				 struct strtab *stacks)
{
	struct rec_writer *w = xcalloc(1, sizeof(*w));

	w->strings = strings;
	w->stacks = stacks;
	w->out = out;
	begin_file(w);
	return w;
}

struct rec_writer *rec_create(const char *path, struct strtab *strings,
			      struct strtab *stacks, uint64_t max_size,
			      unsigned int keep)
{
	return create(rec_out_open(path, max_size, keep), strings, stacks);
}

struct rec_writer *rec_create_stream(FILE *f, struct strtab *strings,
				     struct strtab *stacks)
{
	return create(rec_out_stream(f), strings, stacks);
}

bool rec_entry(struct rec_writer *w, enum rec_kind kind, const uint64_t *v)
{
	return entry(w, kind, v);
}

bool rec_meta(struct rec_writer *w, const char *key, const char *value)
{
	char *line = xasprintf("%s=%s", key, value);

	/* One line each, whatever the value. */
	for (char *p = line; *p; p++)
		if (*p == '\n')
			*p = ' ';
	put_bytes(&w->meta, line, strlen(line));
	put(&w->meta, '\n', 1);
	/* A later part has to have it as well. */
	put_bytes(&w->all_meta, line, strlen(line));
	put(&w->all_meta, '\n', 1);
	free(line);
	return !w->failed;
}

/* Since this part began; what is told late belongs to its first moment. */
static uint64_t in_part(const struct rec_writer *w, uint64_t ts)
{
	if (!w->origin || (int64_t)ts < 0)
		return ts;
	return ts > w->origin ? ts - w->origin : 0;
}

static bool put_send(struct rec_writer *w, struct send *s, bool again)
{
	s->rec_id = ++w->nsends;
	s->rec_part = w->part;
	return entry(w, REC_SEND, (uint64_t[REC_FIELDS]){
		[SEND_ID] = s->rec_id, [SEND_AGAIN] = again,
		[SEND_TS] = again ? s->ts - w->origin : in_part(w, s->ts),
		[SEND_FUNC] = s->func, [SEND_CALLSITE] = s->callsite,
		[SEND_SITE] = s->site, [SEND_COMM] = s->comm,
		[SEND_STACK] = s->stack, [SEND_TARGETS] = s->targets,
		[SEND_IPIS] = s->ipis, [SEND_WANTED] = s->wanted,
		[SEND_PID] = (uint32_t)s->pid, [SEND_CPU] = s->cpu,
		[SEND_CTX] = s->ctx, [SEND_VEC] = text_id(w, vec_key(s->vec)),
		[SEND_CAUSE] = text_id(w, cause_info(s->cause)->key),
		[SEND_DEFERRABLE] = s->deferrable, [SEND_CGROUP] = s->cgroup });
}

bool rec_send(struct rec_writer *w, struct send *s)
{
	return put_send(w, s, false);
}

bool rec_receipt(struct rec_writer *w, const struct receipt *r,
		 struct send *from)
{
	bool part = r->kind == RECEIPT_PART;

	if (from && (from->rec_part != w->part || !from->rec_id ||
		     w->nsends - from->rec_id >= REC_WINDOW / 2))
		put_send(w, from, true);
	w->nreceipts += !part;
	w->nparts += part;
	return entry(w, part ? REC_PART : REC_IRQ, (uint64_t[REC_FIELDS]){
		[IRQ_TS] = in_part(w, r->ts),
		[IRQ_FROM] = from ? 1 + w->nsends - from->rec_id : 0,
		[IRQ_NS] = r->ns, [IRQ_FUNC] = r->func, [IRQ_NAME] = r->name,
		[IRQ_SERVED] = r->served, [IRQ_CPU] = r->cpu,
		[IRQ_KIND] = r->kind, [IRQ_VEC] = text_id(w, vec_key(r->vec)),
		[IRQ_CAUSE] = text_id(w, cause_info(r->cause)->key),
		[IRQ_HOW] = r->how, [IRQ_IDLE] = r->idle, [IRQ_SPAN] = r->span,
		[IRQ_PID] = (uint32_t)r->victim_pid, [IRQ_VICTIM] = r->victim,
		[IRQ_CGROUP] = r->victim_cgroup });
}

bool rec_agreement(struct rec_writer *w, const struct agreement *a)
{
	return entry(w, REC_AGREE, (uint64_t[REC_FIELDS]){
		[AGREE_LABEL] = text_id(w, a->label), [AGREE_CPU] = a->cpu,
		[AGREE_TRACED] = a->traced, [AGREE_KERNEL] = a->kernel,
		[AGREE_COUNTED] = a->counted, [AGREE_SLACK] = a->slack });
}

bool rec_note(struct rec_writer *w, uint64_t ts, const char *text)
{
	return entry(w, REC_NOTE, (uint64_t[REC_FIELDS]){
		[NOTE_TS] = in_part(w, ts), [NOTE_TEXT] = text_id(w, text) });
}

static void put_end(struct rec_writer *w, const struct rec_end *e)
{
	entry(w, REC_ENDS, (uint64_t[REC_FIELDS]){
		[END_DURATION] = e->duration > w->origin ? e->duration - w->origin : 0,
		[END_SENDS] = w->nsends, [END_IRQS] = w->nreceipts,
		[END_LOST] = e->lost - w->lost, [END_EXPIRED] = e->expired,
		[END_UNACCOUNTED] = e->unaccounted - w->unaccounted,
		[END_PARTS] = w->nparts });
	rec_flush(w);
}

static void forget(struct map *m)
{
	if (m->room)
		memset(m->to, 0, m->room * sizeof(*m->to));
	m->n = 0;
}

bool rec_forget_stacks(struct rec_writer *w)
{
	bool ok = rec_flush(w);

	/* The file's numbers begin at 1 again, which is how it says so. */
	forget(&w->stack);
	return ok;
}

/* The file is full: complete it and go on in another one. */
static bool next_part(struct rec_writer *w, const struct rec_end *e)
{
	char *line;

	put_end(w, e);
	if (w->failed)
		return false;
	rec_out_next(w->out);
	w->part++;
	w->origin = e->duration;
	w->lost = e->lost;
	w->unaccounted = e->unaccounted;
	w->nsends = w->nreceipts = w->nparts = 0;
	forget(&w->string);
	forget(&w->stack);
	begin_file(w);
	put_bytes(&w->meta, w->all_meta.data, w->all_meta.len);
	line = xasprintf("part=%u\npart_begins_ns=%llu\n", w->part,
			 (unsigned long long)w->origin);
	put_bytes(&w->meta, line, strlen(line));
	free(line);
	return rec_flush(w);
}

bool rec_sofar(struct rec_writer *w, const struct rec_end *e)
{
	if (rec_out_full(w->out, w->data.len))
		return next_part(w, e);
	entry(w, REC_SOFAR, (uint64_t[REC_FIELDS]){
		[SOFAR_TS] = e->duration > w->origin ? e->duration - w->origin : 0,
		[SOFAR_LOST] = e->lost - w->lost,
		[SOFAR_UNACCOUNTED] = e->unaccounted - w->unaccounted });
	return rec_flush(w);
}

static void free_writer(struct rec_writer *w)
{
	free(w->meta.data);
	free(w->all_meta.data);
	free(w->data.data);
	free(w->string.to);
	free(w->string.out.data);
	free(w->stack.to);
	free(w->stack.out.data);
	free(w);
}

void rec_abandon(struct rec_writer *w)
{
	rec_out_close(w->out, false);
	free_writer(w);
}

bool rec_close(struct rec_writer *w, const struct rec_end *e)
{
	bool ok;
	int err;

	put_end(w, e);
	ok = rec_out_close(w->out, !w->failed);
	err = errno;
	free_writer(w);
	errno = err;
	return ok;
}
