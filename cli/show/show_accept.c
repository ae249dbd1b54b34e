// SPDX-License-Identifier: GPL-2.0
/* show_accept.c - the acceptance of a node: for people, as JSON, as JUnit's XML. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>

#include "show/accept.h"
#include "quell.h"
#include "text.h"

static const char *const answers[] = {
	[ANSWER_PASS] = "pass", [ANSWER_FAIL] = "fail", [ANSWER_UNKNOWN] = "unknown",
};

/* "3", "4.02/s", "31.2 us", "1.50 us/s" */
static char *value_text(const struct limit *l, double v)
{
	const char *per = l->per_second ? "/s" : "";

	if (l->measure == MEASURE_COUNT)
		return l->per_second ? xasprintf("%.2f%s", v, per) : xasprintf("%.0f", v);
	return xasprintf("%.2f us%s", v / 1e3, per);
}

/* Of one that is no pass: why. */
static char *reason(const struct limit *l, const struct outcome *o)
{
	char *value = value_text(l, o->value), *text;

	if (o->answer == ANSWER_UNKNOWN)
		text = xasprintf("%s on CPU %d, but %s", value, o->cpu, o->doubt);
	else if (o->over > 1)
		text = xasprintf("%s on CPU %d, and %u other CPUs are over it", value,
				 o->cpu, o->over - 1);
	else
		text = xasprintf("%s on CPU %d", value, o->cpu);
	free(value);
	return text;
}

void show_acceptance(const struct acceptance *a, FILE *f)
{
	fputs("CPU ", f);
	text_put(f, a->cpus, TEXT_PLAIN);
	fprintf(f, " for %.3f s\n", a->duration / 1e9);
	for (size_t i = 0; i < a->n; i++) {
		const struct outcome *o = &a->outcome[i];
		char *why = reason(&a->limit[i], o), *value = value_text(&a->limit[i], o->value);

		fprintf(f, "%-7s  ", o->answer == ANSWER_PASS ? "pass" :
			o->answer == ANSWER_FAIL ? "FAIL" : "UNKNOWN");
		text_padded(f, a->limit[i].text, 20);
		if (o->answer == ANSWER_PASS)
			fprintf(f, "  %s at most\n", value);
		else
			fprintf(f, "  %s\n", why);
		if (o->culprit) {
			fprintf(f, "%9s", "");
			text_put(f, o->culprit, TEXT_PLAIN);
			fputc('\n', f);
		}
		free(value);
		free(why);
	}
	if (a->doubt)
		fprintf(f, "in doubt: %s\n", a->doubt);
	fprintf(f, "verdict: %s\n", a->answer == ANSWER_PASS ? "pass" :
		a->answer == ANSWER_FAIL ? "FAIL" : "UNKNOWN: this is no pass");
}

static void number(struct json *j, const char *key, const struct limit *l, double v)
{
	/* Only what is per second has fractions. */
	if (l->per_second)
		json_num(j, key, v);
	else
		json_u64(j, key, v);
}

void show_acceptance_json(const struct acceptance *a, FILE *f)
{
	struct json j = { .f = f };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "test");
	json_u64(&j, "schema", 1);
	json_str(&j, "version", QUELL_VERSION);
	json_str(&j, "host", a->host);
	json_str(&j, "release", a->release);
	json_str(&j, "started", a->started);
	json_str(&j, "observed", a->cpus);
	json_u64(&j, "duration_ns", a->duration);
	json_str(&j, "verdict", answers[a->answer]);
	if (a->doubt)
		json_str(&j, "doubt", a->doubt);
	else
		json_null(&j, "doubt");
	json_open(&j, "limits", '[');
	for (size_t i = 0; i < a->n; i++) {
		const struct limit *l = &a->limit[i];
		const struct outcome *o = &a->outcome[i];

		json_open(&j, NULL, '{');
		json_str(&j, "limit", l->text);
		json_str(&j, "cause", l->all ? "all" : cause_info(l->cause)->key);
		json_str(&j, "measure", l->measure == MEASURE_COUNT ? "count" :
			 l->measure == MEASURE_LONGEST ? "longest_ns" : "time_ns");
		json_bool(&j, "per_second", l->per_second);
		json_str(&j, "answer", answers[o->answer]);
		number(&j, "most", l, l->most);
		number(&j, "worst", l, o->value);
		json_u64(&j, "worst_cpu", o->cpu);
		json_u64(&j, "cpus_over", o->over);
		if (o->culprit)
			json_str(&j, "culprit", o->culprit);
		else
			json_null(&j, "culprit");
		if (o->doubt)
			json_str(&j, "doubt", o->doubt);
		else
			json_null(&j, "doubt");
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

static void attribute(FILE *f, const char *name, const char *value)
{
	fprintf(f, " %s=\"", name);
	text_put(f, value, TEXT_XML);
	fputc('"', f);
}

void show_acceptance_junit(const struct acceptance *a, FILE *f)
{
	unsigned int failures = 0, errors = a->doubt != NULL;
	char *why;

	for (size_t i = 0; i < a->n; i++) {
		failures += a->outcome[i].answer == ANSWER_FAIL;
		errors += a->outcome[i].answer == ANSWER_UNKNOWN;
	}
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite name=\"quell test\"", f);
	attribute(f, "hostname", a->host);
	attribute(f, "timestamp", a->started);
	fprintf(f, " tests=\"%zu\" failures=\"%u\" errors=\"%u\" skipped=\"0\" time=\"%.3f\">\n",
		a->n + 1, failures, errors, a->duration / 1e9);
	for (size_t i = 0; i < a->n; i++) {
		const struct outcome *o = &a->outcome[i];

		fputs("<testcase classname=\"quell\"", f);
		attribute(f, "name", a->limit[i].text);
		if (o->answer == ANSWER_PASS) {
			fputs("/>\n", f);
			continue;
		}
		why = reason(&a->limit[i], o);
		fprintf(f, "><%s", o->answer == ANSWER_FAIL ? "failure" : "error");
		attribute(f, "message", why);
		fputc('>', f);
		text_put(f, o->culprit ? o->culprit : "", TEXT_XML);
		fprintf(f, "</%s></testcase>\n", o->answer == ANSWER_FAIL ? "failure" : "error");
		free(why);
	}
	fputs("<testcase classname=\"quell\" name=\"all was seen\"", f);
	if (a->doubt) {
		fputs("><error", f);
		attribute(f, "message", a->doubt);
		fputs("/></testcase>\n", f);
	} else {
		fputs("/>\n", f);
	}
	fputs("</testsuite>\n</testsuites>\n", f);
}
