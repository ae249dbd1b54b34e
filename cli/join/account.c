// SPDX-License-Identifier: GPL-2.0
/*
 * account.c - does the trace still see what the kernel counts?
 *
 * /proc/interrupts cannot be read at an instant. An interrupt that was traced
 * before a reading began is in it, one that was traced after its end is not,
 * and only those in between may or may not be: they are the slack. Everything
 * else has to match to the last one.
 *
 * But for the one under way. The kernel counts an interrupt and traces it one
 * after the other, devices' in this order, function calls the other way round.
 * A reading can fall in between, for long if a hypervisor has stopped the CPU.
 * A CPU has one interrupt under way at a time: so one per row, traced close to
 * a reading, is taken to be on the side where the kernel counted it.
 *
 * So the traced counts are kept as they were when each reading began and
 * ended. Interrupts are told in order of time; one that comes late (its CPU
 * was stopped by a hypervisor while it wrote the event) is put where it
 * belongs, as a reading is compared only some time after it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "join/account.h"
#include "quell.h"

#define LATE_NS	500000000ull
#define NEAR_NS	100000000ull	/* so long may an interrupt be under way */

enum { NEAR_BEFORE = 1, NEAR_AFTER = 2 };

struct reading {
	struct reading	*next;
	struct counters	c;
	uint64_t	*before, *after;	/* counts when it began and ended */
	size_t		nbefore, nafter;	/* rows there were by then */
	unsigned char	*near;			/* traced close to it, before or after */
	size_t		near_room;
	bool		began, ended;
};

struct account {
	struct cpuset	observed;
	char		(*label)[16];		/* the rows, by their label */
	size_t		nrows, row_room, width;	/* of a row: CPUs */
	uint64_t	*count, *latest;	/* and when the latest was */
	size_t		count_room, latest_room;
	struct reading	*first, *base, *last, *waiting;
	uint64_t	missing;
	struct { uint32_t name; uint8_t vec; bool known; size_t row; } kinds[256];
};

static struct reading *reading_new(struct counters *c)
{
	struct reading *r = xcalloc(1, sizeof(*r));

	r->c = *c;
	memset(c, 0, sizeof(*c));
	return r;
}

static void reading_free(struct account *a, struct reading *r)
{
	if (!r || r == a->first || r == a->base || r == a->last)
		return;
	counters_free(&r->c);
	free(r->before);
	free(r->after);
	free(r->near);
	free(r);
}

static void note_near(struct reading *r, size_t cell, unsigned char side)
{
	size_t had = r->near_room;

	r->near = grow(r->near, &r->near_room, cell + 1, 1);
	memset(r->near + had, 0, r->near_room - had);
	r->near[cell] |= side;
}

static bool is_near(const struct reading *r, size_t cell, unsigned char side)
{
	return cell < r->near_room && r->near[cell] & side;
}

struct account *account_new(struct counters *first,
			    const struct cpuset *observed)
{
	struct account *a = xcalloc(1, sizeof(*a));
	int cpu;

	a->observed = *observed;
	a->width = sysconf(_SC_NPROCESSORS_CONF);
	for_each_cpu_in(cpu, observed)
		if ((size_t)cpu >= a->width)
			a->width = cpu + 1;
	for (size_t k = 0; k < first->ncpus; k++)
		if (first->cpu[k] >= a->width)
			a->width = first->cpu[k] + 1;
	a->first = a->base = a->waiting = reading_new(first);
	return a;
}

static size_t row_of(struct account *a, const char *label)
{
	size_t i, need;

	for (i = 0; i < a->nrows; i++)
		if (!strcmp(a->label[i], label))
			return i;
	a->label = grow(a->label, &a->row_room, i + 1, sizeof(*a->label));
	snprintf(a->label[i], sizeof(*a->label), "%s", label);
	need = (i + 1) * a->width;
	a->count = grow(a->count, &a->count_room, need, sizeof(*a->count));
	memset(a->count + i * a->width, 0, a->width * sizeof(*a->count));
	a->latest = grow(a->latest, &a->latest_room, need, sizeof(*a->latest));
	memset(a->latest + i * a->width, 0, a->width * sizeof(*a->latest));
	a->nrows++;
	return i;
}

static uint64_t *snapshot(const struct account *a, size_t *rows)
{
	size_t n = a->nrows * a->width;
	uint64_t *copy = xcalloc(n, sizeof(*copy));

	if (n)
		memcpy(copy, a->count, n * sizeof(*copy));
	*rows = a->nrows;
	return copy;
}

/* Take down the counts of every reading that @ts is past of. */
static void pass(struct account *a, uint64_t ts)
{
	for (struct reading *r = a->waiting; r; r = r->next) {
		if (!r->began && ts >= r->c.began) {
			r->before = snapshot(a, &r->nbefore);
			r->began = true;
			for (size_t cell = 0; cell < a->nrows * a->width; cell++)
				if (a->latest[cell] && a->latest[cell] + NEAR_NS > r->c.began)
					note_near(r, cell, NEAR_BEFORE);
		}
		if (!r->ended && ts > r->c.ended) {
			r->after = snapshot(a, &r->nafter);
			r->ended = true;
		}
	}
}

void account_irq(struct account *a, const struct receipt *irq, const char *name)
{
	size_t k = (irq->name * NR_VECS + irq->vec) % ARRAY_SIZE(a->kinds), cell;
	const char *label;

	pass(a, irq->ts);
	if (!a->kinds[k].known || a->kinds[k].name != irq->name ||
	    a->kinds[k].vec != irq->vec) {
		label = counters_label(&a->base->c, irq->vec, name);
		if (!*label && a->last)
			label = counters_label(&a->last->c, irq->vec, name);
		if (!*label)
			return;		/* no row has it: nothing to compare */
		a->kinds[k].name = irq->name;
		a->kinds[k].vec = irq->vec;
		a->kinds[k].row = row_of(a, label);
		a->kinds[k].known = true;
	}
	if (irq->cpu >= a->width)
		return;
	cell = a->kinds[k].row * a->width + irq->cpu;
	a->count[cell]++;
	if (irq->ts > a->latest[cell])
		a->latest[cell] = irq->ts;
	/* A straggler was there when a reading began, although not yet told. */
	for (struct reading *r = a->waiting; r; r = r->next) {
		if (r->began && irq->ts < r->c.began && cell < r->nbefore * a->width)
			r->before[cell]++;
		if (r->ended && irq->ts <= r->c.ended && cell < r->nafter * a->width)
			r->after[cell]++;
		if (irq->ts < r->c.began && irq->ts + NEAR_NS > r->c.began)
			note_near(r, cell, NEAR_BEFORE);
		else if (irq->ts > r->c.ended && irq->ts < r->c.ended + NEAR_NS)
			note_near(r, cell, NEAR_AFTER);
	}
}

void account_reading(struct account *a, struct counters *c)
{
	struct reading **p = &a->waiting;

	while (*p)
		p = &(*p)->next;
	*p = reading_new(c);
}

static uint64_t at(const uint64_t *counts, size_t rows, size_t width, size_t row,
		   int cpu)
{
	return row < rows ? counts[row * width + cpu] : 0;
}

/* The interrupts under way at a reading: to the side where they were counted. */
static void settle(struct agreement *x, const struct reading *from,
		   const struct reading *to, size_t cell)
{
	uint64_t more = is_near(from, cell, NEAR_BEFORE) + is_near(to, cell, NEAR_AFTER);
	uint64_t less = is_near(from, cell, NEAR_AFTER) + is_near(to, cell, NEAR_BEFORE);

	while (more-- && x->kernel > x->counted + x->slack)
		x->counted++;
	while (less-- && x->kernel < x->counted)
		x->counted--;
}

static size_t compare(struct account *a, const struct reading *from,
		      const struct reading *to, struct agreement **out)
{
	size_t n = counters_diff(&from->c, &to->c, &a->observed, out), i, row;
	uint64_t b0, e0, b1, e1;

	for (i = 0; i < n; i++) {
		struct agreement *x = &(*out)[i];

		if (x->cpu >= a->width)
			continue;
		row = row_of(a, x->label);
		b0 = at(from->before, from->nbefore, a->width, row, x->cpu);
		e0 = at(from->after, from->nafter, a->width, row, x->cpu);
		b1 = at(to->before, to->nbefore, a->width, row, x->cpu);
		e1 = at(to->after, to->nafter, a->width, row, x->cpu);
		x->counted = b1 - e0;
		x->slack = (e0 - b0) + (e1 - b1);
		settle(x, from, to, row * a->width + x->cpu);
	}
	return n;
}

/* Returns what is missing between the base and @r; then @r is the base. */
static uint64_t judge(struct account *a, struct reading *r)
{
	struct reading *old = a->base;
	struct agreement *x;
	uint64_t missing = 0;
	bool off = false;
	size_t n;

	n = compare(a, a->base, r, &x);
	for (size_t i = 0; i < n; i++) {
		if (!x[i].traced || agrees(&x[i]))
			continue;
		off = true;
		if (x[i].kernel > x[i].counted + x[i].slack)
			missing += x[i].kernel - x[i].counted - x[i].slack;
	}
	free(x);
	/* While all is well the base stays, so that nothing adds up in slacks. */
	if (off) {
		a->base = r;
		reading_free(a, old);
	}
	a->missing += missing;
	return missing;
}

uint64_t account_advance(struct account *a, uint64_t ts)
{
	struct reading *r, *old;
	uint64_t missing = 0;

	pass(a, ts);
	while ((r = a->waiting) && r->ended && r->c.ended + LATE_NS < ts) {
		a->waiting = r->next;
		r->next = NULL;
		if (r == a->first)
			continue;
		missing += judge(a, r);
		old = a->last;
		a->last = r;
		reading_free(a, old);
	}
	return missing;
}

uint64_t account_missing(const struct account *a)
{
	return a->missing;
}

void account_observe(struct account *a, int cpu)
{
	/* A CPU beyond the width was not possible at the start: it stays out. */
	cpuset_add(&a->observed, cpu);
}

size_t account_agreements(struct account *a, struct agreement **out)
{
	*out = NULL;
	return a->last ? compare(a, a->first, a->last, out) : 0;
}

void account_free(struct account *a)
{
	struct reading *r, *base, *last, *first;

	if (!a)
		return;
	first = a->first;
	base = a->base;
	last = a->last;
	while ((r = a->waiting)) {
		a->waiting = r->next;
		if (r != first && r != base && r != last)
			reading_free(a, r);
	}
	a->first = a->base = a->last = NULL;
	reading_free(a, first);
	if (base != first)
		reading_free(a, base);
	if (last != first && last != base)
		reading_free(a, last);
	free(a->label);
	free(a->count);
	free(a->latest);
	free(a);
}
