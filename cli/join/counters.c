// SPDX-License-Identifier: GPL-2.0
/*
 * counters.c - /proc/interrupts, the count that the trace has to agree with.
 *
 * How the two are compared, and when, is told in account.c.
 */
#include <stdlib.h>
#include <string.h>

#include "join/counters.h"
#include "quell.h"

/* x86: the rows that have a trace event, and which. */
static const struct { const char *label; enum vec vec; const char *name; } rows[] = {
	{ "CAL", VEC_CALL, "" },
	{ "CAL", VEC_CALL_SINGLE, "" },
	{ "RES", VEC_RESCHED, "" },
	{ "IWI", VEC_IRQ_WORK, "" },
	{ "LOC", VEC_TIMER, "" },
	{ "SPU", VEC_OTHER, "spurious_apic" },
	{ "PLT", VEC_OTHER, "x86_platform_ipi" },
	{ "TRM", VEC_OTHER, "thermal_apic" },
	{ "THR", VEC_OTHER, "threshold_apic" },
	{ "DFR", VEC_OTHER, "deferred_error_apic" },
	/* arm64: the row is found by its text, which the event repeats. */
	{ "Function call interrupts", VEC_CALL, "" },
	{ "Rescheduling interrupts", VEC_RESCHED, "" },
	{ "IRQ work interrupts", VEC_IRQ_WORK, "" },
};

static void parse_header(struct counters *c, const char *line)
{
	unsigned int cpu;
	int n;

	while (sscanf(line, " CPU%u%n", &cpu, &n) == 1) {
		c->cpu = grow(c->cpu, &c->cpu_room, c->ncpus + 1, sizeof(*c->cpu));
		c->cpu[c->ncpus++] = cpu < MAX_CPUS ? cpu : MAX_CPUS - 1;
		line += n;
	}
}

static void parse_row(struct counters *c, char *line)
{
	char *colon = strchr(line, ':'), *p, *end;
	struct counter_row *r;
	size_t i;

	if (!colon)
		return;
	*colon = '\0';
	line += strspn(line, " ");
	c->row = grow(c->row, &c->room, c->nrows + 1, sizeof(*c->row));
	r = &c->row[c->nrows++];
	memset(r, 0, sizeof(*r));
	snprintf(r->label, sizeof(r->label), "%s", line);
	r->count = xcalloc(c->ncpus, sizeof(*r->count));
	for (p = colon + 1, i = 0; i < c->ncpus; i++, p = end) {
		r->count[i] = strtoull(p, &end, 10);
		if (end == p)
			break;	/* ERR and MIS have one number for all */
	}
	p += strspn(p, " ");
	snprintf(r->text, sizeof(r->text), "%s", p);
}

bool counters_parse(struct counters *c, const char *text)
{
	char *copy = xstrdup(text), *save = NULL, *line;

	line = strtok_r(copy, "\n", &save);
	if (line)
		parse_header(c, line);
	while (c->ncpus && (line = strtok_r(NULL, "\n", &save)))
		parse_row(c, line);
	free(copy);
	return c->nrows > 0;
}

bool counters_read(struct counters *c)
{
	char *text;
	bool ok;

	memset(c, 0, sizeof(*c));
	c->began = now_ns();
	text = slurp("/proc/interrupts");
	c->ended = now_ns();
	ok = text && counters_parse(c, text);
	free(text);
	return ok;
}

void counters_free(struct counters *c)
{
	for (size_t i = 0; i < c->nrows; i++)
		free(c->row[i].count);
	free(c->row);
	free(c->cpu);
	memset(c, 0, sizeof(*c));
}

/* Does the row's text end in @what (the numbers may be followed by a chip)? */
static bool text_is(const struct counter_row *r, const char *what)
{
	return *what && !strcmp(r->text, what);
}

const char *counters_label(const struct counters *c, enum vec vec,
			   const char *name)
{
	size_t i, k, len;

	for (i = 0; i < c->nrows; i++) {
		const struct counter_row *r = &c->row[i];

		if (vec == VEC_DEVICE) {
			/* The name of a device is "NUMBER:handler". */
			len = strlen(r->label);
			if (!strncmp(name, r->label, len) && name[len] == ':')
				return r->label;
			continue;
		}
		if (vec == VEC_OTHER && text_is(r, name))
			return r->label;
		for (k = 0; k < ARRAY_SIZE(rows); k++)
			if (rows[k].vec == vec &&
			    (vec != VEC_OTHER || !strcmp(rows[k].name, name)) &&
			    (!strcmp(rows[k].label, r->label) ||
			     text_is(r, rows[k].label)))
				return r->label;
	}
	return "";
}

/* Is there an event for what this row counts? */
static bool row_traced(const struct counter_row *r)
{
	if (r->label[0] >= '0' && r->label[0] <= '9')
		return true;
	for (size_t k = 0; k < ARRAY_SIZE(rows); k++)
		if (!strcmp(rows[k].label, r->label) || text_is(r, rows[k].label))
			return true;
	return !strncmp(r->label, "IPI", 3);
}

/* The column of @cpu; -1: it was not online. */
static int column_of(const struct counters *c, int cpu)
{
	for (size_t k = 0; k < c->ncpus; k++)
		if (c->cpu[k] == cpu)
			return k;
	return -1;
}

/* A row that is not there has counted nothing yet. */
static uint64_t count_in(const struct counters *c, const char *label, int column)
{
	for (size_t i = 0; i < c->nrows; i++)
		if (!strcmp(c->row[i].label, label))
			return c->row[i].count[column];
	return 0;
}

size_t counters_diff(const struct counters *from, const struct counters *to,
		     const struct cpuset *observed, struct agreement **out)
{
	size_t n = 0, room = 0;
	uint64_t delta, had;
	int column;

	*out = NULL;
	for (size_t i = 0; i < to->nrows; i++) {
		const struct counter_row *r = &to->row[i];

		/* Not per CPU; and TLB counts functions, not interrupts. */
		if (!strcmp(r->label, "ERR") || !strcmp(r->label, "MIS") ||
		    !strcmp(r->label, "TLB"))
			continue;
		for (size_t k = 0; k < to->ncpus; k++) {
			if (!cpuset_has(observed, to->cpu[k]))
				continue;
			column = column_of(from, to->cpu[k]);
			if (column < 0)
				continue;	/* it came online in between */
			had = count_in(from, r->label, column);
			/* A number that went to another device counts anew. */
			delta = r->count[k] > had ? r->count[k] - had : 0;
			if (!delta)
				continue;
			*out = grow(*out, &room, n + 1, sizeof(**out));
			(*out)[n] = (struct agreement){
				.cpu = to->cpu[k], .kernel = delta,
				.traced = row_traced(r),
			};
			snprintf((*out)[n++].label, sizeof((*out)->label),
				 "%s", r->label);
		}
	}
	return n;
}
