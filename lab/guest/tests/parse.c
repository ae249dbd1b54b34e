// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of cpulist.c and counters.c. The texts are what 6.12 printed,
 * cut short. What matters most is at the end: each witness, falsified by one,
 * must break the agreement.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instrument/counters.h"
#include "cpulist.h"

static int tests, failures;

static void check(bool good, const char *what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

/* --- CPU lists ------------------------------------------------------------ */

static void good_list(const char *list, unsigned int count, const char *again)
{
	char text[64], what[128];
	struct cpus set;
	bool good = cpus_parse(&set, list) && cpus_count(&set) == count;

	cpus_format(&set, text, sizeof(text));
	snprintf(what, sizeof(what), "'%.*s' is %u CPUs: %s",
		 (int)strcspn(list, "\n"), list, count, again);
	check(good && !strcmp(text, again), what);
}

static void bad_list(const char *list)
{
	char what[128];
	struct cpus set;
	bool refused = !cpus_parse(&set, list) && !cpus_count(&set);

	snprintf(what, sizeof(what), "'%s' is no list of CPUs", list);
	check(refused, what);
}

static void test_lists(void)
{
	struct cpus set, away;
	char text[8];

	good_list("0\n", 1, "0");
	good_list("\n", 0, "");
	good_list("0-3,8,10-11", 7, "0-3,8,10-11");
	good_list("3,1,2", 3, "1-3");
	good_list("1023", 1, "1023");
	bad_list("1024");
	bad_list("0-1024");
	bad_list("3-1");
	bad_list("-1");
	bad_list("1,");
	bad_list(",1");
	bad_list("1;2");
	bad_list("0x1");
	bad_list("99999999999999999999");

	cpus_parse(&set, "0-7");
	cpus_parse(&away, "0,6-9");
	cpus_remove(&set, &away);
	check(cpus_nth(&set, 0) == 1 && cpus_nth(&set, 4) == 5 &&
	      cpus_nth(&set, 5) == -1, "what is left is numbered in order");
	cpus_parse(&set, "0-99,200-299");
	cpus_format(&set, text, sizeof(text));
	check(!strcmp(text, "0-99"), "a short buffer gets whole ranges only");
}

/* --- /proc/interrupts ------------------------------------------------------ */

/* CPU 2 is offline. */
#define X86_INTERRUPTS \
	"           CPU0       CPU1       CPU3       \n" \
	"  4:        204          0          0   IO-APIC   4-edge  ttyS0\n" \
	"RES:          1          2          3  Rescheduling interrupts\n" \
	"CAL:        100        110 4294967295  Function call interrupts\n" \
	"TLB:          7          8          9  TLB shootdowns\n" \
	"ERR:          0\n"

#define ARM_INTERRUPTS \
	"           CPU0       CPU1       \n" \
	" 11:        500        400     GICv2  27 Level     arch_timer\n" \
	"IPI0:         5          6       Rescheduling interrupts\n" \
	"IPI1:        70         80       Function call interrupts\n" \
	"Err:          0\n"

static void test_interrupts(void)
{
	static struct interrupts irq;

	check(interrupts_parse(&irq, X86_INTERRUPTS) && irq.has_calls &&
	      irq.has_tlb && irq.calls[0] == 100 && irq.calls[1] == 110 &&
	      irq.calls[2] == 0 && irq.calls[3] == 4294967295u &&
	      irq.tlb[3] == 9, "x86: columns belong to the CPUs named on top");
	check(interrupts_parse(&irq, ARM_INTERRUPTS) && irq.has_calls &&
	      !irq.has_tlb && irq.calls[1] == 80, "arm64: IPI1, and no TLB");
	check(!interrupts_parse(&irq, "CPU0\nRES: 1 Rescheduling\n"),
	      "without function calls it is not understood");
	check(!interrupts_parse(&irq, "CPU0 CPU1\n"
				"CAL: 1 Function call interrupts\n"),
	      "a line with too few columns is not understood");
	check(!interrupts_parse(&irq, ""), "an empty file is not understood");
	check(!interrupts_parse(&irq, "CPU9999\nCAL: 1 Function call "
				"interrupts\n"), "too many CPUs are refused");
}

/* --- histograms -------------------------------------------------------------- */

#define HISTOGRAM \
	"# event histogram\n#\n" \
	"# trigger info: hist:keys=func.sym,common_cpu:vals=hitcount [active]\n" \
	"#\n\n" \
	"{ func: [ffffffff811017a0] sched_ttwu_pending            , " \
	"common_cpu:          0 } hitcount:          2\n" \
	"{ func: [ffffffff812b8c10] tlb_remove_table_smp_sync     , " \
	"common_cpu:          1 } hitcount:       2000\n" \
	"{ func: [ffffffff812b8c10] tlb_remove_table_smp_sync     , " \
	"common_cpu:          3 } hitcount:         16\n" \
	"\nTotals:\n    Hits: 2018\n    Entries: 3\n    Dropped: 0\n"

#define PER_CPU \
	"{ common_cpu:          1 } hitcount:         40\n" \
	"{ common_cpu:          3 } hitcount:          2\n" \
	"\nTotals:\n    Hits: 42\n    Entries: 2\n    Dropped: 1\n"

static void test_histograms(void)
{
	static struct functions functions;
	static struct per_cpu entries;
	struct cpus isolated;

	cpus_parse(&isolated, "3");
	memset(&functions, 0, sizeof(functions));
	check(functions_parse(&functions, HISTOGRAM, &isolated) &&
	      functions.count == 2 &&
	      function_hits(&functions, SYNC_FUNCTION) == 2016,
	      "hits of one function on several CPUs add up");
	check(function_named(&functions, SYNC_FUNCTION)->isolated == 16,
	      "those on isolated CPUs also count apart");
	check(functions_parse(&functions, "{ func: [ff] f, cpu: 3 } "
			      "hitcount: 5\nDropped: 0\n", &isolated) &&
	      function_named(&functions, "f")->isolated == 5,
	      "a sender names the CPU it calls as well");
	check(function_hits(&functions, "nobody") == 0,
	      "a function that never ran has no hits");
	memset(&functions, 0, sizeof(functions));
	check(!functions_parse(&functions, "# event histogram\n", NULL) &&
	      !functions.present, "a histogram without totals is cut short");
	check(!functions_parse(&functions, "{ func: [ff] } hitcount: 3\n",
			       NULL), "an entry without a name is refused");

	memset(&entries, 0, sizeof(entries));
	check(per_cpu_parse(&entries, PER_CPU) &&
	      per_cpu_parse(&entries, PER_CPU) && entries.hits[1] == 80 &&
	      entries.hits[3] == 4 && entries.dropped == 2,
	      "two vectors' histograms add up, dropped entries too");
	check(!per_cpu_parse(&entries, "{ common_cpu: 5000 } hitcount: 1\n"),
	      "a CPU beyond all CPUs is refused");
}

/* --- our own counters --------------------------------------------------------- */

#define STATS \
	"# strategy syncs receipts cpus_interrupted ns\n" \
	"broadcast 32 0 2016 123456\n" \
	"auto 32 32 0 789\n"

static void test_stats(void)
{
	static struct stats stats;

	check(stats_parse(&stats, STATS) && stats.strategies == 2 &&
	      stats_value(&stats, "broadcast", "cpus_interrupted") == 2016 &&
	      stats_value(&stats, "auto", "receipts") == 32,
	      "columns are found by name");
	check(stats_value(&stats, "auto", "nothing") == 0 &&
	      stats_value(&stats, "nobody", "syncs") == 0,
	      "what is not there is 0");
	check(!stats_parse(&stats, "# strategy syncs\nauto 1 2\n"),
	      "a line with more numbers than columns is refused");
	check(!stats_parse(&stats, "# strategy syncs\nauto many\n"),
	      "a number that is none is refused");
	check(!stats_parse(&stats, "strategy syncs\n") &&
	      !stats_parse(&stats, "") && !stats.present,
	      "without the header nothing is understood");
}

/* --- the rule -------------------------------------------------------------------- */

/* A collapse on two CPUs: one sync call to CPU 1, one flush of CPU 3. */
static struct snapshot *agreeing(void)
{
	static struct snapshot s;

	memset(&s, 0, sizeof(s));
	s.stable = true;
	s.interrupts.has_calls = s.interrupts.has_tlb = true;
	s.interrupts.calls[1] = s.interrupts.calls[3] = 1;
	s.interrupts.tlb[3] = 1;
	s.entries.present = s.queued.present = s.run.present = true;
	s.entries.hits[1] = s.entries.hits[3] = 1;
	function_named(&s.queued, SYNC_FUNCTION)->hits = 1;
	function_named(&s.queued, TLB_FUNCTION)->hits = 1;
	function_named(&s.run, SYNC_FUNCTION)->hits = 1;
	function_named(&s.run, TLB_FUNCTION)->hits = 1;
	stats_parse(&s.stats, "# strategy syncs cpus_interrupted\n"
		    "broadcast 1 1\nauto 0 0\n");
	return &s;
}

/* @reason: how the rule that notices begins its complaint; NULL: none does. */
static void agrees(const struct snapshot *s, const char *reason, const char *what)
{
	char why[256], line[400];
	bool agree = counters_agree(s, "broadcast", why, sizeof(why));

	snprintf(line, sizeof(line), "%s: %s", what,
		 agree ? "they agree" : why);
	check(agree == !reason && !strncmp(why, reason ? reason : "",
					   reason ? strlen(reason) : sizeof(why)),
	      line);
}

static void test_witnesses(void)
{
	static const char missing[] = "a witness is missing:";
	struct snapshot *s;

	s = agreeing();
	s->interrupts.has_calls = false;
	agrees(s, missing, "no calls in /proc/interrupts");
	s = agreeing();
	s->queued.present = false;
	agrees(s, missing, "nobody counted what was queued");
	s = agreeing();
	s->run.present = false;
	agrees(s, missing, "nobody counted what ran");
	s = agreeing();
	s->entries.present = false;
	agrees(s, missing, "no tracepoints at all");

	s = agreeing();
	s->queued.dropped = 1;
	agrees(s, "a histogram was full", "what was queued is not all");
	s = agreeing();
	s->run.dropped = 1;
	agrees(s, "a histogram was full", "what ran is not all");
	s = agreeing();
	s->entries.dropped = 1;
	agrees(s, "a histogram was full", "the interrupts are not all");
	s = agreeing();
	s->stable = false;
	agrees(s, "the machine did not", "interrupts while reading");
}

static void test_rule(void)
{
	struct snapshot *s;

	agrees(agreeing(), NULL, "all as it was");

	s = agreeing();
	s->interrupts.calls[1]++;
	agrees(s, "CPU 1:", "one interrupt more in /proc/interrupts");
	s = agreeing();
	s->interrupts.calls[1]--;
	agrees(s, "CPU 1:", "one less");
	s = agreeing();
	s->interrupts.calls[1]--;
	s->interrupts.calls[2]++;
	agrees(s, "CPU 1:", "as many interrupts, but on another CPU");
	s = agreeing();
	s->interrupts.tlb[3]++;
	agrees(s, "TLB shootdowns:", "one TLB shootdown more");
	s = agreeing();
	s->entries.hits[3]--;
	agrees(s, "CPU 3:", "one interrupt the tracepoints missed");
	s = agreeing();
	s->entries.hits[3]++;
	agrees(s, "CPU 3:", "one that only they saw");
	s = agreeing();
	function_named(&s->queued, SYNC_FUNCTION)->hits++;
	agrees(s, "sync calls:", "one sync call that never ran");
	s = agreeing();
	function_named(&s->run, SYNC_FUNCTION)->hits++;
	agrees(s, "sync calls:", "one sync call nobody sent");
	s = agreeing();
	function_named(&s->run, TLB_FUNCTION)->hits++;
	agrees(s, "TLB shootdowns:", "one flush /proc/interrupts lacks");
	s = agreeing();
	s->stats.value[0][1]++;
	agrees(s, "stats count", "one CPU too many in our own counters");
	s = agreeing();
	s->stats.value[0][1] = 0;
	agrees(s, "stats count", "one too few");
	s = agreeing();
	s->stats.value[1][1] = 1;
	agrees(s, "stats count", "counted for another strategy");
	s = agreeing();
	s->stats.present = false;
	agrees(s, NULL, "a kernel without stats is not asked for them");
	s = agreeing();
	snprintf(s->stats.column[1], NAME_LENGTH, "something");
	agrees(s, "stats have no", "stats without the column it is about");
}

static void test_subtract(void)
{
	static struct snapshot before, now;

	before = *agreeing();
	before.interrupts.calls[1] = 4294967295u;
	now = *agreeing();
	now.interrupts.calls[1] = 1;
	function_named(&now.run, SYNC_FUNCTION)->hits = 64;
	now.stats.value[0][1] = 64;
	snapshot_subtract(&now, &before);
	check(now.interrupts.calls[1] == 2,
	      "a counter that wrapped between snapshots is no trouble");
	check(function_hits(&now.run, SYNC_FUNCTION) == 63 &&
	      stats_value(&now.stats, "broadcast", "cpus_interrupted") == 63 &&
	      function_hits(&now.run, TLB_FUNCTION) == 0,
	      "a difference holds only what happened since");
	check(total_calls(&now, NULL) == 2 && total_tlb(&now, NULL) == 0,
	      "totals are over all CPUs");
}

int main(void)
{
	test_lists();
	test_interrupts();
	test_histograms();
	test_stats();
	test_witnesses();
	test_rule();
	test_subtract();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
