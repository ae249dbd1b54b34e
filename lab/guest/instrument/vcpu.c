// SPDX-License-Identifier: GPL-2.0
#define _GNU_SOURCE
#include "instrument/vcpu.h"

#include "sysfile.h"

#ifdef __x86_64__
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define CODE_AT 0x1000
#define PAGE_AT 0x2000

/* Leaves once, when its pages are there; then never. */
static const unsigned char counting[] = {
	0x66, 0x83, 0x06, 0x00, 0x20, 0x01,	/* addl $1, 0x2000 */
	0xe6, 0x80,				/* out %al, $0x80 */
	0x66, 0x83, 0x06, 0x00, 0x20, 0x01,	/* addl $1, 0x2000 */
	0x66, 0x83, 0x16, 0x04, 0x20, 0x00,	/* adcl $0, 0x2004 */
	0xf3, 0x90,				/* pause: see spin_relax() */
	0xeb, 0xf0,				/* jmp to the third */
};

static const unsigned char leaving[] = {
	0x66, 0x83, 0x06, 0x00, 0x20, 0x01,
	0x66, 0x83, 0x16, 0x04, 0x20, 0x00,
	0xe6, 0x80,				/* out %al, $0x80 */
	0xeb, 0xf0,
};

static void give_memory(int vm, unsigned int slot, uint64_t at, void *page)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot, .guest_phys_addr = at,
		.memory_size = VCPU_PAGE, .userspace_addr = (uintptr_t)page,
	};

	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		die("cannot give a guest memory");
}

/* "pause" is no reason to leave a guest.  Before it has a CPU. */
static void keep_pauses(int vm)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_DISABLE_EXITS,
		.args = { KVM_X86_DISABLE_EXITS_PAUSE },
	};

	if (ioctl(vm, KVM_ENABLE_CAP, &cap))
		die("cannot let a guest pause");
}

/*
 * With its first run a guest gets a thread of KVM's (kvm-nx-lpage-recovery),
 * which inherits the CPUs and the priority of who runs it. So that is here, and
 * comes back at once, not where and as what the caller will be.
 */
static void run_for_the_first_time(struct vcpu *vcpu)
{
	vcpu->run->immediate_exit = 1;
	if (!ioctl(vcpu->fd, KVM_RUN, 0) || errno != EINTR)
		die("a guest does not come back");
	vcpu->run->immediate_exit = 0;
}

void vcpu_make(struct vcpu *vcpu, void *page, bool leaves)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm, size;
	struct kvm_regs regs = { .rip = CODE_AT, .rflags = 2 };
	struct kvm_sregs sregs;
	void *code;

	if (kvm < 0)
		die("cannot open /dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		die("cannot make a guest");
	/* Before the first CPU; Intel's real mode needs it. */
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000);
	keep_pauses(vm);
	code = mmap(NULL, VCPU_PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		die("no memory for a guest");
	if (leaves)
		memcpy(code, leaving, sizeof(leaving));
	else
		memcpy(code, counting, sizeof(counting));
	give_memory(vm, 0, CODE_AT, code);
	give_memory(vm, 1, PAGE_AT, page);

	vcpu->fd = ioctl(vm, KVM_CREATE_VCPU, 0);
	size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (vcpu->fd < 0 || size < 0)
		die("cannot make a guest's CPU");
	vcpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("cannot map a guest's CPU");
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		die("cannot read a guest's CPU");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) ||
	    ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		die("cannot start a guest's CPU");
	run_for_the_first_time(vcpu);
}

void vcpu_run(struct vcpu *vcpu)
{
	if (ioctl(vcpu->fd, KVM_RUN, 0)) {
		if (errno != EINTR && errno != EAGAIN)
			die("cannot run a guest");
	} else if (vcpu->run->exit_reason != KVM_EXIT_IO &&
		   vcpu->run->exit_reason != KVM_EXIT_INTR) {
		die("a guest ended, for reason %u", vcpu->run->exit_reason);
	}
}

#else

void vcpu_make(struct vcpu *vcpu, void *page, bool leaves)
{
	(void)vcpu;
	(void)page;
	(void)leaves;
	die("no guests on this architecture");
}

void vcpu_run(struct vcpu *vcpu)
{
	(void)vcpu;
}

#endif
