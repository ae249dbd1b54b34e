// SPDX-License-Identifier: GPL-2.0
/*
 * diff.c - quell diff: two records side by side, cause by cause.
 *
 * Records rarely last equally long, so rates are compared, not only numbers.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "options.h"
#include "quell.h"
#include "show.h"

static const char usage[] =
	"usage: quell diff [--json] [--rate] BEFORE AFTER\n"
	"Two records of quell record side by side: interrupts by cause and by CPU, and\n"
	"the ratio AFTER / BEFORE (of the rates with --rate).\n";

struct side {
	struct strtab	strings, stacks;
	struct summary	s;
};

static double amount(const struct side *x, uint64_t n, bool rate)
{
	return rate && x->s.duration ? n / (x->s.duration / 1e9) : n;
}

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

static void row(const char *what, double before, double after, bool rate)
{
	char ratio[32];

	if (!before && !after)
		return;
	ratio_text(before, after, ratio);
	printf("%-20s %14.*f %14.*f   %s\n", what, rate ? 2 : 0, before,
	       rate ? 2 : 0, after, ratio);
}

static void print_text(const struct side *a, const struct side *b, bool rate)
{
	struct cpuset cpus = a->s.observed;
	char name[32];
	int cpu;

	printf("before: %s, strategy %s, %.3f s\n", a->s.release, a->s.strategy,
	       a->s.duration / 1e9);
	printf("after:  %s, strategy %s, %.3f s\n\n", b->s.release, b->s.strategy,
	       b->s.duration / 1e9);
	printf("%-20s %14s %14s   %s\n", rate ? "INTERRUPTS PER S" : "INTERRUPTS",
	       "BEFORE", "AFTER", "RATIO");
	for (int c = 0; c < NR_CAUSES; c++)
		row(cause_info(c)->title, amount(a, a->s.cause[c].irqs, rate),
		    amount(b, b->s.cause[c].irqs, rate), rate);
	row("all", amount(a, a->s.total.irqs, rate),
	    amount(b, b->s.total.irqs, rate), rate);
	row("avoidable", amount(a, a->s.total.avoidable, rate),
	    amount(b, b->s.total.avoidable, rate), rate);
	putchar('\n');
	cpuset_or(&cpus, &b->s.observed);
	for_each_cpu_in(cpu, &cpus) {
		const struct cpu_row *x = a->s.cpu[cpu], *y = b->s.cpu[cpu];

		snprintf(name, sizeof(name), "CPU %d", cpu);
		row(name, amount(a, x ? x->irqs : 0, rate),
		    amount(b, y ? y->irqs : 0, rate), rate);
	}
	if (a->s.lost || b->s.lost)
		printf("\nLOST trace events: %" PRIu64 " before, %" PRIu64 " after\n",
		       a->s.lost, b->s.lost);
}

static void json_row(struct json *j, uint64_t before, uint64_t after)
{
	json_u64(j, "before", before);
	json_u64(j, "after", after);
	if (before)
		json_num(j, "ratio", (double)after / before);
	else
		json_null(j, "ratio");
}

static void print_json(const struct side *a, const struct side *b)
{
	struct cpuset cpus = a->s.observed;
	struct json j = { .f = stdout };
	int cpu;

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "diff");
	json_u64(&j, "schema", 1);
	json_str(&j, "version", QUELL_VERSION);
	json_open(&j, "duration_ns", '{');
	json_row(&j, a->s.duration, b->s.duration);
	json_close(&j, '}');
	json_open(&j, "strategy", '{');
	json_str(&j, "before", a->s.strategy);
	json_str(&j, "after", b->s.strategy);
	json_close(&j, '}');
	json_open(&j, "lost_events", '{');
	json_row(&j, a->s.lost, b->s.lost);
	json_close(&j, '}');
	json_open(&j, "interrupts", '{');
	json_row(&j, a->s.total.irqs, b->s.total.irqs);
	json_close(&j, '}');
	json_open(&j, "avoidable", '{');
	json_row(&j, a->s.total.avoidable, b->s.total.avoidable);
	json_close(&j, '}');
	json_open(&j, "causes", '[');
	for (int c = 0; c < NR_CAUSES; c++) {
		if (!a->s.cause[c].irqs && !b->s.cause[c].irqs)
			continue;
		json_open(&j, NULL, '{');
		json_str(&j, "cause", cause_info(c)->key);
		json_row(&j, a->s.cause[c].irqs, b->s.cause[c].irqs);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_open(&j, "cpus", '[');
	cpuset_or(&cpus, &b->s.observed);
	for_each_cpu_in(cpu, &cpus) {
		const struct cpu_row *x = a->s.cpu[cpu], *y = b->s.cpu[cpu];

		json_open(&j, NULL, '{');
		json_u64(&j, "cpu", cpu);
		json_row(&j, x ? x->irqs : 0, y ? y->irqs : 0);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

int cmd_diff(int argc, char **argv)
{
	static struct side side[2];
	bool as_json = false, rate = false;
	const struct option_row rows[] = {
		FLAG("json", 'j', &as_json),
		FLAG("rate", 'r', &rate),
	};
	int first = options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 2);

	if (first + 2 != argc)
		die(EXIT_USAGE, "diff needs two files, BEFORE and AFTER");
	for (int i = 0; i < 2; i++) {
		summary_init(&side[i].s, &side[i].strings, &side[i].stacks);
		summary_load(&side[i].s, argv[first + i], false);
	}
	if (as_json)
		print_json(&side[0], &side[1]);
	else
		print_text(&side[0], &side[1], rate);
	for (int i = 0; i < 2; i++) {
		summary_free(&side[i].s);
		strtab_free(&side[i].strings);
		strtab_free(&side[i].stacks);
	}
	return EXIT_OK;
}
