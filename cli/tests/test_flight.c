// SPDX-License-Identifier: GPL-2.0
/*
 * test_flight.c - the flight recorder without a kernel: what it keeps, what it writes,
 * and when.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../observe/culprit.h"
#include "../quell.h"
#include "../observe/trigger.h"
#include "tap.h"

#define MS	1000000ull

static struct strtab strings, stacks;
static struct trigger_rules rules = {
	.over = 20000, .before = 50 * MS, .after = 10 * MS, .pause = 150 * MS,
	.mark = "dump",
};

/* What a record holds, as far as it matters here. */
static struct seen {
	uint64_t	sends, irqs, senders, stacks, first, last, notes;
	uint32_t	longest;
	char		task[32], note[FLIGHT_NOTE];
	struct rec_end	end;
} seen;

static void on_send(void *arg, const struct send *s)
{
	(void)arg;
	(void)s;
	seen.sends++;
}

static void on_receipt(void *arg, const struct receipt *r, const struct send *from)
{
	struct strtab *names = arg;

	if (!seen.irqs++)
		seen.first = r->ts;
	seen.last = r->ts;
	seen.senders += from != NULL;
	seen.stacks += from && from->stack;
	if (r->ns > seen.longest) {
		seen.longest = r->ns;
		snprintf(seen.task, sizeof(seen.task), "%s",
			 from ? strtab_get(names, from->comm) : "-");
	}
}

static void on_note(void *arg, uint64_t ts, const char *text)
{
	(void)arg;
	(void)ts;
	seen.notes++;
	snprintf(seen.note, sizeof(seen.note), "%s", text);
}

static void on_end(void *arg, const struct rec_end *e)
{
	(void)arg;
	seen.end = *e;
}

/* Write that part and read it again. */
static bool through_a_file(struct flight *f, uint64_t from, uint64_t to)
{
	struct strtab s = { 0 }, k = { 0 };
	struct rec_visitor v = {
		.strings = &s, .stacks = &k, .send = on_send, .receipt = on_receipt,
		.note = on_note, .end = on_end, .arg = &s,
	};
	const char *dir = getenv("TMPDIR");
	char path[256];
	struct rec_writer *w;
	struct rec_end end;
	const char *wrong;
	FILE *in;

	snprintf(path, sizeof(path), "%s/quell-flight-%d.rec", dir ? dir : "/tmp", (int)getpid());
	w = rec_create(path, &strings, &stacks, 0, 0);
	memset(&seen, 0, sizeof(seen));
	if (!flight_write(f, w, from, to, &end) || !rec_close(w, &end))
		return false;
	in = fopen(path, "re");
	wrong = rec_read(in, &v);
	fclose(in);
	unlink(path);
	strtab_free(&s);
	strtab_free(&k);
	return !wrong && !v.cut;
}

/* Each ms a send by "task N" and the interrupt it led to, of N microseconds. */
static void feed(struct flight *f, struct trigger *t, uint64_t from, uint64_t to)
{
	char name[32];

	for (uint64_t ms = from; ms < to; ms++) {
		struct send s = { .id = ms + 1, .ts = ms * MS, .wanted = 1, .ipis = 1 };
		struct receipt r = { .ts = ms * MS + 1000, .ns = 1000, .send = ms + 1,
				     .cpu = 1, .vec = VEC_CALL, .how = HOW_CSD,
				     .cause = CAUSE_MEMBARRIER };

		snprintf(name, sizeof(name), "task %d", (int)ms);
		s.comm = strtab_str(&strings, name);
		s.stack = strtab_put(&stacks, &s.comm, sizeof(s.comm));
		if (ms % 100 == 77)
			r.ns = 30000 + ms;
		flight_send(f, &s);
		flight_receipt(f, &r);
		if (t)
			trigger_receipt(t, &r);
	}
}

static void test_window(void)
{
	struct flight *f = flight_new(200 * MS, 1000);
	struct culprit c;
	char *line;

	feed(f, NULL, 0, 300);
	flight_note(f, 250 * MS, "a note");
	ok(through_a_file(f, 240 * MS, 290 * MS) && seen.irqs == 50 && seen.sends == 50 &&
	   seen.senders == 50, "what was received in a part of the time is written, with its senders");
	ok(seen.stacks == 50, "and their stacks");
	ok(seen.first == 1000 && seen.last == 49 * MS + 1000 && seen.end.duration == 50 * MS,
	   "with times since its beginning");
	ok(seen.longest == 30277 && !strcmp(seen.task, "task 277"), "and the names of who sent it");
	ok(seen.notes == 1 && !strcmp(seen.note, "a note"), "and what was noted");
	ok(through_a_file(f, 240 * MS, 290 * MS) && seen.irqs == 50 && seen.sends == 50,
	   "a second time it is the same");
	flight_forget_stacks(f);
	ok(through_a_file(f, 240 * MS, 290 * MS) && seen.senders == 50 && !seen.stacks,
	   "without stacks, if their numbers mean nothing any more");
	ok(through_a_file(f, 0, 300 * MS) && seen.irqs == 201 && seen.senders == 201,
	   "what is older than the time to keep is gone");
	ok(!flight_whole_since(f), "and nothing had to go for its number");

	culprit_find(&c, f, &strings, 240 * MS, 290 * MS);
	line = culprit_line(&c, &strings, 1764075784123456000ull);
	ok(strstr(line, "2025-11-25T13:03:04.123456000Z, 30.3 us on CPU 1: membarrier, sent by task 277 on CPU 0"),
	   "the culprit in a line: %s", line);
	free(line);
	culprit_free(&c);
	culprit_find(&c, f, &strings, 1000 * MS, 2000 * MS);
	line = culprit_line(&c, &strings, 0);
	ok(!c.known && !strcmp(line, "no interruption of a known length"), "or that there is none");
	free(line);
	culprit_free(&c);
	flight_free(f);
}

static void test_bounds(void)
{
	struct flight *f = flight_new(10000 * MS, 100);
	struct receipt r = { .ts = 5001 * MS, .send = 1, .ns = 5, .vec = VEC_CALL,
			     .how = HOW_CSD };

	feed(f, NULL, 0, 5000);
	ok(through_a_file(f, 0, 5000 * MS) && seen.irqs == 100, "no more than so many are kept");
	ok(flight_whole_since(f) == 4899 * MS + 1001, "and it is known since when all are");
	flight_receipt(f, &r);
	ok(through_a_file(f, 0, 6000 * MS) && seen.irqs == 100 && seen.senders == 99,
	   "an interrupt whose sender is gone has none");
	for (int i = 0; i < 1000; i++)
		flight_note(f, 5001 * MS, "again and again");
	ok(through_a_file(f, 0, 6000 * MS) && seen.notes == FLIGHT_NOTES, "nor more notes");
	flight_free(f);
}

static void test_losses(void)
{
	struct flight *f = flight_new(10000 * MS, 100);

	flight_losses(f, 100 * MS, 5, 0);
	flight_losses(f, 1000 * MS, 5, 0);
	flight_losses(f, 2000 * MS, 7, 3);
	flight_losses(f, 3000 * MS, 7, 3);
	ok(through_a_file(f, 1500 * MS, 3000 * MS) && seen.end.lost == 2 && seen.end.unaccounted == 3,
	   "what was lost in that time, and not before");
	ok(through_a_file(f, 2500 * MS, 3000 * MS) && seen.end.lost == 2,
	   "rather too much than too little: the moment of a loss is not known");
	ok(through_a_file(f, 3500 * MS, 4000 * MS) && !seen.end.lost, "or nothing");
	flight_free(f);
}

static void test_when(void)
{
	struct flight *f = flight_new(10000 * MS, 10000);
	struct trigger t = { .rules = rules };
	uint64_t from = 0, to = 0;

	feed(f, &t, 0, 77);
	ok(!t.dump.wanted, "nothing was long");
	feed(f, &t, 77, 80);
	ok(t.dump.wanted && t.dump.longer == 1 && !trigger_due(&t, 80 * MS, &from, &to),
	   "something was: it is waited for what comes after");
	trigger_mark(&t, 81 * MS, "dump this too");
	trigger_signal(&t, 82 * MS);
	feed(f, &t, 80, 200);
	ok(trigger_due(&t, 200 * MS, &from, &to) && from == 27 * MS + 1000 && to == 87 * MS + 1000,
	   "then the time around it is told");
	ok(t.held_back == 1, "what comes later than that is held back");
	trigger_done(&t);
	ok(!trigger_due(&t, UINT64_MAX, &from, &to), "once");
	trigger_mark(&t, 100 * MS, "only a remark");
	ok(!t.dump.wanted, "a marker without the text is a remark");
	trigger_mark(&t, 101 * MS, "please dump");
	ok(t.dump.wanted && t.dump.by == BY_MARK && !strcmp(t.dump.text, "please dump"),
	   "what is asked for is not held back by what was long");
	trigger_done(&t);
	trigger_signal(&t, 150 * MS);
	ok(!t.dump.wanted && t.held_back == 1, "but by what was asked for");
	feed(f, &t, 175, 178);
	ok(!t.dump.wanted, "too soon after the last long one");
	feed(f, &t, 270, 278);
	ok(t.dump.wanted && t.dump.by == BY_LENGTH && t.dump.at == 277 * MS + 1000, "and later not");
	flight_free(f);
}

void test_flight(void)
{
	test_window();
	test_bounds();
	test_losses();
	test_when();
	strtab_free(&strings);
	strtab_free(&stacks);
}
