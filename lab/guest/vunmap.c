// SPDX-License-Identifier: GPL-2.0
/*
 * vunmap: kernel mappings that come and go, on a housekeeping CPU: loads and
 * unloads BPF programs. Without the JIT a program is a vmalloc area made
 * read-only when loaded and reset when freed, and both must leave no CPU with
 * a stale translation: kernel-range flushes, on isolated CPUs too.
 */
#define _GNU_SOURCE
#include "knobs.h"
#include "workload.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATIENCE_NS 30000000000ull

static int load(void)
{
	static const struct bpf_insn return_zero[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uintptr_t)return_zero;
	attr.insn_cnt = sizeof(return_zero) / sizeof(return_zero[0]);
	attr.license = (uintptr_t)"GPL";
	return (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
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

int main(int argc, char **argv)
{
	long rounds = 8;
	const struct number numbers[] = {
		{ "rounds", &rounds, "programs to load and unload" },
		{ NULL, NULL, NULL },
	};
	unsigned int before;
	uint64_t ns, end;
	int program;

	parse_numbers(argc, argv,
		      "Maps and unmaps kernel memory by loading BPF programs.",
		      numbers);
	stay_on_housekeeping();
	/* With the JIT, programs share pages that rarely come and go. */
	borrow_knob("/proc/sys/net/core/bpf_jit_enable", "0");
	program = load();
	if (program < 0 && errno == ENOSYS)
		unavailable("no-bpf");
	if (program < 0)
		die("cannot load a BPF program");
	close(program);
	sleep_ms(20);

	before = areas();
	window_open();
	for (long i = 0; i < rounds; i++) {
		program = load();
		if (program < 0)
			die("cannot load BPF program %ld", i);
		close(program);
	}
	end = now_ns() + PATIENCE_NS;
	while (areas() > before && now_ns() < end)
		sleep_ms(5);
	ns = window_close();
	if (areas() > before)
		die("unloaded programs were not freed");
	report((unsigned long)rounds, ns, NULL);
	return 0;
}
