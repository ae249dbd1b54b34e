// SPDX-License-Identifier: GPL-2.0
/*
 * kernel-flush-ways: every way user mode has into the kernel. One counts as
 * taken when what it leads to has happened: its signal came, its child ended
 * well, its call returned what it must.
 */
#define _GNU_SOURCE
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "checks/kernel-flush-ways.h"
#include "sysfile.h"

#define USER_SS 0x2bull
#define BAD_SS 0xfff7ull
#define TRAP_FLAG 0x100ll

/* A 32-bit program, which enters the kernel by SYSENTER or SYSCALL. */
#define COMPAT "/bin/kernel-flush-compat"

/* The last signal of this thread. */
static _Thread_local volatile sig_atomic_t came;

static ucontext_t *context(void *argument)
{
	return argument;
}

/* SS is the topmost quarter of the word that holds the segments. */
static void set_ss(ucontext_t *uc, unsigned long long ss)
{
	unsigned long long segments = (unsigned long long)uc->uc_mcontext.gregs[REG_CSGSFS];

	segments = (segments & 0xffffffffffffull) | ss << 48;
	uc->uc_mcontext.gregs[REG_CSGSFS] = (long long)segments;
}

/* The instructions that raise these are two bytes long. */
static void skip(int signal, siginfo_t *info, void *argument)
{
	came = signal;
	(void)info;
	context(argument)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void stop_stepping(int signal, siginfo_t *info, void *argument)
{
	came = signal;
	(void)info;
	context(argument)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

/* The return from this handler faults in IRET ... */
static void break_ss(int signal, siginfo_t *info, void *argument)
{
	came = signal;
	(void)info;
	set_ss(context(argument), BAD_SS);
}

/* ... and this one, for that fault or a system call that is not there, heals. */
static void heal(int signal, siginfo_t *info, void *argument)
{
	ucontext_t *uc = context(argument);
	const unsigned char *at = (void *)uc->uc_mcontext.gregs[REG_RIP];

	came = signal;
	(void)info;
	set_ss(uc, USER_SS);
	if (at[0] == 0xcd && at[1] == 0x80)
		uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void return_at_once(int signal, siginfo_t *info, void *argument)
{
	came = signal;
	(void)info;
	(void)argument;
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {
		.sa_sigaction = handler, .sa_flags = SA_SIGINFO,
	};

	if (sigaction(signal, &action, NULL))
		die("cannot handle signal %d", signal);
}

/* The ways into the kernel: each tells whether it was taken. */

static bool by_syscall(void)
{
	return syscall(SYS_getpid) > 0;
}

/* A kernel without 32-bit programs answers with a signal. */
static bool by_compat_syscall(void)
{
	long nr = 20; /* getpid */

	__asm__ volatile("int $0x80" : "+a" (nr) : : "memory", "r8", "r9",
			 "r10", "r11");
	return !came && nr > 0;
}

/* What was dropped is not there the next time. */
static bool by_page_fault(void)
{
	static _Thread_local char *page;

	if (!page)
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		die("no page to fault on");
	*(volatile char *)page = 1;
	return !madvise(page, 4096, MADV_DONTNEED) &&
	       !*(volatile char *)page &&
	       !madvise(page, 4096, MADV_DONTNEED);
}

static bool by_invalid_opcode(void)
{
	__asm__ volatile("ud2" : : : "memory");
	return came == SIGILL;
}

static bool by_breakpoint(void)
{
	__asm__ volatile("int3" : : : "memory");
	return came == SIGTRAP;
}

static bool by_single_step(void)
{
	__asm__ volatile("sub $128, %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\t"
			 "popfq\n\tnop\n\tadd $128, %%rsp"
			 : : : "memory", "cc");
	return came == SIGTRAP;
}

/* The trap comes right after the return, with the flag set in the kernel. */
static bool by_stepped_syscall(void)
{
	long nr = SYS_getpid;

	__asm__ volatile("sub $128, %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\t"
			 "popfq\n\tsyscall\n\tadd $128, %%rsp"
			 : "+a" (nr) : : "rcx", "r11", "memory", "cc");
	return came == SIGTRAP && nr > 0;
}

/* A debug register: a kernel without says so once, and is not asked again. */
static bool by_watchpoint(void)
{
	static _Thread_local volatile long watched;
	static _Thread_local int event;
	static _Thread_local uint64_t before;
	uint64_t hits = 0;
	bool hit;

	if (!event) {
		struct perf_event_attr attr = {
			.type = PERF_TYPE_BREAKPOINT,
			.size = sizeof(attr),
			.bp_type = HW_BREAKPOINT_W,
			.bp_addr = (uintptr_t)&watched,
			.bp_len = HW_BREAKPOINT_LEN_8,
			.exclude_kernel = 1,
		};

		event = (int)syscall(__NR_perf_event_open, &attr, 0, -1, -1,
				     PERF_FLAG_FD_CLOEXEC);
		if (event < 0)
			die("cannot watch memory");
	}
	watched++;
	if (read(event, &hits, sizeof(hits)) != sizeof(hits))
		die("cannot read how often memory was written");
	hit = hits > before;
	before = hits;
	return hit;
}

static bool by_signal_return(void)
{
	raise(SIGUSR2);
	return came == SIGUSR2;
}

/* Both signals came, the second for the fault. */
static bool by_failing_iret(void)
{
	raise(SIGUSR1);
	return came == SIGSEGV;
}

/* Waits for a child; true if it ended with 0. */
static bool ends_well(pid_t child)
{
	int status;

	return child > 0 && waitpid(child, &status, 0) == child &&
	       WIFEXITED(status) && !WEXITSTATUS(status);
}

/*
 * Lets a traced child go from stop to stop; true if it stopped that often at
 * least and ended with 0.
 */
static bool ends_well_traced(pid_t child, int request, int wanted)
{
	int status, stops = 0;

	if (child <= 0)
		return false;
	while (waitpid(child, &status, 0) == child) {
		if (!WIFSTOPPED(status))
			return WIFEXITED(status) && !WEXITSTATUS(status) &&
			       stops >= wanted;
		stops++;
		ptrace(request, child, NULL, NULL);
	}
	return false;
}

static bool by_fork_and_exit(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return ends_well(child);
}

/* Stops of a traced child: by its signal, in and out of the system call. */
static bool by_ptrace(void)
{
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		syscall(SYS_getpid);
		_exit(0);
	}
	return ends_well_traced(child, PTRACE_SYSCALL, 3);
}

static bool by_exec(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/proc/self/exe", WAYS_PROGRAM, WAYS_END_WELL, NULL);
		_exit(1);
	}
	return ends_well(child);
}

static bool by_compat_program(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl(COMPAT, COMPAT, NULL);
		_exit(1);
	}
	return ends_well(child);
}

/* With the trap flag set, SYSENTER is a single step in the kernel's entry. */
static bool by_stepped_compat_program(void)
{
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execl(COMPAT, COMPAT, NULL);
		_exit(1);
	}
	/* More instructions than it has system calls. */
	return ends_well_traced(child, PTRACE_SINGLESTEP, 10);
}

const struct way ways[] = {
	{ "syscall", by_syscall, 1 },
	{ "compat_syscall", by_compat_syscall, 2 },
	{ "page_fault", by_page_fault, 2 },
	{ "invalid_opcode", by_invalid_opcode, 3 },
	{ "breakpoint", by_breakpoint, 3 },
	{ "single_step", by_single_step, 5 },
	{ "stepped_syscall", by_stepped_syscall, 5 },
	{ "watchpoint", by_watchpoint, 3 },
	{ "signal_return", by_signal_return, 3 },
	{ "failing_iret", by_failing_iret, 5 },
	{ "fork_exit", by_fork_and_exit, 31 },
	{ "ptrace", by_ptrace, 41 },
	{ "exec", by_exec, 37 },
	{ "compat_program", by_compat_program, 29 },
	{ "stepped_compat_program", by_stepped_compat_program, 53 },
};

_Static_assert(sizeof(ways) / sizeof(ways[0]) == WAYS, "WAYS is their number");

void ways_prepare(void)
{
	handle(SIGILL, skip);
	handle(SIGTRAP, stop_stepping);
	handle(SIGUSR1, break_ss);
	handle(SIGUSR2, return_at_once);
	handle(SIGSEGV, heal);
}

bool way_taken(size_t way)
{
	came = 0;
	return ways[way].enter();
}
