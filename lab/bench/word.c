// SPDX-License-Identifier: GPL-2.0
/*
 * word: what a kernel entry and exit pay for the deferral of flushes, on this
 * machine's own CPU, beside what else could be paid and a whole system call.
 *
 *	nothing		the loop
 *	flag		two stores: a flag set at entry, cleared at exit (kernel_cr3_loaded)
 *	barrier		a full barrier, as the kernel's smp_mb()
 *	locked		a locked operation, fetch_or()
 *	word		quell: compare-and-exchange at entry, release store at exit
 *	getpid		a system call
 *	getpid, word	the same with the word beside it
 *
 * The flush of every entry is not among them: user mode may not flush a TLB.
 * The variants take turns; each figure is the median of the rounds with their
 * middle half. Nobody else touches the word, as nobody does in most entries.
 */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"

#define KERNEL	1
#define FLUSH	2

static _Alignas(64) atomic_int word;
static long owed;

/* Keeps the compiler from making one of many calls. */
static inline void opaque(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void enter_and_exit(void)
{
	int old = 0;

	if (!atomic_compare_exchange_strong(&word, &old, KERNEL))
		old = atomic_fetch_or(&word, KERNEL);
	owed += !!(old & FLUSH);
	opaque();
	atomic_store_explicit(&word, 0, memory_order_release);
}

static noinline void nothing(void)
{
	opaque();
}

static noinline void flag(void)
{
	atomic_store_explicit(&word, KERNEL, memory_order_relaxed);
	opaque();
	atomic_store_explicit(&word, 0, memory_order_relaxed);
}

static noinline void barrier(void)
{
	full_barrier();
}

static noinline void locked(void)
{
	owed += atomic_fetch_or(&word, KERNEL) & FLUSH;
}

static noinline void by_word(void)
{
	enter_and_exit();
}

static noinline void getpid_alone(void)
{
	syscall(SYS_getpid);
}

static noinline void getpid_and_word(void)
{
	enter_and_exit();
	syscall(SYS_getpid);
}

static const struct variant {
	const char *name;
	void (*call)(void);
} variants[] = {
	{ "nothing", nothing },
	{ "flag", flag },
	{ "barrier", barrier },
	{ "locked", locked },
	{ "word", by_word },
	{ "getpid", getpid_alone },
	{ "getpid, word", getpid_and_word },
};

#define VARIANTS	(sizeof(variants) / sizeof(variants[0]))
#define GETPID		5

static double run(const struct variant *v, size_t calls)
{
	double start;

	/* What another variant left there would be a debt. */
	atomic_store(&word, 0);
	start = seconds();
	for (size_t i = 0; i < calls; i++)
		v->call();
	return (seconds() - start) * 1e9 / (double)calls;
}

static void usage(FILE *f)
{
	fputs("usage: word [--rounds N] [--calls N]\n"
	      "  What an entry and an exit pay for the deferral; ns and ratios of one run.\n"
	      "  --rounds N  rounds in which the variants take turns (default 41)\n"
	      "  --calls N   calls for each variant and round (default 100000)\n", f);
}

int main(int argc, char **argv)
{
	size_t rounds = 41, calls = 100000;
	double *ns[VARIANTS], base;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			usage(stdout);
			return 0;
		} else if (!strcmp(argv[i], "--rounds")) {
			rounds = number("word", argv[++i], 1);
		} else if (!strcmp(argv[i], "--calls")) {
			calls = number("word", argv[++i], 1);
		} else {
			fprintf(stderr, "word: unknown option %s (see --help)\n", argv[i]);
			return 2;
		}
	}
	for (size_t v = 0; v < VARIANTS; v++) {
		ns[v] = calloc(rounds, sizeof(*ns[v]));
		if (!ns[v]) {
			perror("word");
			return 1;
		}
		run(&variants[v], calls); /* warm up */
	}
	for (size_t r = 0; r < rounds; r++)
		for (size_t v = 0; v < VARIANTS; v++) {
			/* Nobody is always the one after the same neighbour. */
			size_t w = (v + r) % VARIANTS;

			ns[w][r] = run(&variants[w], calls);
		}
	for (size_t v = 0; v < VARIANTS; v++)
		qsort(ns[v], rounds, sizeof(*ns[v]), compare);
	base = ns[GETPID][rounds / 2];
	printf("variant           ns  of a getpid  middle half of %zu rounds, ns\n", rounds);
	for (size_t v = 0; v < VARIANTS; v++) {
		const double *t = ns[v];

		printf("%-12s  %6.2f  %11.3f  %6.2f .. %.2f\n", variants[v].name, t[rounds / 2],
		       t[rounds / 2] / base, t[rounds / 4], t[rounds * 3 / 4]);
		free(ns[v]);
	}
	if (owed) {
		fputs("word: a debt that nobody left\n", stderr);
		return 1;
	}
	return 0;
}
