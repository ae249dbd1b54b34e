/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_X86_PT_TORTURE_NMI_H
#define _ASM_X86_PT_TORTURE_NMI_H

/* NMIs that walk page tables, for a test: arch/x86/mm/pt_torture_nmi.c */

int pt_torture_nmi_start(void (*fn)(void));
void pt_torture_nmi_stop(void);
void pt_torture_nmi_send(int cpu);

#endif /* _ASM_X86_PT_TORTURE_NMI_H */
