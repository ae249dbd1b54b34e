// SPDX-License-Identifier: GPL-2.0
/*
 * accept.c - is a node as quiet as it has to be?
 *
 * What is not known is not taken for good: an interrupt whose cause was not seen
 * may be of any cause that is sent, and an interruption without a length may be
 * of any length. A limit that could be passed by them has no answer.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show/accept.h"
#include "join/interruption.h"
#include "quell.h"

/* One cause on one CPU. */
struct cell {
	uint64_t	n, ns, untimed;
	uint32_t	longest;
	struct receipt	r;		/* the longest, or one of them */
	struct send	from;		/* if from.id is not 0 */
	bool		any;
};

struct accept {
	struct limit	*limit;
	size_t		n, room;
	struct cell	*cpu[MAX_CPUS];		/* [NR_CAUSES] */
	uint64_t	untraced[MAX_CPUS];
};

/* ---- limits ------------------------------------------------------------------ */

/* "timer" is what tables call a cause whose key is "tick": both will do. */
static bool names(const char *known, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len && known[i]; i++)
		if (known[i] != text[i] &&
		    !(strchr(" -", known[i]) && strchr("_- ", text[i])) &&
		    tolower((unsigned char)known[i]) != text[i])
			return false;
	return i == len && !known[i];
}

static void unknown_cause(const char *text, size_t len)
{
	static char *list;
	char *more;

	list = xstrdup("all");
	for (int c = 0; c < NR_CAUSES; c++) {
		more = xasprintf("%s, %s", list, cause_info(c)->key);
		free(list);
		list = more;
	}
	die(EXIT_USAGE, "\"%.*s\" is no cause: %s", (int)len, text, list);
}

static void take_cause(struct limit *l, const char *text, size_t len)
{
	l->all = names("all", text, len);
	if (l->all)
		return;
	for (int c = 0; c < NR_CAUSES; c++)
		if (names(cause_info(c)->key, text, len)) {
			l->cause = c;
			return;
		}
	for (int c = 0; c < NR_CAUSES; c++)
		if (names(cause_info(c)->title, text, len)) {
			l->cause = c;
			return;
		}
	unknown_cause(text, len);
}

static void take_number(struct limit *l, const char *text)
{
	uint64_t ns = 0;
	char *end;

	if (l->measure != MEASURE_COUNT) {
		if (strcmp(text, "0") && !parse_duration(text, &ns))
			die(EXIT_USAGE, "\"%s\" is no time (in %s)", text, l->text);
		l->most = ns;
		return;
	}
	errno = 0;
	l->most = strtod(text, &end);
	if (strspn(text, "0123456789.") != strlen(text) || !isdigit((unsigned char)*text) ||
	    *end || errno)
		die(EXIT_USAGE, "\"%s\" is no number (in %s)", text, l->text);
}

static void take_limit(struct accept *a, const char *text, size_t len)
{
	struct limit l = { .text = xasprintf("%.*s", (int)len, text) };
	char *equals = strchr(l.text, '='), *dot;
	size_t name;

	if (!equals)
		die(EXIT_USAGE, "\"%s\" is no limit: CAUSE=N, CAUSE/s=N, CAUSE.max=TIME, CAUSE.time=TIME or CAUSE.time/s=TIME",
		    l.text);
	name = equals - l.text;
	if (name > 2 && !strncmp(equals - 2, "/s", 2)) {
		l.per_second = true;
		name -= 2;
	}
	dot = memchr(l.text, '.', name);
	if (dot) {
		size_t tail = l.text + name - dot;

		if (tail == 4 && !strncmp(dot, ".max", 4) && !l.per_second)
			l.measure = MEASURE_LONGEST;
		else if (tail == 5 && !strncmp(dot, ".time", 5))
			l.measure = MEASURE_TIME;
		else
			die(EXIT_USAGE, "\"%.*s\" is nothing to measure (in %s): .max and .time are",
			    (int)(equals - dot), dot, l.text);
		name = dot - l.text;
	}
	take_cause(&l, l.text, name);
	take_number(&l, equals + 1);
	a->limit = grow(a->limit, &a->room, a->n + 1, sizeof(*a->limit));
	a->limit[a->n++] = l;
}

struct accept *accept_new(const char *limits)
{
	struct accept *a = xcalloc(1, sizeof(*a));
	size_t n;

	for (;; limits += n + 1) {
		n = strcspn(limits, ",");
		take_limit(a, limits, n);
		if (!limits[n])
			return a;
	}
}

size_t accept_limits(const struct accept *a, const struct limit **out)
{
	*out = a->limit;
	return a->n;
}

bool accept_wants_parts(const struct accept *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!a->limit[i].all && !cause_is_irq(a->limit[i].cause))
			return true;
	return false;
}

bool accept_wants_times(const struct accept *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->limit[i].measure != MEASURE_COUNT)
			return true;
	return false;
}

/* ---- what was observed --------------------------------------------------------- */

static struct cell *cells(struct accept *a, unsigned int cpu)
{
	if (!a->cpu[cpu])
		a->cpu[cpu] = xcalloc(NR_CAUSES, sizeof(**a->cpu));
	return a->cpu[cpu];
}

void accept_receipt(struct accept *a, const struct receipt *r, const struct send *from)
{
	struct interruption i;
	struct cell *c;

	if (!interruption_of(r, from, &i))
		return;
	c = &cells(a, r->cpu)[r->cause];
	/* A part of an interrupt has a time, but is no other interrupt. */
	if (r->kind == RECEIPT_IRQ || !cause_is_irq(r->cause))
		c->n++;
	if (!c->any || i.own > c->longest) {
		c->r = *r;
		c->r.from = NULL;
		c->from = from ? *from : (struct send){ .id = 0 };
		c->any = true;
	}
	/* Who is idle loses nothing. */
	if (i.idle)
		return;
	c->ns += i.own;
	if (i.own > c->longest)
		c->longest = i.own;
	c->untimed += !i.timed && i.end == i.begin;
}

void accept_untraced(struct accept *a, const struct agreement *g)
{
	if (!g->traced)
		a->untraced[g->cpu] += g->kernel;
}

/* ---- what follows --------------------------------------------------------------- */

/* Causes that are told by what an interrupt from another CPU ran. */
static bool is_sent(enum cause c)
{
	switch (c) {
	case CAUSE_UNKNOWN:
	case CAUSE_RESCHED:
	case CAUSE_IRQ_WORK:
	case CAUSE_TICK:
	case CAUSE_DEVICE:
	case CAUSE_VECTOR:
		return false;
	default:
		return cause_is_irq(c);
	}
}

/* What is known of a limit on one CPU, and what may be beside it. */
struct sum {
	double			value, hidden;
	bool			untimed;
	const struct cell	*worst;
};

static void add(struct sum *s, const struct limit *l, const struct cell *c, bool counts)
{
	double v = l->measure == MEASURE_COUNT ? (counts ? c->n : 0) :
		   l->measure == MEASURE_TIME ? c->ns : c->longest;

	if (l->measure == MEASURE_LONGEST)
		s->value = v > s->value ? v : s->value;
	else
		s->value += v;
	s->untimed |= l->measure != MEASURE_COUNT && c->untimed;
	if (c->any && (!s->worst || (l->measure == MEASURE_COUNT ? c->n > s->worst->n :
				     c->longest > s->worst->longest)))
		s->worst = c;
}

static struct sum sum_of(const struct accept *a, const struct limit *l, int cpu)
{
	const struct cell *c = a->cpu[cpu];
	struct sum s = { 0 };

	if (l->all && l->measure == MEASURE_COUNT)
		s.value = a->untraced[cpu];
	if (!c)
		return s;
	if (!l->all) {
		add(&s, l, &c[l->cause], true);
		if (is_sent(l->cause) && l->measure == MEASURE_COUNT)
			s.hidden = c[CAUSE_UNKNOWN].n;
		else if (is_sent(l->cause))
			s.untimed |= c[CAUSE_UNKNOWN].n > 0;
		return s;
	}
	for (int i = 0; i < NR_CAUSES; i++)
		add(&s, l, &c[i], cause_is_irq(i));
	return s;
}

static char *culprit(const struct cell *c, const struct strtab *strings)
{
	struct interruption i;

	if (!c || !interruption_of(&c->r, c->from.id ? &c->from : NULL, &i))
		return NULL;
	return interruption_text(&i, strings);
}

struct outcome accept_judge(const struct accept *a, const struct limit *l,
			    const struct cpuset *observed, uint64_t duration,
			    const struct strtab *strings)
{
	struct outcome o = { .cpu = -1 };
	double per = l->per_second ? duration / 1e9 : 1;
	const struct cell *worst = NULL;
	int cpu;

	for_each_cpu_in(cpu, observed) {
		struct sum s = sum_of(a, l, cpu);
		double value = s.value / per;

		o.over += value > l->most;
		if (o.cpu < 0 || value > o.value) {
			o.cpu = cpu;
			o.value = value;
			worst = s.worst;
		}
		if (s.untimed)
			o.doubt = "the length of some is not known";
		else if (value + s.hidden / per > l->most)
			o.doubt = "the cause of some is not known";
	}
	o.answer = o.over ? ANSWER_FAIL : o.doubt ? ANSWER_UNKNOWN : ANSWER_PASS;
	if (o.answer == ANSWER_FAIL) {
		o.doubt = NULL;
		o.culprit = culprit(worst, strings);
	}
	return o;
}

void accept_free(struct accept *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->limit[i].text);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		free(a->cpu[cpu]);
	free(a->limit);
	free(a);
}
