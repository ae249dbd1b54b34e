// SPDX-License-Identifier: GPL-2.0
/*
 * flight.c - the last moments in bounded memory.
 *
 * Three rings, each in the order things were told: sends by their number,
 * interrupts, notes. What is older than the time to keep makes way; so does the
 * oldest if a ring is full, and then the time from which all is held moves on,
 * and whoever writes a record says so. A send is kept for longer: interrupts may
 * refer to it for as long as the join engine waits for them.
 */
#include <stdlib.h>
#include <string.h>

#include "observe/flight.h"
#include "quell.h"

#define SEND_NS		6000000000ull	/* longer than join.c's EXPIRE_NS */
#define LOSSES		64

struct ring {
	char	*item;
	size_t	elem, head, n, room, most;
};

struct note {
	uint64_t	ts;
	char		text[FLIGHT_NOTE];
};

struct losses { uint64_t ts, lost, unaccounted; };

struct flight {
	struct ring	sends, receipts, notes, losses;
	uint64_t	keep, newest, whole_since;
};

static void *at(const struct ring *r, size_t i)
{
	return r->item + (r->head + i) % r->room * r->elem;
}

static void drop(struct ring *r, size_t n)
{
	r->head = (r->head + n) % r->room;
	r->n -= n;
}

static void more_room(struct ring *r)
{
	size_t room = r->room ? 2 * r->room : 64;
	char *item = xcalloc(room, r->elem);

	for (size_t i = 0; i < r->n; i++)
		memcpy(item + i * r->elem, at(r, i), r->elem);
	free(r->item);
	r->item = item;
	r->room = room;
	r->head = 0;
}

/* Room for one more; if a ring is full, that of its oldest. */
static void *add(struct ring *r)
{
	if (r->n == r->most)
		drop(r, 1);
	if (r->n == r->room)
		more_room(r);
	return at(r, r->n++);
}

static struct ring ring_of(size_t elem, size_t most)
{
	return (struct ring){ .elem = elem, .most = most };
}

struct flight *flight_new(uint64_t keep, size_t most)
{
	struct flight *f = xcalloc(1, sizeof(*f));

	f->keep = keep;
	f->sends = ring_of(sizeof(struct send), most);
	f->receipts = ring_of(sizeof(struct receipt), most);
	f->notes = ring_of(sizeof(struct note), FLIGHT_NOTES);
	f->losses = ring_of(sizeof(struct losses), LOSSES);
	return f;
}

static void whole_from(struct flight *f, uint64_t ts)
{
	/* A send from before the window has a time below zero. */
	if ((int64_t)ts >= 0 && ts + 1 > f->whole_since)
		f->whole_since = ts + 1;
}

/* What nobody asks for any more. */
static void age(struct flight *f)
{
	uint64_t old = f->newest > f->keep ? f->newest - f->keep : 0;
	uint64_t older = old > SEND_NS ? old - SEND_NS : 0;

	while (f->receipts.n && ((struct receipt *)at(&f->receipts, 0))->ts < old)
		drop(&f->receipts, 1);
	while (f->sends.n && (int64_t)((struct send *)at(&f->sends, 0))->ts < (int64_t)older)
		drop(&f->sends, 1);
	while (f->notes.n && ((struct note *)at(&f->notes, 0))->ts < old)
		drop(&f->notes, 1);
}

static void seen(struct flight *f, uint64_t ts)
{
	if ((int64_t)ts > 0 && ts > f->newest)
		f->newest = ts;
	age(f);
}

void flight_send(struct flight *f, const struct send *s)
{
	struct send *mine;

	seen(f, s->ts);
	if (f->sends.n == f->sends.most)
		whole_from(f, ((struct send *)at(&f->sends, 0))->ts);
	mine = add(&f->sends);
	*mine = *s;
	mine->next = NULL;
}

void flight_receipt(struct flight *f, const struct receipt *r)
{
	struct receipt *mine;

	seen(f, r->ts);
	if (f->receipts.n == f->receipts.most)
		whole_from(f, ((struct receipt *)at(&f->receipts, 0))->ts);
	mine = add(&f->receipts);
	*mine = *r;
	mine->from = NULL;
}

void flight_note(struct flight *f, uint64_t ts, const char *text)
{
	struct note *mine;

	seen(f, ts);
	mine = add(&f->notes);
	mine->ts = ts;
	snprintf(mine->text, sizeof(mine->text), "%s", text);
}

void flight_forget_stacks(struct flight *f)
{
	for (size_t i = 0; i < f->sends.n; i++)
		((struct send *)at(&f->sends, i))->stack = 0;
}

void flight_losses(struct flight *f, uint64_t ts, uint64_t lost, uint64_t unaccounted)
{
	struct losses *last = f->losses.n ? at(&f->losses, f->losses.n - 1) : NULL;

	if (last && last->lost == lost && last->unaccounted == unaccounted) {
		last->ts = ts;
		return;
	}
	*(struct losses *)add(&f->losses) = (struct losses){ ts, lost, unaccounted };
}

uint64_t flight_whole_since(const struct flight *f)
{
	return f->whole_since;
}

/* Numbers only grow, but not every number is there. */
static struct send *send_of(const struct flight *f, uint64_t id)
{
	size_t low = 0, high = f->sends.n, mid;
	struct send *s;

	while (id && low < high) {
		mid = (low + high) / 2;
		s = at(&f->sends, mid);
		if (s->id == id)
			return s;
		if (s->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

bool flight_sender(const struct flight *f, const struct receipt *r, struct send *out)
{
	struct send *s = send_of(f, r->send);

	if (s)
		*out = *s;
	return s;
}

bool flight_longest(const struct flight *f, uint64_t from, uint64_t to,
		    struct receipt *r, struct send *sender)
{
	struct receipt *x;
	bool any = false;

	memset(sender, 0, sizeof(*sender));
	for (size_t i = 0; i < f->receipts.n; i++) {
		x = at(&f->receipts, i);
		/* It may have begun before, and the reason be something nested. */
		if (x->ts + x->span < from || x->ts >= to || !x->ns || (any && x->ns <= r->ns))
			continue;
		*r = *x;
		any = true;
	}
	return any && (flight_sender(f, r, sender) || true);
}

/* ---- writing --------------------------------------------------------------- */

static bool put_sends(struct flight *f, struct rec_writer *w, size_t *next,
		      uint64_t from, uint64_t to, const struct receipt *until)
{
	bool good = true;

	for (; *next < f->sends.n; ++*next) {
		struct send *s = at(&f->sends, *next), rel;

		if (until && s->id > until->send && s->ts > until->ts)
			break;
		if ((int64_t)s->ts < (int64_t)from || s->ts >= to)
			continue;
		rel = *s;
		rel.ts -= from;
		good &= rec_send(w, &rel);
		s->rec_id = rel.rec_id;
		s->rec_part = rel.rec_part;
	}
	return good;
}

static bool put_notes(struct flight *f, struct rec_writer *w, size_t *next,
		      uint64_t from, uint64_t to, uint64_t until)
{
	bool good = true;

	for (; *next < f->notes.n; ++*next) {
		struct note *n = at(&f->notes, *next);

		if (n->ts > until)
			break;
		if (n->ts >= from && n->ts < to)
			good &= rec_note(w, n->ts - from, n->text);
	}
	return good;
}

static bool put_receipt(struct flight *f, struct rec_writer *w,
			const struct receipt *r, uint64_t from)
{
	struct send *s = send_of(f, r->send), sender;
	struct receipt rel = *r;
	bool good;

	rel.ts -= from;
	if (!s)
		return rec_receipt(w, &rel, NULL);
	sender = *s;
	sender.ts -= from;
	good = rec_receipt(w, &rel, &sender);
	s->rec_id = sender.rec_id;
	s->rec_part = sender.rec_part;
	return good;
}

/* Between the last look before @from and the last one of all: rather too many. */
static void losses_in(const struct flight *f, uint64_t from, struct rec_end *end)
{
	struct losses *before = NULL, *last = NULL, *l;

	for (size_t i = 0; i < f->losses.n; i++) {
		l = at(&f->losses, i);
		last = l;
		/* The oldest look stands for all that came before it. */
		if (l->ts < from || (!i && f->losses.n == LOSSES))
			before = l;
	}
	end->lost = last ? last->lost - (before ? before->lost : 0) : 0;
	end->unaccounted = last ? last->unaccounted - (before ? before->unaccounted : 0) : 0;
}

bool flight_write(struct flight *f, struct rec_writer *w, uint64_t from,
		  uint64_t to, struct rec_end *end)
{
	size_t next_send = 0, next_note = 0;
	bool good = true;

	for (size_t i = 0; i < f->sends.n; i++)
		((struct send *)at(&f->sends, i))->rec_id = 0;
	for (size_t i = 0; good && i < f->receipts.n; i++) {
		const struct receipt *r = at(&f->receipts, i);

		if (r->ts < from || r->ts >= to)
			continue;
		good = put_notes(f, w, &next_note, from, to, r->ts) &&
		       put_sends(f, w, &next_send, from, to, r) &&
		       put_receipt(f, w, r, from);
	}
	good = good && put_notes(f, w, &next_note, from, to, UINT64_MAX) &&
	       put_sends(f, w, &next_send, from, to, NULL);
	*end = (struct rec_end){ .duration = to - from };
	losses_in(f, from, end);
	return good;
}

void flight_free(struct flight *f)
{
	free(f->sends.item);
	free(f->receipts.item);
	free(f->notes.item);
	free(f->losses.item);
	free(f);
}
