// SPDX-License-Identifier: GPL-2.0
/*
 * diff.c - quell diff: two records side by side, cause by cause.
 *
 * Records rarely last equally long, so rates are compared unless counts are
 * asked for. What makes two records hard to compare is said first.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "options.h"
#include "quell.h"
#include "show/show.h"
#include "text.h"

#define SCHEMA	2	/* 1 had counts in before and after */

static const char usage[] =
	"usage: quell diff [options] BEFORE AFTER\n"
	"Two records of quell record side by side: interrupts per second by cause and by\n"
	"CPU, and the ratio AFTER / BEFORE.\n"
	"  -r, --rate             compare rates (the default)\n"
	"  -n, --counts           compare numbers, whatever the records' lengths\n"
	"  -j, --json             as JSON (docs/operate/cli-json.md)\n"
	"  -h, --help\n";

struct side {
	struct strtab	strings, stacks;
	struct summary	s;
};

struct comparison {
	struct side	a, b;
	bool		counts;
	char		*warning[6];
	int		nwarnings;
};

static double amount(const struct comparison *c, const struct side *x, uint64_t n)
{
	return c->counts ? n : x->s.duration ? n / (x->s.duration / 1e9) : 0;
}

/* ---- what makes them hard to compare ------------------------------------ */

static void warn(struct comparison *c, char *text)
{
	if (c->nwarnings < (int)ARRAY_SIZE(c->warning))
		c->warning[c->nwarnings++] = text;
	else
		free(text);
}

static void warn_text(struct comparison *c, const char *what, const char *a,
		      const char *b)
{
	if (a && b && strcmp(a, b))
		warn(c, xasprintf("%s differ: %s before, %s after", what, a, b));
}

static void warn_set(struct comparison *c, const char *what,
		     const struct cpuset *a, const struct cpuset *b)
{
	char *x = cpulist_format(a), *y = cpulist_format(b);

	warn_text(c, what, *x ? x : "none", *y ? y : "none");
	free(x);
	free(y);
}

static void find_warnings(struct comparison *c)
{
	const struct summary *a = &c->a.s, *b = &c->b.s;
	double x = a->duration / 1e9, y = b->duration / 1e9;

	warn_text(c, "the machines", a->machine, b->machine);
	warn_text(c, "the hosts", a->host, b->host);
	warn_text(c, "the processors", a->processor, b->processor);
	warn_set(c, "the observed CPUs", &a->observed, &b->observed);
	warn_set(c, "the CPUs online", &a->online, &b->online);
	if (fabs(x - y) > 0.1 * fmin(x, y))
		warn(c, xasprintf("the lengths differ: %.3f s before, %.3f s after%s",
				  x, y, c->counts ? "; numbers are compared, not rates" : ""));
}

/* ---- text ---------------------------------------------------------------- */

static void ratio_text(double before, double after, char buf[32])
{
	if (before == after)
		snprintf(buf, 32, "=");
	else if (!before)
		snprintf(buf, 32, "new");
	else if (!after)
		snprintf(buf, 32, "gone");
	else
		snprintf(buf, 32, "x %.3g", after / before);
}

static void row(const struct comparison *c, const char *what, uint64_t before,
		uint64_t after)
{
	double x = amount(c, &c->a, before), y = amount(c, &c->b, after);
	int digits = c->counts ? 0 : 2;
	char ratio[32];

	if (!before && !after)
		return;
	ratio_text(x, y, ratio);
	printf("%-20s %14.*f %14.*f   %s\n", what, digits, x, digits, y, ratio);
}

static void print_side(const char *which, const struct side *x)
{
	printf("%-8s", which);
	text_put(stdout, x->s.release, TEXT_PLAIN);
	fputs(", strategy ", stdout);
	text_put(stdout, x->s.strategy, TEXT_PLAIN);
	printf(", %.3f s\n", x->s.duration / 1e9);
}

static uint64_t cpu_irqs(const struct side *x, int cpu)
{
	return x->s.cpu[cpu] ? x->s.cpu[cpu]->irqs : 0;
}

static void print_text(const struct comparison *c)
{
	const struct summary *a = &c->a.s, *b = &c->b.s;
	struct cpuset cpus = a->observed;
	char name[32];
	int cpu;

	print_side("before:", &c->a);
	print_side("after:", &c->b);
	for (int i = 0; i < c->nwarnings; i++) {
		fputs("warning: ", stdout);
		text_put(stdout, c->warning[i], TEXT_PLAIN);
		putchar('\n');
	}
	printf("\n%-20s %14s %14s   %s\n",
	       c->counts ? "INTERRUPTS" : "INTERRUPTS PER S", "BEFORE", "AFTER", "RATIO");
	for (int i = 0; i < NR_CAUSES; i++)
		row(c, cause_info(i)->title, a->cause[i].irqs, b->cause[i].irqs);
	row(c, "all", a->total.irqs, b->total.irqs);
	row(c, "avoidable", a->total.avoidable, b->total.avoidable);
	putchar('\n');
	cpuset_or(&cpus, &b->observed);
	for_each_cpu_in(cpu, &cpus) {
		snprintf(name, sizeof(name), "CPU %d", cpu);
		row(c, name, cpu_irqs(&c->a, cpu), cpu_irqs(&c->b, cpu));
	}
	if (a->lost || b->lost)
		printf("\nLOST trace events: %" PRIu64 " before, %" PRIu64 " after\n",
		       a->lost, b->lost);
}

/* ---- JSON ---------------------------------------------------------------- */

static void json_counts(struct json *j, uint64_t before, uint64_t after)
{
	json_u64(j, "before", before);
	json_u64(j, "after", after);
	if (before)
		json_num(j, "ratio", (double)after / before);
	else
		json_null(j, "ratio");
}

static void json_row(struct json *j, const struct comparison *c, uint64_t before,
		     uint64_t after)
{
	double x = amount(c, &c->a, before), y = amount(c, &c->b, after);

	if (c->counts) {
		json_counts(j, before, after);
		return;
	}
	json_num(j, "before", x);
	json_num(j, "after", y);
	if (x > 0)
		json_num(j, "ratio", y / x);
	else
		json_null(j, "ratio");
}

static void json_named(struct json *j, const struct comparison *c,
		       const char *name, uint64_t before, uint64_t after)
{
	json_open(j, name, '{');
	json_row(j, c, before, after);
	json_close(j, '}');
}

static void json_head(struct json *j, const struct comparison *c)
{
	json_str(j, "quell", "diff");
	json_u64(j, "schema", SCHEMA);
	json_str(j, "version", QUELL_VERSION);
	json_str(j, "unit", c->counts ? "interrupts" : "interrupts/s");
	json_open(j, "warnings", '[');
	for (int i = 0; i < c->nwarnings; i++)
		json_str(j, NULL, c->warning[i]);
	json_close(j, ']');
	json_open(j, "duration_ns", '{');
	json_counts(j, c->a.s.duration, c->b.s.duration);
	json_close(j, '}');
	json_open(j, "strategy", '{');
	json_str(j, "before", c->a.s.strategy);
	json_str(j, "after", c->b.s.strategy);
	json_close(j, '}');
	json_open(j, "lost_events", '{');
	json_counts(j, c->a.s.lost, c->b.s.lost);
	json_close(j, '}');
}

static void print_json(const struct comparison *c)
{
	const struct summary *a = &c->a.s, *b = &c->b.s;
	struct cpuset cpus = a->observed;
	struct json j = { .f = stdout };
	int cpu;

	json_open(&j, NULL, '{');
	json_head(&j, c);
	json_named(&j, c, "interrupts", a->total.irqs, b->total.irqs);
	json_named(&j, c, "avoidable", a->total.avoidable, b->total.avoidable);
	json_open(&j, "causes", '[');
	for (int i = 0; i < NR_CAUSES; i++) {
		if (!a->cause[i].irqs && !b->cause[i].irqs)
			continue;
		json_open(&j, NULL, '{');
		json_str(&j, "cause", cause_info(i)->key);
		json_row(&j, c, a->cause[i].irqs, b->cause[i].irqs);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_open(&j, "cpus", '[');
	cpuset_or(&cpus, &b->observed);
	for_each_cpu_in(cpu, &cpus) {
		json_open(&j, NULL, '{');
		json_u64(&j, "cpu", cpu);
		json_row(&j, c, cpu_irqs(&c->a, cpu), cpu_irqs(&c->b, cpu));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

static void load(struct side *x, const char *path)
{
	summary_init(&x->s, &x->strings, &x->stacks);
	summary_load(&x->s, path, false, NULL);
}

static void unload(struct side *x)
{
	summary_free(&x->s);
	strtab_free(&x->strings);
	strtab_free(&x->stacks);
}

int cmd_diff(int argc, char **argv)
{
	static struct comparison c;
	bool as_json = false, rate = false;
	const struct option_row rows[] = {
		FLAG("json", 'j', &as_json),
		FLAG("rate", 'r', &rate),
		FLAG("counts", 'n', &c.counts),
	};
	int first = options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 2);

	if (first + 2 != argc)
		die(EXIT_USAGE, "diff needs two files, BEFORE and AFTER");
	if (rate && c.counts)
		die(EXIT_USAGE, "diff: either --rate or --counts");
	load(&c.a, argv[first]);
	load(&c.b, argv[first + 1]);
	find_warnings(&c);
	if (as_json)
		print_json(&c);
	else
		print_text(&c);
	for (int i = 0; i < c.nwarnings; i++)
		free(c.warning[i]);
	unload(&c.a);
	unload(&c.b);
	return EXIT_OK;
}
