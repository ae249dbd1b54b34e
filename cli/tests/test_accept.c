// SPDX-License-Identifier: GPL-2.0
/* test_accept.c - limits: what is within, what is not, and what nobody knows. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../show/accept.h"
#include "../quell.h"
#include "tap.h"

static struct strtab strings;
static struct cpuset both;

/* CPU 2: three ticks of 5, 6 and 30 us; CPU 3: a sync of 2 us and a device. */
static void feed(struct accept *a)
{
	struct receipt t = { .cpu = 2, .cause = CAUSE_TICK, .vec = VEC_TIMER, .how = HOW_SOURCE,
			     .victim_pid = 9 };
	struct receipt p = { .cpu = 3, .cause = CAUSE_PT_SYNC, .vec = VEC_CALL, .ns = 2000,
			     .span = 2000, .how = HOW_CSD, .victim_pid = 9 };
	struct receipt d = { .cpu = 3, .cause = CAUSE_DEVICE, .vec = VEC_DEVICE };
	struct send s = { .id = 1, .pid = 77, .comm = strtab_str(&strings, "collapser") };
	static const uint32_t ns[] = { 5000, 30000, 6000 };

	for (int i = 0; i < 3; i++) {
		t.ns = t.span = ns[i];
		accept_receipt(a, &t, NULL);
	}
	/* The timer's function is part of the interrupt, and none of its own. */
	t.kind = RECEIPT_PART;
	t.ns = t.span = 10000;
	accept_receipt(a, &t, NULL);
	accept_receipt(a, &p, &s);
	accept_receipt(a, &d, NULL);
	p.kind = RECEIPT_RIDE;
	p.ns = p.span = 0;
	accept_receipt(a, &p, &s);
}

static struct outcome judge(const char *limit, bool fed)
{
	struct accept *a = accept_new(limit);
	const struct limit *l;
	struct outcome o;

	if (fed)
		feed(a);
	accept_limits(a, &l);
	o = accept_judge(a, l, &both, 2000000000, &strings);
	accept_free(a);
	return o;
}

static bool is(const char *limit, enum answer answer, double value, int cpu)
{
	struct outcome o = judge(limit, true);
	bool same = o.answer == answer && o.value > value - 0.001 && o.value < value + 0.001 &&
		    (o.cpu == cpu || !value);

	if (!same)
		printf("# %s: %d, %f on CPU %d\n", limit, o.answer, o.value, o.cpu);
	free(o.culprit);
	return same;
}

static void test_limits_hold(void)
{
	struct outcome o;

	ok(is("tick=3", ANSWER_PASS, 3, 2) && is("tick=2", ANSWER_FAIL, 3, 2),
	   "so many are allowed, and one more is not");
	ok(is("timer=3", ANSWER_PASS, 3, 2) && is("page-table_sync=0", ANSWER_FAIL, 1, 3),
	   "a cause may be called as tables call it");
	ok(is("tick/s=1.5", ANSWER_PASS, 1.5, 2) && is("tick/s=1.4", ANSWER_FAIL, 1.5, 2), "per second");
	ok(is("tick.max=30us", ANSWER_PASS, 30000, 2) && is("tick.max=29.9us", ANSWER_FAIL, 30000, 2),
	   "the longest");
	ok(is("tick.time=51us", ANSWER_PASS, 51000, 2) && is("tick.time=50us", ANSWER_FAIL, 51000, 2),
	   "all together, with the timers' functions");
	ok(is("tick.time/s=25.5us", ANSWER_PASS, 25500, 2), "and that per second");
	ok(is("all=3", ANSWER_PASS, 3, 2) && is("all=2", ANSWER_FAIL, 3, 2), "of any cause");
	ok(is("membarrier=0", ANSWER_PASS, 0, 2), "what did not happen is none");
	o = judge("pt_sync=0", true);
	ok(o.over == 1 && o.culprit && strstr(o.culprit, "collapser/77"), "whose doing it was: %s",
	   o.culprit ? o.culprit : "");
	free(o.culprit);
	o = judge("all=0", false);
	ok(o.answer == ANSWER_PASS && o.cpu >= 0, "nothing at all is a pass");
}

static void test_doubts(void)
{
	struct accept *a = accept_new("pt_sync=0,pt_sync=1,tick=0,all=4,pt_sync.max=5us");
	struct agreement nmi = { .label = "NMI", .cpu = 3, .kernel = 2 };
	struct receipt u = { .cpu = 3, .cause = CAUSE_UNKNOWN, .vec = VEC_CALL, .victim_pid = 9 };
	const struct limit *l;
	struct outcome o;

	accept_limits(a, &l);
	accept_receipt(a, &u, NULL);
	o = accept_judge(a, &l[0], &both, 1000000000, &strings);
	ok(o.answer == ANSWER_UNKNOWN && o.doubt, "an interrupt of unknown cause may be any that is sent");
	ok(accept_judge(a, &l[1], &both, 1000000000, &strings).answer == ANSWER_PASS,
	   "but not more than one of them");
	ok(accept_judge(a, &l[2], &both, 1000000000, &strings).answer == ANSWER_PASS,
	   "and no timer, which has a vector of its own");
	ok(accept_judge(a, &l[4], &both, 1000000000, &strings).answer == ANSWER_UNKNOWN,
	   "nor is its length known");
	accept_untraced(a, &nmi);
	ok(accept_judge(a, &l[3], &both, 1000000000, &strings).value == 3,
	   "what nothing traces counts as well");
	accept_free(a);
	ok(is("device.max=1ms", ANSWER_UNKNOWN, 0, 3), "a length that was not measured is no short one");
	ok(is("all.time=1ms", ANSWER_UNKNOWN, 51000, 2), "nor in a sum");
}

/* Exits with EXIT_USAGE, silently. */
static bool refused(const char *limits)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		accept_new(limits);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE;
}

void test_accept(void)
{
	static const char *const bad[] = {
		"", "pt_sync", "pt_sink=0", "pt_sync=", "pt_sync=-1", "pt_sync=x", "pt_sync=1e3",
		"pt_sync=0,", ",pt_sync=0", "tick.longest=3us",
		"tick.max/s=3us", "/s=1", "=1", ".max=1us", "tick=nan", "pt_sync =0", "al=0",
	};
	size_t wrong = 0;

	cpuset_add(&both, 2);
	cpuset_add(&both, 3);
	test_limits_hold();
	test_doubts();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (!refused(bad[i])) {
			printf("# \"%s\" was taken\n", bad[i]);
			wrong++;
		}
	}
	ok(!wrong, "what is no limit is refused");
	strtab_free(&strings);
}
