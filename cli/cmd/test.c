// SPDX-License-Identifier: GPL-2.0
/*
 * test.c - quell test: observes for a while and says whether the CPUs were as quiet
 * as they have to be. What was not seen is no pass.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "show/accept.h"
#include "output.h"
#include "quell.h"
#include "observe/session.h"

static const char usage[] =
	"usage: quell test --max LIMITS [options]\n"
	"The acceptance test of a node: is every observed CPU within these limits?\n"
	"  -m, --max LIMITS       comma-separated, for each observed CPU:\n"
	"                         CAUSE=N, CAUSE/s=N           at most N, or N a second\n"
	"                         CAUSE.max=TIME               the longest one\n"
	"                         CAUSE.time=TIME, .time/s=... the time lost to all of them\n"
	"                         CAUSE is as quell explain lists them, or \"all\"\n"
	"  -d, --duration TIME    how long (default: 10s)\n"
	"  -j, --json             as JSON (docs/operate/cli-json.md)\n"
	"      --junit FILE       JUnit's XML, too; - for standard output alone\n"
	"  -w, --what GROUPS      what to trace (default: what the limits need)\n"
	USAGE_CPUS
	USAGE_BUFFER
	"  -h, --help\n"
	"Exit status: 0 all limits hold, 1 one does not, 7 not known.\n";

struct options {
	struct session_options	session;
	const char		*max, *junit;
	uint64_t		duration;
	bool			json;
};

static void on_receipt(void *arg, const struct receipt *r, const struct send *from)
{
	accept_receipt(arg, r, from);
}

static void observe(struct session *s, uint64_t duration)
{
	uint64_t end = now_ns() + duration, now;

	while (!stop_signal && (now = now_ns()) < end) {
		uint64_t left = (end - now) / 1000000, pause = session_pause(s);

		pause_ms(left < pause ? left + 1 : pause);
		session_poll(s);
	}
}

/* Why this cannot be a pass, whatever was seen; NULL: nothing. */
static char *doubt(const struct session *s, uint64_t wanted)
{
	struct verdict v = summary_verdict(&s->sum);

	if (s->sum.lost)
		return xasprintf("%llu trace events were lost; use a larger --buffer",
				 (unsigned long long)s->sum.lost);
	if (v.off)
		return xasprintf("/proc/interrupts does not agree: %llu interrupts were not traced",
				 (unsigned long long)v.missing);
	if (s->sum.unaccounted)
		return xasprintf("%llu interrupts were counted by the kernel and not seen",
				 (unsigned long long)s->sum.unaccounted);
	if (s->reopened)
		return xstrdup("somebody else stopped the trace for a while");
	if (s->sum.duration < wanted)
		return xasprintf("it ended after %.3f s of %.3f s", s->sum.duration / 1e9,
				 wanted / 1e9);
	return NULL;
}

static void judge(struct acceptance *a, struct accept *c, const struct session *s)
{
	a->n = accept_limits(c, &a->limit);
	a->outcome = xcalloc(a->n, sizeof(*a->outcome));
	for (size_t i = 0; i < s->sum.nagree; i++)
		accept_untraced(c, &s->sum.agree[i]);
	for (size_t i = 0; i < a->n; i++) {
		a->outcome[i] = accept_judge(c, &a->limit[i], &s->sum.observed,
					     s->sum.duration, &s->strings);
		if (a->outcome[i].answer == ANSWER_FAIL)
			a->answer = ANSWER_FAIL;
		else if (a->outcome[i].answer == ANSWER_UNKNOWN && a->answer == ANSWER_PASS)
			a->answer = ANSWER_UNKNOWN;
	}
	if (a->doubt && a->answer == ANSWER_PASS)
		a->answer = ANSWER_UNKNOWN;
}

static void put(struct output *o, const char *name, const struct acceptance *a,
		void (*show)(const struct acceptance *, FILE *))
{
	show(a, o->f);
	if (!output_commit(o))
		die(EXIT_FAILED, "%s cannot be written: %s", name, strerror(errno));
}

int cmd_test(int argc, char **argv)
{
	static const int codes[] = {
		[ANSWER_PASS] = EXIT_OK, [ANSWER_FAIL] = EXIT_FAILED,
		[ANSWER_UNKNOWN] = EXIT_DOUBT,
	};
	struct options o = { .duration = 10000000000ull };
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o.session),
		TEXT_OPTION("max", 'm', &o.max),
		TIME_OPTION("duration", 'd', &o.duration, "duration", 0),
		FLAG("json", 'j', &o.json),
		TEXT_OPTION("junit", 0, &o.junit),
	};
	struct session s = { 0 };
	struct acceptance a = { .n = 0 };
	struct output *junit = NULL;
	struct accept *c;
	char *cpus;

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	if (!o.max)
		die(EXIT_USAGE, "test needs --max LIMITS");
	c = accept_new(o.max);
	if (accept_wants_parts(c) || accept_wants_times(c)) {
		if (!o.session.what)
			o.session.what = "all";
		else if (what_parse(o.session.what) != WHAT_ALL)
			die(EXIT_USAGE, "test: these limits need --what all");
	}
	catch_signals();
	if (o.junit)
		junit = output_open(o.junit, OUTPUT_ANY);
	s.no_rows = true;
	s.tap = (struct session_tap){ .receipt = on_receipt, .arg = c };
	session_open(&s, &o.session);
	if (collect_lacks(s.collect) && o.session.what)
		a.doubt = xasprintf("this kernel has no event %s", collect_lacks(s.collect));
	observe(&s, o.duration);
	session_close(&s);

	if (!a.doubt)
		a.doubt = doubt(&s, o.duration);
	judge(&a, c, &s);
	cpus = cpulist_format(&s.sum.observed);
	a.cpus = cpus;
	a.host = s.sum.host ? s.sum.host : "";
	a.release = s.sum.release;
	a.started = s.sum.started;
	a.duration = s.sum.duration;
	if (!junit || junit->f != stdout)
		put(output_open("-", OUTPUT_ANY), "standard output", &a,
		    o.json ? show_acceptance_json : show_acceptance);
	if (junit)
		put(junit, o.junit, &a, show_acceptance_junit);
	for (size_t i = 0; i < a.n; i++)
		free(a.outcome[i].culprit);
	free(a.outcome);
	free(a.doubt);
	free(cpus);
	accept_free(c);
	session_free(&s);
	return codes[a.answer];
}
