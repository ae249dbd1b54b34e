// SPDX-License-Identifier: GPL-2.0
/* See program.h. */
#define _GNU_SOURCE
#include "workloads/program.h"

#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int program_load(enum bpf_prog_type type)
{
	static const struct bpf_insn return_zero[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = type;
	attr.insns = (uintptr_t)return_zero;
	attr.insn_cnt = sizeof(return_zero) / sizeof(return_zero[0]);
	attr.license = (uintptr_t)"GPL";
	return (int)syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}
