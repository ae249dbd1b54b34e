// SPDX-License-Identifier: GPL-2.0
/*
 * mappings: real mappings that come, go, change size and rights and are used
 * meanwhile by threads on the other CPUs. Those only read and write, so that any
 * translation of theirs that outlives its mapping is used at once. An operation
 * is one round of everything below.
 */
#define _GNU_SOURCE
#include "knobs.h"
#include "workload.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"
#define PAGES 16

static char *small, *large;
static atomic_bool enough;
static atomic_ulong accesses;

/* Every page of the small area and some of the large one, over and over. */
static void *use(void *argument)
{
	unsigned long page = (unsigned long)page_size(), n = 0;
	volatile char *at;

	pin_to((int)(intptr_t)argument);
	while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
		for (unsigned int i = 0; i < PAGES; i++, n++) {
			at = small + i * page;
			(void)*at;
		}
		for (unsigned long i = 0; i < HUGE_PAGE; i += HUGE_PAGE / 32, n++) {
			at = large + i;
			(void)*at;
		}
		/* A system call in between, so that the kernel's PCID takes turns. */
		if (!(n & 1023))
			getppid();
	}
	atomic_fetch_add(&accesses, n);
	return NULL;
}

static void map(char *at, unsigned long bytes, int rights)
{
	if (mmap(at, bytes, rights, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) != at)
		die("mmap");
}

static void protect(char *at, unsigned long bytes, int rights)
{
	if (mprotect(at, bytes, rights))
		die("mprotect");
}

/* Copies on write in both; the child ends or becomes another program. */
static void split_off(bool exec)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (!pid) {
		memset(small, 'c', PAGES * (size_t)page_size());
		if (exec)
			execl("/proc/self/exe", "mappings", "--rounds", "0", NULL);
		_exit(0);
	}
	memset(small, 'p', PAGES * (size_t)page_size());
	if (waitpid(pid, &status, 0) != pid || status)
		die("the child failed: %d", status);
}

static void one_round(long round)
{
	unsigned long page = (unsigned long)page_size(), bytes = PAGES * page;
	int both = PROT_READ | PROT_WRITE;
	char *elsewhere;

	/* Other pages at the same addresses. */
	map(small, bytes, both);
	touch(small, bytes, page);
	if (madvise(small, bytes / 2, MADV_DONTNEED))
		die("MADV_DONTNEED");
	touch(small, bytes, page);
	/* Less, and more. */
	protect(small, bytes, PROT_READ);
	protect(small, bytes, both);
	touch(small, bytes, page);
	split_off(round & 1);
	/* Pages that come from elsewhere. */
	elsewhere = mmap(NULL, bytes, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (elsewhere == MAP_FAILED)
		die("mmap");
	touch(elsewhere, bytes, page);
	if (mremap(elsewhere, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED,
		   small) != small)
		die("mremap");

	/* A huge page, in pieces, joined, a hole in it, gone with its table. */
	map(large, HUGE_PAGE, both);
	if (madvise(large, HUGE_PAGE, MADV_HUGEPAGE) && errno != EINVAL)
		die("MADV_HUGEPAGE");
	touch(large, HUGE_PAGE, page);
	protect(large + HUGE_PAGE / 2, page, PROT_READ);
	protect(large + HUGE_PAGE / 2, page, both);
	madvise(large, HUGE_PAGE, MADV_COLLAPSE);
	if (madvise(large, page, MADV_DONTNEED))
		die("MADV_DONTNEED");
	madvise(large, HUGE_PAGE, MADV_COLLAPSE);
	/* The kernel's own moves, where it has the switch. */
	if (!access("/proc/sys/vm/compact_memory", W_OK))
		write_file("/proc/sys/vm/compact_memory", "1");
}

int main(int argc, char **argv)
{
	long rounds = 20;
	const struct number numbers[] = {
		{ "rounds", &rounds, "how often" },
		{ NULL, NULL, NULL },
	};
	struct cpus cpus;
	unsigned int threads;
	uint64_t ns;
	pthread_t thread[MAX_CPUS];

	parse_numbers(argc, argv,
		      "Changes mappings in all ways while other CPUs use them.",
		      numbers);
	if (!rounds)
		return 0;
	borrow_knob(THP_ENABLED, "madvise");
	small = map_aligned(HUGE_PAGE, HUGE_PAGE);
	large = map_aligned(HUGE_PAGE, HUGE_PAGE);
	map(small, PAGES * (unsigned long)page_size(), PROT_READ | PROT_WRITE);
	map(large, HUGE_PAGE, PROT_READ | PROT_WRITE);

	housekeeping(&cpus);
	threads = cpus_count(&cpus) - 1;
	pin_to(cpus_nth(&cpus, 0));
	for (unsigned int i = 0; i < threads; i++) {
		errno = pthread_create(&thread[i], NULL, use,
				       (void *)(intptr_t)cpus_nth(&cpus, i + 1));
		if (errno)
			die("cannot start a thread");
	}
	window_open();
	for (long i = 0; i < rounds; i++)
		one_round(i);
	ns = window_close();
	atomic_store(&enough, true);
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	report((unsigned long)rounds, ns, "threads=%u accesses=%lu", threads,
	       atomic_load(&accesses));
	return 0;
}
