// SPDX-License-Identifier: GPL-2.0
/*
 * events.c - a record interrupt by interrupt: which are shown, and in what order.
 *
 * A record has an interrupt where its fate was known, which may be a little after
 * another that came later. So they are held back for HOLD_NS and sorted.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/events.h"
#include "quell.h"
#include "text.h"

#define HOLD_NS	1000000000ull
#define DAY_NS	86400000000000ull

struct reader {
	struct summary		s;
	struct event_source	src;
	const struct event_filter *x;
	const struct event_printer *p;
	FILE			*f;
	struct cpuset		cpus;
	bool			cause[NR_CAUSES], begun;
	uint64_t		from, to, newest;
	struct shown_event	*held;		/* sorted, from @head on */
	size_t			head, n, room;
};

const char *wall_time(uint64_t ns, char buf[40])
{
	time_t t = ns / 1000000000;
	char day[24];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, 40, "%s.%09" PRIu64 "Z", day, ns % 1000000000);
	return buf;
}

/* ---- which ---------------------------------------------------------------- */

/* "12:03:04.5" or with a day before it, UTC; false if it is none of these. */
static bool parse_clock(const char *text, uint64_t wall, uint64_t *ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%H:%M:%S" };
	char *end = NULL, *dot;
	double part = 0;
	time_t day = wall / DAY_NS * 86400, t;
	struct tm tm;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms) && !end; i++) {
		gmtime_r(&day, &tm);
		end = strptime(text, forms[i], &tm);
	}
	if (!end)
		return false;
	if (*end == '.') {
		if (!isdigit((unsigned char)end[1]))
			return false;
		part = strtod(end, &dot);
		end = dot;
	}
	if (*end == 'Z')
		end++;
	t = timegm(&tm);
	if (*end || t < 0)
		return false;
	*ns = (uint64_t)t * 1000000000 + (uint64_t)(part * 1e9 + 0.5);
	/* Without a day it is the one nearest to the beginning, over midnight too. */
	if (i == ARRAY_SIZE(forms) && *ns + DAY_NS / 2 < wall)
		*ns += DAY_NS;
	return true;
}

/* A time since the beginning, or of the clock. */
static uint64_t parse_when(struct reader *r, const char *text)
{
	uint64_t ns;

	if (!strcmp(text, "0"))
		return 0;
	if (parse_duration(text, &ns))
		return ns;
	if (!strchr(text, ':'))
		die(EXIT_USAGE, "\"%s\" is no time: 1.5s and the like are since the beginning, 12:03:04.123 is UTC", text);
	if (!r->src.wall)
		die(EXIT_USAGE, "this record does not say what time it was: give times since its beginning");
	if (!parse_clock(text, r->src.wall, &ns))
		die(EXIT_USAGE, "\"%s\" is no time of day", text);
	return ns > r->src.wall ? ns - r->src.wall : 0;
}

static void parse_causes(struct reader *r, const char *text)
{
	char *list = xstrdup(text), *save = NULL, *key;
	enum cause c;

	memset(r->cause, 0, sizeof(r->cause));
	for (key = strtok_r(list, ",", &save); key; key = strtok_r(NULL, ",", &save)) {
		c = cause_by_key(key);
		if (!c && strcmp(key, "unknown"))
			die(EXIT_USAGE, "\"%s\" is no cause (quell explain lists them)", key);
		r->cause[c] = true;
	}
	free(list);
}

static void parse_filter(struct reader *r)
{
	const struct event_filter *x = r->x;
	const char *why;

	memset(r->cause, 1, sizeof(r->cause));
	if (x->causes)
		parse_causes(r, x->causes);
	if (x->cpus && !cpulist_parse(x->cpus, &r->cpus, &why))
		die(EXIT_USAGE, "\"%s\" is no list of CPUs: %s", x->cpus, why);
}

static bool same_task(const struct reader *r, const struct send *from)
{
	char *name, *end;
	bool same;
	long pid = strtol(r->x->task, &end, 10);

	if (!*end && pid == from->pid)
		return true;
	/* As it is shown, so that any name can be given. */
	name = text_visible(strtab_get(r->s.strings, from->comm));
	same = !strcmp(name, r->x->task);
	free(name);
	return same;
}

static bool wanted(const struct reader *r, const struct receipt *x, const struct send *from)
{
	return (x->kind == RECEIPT_IRQ || x->kind == RECEIPT_PART) && x->ts >= r->from && x->ts <= r->to &&
	       r->cause[x->cause] && (!r->x->cpus || cpuset_has(&r->cpus, x->cpu)) &&
	       (!r->x->longer || x->ns > r->x->longer) &&
	       (!r->x->task || (from && same_task(r, from))) &&
	       owner_received(r->x->only, r->s.strings, x, from);
}

/* ---- in what order -------------------------------------------------------- */

/* What depends on META, which comes before the first entry. */
static void begin(struct reader *r)
{
	if (r->begun)
		return;
	r->begun = true;
	r->from = r->x->from ? parse_when(r, r->x->from) : 0;
	r->to = r->x->to ? parse_when(r, r->x->to) : UINT64_MAX;
	if (r->p->begin)
		r->p->begin(&r->src, r->f);
}

static void let_go(struct reader *r, uint64_t before)
{
	while (r->head < r->n && r->held[r->head].r.ts < before)
		r->p->event(&r->src, r->f, &r->held[r->head++]);
	if (r->head < 4096 && r->head < r->n)
		return;
	r->n -= r->head;
	if (r->n)
		memmove(r->held, r->held + r->head, r->n * sizeof(*r->held));
	r->head = 0;
}

static void hold(struct reader *r, const struct shown_event *e)
{
	size_t i;

	r->held = grow(r->held, &r->room, r->n + 1, sizeof(*r->held));
	for (i = r->n; i > r->head && r->held[i - 1].r.ts > e->r.ts; i--)
		r->held[i] = r->held[i - 1];
	r->held[i] = *e;
	r->n++;
}

static void on_receipt(void *arg, const struct receipt *x, const struct send *from)
{
	struct reader *r = arg;
	struct avoid_case c = {
		.isolated = cpuset_has(&r->s.quiet, x->cpu), .idle = x->idle,
		.deferrable = from && from->deferrable,
	};
	struct shown_event e = { .r = *x, .sent = from };

	begin(r);
	if (x->ts > r->newest)
		r->newest = x->ts;
	if (wanted(r, x, from)) {
		if (from)
			e.from = *from;
		e.avoidable = avoidable(x->cause, &c, &r->s.facts, &e.why);
		hold(r, &e);
	}
	if (r->newest > HOLD_NS)
		let_go(r, r->newest - HOLD_NS);
}

static void on_meta(void *arg, const char *key, const char *value)
{
	struct reader *r = arg;

	if (!strcmp(key, "wall_ns"))
		r->src.wall = strtoull(value, NULL, 10);
	if (!strcmp(key, "mono_ns"))
		r->src.mono = strtoull(value, NULL, 10);
	summary_meta(&r->s, key, value);
}

static void on_note(void *arg, uint64_t ts, const char *text)
{
	struct reader *r = arg;

	begin(r);
	if (r->p->note && ts >= r->from && ts <= r->to) {
		let_go(r, ts);
		r->p->note(&r->src, r->f, ts, text);
	}
}

static void on_end(void *arg, const struct rec_end *e)
{
	struct reader *r = arg;

	r->s.duration = e->duration;
	r->s.lost = e->lost;
	r->s.unaccounted = e->unaccounted;
}

bool show_events(const char *path, const struct event_filter *x,
		 const struct event_printer *p, FILE *out)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct reader *r = xcalloc(1, sizeof(*r));
	struct rec_visitor v = {
		.strings = &strings, .stacks = &stacks, .meta = on_meta,
		.receipt = on_receipt, .note = on_note, .end = on_end, .arg = r,
	};
	const char *wrong;
	FILE *f = fopen(path, "re");

	if (!f)
		die(EXIT_FILE, "%s: %s", path, strerror(errno));
	summary_init(&r->s, &strings, &stacks);
	r->src.s = &r->s;
	r->x = x;
	r->p = p;
	r->f = out;
	parse_filter(r);
	wrong = rec_read(f, &v);
	fclose(f);
	if (wrong)
		die(EXIT_FILE, "%s is %s", path, wrong);
	begin(r);
	let_go(r, UINT64_MAX);
	r->s.only_unknown += x->only->unknown;
	if (p->end)
		p->end(&r->src, out);
	if (v.cut)
		complain("%s is cut: its recording was not finished; this is what it holds, %.3f s",
			 path, r->s.duration / 1e9);
	owner_free(x->only);
	free(r->held);
	summary_free(&r->s);
	free(r);
	strtab_free(&strings);
	strtab_free(&stacks);
	return !v.cut;
}
