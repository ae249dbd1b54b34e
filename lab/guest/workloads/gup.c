// SPDX-License-Identifier: GPL-2.0
/*
 * gup: the throughput of GUP-fast, the walker everybody else waits for. By
 * the kernel's own gup_test where it is configured, which times nothing but
 * the calls; else by vmsplice(), which pins what it is given but has a pipe's
 * cost as well. One operation is one call.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

/* What gup_test takes and gives. */
#define GUP_TEST "/sys/kernel/debug/gup_test"

struct gup_request {
	__u64 get_usec, put_usec;
	__u64 address, size;
	__u32 pages_per_call, gup_flags, test_flags;
	__u32 which_pages[8];
};

#define GUP_FAST _IOWR('g', 1, struct gup_request)

static char *memory;
static unsigned long bytes;
static long pages = 1, rounds = 32;

/* Both return the nanoseconds spent, by whoever can tell best. */
static uint64_t by_gup_test(int file)
{
	uint64_t ns = 0;

	for (long i = 0; i < rounds; i++) {
		struct gup_request request = {
			.address = (uintptr_t)memory,
			.size = bytes,
			.pages_per_call = (__u32)pages,
		};

		if (ioctl(file, GUP_FAST, &request))
			die("gup_test");
		if (request.size != bytes)
			die("gup_test stopped after %llu of %lu bytes",
			    (unsigned long long)request.size, bytes);
		ns += request.get_usec * 1000;
	}
	return ns;
}

static uint64_t by_vmsplice(void)
{
	unsigned long step = (unsigned long)(pages * page_size());
	int ends[2], waste = open("/dev/null", O_WRONLY);
	uint64_t ns = 0;

	if (waste < 0 || pipe(ends))
		die("cannot set up a pipe");
	if (fcntl(ends[1], F_SETPIPE_SZ, step) < 0)
		die("no pipe takes %ld pages", pages);
	for (unsigned long at = 0; at < bytes * (unsigned long)rounds;
	     at += step) {
		struct iovec piece = { memory + at % bytes, step };
		uint64_t start = now_ns();

		if (vmsplice(ends[1], &piece, 1, 0) != (ssize_t)step)
			die("vmsplice");
		ns += now_ns() - start;
		for (ssize_t left = (ssize_t)step, n; left; left -= n) {
			n = splice(ends[0], NULL, waste, NULL, (size_t)left,
				   0);
			if (n <= 0)
				die("splice");
		}
	}
	return ns;
}

int main(int argc, char **argv)
{
	long mib = 4;
	const struct number numbers[] = {
		{ "pages", &pages, "pages per call" },
		{ "mib", &mib, "how much memory to walk" },
		{ "rounds", &rounds, "how often" },
		{ NULL, NULL, NULL },
	};
	uint64_t ns;
	int file;

	parse_numbers(argc, argv, "Measures the throughput of GUP-fast.",
		      numbers);
	bytes = (unsigned long)mib * MIB;
	if (!pages || !mib || bytes % (unsigned long)(pages * page_size()))
		die("--pages must divide --mib");
	only_base_pages();
	stay_on_housekeeping();
	memory = map_aligned(bytes, HUGE_PAGE);
	touch(memory, bytes, (unsigned long)page_size());
	file = open(GUP_TEST, O_RDWR);
	errno = 0;

	window_open();
	ns = file < 0 ? by_vmsplice() : by_gup_test(file);
	window_close();
	report((unsigned long)rounds * bytes /
	       (unsigned long)(pages * page_size()), ns,
	       "pages=%ld by=%s", pages, file < 0 ? "vmsplice" : "gup_test");
	return 0;
}
