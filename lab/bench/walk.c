// SPDX-License-Identifier: GPL-2.0
/*
 * walk: what it costs a lockless walker to be seen, on this machine's own CPU.
 *
 * A walk steps down four levels of tables and takes a reference on each page by
 * an atomic increment, as GUP-fast does, without anything else that GUP-fast
 * does around it: what a begin/end pair adds is seen as large as it can be.
 *
 *	none      no begin/end
 *	tracker   store to a per-CPU slot, full barrier, walk, clear (v4)
 *	biased-off  quell, an mm that nobody has biased: one predicted branch
 *	biased-on   quell, a biased mm: publish, full barrier, restore
 *
 * The variants take turns within one run, so that a change of the machine's
 * speed hits them all alike. The ratio is the median of those of the single
 * rounds, and the spread of these is given with it.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

#define ENTRIES		512
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

struct table {
	_Atomic(struct table *) entry[ENTRIES];
};

/* A page's descriptor, as large as struct page. */
struct page {
	atomic_int refs;
	char rest[60];
};

struct mm {
	struct table *top;
	bool publish;
};

static struct page *pages;
static size_t nr_pages;
static _Thread_local struct mm *_Atomic slot;

static struct table *new_table(void)
{
	struct table *t = aligned_alloc(4096, sizeof(*t));

	if (!t) {
		perror("walk");
		exit(1);
	}
	memset(t, 0, sizeof(*t));
	return t;
}

static struct table *step(struct table *t, size_t index)
{
	return atomic_load_explicit(&t->entry[index % ENTRIES],
				    memory_order_relaxed);
}

/* Map descriptors at consecutive page numbers. */
static void map_all(struct mm *mm)
{
	for (size_t n = 0; n < nr_pages; n++) {
		struct table *t = mm->top;

		for (int shift = 27; shift > 0; shift -= 9) {
			size_t i = (n >> shift) % ENTRIES;

			if (!t->entry[i])
				t->entry[i] = new_table();
			t = t->entry[i];
		}
		t->entry[n % ENTRIES] = (struct table *)&pages[n];
	}
}

static inline __attribute__((always_inline)) int
walk(struct mm *mm, size_t first, size_t count)
{
	int found = 0;

	for (size_t n = first; n < first + count; n++) {
		struct table *t = mm->top;

		for (int shift = 27; shift >= 0; shift -= 9) {
			t = step(t, n >> shift);
			if (unlikely(!t))
				return found;
		}
		atomic_fetch_add(&((struct page *)t)->refs, 1);
		found++;
	}
	return found;
}

static noinline int walk_none(struct mm *mm, size_t first, size_t count)
{
	return walk(mm, first, count);
}

static noinline int walk_tracker(struct mm *mm, size_t first, size_t count)
{
	int found;

	atomic_store_explicit(&slot, mm, memory_order_relaxed);
	full_barrier();
	found = walk(mm, first, count);
	atomic_store_explicit(&slot, NULL, memory_order_release);
	return found;
}

static noinline uintptr_t publish(struct mm *mm)
{
	struct mm *outer = atomic_load_explicit(&slot, memory_order_relaxed);

	atomic_store_explicit(&slot, mm, memory_order_relaxed);
	full_barrier();
	return (uintptr_t)outer | 1;
}

static noinline void retract(uintptr_t token)
{
	atomic_store_explicit(&slot, (struct mm *)(token & ~(uintptr_t)1),
			      memory_order_release);
}

static noinline int walk_quell(struct mm *mm, size_t first, size_t count)
{
	uintptr_t token = 0;
	int found;

	if (unlikely(mm->publish))
		token = publish(mm);
	found = walk(mm, first, count);
	if (unlikely(token))
		retract(token);
	return found;
}

struct variant {
	const char *name;
	int (*walk)(struct mm *mm, size_t first, size_t count);
	bool publish;
};

static const struct variant variants[] = {
	{ "none", walk_none, false },
	{ "tracker", walk_tracker, false },
	{ "biased-off", walk_quell, false },
	{ "biased-on", walk_quell, true },
};

#define VARIANTS	(sizeof(variants) / sizeof(variants[0]))

static double run(const struct variant *v, struct mm *mm, size_t count,
		  size_t calls)
{
	double start = seconds();
	size_t first = 0;
	long found = 0;

	mm->publish = v->publish;
	for (size_t i = 0; i < calls; i++) {
		found += v->walk(mm, first, count);
		/* The stride defeats the prefetcher, not the caches. */
		first = (first + 8 * 67) % (nr_pages - count);
	}
	if (found != (long)(calls * count)) {
		fprintf(stderr, "walk: a walk lost its way\n");
		exit(1);
	}
	return seconds() - start;
}

static void usage(FILE *f)
{
	fputs("usage: walk [--rounds N] [--calls N] [--pages N]\n"
	      "  What a walker pays for being seen; ratios within one run.\n"
	      "  --rounds N  rounds in which the variants take turns (default 41)\n"
	      "  --calls N   walks for each variant and round (default 100000)\n"
	      "  --pages N   pages mapped, 1024 or more: the default 4096 stays in\n"
	      "              the caches, 4194304 does not\n", f);
}

static void measure(struct mm *mm, size_t count, size_t rounds, size_t calls)
{
	double *time[VARIANTS], *ratio;

	ratio = calloc(rounds, sizeof(*ratio));
	for (size_t v = 0; v < VARIANTS; v++) {
		time[v] = calloc(rounds, sizeof(*time[v]));
		if (!time[v] || !ratio) {
			perror("walk");
			exit(1);
		}
		run(&variants[v], mm, count, calls); /* warm up */
	}
	for (size_t r = 0; r < rounds; r++)
		for (size_t v = 0; v < VARIANTS; v++) {
			/* Nobody is always the one after the same neighbour. */
			size_t w = (v + r) % VARIANTS;

			time[w][r] = run(&variants[w], mm, count, calls);
		}
	for (size_t v = 0; v < VARIANTS; v++) {
		for (size_t r = 0; r < rounds; r++)
			ratio[r] = time[v][r] / time[0][r];
		qsort(ratio, rounds, sizeof(*ratio), compare);
		printf("%5zu  %-10s  %6.3f  %6.3f .. %.3f\n", count,
		       variants[v].name, ratio[rounds / 2], ratio[rounds / 4],
		       ratio[rounds * 3 / 4]);
	}
	for (size_t v = 0; v < VARIANTS; v++)
		free(time[v]);
	free(ratio);
}

int main(int argc, char **argv)
{
	size_t rounds = 41, calls = 100000;
	struct mm mm = { 0 };

	nr_pages = 4096;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help")) {
			usage(stdout);
			return 0;
		} else if (!strcmp(argv[i], "--rounds")) {
			rounds = number("walk", argv[++i], 1);
		} else if (!strcmp(argv[i], "--calls")) {
			calls = number("walk", argv[++i], 1);
		} else if (!strcmp(argv[i], "--pages")) {
			nr_pages = number("walk", argv[++i], 1024);
		} else {
			fprintf(stderr, "walk: unknown option %s (see --help)\n", argv[i]);
			return 2;
		}
	}
	pages = calloc(nr_pages, sizeof(*pages));
	if (!pages) {
		perror("walk");
		return 1;
	}
	mm.top = new_table();
	map_all(&mm);
	printf("pages  variant      ratio  middle half of %zu rounds\n", rounds);
	measure(&mm, 1, rounds, calls);
	measure(&mm, 8, rounds, calls / 4 ? calls / 4 : 1);
	return 0;
}
