// SPDX-License-Identifier: GPL-2.0
/*
 * test_account.c - what the trace saw against what the kernel counts; names at
 * a moment; symbols of modules that come and go.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../join/account.h"
#include "../observe/ksyms.h"
#include "../observe/names.h"
#include "../quell.h"
#include "tap.h"

#define SEC	1000000000ull

static struct counters reading(uint64_t began, unsigned int cal0, unsigned int cal1)
{
	struct counters c = { 0 };
	char *text = xasprintf("           CPU0       CPU1\n"
			       "CAL:  %u  %u  Function call interrupts\n"
			       "NMI:  7  7  Non-maskable interrupts\n", cal0, cal1);

	counters_parse(&c, text);
	free(text);
	c.began = began;
	c.ended = began + 1000;
	return c;
}

static void irqs(struct account *a, int cpu, uint64_t ts, int n)
{
	struct receipt r = { .ts = ts, .cpu = cpu, .vec = VEC_CALL };

	while (n--)
		account_irq(a, &r, "");
}

static struct account *begin(void)
{
	struct counters c = reading(SEC, 100, 200);
	struct cpuset both;

	cpulist_parse("0-1", &both, NULL);
	return account_new(&c, &both);
}

static void then(struct account *a, uint64_t began, unsigned int cal0, unsigned int cal1)
{
	struct counters c = reading(began, cal0, cal1);

	account_reading(a, &c);
}

static void test_account_slack(void)
{
	struct account *a = begin();
	struct agreement *x;
	size_t n;

	/*
	 * 30 ms before and after the readings, where once everything was slack:
	 * 228 against 177 was called agreement.
	 */
	then(a, 2 * SEC, 100 + 228, 200);
	irqs(a, 0, SEC - 20000000, 60);
	irqs(a, 0, SEC + 20000000, 20);
	irqs(a, 0, SEC + SEC / 2, 177 - 40);
	irqs(a, 0, 2 * SEC - 20000000, 20);
	irqs(a, 0, 2 * SEC + 20000000, 60);
	ok(account_advance(a, 4 * SEC) == 228 - 177 - 2 && account_missing(a) == 49,
	   "what lies outside the readings is no slack: 228 against 177 does not agree");
	n = account_agreements(a, &x);
	ok(n == 1 && x[0].kernel == 228 && x[0].counted == 177 + 2 && !x[0].slack &&
	   !agrees(x), "and the numbers are those between the readings, one under way at each");
	free(x);
	account_free(a);

	a = begin();
	then(a, 2 * SEC, 100, 200 + 12);
	irqs(a, 1, SEC + 500, 3);		/* while the first was read */
	irqs(a, 1, SEC + SEC / 2, 10);
	irqs(a, 1, 2 * SEC + 500, 2);		/* while the second was */
	ok(!account_advance(a, 4 * SEC), "an interrupt during a reading may be in it or not");
	n = account_agreements(a, &x);
	ok(n == 1 && x[0].cpu == 1 && x[0].counted == 10 && x[0].slack == 5 &&
	   agrees(x), "and that is the slack");
	free(x);
	then(a, 5 * SEC, 100, 200 + 16);
	ok(account_advance(a, 8 * SEC) == 1,
	   "slack is not had twice: sixteen against ten, three and two");
	account_free(a);
}

/* @n interrupts at each of five moments; the second reading has @count more. */
static uint64_t under_way(const int n[5], unsigned int count, bool *agree)
{
	static const uint64_t at[5] = { SEC - 1000, SEC + 2000, SEC + SEC / 2,
					2 * SEC - 1000, 2 * SEC + 2000 };
	struct account *a = begin();
	struct agreement *x;
	uint64_t missing;

	then(a, 2 * SEC, 100 + count, 200);
	for (int i = 0; i < 5; i++)
		irqs(a, 0, at[i], n[i]);
	missing = account_advance(a, 4 * SEC);
	*agree = account_agreements(a, &x) == 1 && agrees(x) && x->counted == x->kernel;
	free(x);
	account_free(a);
	return missing;
}

static void test_account_under_way(void)
{
	bool agree;

	ok(!under_way((int[]){ 0, 0, 10, 0, 1 }, 11, &agree) && agree,
	   "counted before a reading, traced after it: no loss");
	ok(!under_way((int[]){ 1, 0, 10, 0, 0 }, 11, &agree) && agree,
	   "traced before the first one, counted after it: none");
	ok(!under_way((int[]){ 0, 0, 10, 1, 0 }, 10, &agree) && agree,
	   "traced before the second one, counted after it: no interrupt too many");
	ok(!under_way((int[]){ 0, 1, 10, 0, 0 }, 10, &agree) && agree,
	   "counted before the first one, traced after it: none");
	ok(under_way((int[]){ 0, 0, 10, 0, 9 }, 12, &agree) == 1 && !agree,
	   "one at a time is under way: of two, one is missing");
	ok(under_way((int[]){ 0, 0, 10, 0, 0 }, 11, &agree) == 1 && !agree,
	   "none is, if none was traced close to a reading");
	under_way((int[]){ 0, 0, 12, 0, 0 }, 11, &agree);
	ok(!agree, "nor is one too many then");
}

static void test_account_loss(void)
{
	struct account *a = begin();

	irqs(a, 0, SEC + SEC / 2, 50);
	then(a, 2 * SEC, 150, 200);
	irqs(a, 0, 2 * SEC + SEC / 2, 1);	/* and then the trace was stopped */
	then(a, 3 * SEC, 180, 209);
	ok(!account_advance(a, 2 * SEC + SEC / 2), "a reading is judged some time after it");
	ok(account_advance(a, 5 * SEC) == 29 + 9, "the kernel counts on when the trace stopped");
	then(a, 6 * SEC, 180, 209);
	ok(!account_advance(a, 8 * SEC) && account_missing(a) == 38, "and each loss is told once");
	/* Told late, because its CPU was stopped while it wrote the event. */
	then(a, 9 * SEC, 182, 209);
	account_advance(a, 9 * SEC + 100000);
	irqs(a, 0, 8 * SEC, 2);
	ok(!account_advance(a, 11 * SEC), "a straggler is put where it belongs");
	account_free(a);
}

static void test_account_online(void)
{
	struct counters one = { 0 };
	struct account *a;
	struct cpuset first;

	counters_parse(&one, "           CPU0\nCAL:  5  Function call interrupts\n");
	one.began = SEC;
	one.ended = SEC + 1000;
	cpulist_parse("0", &first, NULL);
	a = account_new(&one, &first);
	account_observe(a, 1);
	then(a, 2 * SEC, 5, 1000);
	ok(!account_advance(a, 4 * SEC), "what a CPU counted before it came is not missed");
	account_free(a);
}

static void test_names(void)
{
	struct names *n = names_new();
	uint32_t *id;
	const char *name;

	ok(!names_get(n, 42, &id), "nobody's name is known before it is told");
	names_set(n, 42, "membarrier-load");
	name = names_get(n, 42, &id);
	ok(name && !strcmp(name, "membarrier-load"), "then it is");
	*id = 7;
	names_set(n, 42, "membarrier-load");
	names_get(n, 42, &id);
	ok(*id == 7, "the same name keeps its number");
	names_set(n, 42, "sleep");
	name = names_get(n, 42, &id);
	ok(name && !strcmp(name, "sleep") && !*id, "another name has another one");
	names_set(n, -1, "x");
	names_set(n, INT32_MAX, "x");
	ok(!names_get(n, -1, &id) && !names_get(n, INT32_MAX, &id),
	   "numbers no task can have are not");
	names_forget(n);
	ok(!names_get(n, 42, &id), "what is in doubt is forgotten");
	names_set(n, 42, "sleep");
	names_set(n, 42, "");
	ok(!names_get(n, 42, &id), "who calls itself nothing has no name, not its old one");
	names_free(n);
}

/* The kernel's own list, which may be long: looking somebody up must not read all of it. */
static void test_names_list(void)
{
	struct names *n = names_new();
	const char *name;
	char *list = NULL;
	uint32_t *id;
	size_t size, found = 0;
	FILE *f;
	clock_t began;

	names_add_list(n, NULL);
	names_add_list(n, "");
	names_add_list(n, "42 a b\n43 <...>\n44\n x\n-1 no\n99999999999 no\n45 0123456789abcdefg\n46 last");
	ok(names_count(n) == 3, "of a list with three names and six that are none, three are known");
	name = names_get(n, 42, &id);
	ok(name && !strcmp(name, "a b"), "a name may have a space");
	name = names_get(n, 45, &id);
	ok(name && !strcmp(name, "0123456789abcde"), "fifteen bytes of a long one");
	ok(names_get(n, 46, &id) && !names_get(n, 43, &id) && !names_get(n, 44, &id),
	   "a last line without an end, and none that is not known");
	names_free(n);

	n = names_new();
	f = open_memstream(&list, &size);
	for (int pid = 1; pid <= 8192; pid++)
		fprintf(f, "%d task-%d\n", pid, pid);
	fclose(f);
	names_add_list(n, list);
	free(list);
	began = clock();
	for (int i = 0; i < 200000; i++)
		found += names_get(n, i % 16384, &id) != NULL;
	/* Hundreds of times what it takes, a tenth of what reading the list each time did. */
	ok(found > 90000 && clock() - began < 4 * CLOCKS_PER_SEC,
	   "200,000 questions of a list of 8,192");
	names_free(n);
}

/* A million tasks come and go, and two stay: one that is asked, one that is heard of. */
static void test_names_sweep(bool can_ask)
{
	const char *what = can_ask ? "asked" : "not asked";
	struct names *n = names_new();
	size_t most = 0;
	bool late = true;
	uint32_t *id;

	names_set(n, getpid(), "unit");
	for (int i = 0; i < 1000000; i++) {
		int pid = 1000000 + i;

		names_set(n, pid, "short");
		if (i % 100)
			continue;
		most = names_count(n) > most ? names_count(n) : most;
		names_sweep(n, can_ask, (1 + i / 1000) * SEC);	/* 1,000 a second */
		/* An event that is read four seconds late finds its task. */
		late &= i < 5000 || names_get(n, pid - 4000, &id);
		if (!can_ask)
			late &= names_get(n, getpid(), &id) != NULL;
	}
	ok(most < 30000, "of a million tasks, %zu are known at a time (%s)", most, what);
	ok(late && names_get(n, getpid(), &id), "and who is there, or was just now (%s)", what);
	names_free(n);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	fputs(text, f);
	fclose(f);
}

static bool is(uint64_t addr, const char *want)
{
	const char *name = ksyms_name(addr);

	return want ? name && !strcmp(name, want) : !name;
}

static void test_symbols(void)
{
	char dir[] = "/tmp/ksyms-XXXXXX", *syms, *mods;
	static const char core[] =
		"ffffffff81000000 T _stext\nffffffff81001000 T schedule\n"
		"ffffffff81010000 T _etext\n";
	static const char one[] = "ffffffffc0000000 t old_func\t[old]\n";
	static const char two[] = "ffffffffc0004000 t new_func\t[new]\n";
	char *all;

	if (!ok(mkdtemp(dir) != NULL, "a directory"))
		return;
	syms = xasprintf("%s/kallsyms", dir);
	mods = xasprintf("%s/modules", dir);
	all = xasprintf("%s%s", core, one);
	write_file(syms, all);
	free(all);
	write_file(mods, "old 12288 0 - Live 0xffffffffc0000000\n");
	ok(ksyms_load(syms, mods) && is(0xffffffff81001004, "schedule") &&
	   is(0xffffffffc0000010, "old_func"), "symbols of the kernel and of a module");
	ok(is(0xffffffffc0004010, NULL) && is(0xffffffff81010004, NULL),
	   "what was loaded later does not get its neighbour's name");
	all = xasprintf("%s%s%s", core, one, two);
	write_file(syms, all);
	free(all);
	/* The first one's stated size reaches into the second one's text. */
	write_file(mods, "new 8192 0 - Live 0xffffffffc0004000\nold 32768 0 - Live 0xffffffffc0000000\n");
	ok(ksyms_refresh() && is(0xffffffffc0004010, "new_func") &&
	   is(0xffffffffc0000010, "old_func"), "but its own, once it is known");
	ok(!ksyms_refresh(), "nothing changes without a reason");
	unlink(syms);
	unlink(mods);
	rmdir(dir);
	free(syms);
	free(mods);
	ksyms_free();
}

void test_account(void)
{
	test_account_slack();
	test_account_under_way();
	test_account_loss();
	test_account_online();
	test_names();
	test_names_list();
	test_names_sweep(true);
	test_names_sweep(false);
	test_symbols();
}
