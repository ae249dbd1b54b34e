// SPDX-License-Identifier: GPL-2.0
/*
 * kflush-torture: isolated CPUs enter and leave the kernel by every way user
 * mode has, while housekeeping CPUs unmap kernel addresses, interrupt and send
 * NMIs. These come at random, from the emulator's monitor (see kflush adopt)
 * if somebody types there, and from the CPU to itself at chosen points of
 * entry and exit. The kernel's detector (CONFIG_COALESCE_TLBI_TEST) counts the
 * stale translations that would have been used, and those that really were.
 *
 * A way into the kernel counts as taken when what it leads to has happened: its
 * signal came, its child ended well, its call returned what it must.
 *
 *   --broken N   an order that is wrong on purpose, by its number in
 *                enum kernel_flush_broken; then stale ones are what must be
 *                found, and finding none is the failure
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "json.h"
#include "kflush.h"
#include "knobs.h"
#include "spin.h"
#include "vcpu.h"
#include "workload.h"

#define USER_SS 0x2bull
#define BAD_SS 0xfff7ull
#define TRAP_FLAG 0x100ll

/* KERNEL_FLUSH_BROKEN_ORDER and _RANGE; between them those that are seen. */
#define FLUSH_FIRST 1
#define SHORT_RANGE 5

/* A 32-bit program, which enters the kernel by SYSENTER or SYSCALL. */
#define COMPAT "/bin/kflush-compat"

#define TRACING "/sys/kernel/tracing/"
#define KPROBES_OPTIMIZED "/proc/sys/debug/kprobes-optimization"

static atomic_bool enough;
static struct cpus isolated;
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
		execl("/proc/self/exe", "kflush-torture", "--help-quietly", NULL);
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

static const struct {
	const char *name;
	bool (*enter)(void);
	unsigned int every;
} ways[] = {
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

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static atomic_long taken[WAYS];
static atomic_long nmis, interrupts, guest_exits;

/* At each "pause" a single-threaded emulator lets the next CPU run. */
static void stay(int loops)
{
	while (loops--)
		spin_relax();
}

static void *enter_and_leave(void *argument)
{
	unsigned int seed = (unsigned int)(intptr_t)argument, round = 0;

	pin_to((int)(intptr_t)argument);
	while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
		round++;
		for (size_t i = 0; i < WAYS; i++) {
			if (round % ways[i].every)
				continue;
			came = 0;
			if (ways[i].enter())
				atomic_fetch_add(&taken[i], 1);
			/* User mode of any length, so that requests find it. */
			stay(rand_r(&seed) % 100);
		}
	}
	return NULL;
}

/* A guest that leaves after each number: as often into user mode as out of it. */
static void *run_guest(void *argument)
{
	void *page = mmap(NULL, VCPU_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned int seed = (unsigned int)(intptr_t)argument;
	struct vcpu vcpu;

	if (page == MAP_FAILED)
		die("no memory for a guest");
	pin_to((int)(intptr_t)argument);
	vcpu_make(&vcpu, page, true);
	while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
		vcpu_run(&vcpu);
		atomic_fetch_add(&guest_exits, 1);
		stay(rand_r(&seed) % 100);
	}
	return NULL;
}

/*
 * A breakpoint in the kernel itself, hit in each getpid(): at the first
 * instruction after the function's place for ftrace, which kprobes would use
 * instead. The kernel refuses what is no instruction's beginning.
 */
static void break_in_kernel(void)
{
	bool placed = false;

	borrow_knob(KPROBES_OPTIMIZED, "0");
	for (int offset = 5; offset < 32 && !placed; offset++) {
		char probe[64];

		snprintf(probe, sizeof(probe),
			 "p:kflush/getpid __x64_sys_getpid+%d", offset);
		placed = write_file(TRACING "kprobe_events", probe);
	}
	if (!placed)
		die("cannot break in getpid()");
	must_write(TRACING "events/kflush/enable", "1");
	errno = 0;
}

/* Lines of kprobe_profile: name, hits, misses. */
static long breakpoints_in_kernel(void)
{
	char *text = must_read(TRACING "kprobe_profile"), *save, *line;
	long sum = 0, hits;

	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%*s %ld", &hits) == 1)
			sum += hits;
	}
	free(text);
	return sum;
}

static void stop_breaking_in_kernel(void)
{
	must_write(TRACING "events/kflush/enable", "0");
	must_write(TRACING "kprobe_events", "-:kflush/getpid");
}

static void *unmap(void *argument)
{
	(void)argument;
	stay_on_housekeeping();
	while (!atomic_load(&enough)) {
		kflush_command("churn", 20);
		kflush_command("replace", 20);
	}
	return NULL;
}

/*
 * Where an NMI is made to come, in terms of the kernel's command: 1 before the
 * word is taken, 2 after it, before the flush, 7 after it was given back.
 */
static const long nest_at[] = { 0, 1, 2, 7 };

#define NESTS (sizeof(nest_at) / sizeof(nest_at[0]))

static void *disturb(void *argument)
{
	unsigned int count = cpus_count(&isolated), round = 0, seed = 1;

	(void)argument;
	stay_on_housekeeping();
	while (!atomic_load(&enough)) {
		int cpu = cpus_nth(&isolated, round++ % count);

		if (!(round % 64))
			kflush_command("nest", nest_at[round / 64 % NESTS]);
		if (round % 8) {
			kflush_command("nmi", cpu);
			atomic_fetch_add(&nmis, 1);
		} else {
			kflush_command("interrupt", cpu);
			atomic_fetch_add(&interrupts, 1);
		}
		stay(rand_r(&seed) % 100);
	}
	return NULL;
}

static void tell(long broken, long breakpoints, bool good)
{
	static const char *const seen[] = {
		"entries", "uses", "kept", "stale", "live_uses", "live_stale",
		"nested", "adopted",
	};

	json_begin();
	json_text("test", "torture");
	json_number("broken", broken);
	json_bool("pti", kflush_isolation());
	for (size_t i = 0; i < WAYS; i++)
		json_number(ways[i].name, atomic_load(&taken[i]));
	json_number("nmi", atomic_load(&nmis));
	json_number("interrupt", atomic_load(&interrupts));
	json_number("kernel_breakpoint", breakpoints);
	json_number("guest_exit", atomic_load(&guest_exits));
	json_number("remapped", kflush_value(KFLUSH_TEST, "remapped"));
	json_number("deferred", kflush_value(KFLUSH, "deferred"));
	json_number("interrupted", kflush_value(KFLUSH, "interrupted"));
	json_number("flushed_at_entry", kflush_value(KFLUSH, "flushed_at_entry"));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		json_number(seen[i], kflush_value(KFLUSH_TEST, seen[i]));
	json_bool("good", good);
	json_end();
}

int main(int argc, char **argv)
{
	long seconds = 10, broken = 0, delay = 30, dwell = 300, guests = 0;
	long stale, live_stale, deferred, breakpoints;
	const struct number numbers[] = {
		{ "seconds", &seconds, "how long" },
		{ "broken", &broken, "the order to break (0: none)" },
		{ "delay", &delay, "loops at each test point of the kernel" },
		{ "guests", &guests, "1: only in and out of guests" },
		{ "dwell", &dwell, "microseconds that a page stays mapped" },
		{ NULL, NULL, NULL },
	};
	pthread_t thread[MAX_CPUS + 2];
	unsigned int count;
	bool good;

	if (argc == 2 && !strcmp(argv[1], "--help-quietly"))
		return 0; /* what by_exec() starts */
	parse_numbers(argc, argv, "Enters and leaves the kernel in every way "
		      "while kernel addresses are unmapped.", numbers);
	cpus_parse(&isolated, must_read("/sys/devices/system/cpu/nohz_full"));
	count = cpus_count(&isolated);
	if (!count)
		die("no CPU is isolated");
	stay_on_housekeeping();
	handle(SIGILL, skip);
	handle(SIGTRAP, stop_stepping);
	handle(SIGUSR1, break_ss);
	handle(SIGUSR2, return_at_once);
	handle(SIGSEGV, heal);
	kflush_command("reset", 0);
	must_write(KFLUSH, "reset");
	kflush_command("dwell", dwell);
	kflush_command("delay", delay);
	kflush_command("broken", broken);
	break_in_kernel();

	for (unsigned int i = 0; i < count + 2; i++) {
		void *(*inhabit)(void *) = guests ? run_guest : enter_and_leave;
		void *(*what)(void *) = i < count ? inhabit :
					i == count ? unmap : disturb;

		errno = pthread_create(&thread[i], NULL, what,
				       (void *)(intptr_t)cpus_nth(&isolated, i));
		if (errno)
			die("cannot start a thread");
	}
	sleep_ms((unsigned int)seconds * 1000);
	atomic_store(&enough, true);
	for (unsigned int i = 0; i < count + 2; i++)
		pthread_join(thread[i], NULL);
	kflush_command("broken", 0);
	kflush_command("delay", 0);
	kflush_command("nest", 0);
	breakpoints = breakpoints_in_kernel();
	stop_breaking_in_kernel();

	stale = kflush_value(KFLUSH_TEST, "stale");
	live_stale = kflush_value(KFLUSH_TEST, "live_stale");
	deferred = kflush_value(KFLUSH, "deferred");
	/* No stale one counts for nothing if nothing could have been stale. */
	good = deferred && kflush_value(KFLUSH_TEST, "kept") &&
		(broken ? stale > 0 : stale == 0 && live_stale == 0);
	/*
	 * The emulator's own TLB has them only without page table isolation. Of
	 * a short range, or of F5, it need not show any: the next page is often
	 * there before anybody looks. In and out of guests it is emptied, too.
	 */
	if (broken > FLUSH_FIRST && broken < SHORT_RANGE && !guests &&
	    !kflush_isolation())
		good = good && live_stale > 0;
	for (size_t i = 0; i < WAYS && !broken && !guests; i++)
		good = good && atomic_load(&taken[i]);
	good = good && kflush_value(KFLUSH_TEST, "nested") &&
		(guests ? atomic_load(&guest_exits) : breakpoints);
	tell(broken, breakpoints, good);
	return !good;
}
