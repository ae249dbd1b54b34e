/* SPDX-License-Identifier: GPL-2.0 */
/* A virtual machine of one CPU and a dozen bytes of code, by KVM. */
#ifndef QUELL_VCPU_H
#define QUELL_VCPU_H

#include <stdbool.h>

struct vcpu {
	int fd;
	struct kvm_run *run;
};

#define VCPU_PAGE 4096

/*
 * Its code counts in the first 8 bytes of @page, for ever; with @leaves, it
 * goes to the host's user mode after each number.
 */
void vcpu_make(struct vcpu *vcpu, void *page, bool leaves);
/* Until it leaves, or a signal comes. */
void vcpu_run(struct vcpu *vcpu);

#endif
