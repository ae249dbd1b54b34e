/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel-flush-compat: a 32-bit program that makes system calls the way the
 * vdso does, that is by SYSENTER or SYSCALL in compatibility mode. No other
 * program of the guest enters the kernel there. kernel-flush-torture runs it,
 * and also steps it, one instruction at a time, over that entry.
 */
#define AT_SYSINFO	32
#define NR_EXIT		1
#define NR_GETPID	20
#define CALLS		8

	.globl _start
	.text
_start:
	/* Past the arguments and the environment lies the auxiliary vector. */
	mov	%esp, %esi
	cld
	lodsl
	lea	4(%esi, %eax, 4), %esi
1:	lodsl
	test	%eax, %eax
	jnz	1b
2:	lodsl
	mov	%eax, %edx
	lodsl
	cmp	$AT_SYSINFO, %edx
	je	3f
	test	%edx, %edx
	jnz	2b
	/* No vdso, nothing to call. */
	mov	$NR_EXIT, %eax
	mov	$1, %ebx
	int	$0x80

3:	mov	%eax, %edi
	mov	$CALLS, %esi
4:	mov	$NR_GETPID, %eax
	call	*%edi
	dec	%esi
	jnz	4b
	mov	$NR_EXIT, %eax
	xor	%ebx, %ebx
	call	*%edi

	.section .note.GNU-stack, "", @progbits
