// SPDX-License-Identifier: GPL-2.0
/*
 * flags: does CMPXCHG16B, if this CPU has it, leave the flags what they were?
 * QEMU before 8 takes them from where it kept them last, and gets an operand
 * of the comparison before it. In SLUB that kills a guest, rarely: when an
 * interrupt comes just then, it returns with these flags.
 */
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>

#define INTERRUPTS 0x200
#define NOT_ARITHMETIC 0xfffffffffffff700 /* and one that is always zero */

int main(void)
{
	static uint64_t memory[2] __attribute__((aligned(16)));
	uint64_t flags, operand = 0xbb64cba0;
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_CMPXCHG16B))
		return 0;
	asm volatile("pushf; popf; jmp 1f\n"
		     "1: mov $1, %%eax; mov $2, %%edx\n"
		     "cmp %1, %%rax\n"
		     "cmpxchg16b (%2)\n"
		     "pushf; pop %0"
		     : "=r"(flags) : "r"(operand), "r"(memory)
		     : "rax", "rbx", "rcx", "rdx", "cc", "memory");
	if ((flags & NOT_ARITHMETIC) == INTERRUPTS)
		return 0;
	fprintf(stderr, "flags: 0x%lx after CMPXCHG16B\n", flags);
	return 1;
}
