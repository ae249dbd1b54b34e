// SPDX-License-Identifier: GPL-2.0
/*
 * vunmap: kernel mappings that come and go, on a housekeeping CPU: loads and
 * unloads BPF programs. Without the JIT a program is a vmalloc area made
 * read-only when loaded and reset when freed, and both must leave no CPU with
 * a stale translation: kernel-range flushes, on isolated CPUs too. With it
 * there is also an area of 2 MiB for machine code, made executable when the
 * first program needs it and freed with the last. --map-kib adds a BPF map
 * per program, plain vmalloc() memory when it is large.
 */
#define _GNU_SOURCE
#include "knobs.h"
#include "workload.h"
#include "workloads/program.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATIENCE_NS 30000000000ull

/* An array map of one large element, which is gone again at once. */
static void map(long kib)
{
	union bpf_attr attr;
	int file;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = (uint32_t)kib * 1024;
	attr.max_entries = 1;
	file = (int)syscall(__NR_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	if (file < 0)
		die("cannot make a BPF map of %ld KiB", kib);
	close(file);
}

/* How many programs' areas there still are: freeing them is deferred. */
static unsigned int areas(void)
{
	char *text = must_read("/proc/vmallocinfo");
	unsigned int n = 0;

	for (char *at = text; (at = strstr(at, "bpf_prog_alloc")); at++)
		n++;
	free(text);
	return n;
}

static void wait_until_freed(unsigned int before)
{
	uint64_t end = now_ns() + PATIENCE_NS;

	while (areas() > before) {
		if (now_ns() > end)
			die("unloaded programs were not freed");
		sleep_ms(5);
	}
}

int main(int argc, char **argv)
{
	long rounds = 8, jit = 0, map_kib = 0;
	const struct number numbers[] = {
		{ "rounds", &rounds, "programs to load and unload" },
		{ "jit", &jit, "1: compiled to machine code" },
		{ "map-kib", &map_kib, "and a map of that size each" },
		{ NULL, NULL, NULL },
	};
	unsigned int before;
	uint64_t ns;
	int program;

	parse_numbers(argc, argv,
		      "Maps and unmaps kernel memory by loading BPF programs.",
		      numbers);
	stay_on_housekeeping();
	borrow_knob("/proc/sys/net/core/bpf_jit_enable", jit ? "1" : "0");
	program = program_load(BPF_PROG_TYPE_SOCKET_FILTER);
	if (program < 0 && errno == ENOSYS)
		unavailable("no-bpf");
	if (program < 0)
		die("cannot load a BPF program");
	close(program);
	sleep_ms(20);

	before = areas();
	window_open();
	for (long i = 0; i < rounds; i++) {
		program = program_load(BPF_PROG_TYPE_SOCKET_FILTER);
		if (program < 0)
			die("cannot load BPF program %ld", i);
		close(program);
		if (map_kib)
			map(map_kib);
		/* Or all would find room in the area of the first. */
		if (jit)
			wait_until_freed(before);
	}
	wait_until_freed(before);
	ns = window_close();
	report((unsigned long)rounds, ns, NULL);
	return 0;
}
