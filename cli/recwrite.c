// SPDX-License-Identifier: GPL-2.0
/*
 * recwrite.c - writes a record; the format is described in recfile.h.
 *
 * output.c gives the file its name when it is complete, so a recording that fails
 * never leaves half a file where a whole one is expected.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32.h"
#include "output.h"
#include "quell.h"
#include "recfile.h"

#define FLUSH_AT	(1 << 20)

struct buffer {
	unsigned char	*data;
	size_t		len, room;
};

struct rec_writer {
	struct output	*out;
	FILE		*f;			/* of out */
	struct strtab	*strings, *stacks;
	size_t		strings_done, stacks_done;
	struct buffer	meta, sends, receipts, agreements;
	uint64_t	nsends, nreceipts;
	bool		failed;
	int		err;			/* why */
};

static void fail(struct rec_writer *w)
{
	if (!w->failed)
		w->err = errno;
	w->failed = true;
}

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

static void put_send(struct buffer *b, const struct send *s)
{
	put(b, s->id, 8);
	put(b, s->ts, 8);
	put(b, s->func, 4);
	put(b, s->callsite, 4);
	put(b, s->site, 4);
	put(b, s->comm, 4);
	put(b, s->stack, 4);
	put(b, s->targets, 4);
	put(b, s->ipis, 4);
	put(b, s->wanted, 4);
	put(b, (uint32_t)s->pid, 4);
	put(b, s->cpu, 2);
	put(b, s->ctx, 1);
	put(b, s->vec, 1);
	put(b, s->cause, 2);
	put(b, s->deferrable, 2);
	put(b, 0, 8);
}

static void put_receipt(struct buffer *b, const struct receipt *r)
{
	put(b, r->ts, 8);
	put(b, r->send, 8);
	put(b, r->ns, 4);
	put(b, r->func, 4);
	put(b, r->name, 4);
	put(b, r->served, 4);
	put(b, r->cpu, 2);
	put(b, r->kind, 1);
	put(b, r->vec, 1);
	put(b, r->cause, 2);
	put(b, r->how, 1);
	put(b, r->idle, 1);
	put(b, 0, 8);
}

static void chunk(struct rec_writer *w, const char *type, struct buffer *b)
{
	struct buffer head = { 0 };

	put_bytes(&head, type, 4);
	put(&head, b->len, 4);
	put(&head, crc32(b->data, b->len), 4);
	if (fwrite(head.data, 1, head.len, w->f) != head.len ||
	    fwrite(b->data, 1, b->len, w->f) != b->len)
		fail(w);
	free(head.data);
	b->len = 0;
}

static void flush_strings(struct rec_writer *w)
{
	struct buffer b = { 0 };
	size_t i;

	if (!w->strings_done)
		w->strings_done = 1;	/* number 0 is always "" */
	while (w->strings_done < w->strings->n) {
		put(&b, w->strings_done, 4);
		for (i = w->strings_done; i < w->strings->n && b.len < FLUSH_AT; i++) {
			struct blob *s = &w->strings->item[i];

			put(&b, s->len & 0xffff, 2);
			put_bytes(&b, s->data, s->len & 0xffff);
		}
		w->strings_done = i;
		chunk(w, "STRS", &b);
	}
	free(b.data);
}

static void flush_stacks(struct rec_writer *w)
{
	struct buffer b = { 0 };
	uint32_t id;
	size_t i, k;

	if (!w->stacks_done)
		w->stacks_done = 1;
	while (w->stacks_done < w->stacks->n) {
		put(&b, w->stacks_done, 4);
		for (i = w->stacks_done; i < w->stacks->n && b.len < FLUSH_AT; i++) {
			struct blob *s = &w->stacks->item[i];

			put(&b, s->len / sizeof(id), 2);
			for (k = 0; k < s->len / sizeof(id); k++) {
				memcpy(&id, s->data + k * sizeof(id), sizeof(id));
				put(&b, id, 4);
			}
		}
		w->stacks_done = i;
		chunk(w, "STKS", &b);
	}
	free(b.data);
}

bool rec_flush(struct rec_writer *w)
{
	flush_strings(w);
	flush_stacks(w);
	if (w->meta.len)
		chunk(w, "META", &w->meta);
	if (w->sends.len)
		chunk(w, "SEND", &w->sends);
	if (w->receipts.len)
		chunk(w, "RCPT", &w->receipts);
	if (w->agreements.len)
		chunk(w, "AGRE", &w->agreements);
	if (fflush(w->f))
		fail(w);
	return !w->failed;
}

struct rec_writer *rec_create(const char *path, struct strtab *strings,
			      struct strtab *stacks)
{
	struct rec_writer *w = xcalloc(1, sizeof(*w));
	struct buffer b = { 0 };

	w->out = output_open(path, OUTPUT_ANY);
	w->f = w->out->f;
	if (isatty(fileno(w->f)))
		die(EXIT_USAGE, "a record is nothing for a terminal: give it a file or a pipe");
	w->strings = strings;
	w->stacks = stacks;
	put_bytes(&b, "QUELLREC", 8);
	put(&b, RECFILE_VERSION, 4);
	if (fwrite(b.data, 1, b.len, w->f) != b.len)
		fail(w);
	free(b.data);
	return w;
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
	free(line);
	return !w->failed;
}

bool rec_send(struct rec_writer *w, const struct send *s)
{
	put_send(&w->sends, s);
	w->nsends++;
	return w->sends.len < FLUSH_AT || rec_flush(w);
}

bool rec_receipt(struct rec_writer *w, const struct receipt *r)
{
	put_receipt(&w->receipts, r);
	w->nreceipts++;
	return w->receipts.len < FLUSH_AT || rec_flush(w);
}

bool rec_agreement(struct rec_writer *w, const struct agreement *a)
{
	struct buffer *b = &w->agreements;

	put_bytes(b, a->label, sizeof(a->label));
	put(b, a->cpu, 2);
	put(b, a->traced, 1);
	put(b, 0, 5);
	put(b, a->kernel, 8);
	put(b, a->counted, 8);
	put(b, a->slack, 8);
	return b->len < FLUSH_AT || rec_flush(w);
}

static void free_writer(struct rec_writer *w)
{
	free(w->meta.data);
	free(w->sends.data);
	free(w->receipts.data);
	free(w->agreements.data);
	free(w);
}

void rec_abandon(struct rec_writer *w)
{
	output_abandon(w->out);
	free_writer(w);
}

bool rec_close(struct rec_writer *w, const struct rec_end *end)
{
	struct buffer b = { 0 };
	bool ok;
	int err;

	rec_flush(w);
	put(&b, end->duration, 8);
	put(&b, w->nsends, 8);
	put(&b, w->nreceipts, 8);
	put(&b, end->lost, 8);
	put(&b, end->expired, 8);
	chunk(w, "END ", &b);
	free(b.data);
	ok = !w->failed;
	err = w->err;
	if (ok) {
		ok = output_commit(w->out);
		err = errno;
	} else {
		output_abandon(w->out);
	}
	free_writer(w);
	errno = err;
	return ok;
}
