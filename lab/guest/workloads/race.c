// SPDX-License-Identifier: GPL-2.0
/*
 * race: what all the syncs are for. Threads of one process walk its page
 * tables without a lock (GUP-fast, by vmsplice) while another has these
 * tables collapsed away and freed. A walker nobody waited for may follow a
 * table that is something else by now, and then pin a page that is not the
 * one it asked for: so every page says which one it is, and every walker
 * looks.
 *
 * To make a freed table that is reused as data as misleading as possible, the
 * pages are filled with what would be valid entries in a table, of other
 * pages. Wants CPUs that really run at once.
 *
 * GUP-fast looks again at what it followed before it believes it, so most
 * walks gone astray are given up unseen. A kernel with KASAN sees those, when
 * the walker reads the freed table; this program makes them happen.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "spin.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Present, writable, user, accessed, dirty: on x86 a most ordinary entry. */
#define ENTRY_FLAGS 0x67u
#define FIRST_FRAME 0x2000u

static char *memory;
static unsigned long bytes, page;
static long rest = 50;
/* Where to walk: pages that are filled and not yet dropped; or nowhere. */
#define NOWHERE (~0ul)
static atomic_ulong stage = NOWHERE;
static atomic_ulong walks, wrong;
static atomic_bool enough;

static uint64_t says(unsigned long at)
{
	return ((FIRST_FRAME + at / page) << 12) | ENTRY_FLAGS;
}

static void fill(unsigned long from, unsigned long to)
{
	for (unsigned long at = from; at < to; at += sizeof(uint64_t))
		*(volatile uint64_t *)(memory + at) = says(at);
}

/*
 * A page dropped and not yet filled again reads as zeroes, and one being
 * filled as a mixture, byte by byte: the kernel may copy it in bytes. Both
 * are right. Returns the first word that is neither, or NULL.
 */
static const uint64_t *misfit(const uint64_t *word, unsigned long at)
{
	uint64_t right = says(at);

	for (unsigned long i = 0; i < page / sizeof(*word); i++) {
		const unsigned char *is = (const unsigned char *)&word[i];
		const unsigned char *should = (const unsigned char *)&right;

		if (word[i] == right || !word[i])
			continue;
		for (size_t byte = 0; byte < sizeof(*word); byte++) {
			if (is[byte] && is[byte] != should[byte])
				return &word[i];
		}
	}
	return NULL;
}

/*
 * Walks only where something is going on: elsewhere it would find nothing,
 * and by faulting in zeroes make the next fill flush for each. And rests in
 * between: a page a walker holds is a reason not to collapse.
 */
static void *walk(void *seed)
{
	unsigned int random = (unsigned int)(uintptr_t)seed;
	uint64_t *word = malloc(page);
	int ends[2];

	if (!word || pipe(ends))
		die("cannot set up a walker");
	while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
		unsigned long at = atomic_load(&stage);
		struct iovec piece;
		const uint64_t *bad;

		for (long i = 0; i < rest; i++)
			spin_relax();
		if (at == NOWHERE)
			continue;
		at += (unsigned long)rand_r(&random) * page % HUGE_PAGE;
		piece = (struct iovec){ memory + at, page };
		if (vmsplice(ends[1], &piece, 1, 0) != (ssize_t)page ||
		    read(ends[0], word, page) != (ssize_t)page)
			die("cannot read page %lu through a pipe", at / page);
		atomic_fetch_add(&walks, 1);
		bad = misfit(word, at);
		if (bad && atomic_fetch_add(&wrong, 1) == 0)
			fprintf(stderr, "page %lu reads %#llx, not %#llx\n",
				at / page, (unsigned long long)*bad,
				(unsigned long long)says(at));
	}
	close(ends[0]);
	close(ends[1]);
	free(word);
	return NULL;
}

int main(int argc, char **argv)
{
	long ms = 1000, mib = 4, walkers = 2, spoil = 0;
	const struct number numbers[] = {
		{ "ms", &ms, "how long" },
		{ "mib", &mib, "how much memory" },
		{ "walkers", &walkers, "threads that walk" },
		{ "rest", &rest, "how long they wait in between" },
		{ "spoil", &spoil, "1: a wrong word in every page, to see it found" },
		{ NULL, NULL, NULL },
	};
	unsigned long collapses = 0, refused = 0;
	pthread_t *thread;
	uint64_t end, ns;

	parse_numbers(argc, argv,
		      "Collapses and frees tables under lockless walkers.",
		      numbers);
	page = (unsigned long)page_size();
	bytes = (unsigned long)mib * MIB;
	if (!bytes || bytes % HUGE_PAGE)
		die("--mib wants an even number of MiB");
	base_pages_at_first();
	stay_on_housekeeping();
	memory = map_aligned(bytes, HUGE_PAGE);
	thread = calloc((size_t)walkers + 1, sizeof(*thread));
	if (!thread)
		die("no memory");
	for (long i = 0; i < walkers; i++) {
		errno = pthread_create(&thread[i], NULL, walk,
				       (void *)(uintptr_t)(i + 1));
		if (errno)
			die("cannot start a walker");
	}

	window_open();
	end = now_ns() + (uint64_t)ms * 1000000;
	while (now_ns() < end) {
		for (unsigned long at = 0; at < bytes; at += HUGE_PAGE) {
			fill(at, at + HUGE_PAGE);
			for (unsigned long i = 0; spoil && i < HUGE_PAGE;
			     i += page)
				*(volatile uint64_t *)(memory + at + i) = ~0ul;
			atomic_store(&stage, at);
			if (!madvise(memory + at, HUGE_PAGE, MADV_COLLAPSE))
				collapses++;
			else
				refused++;
			atomic_store(&stage, NOWHERE);
			/* Frees the huge page and the table kept with it. */
			if (madvise(memory + at, HUGE_PAGE, MADV_DONTNEED))
				die("MADV_DONTNEED");
		}
	}
	ns = window_close();
	atomic_store(&enough, true);
	for (long i = 0; i < walkers; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	errno = 0;
	report(collapses, ns, "refused=%lu walks=%lu wrong=%lu", refused,
	       atomic_load(&walks), atomic_load(&wrong));
	return atomic_load(&wrong) ? 1 : 0;
}
