// SPDX-License-Identifier: GPL-2.0
/*
 * kflush: what deferred flushes of kernel addresses promise, as exact counts.
 *
 *  kflush purges   isolated CPUs stay in user mode while the kernel unmaps:
 *                  an interrupt for each CPU and flush when senders do not
 *                  defer, none when they do
 *  kflush remap    an isolated CPU reads an address in a system call, which
 *                  is mapped to another page each time it is in user mode
 *  kflush never    what must interrupt although the CPU is in user mode: LDT
 *                  changes, and freed page table pages under a huge mapping
 *  kflush hotplug  an isolated CPU that is taken down and brought up again
 *  kflush adopt    from now on, NMIs of nobody are the test's: for those that
 *                  somebody types into the emulator's monitor
 *  kflush getpid   the cycle counter's difference for a system call; with
 *                  QEMU's -icount that is a number of instructions
 *
 * All but getpid want a kernel with CONFIG_COALESCE_TLBI_TEST.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "counters.h"
#include "json.h"
#include "kflush.h"
#include "spin.h"
#include "workload.h"

static atomic_bool enough;
static atomic_uint running;
static struct cpus isolated;

static void *stay_in_user_mode(void *argument)
{
	pin_to((int)(intptr_t)argument);
	atomic_fetch_add(&running, 1);
	while (!atomic_load_explicit(&enough, memory_order_relaxed))
		spin_relax();
	return NULL;
}

/* One on each isolated CPU; returns when all are there and have settled. */
static void start_on_isolated(pthread_t *thread)
{
	unsigned int count = cpus_count(&isolated);

	for (unsigned int i = 0; i < count; i++) {
		errno = pthread_create(&thread[i], NULL, stay_in_user_mode,
				       (void *)(intptr_t)cpus_nth(&isolated, i));
		if (errno)
			die("cannot start a thread");
	}
	while (atomic_load(&running) < count)
		sleep_ms(1);
	sleep_ms(200);
}

static void stop_on_isolated(pthread_t *thread)
{
	atomic_store(&enough, true);
	for (unsigned int i = 0; i < cpus_count(&isolated); i++)
		pthread_join(thread[i], NULL);
	atomic_store(&enough, false);
	atomic_store(&running, 0);
}

/* Function-call interrupts of the isolated CPUs: the sum, and the extremes. */
struct calls {
	uint64_t sum, least, most;
};

static void read_interrupts(struct interrupts *to)
{
	char *text = must_read("/proc/interrupts");

	memset(to, 0, sizeof(*to));
	if (!interrupts_parse(to, text))
		die("cannot understand /proc/interrupts");
	free(text);
}

static struct calls calls_since(const struct interrupts *before)
{
	static struct interrupts now;
	struct calls calls = { .least = UINT64_MAX };

	read_interrupts(&now);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		uint64_t n = (uint32_t)(now.calls[cpu] - before->calls[cpu]);

		if (!isolated.has[cpu])
			continue;
		calls.sum += n;
		if (n < calls.least)
			calls.least = n;
		if (n > calls.most)
			calls.most = n;
	}
	return calls;
}

static int purges_with(bool deferring, long purges)
{
	static struct interrupts before;
	pthread_t thread[MAX_CPUS];
	struct calls calls;
	bool good;

	must_write(KFLUSH, deferring ? "on" : "off");
	start_on_isolated(thread);
	must_write(KFLUSH, "reset");
	read_interrupts(&before);
	kflush_command("churn", purges);
	calls = calls_since(&before);
	/*
	 * Without deferral one for each purge, and a few for what else the
	 * kernel unmaps meanwhile; with it, none for either.
	 */
	good = deferring ? calls.sum == 0 &&
		kflush_value(KFLUSH, "requested") >= purges &&
		kflush_value(KFLUSH, "deferred") >= purges * cpus_count(&isolated) :
		calls.least >= (uint64_t)purges &&
		calls.most <= (uint64_t)(purges + purges / 1000 + 1);

	json_begin();
	json_text("test", "purges");
	json_bool("deferring", deferring);
	json_number("purges", purges);
	json_number("isolated", cpus_count(&isolated));
	json_number("isolated_ipis", (int64_t)calls.sum);
	json_number("ipis_per_cpu_least", (int64_t)calls.least);
	json_number("ipis_per_cpu_most", (int64_t)calls.most);
	json_number("requested", kflush_value(KFLUSH, "requested"));
	json_number("interrupted", kflush_value(KFLUSH, "interrupted"));
	json_number("deferred", kflush_value(KFLUSH, "deferred"));
	stop_on_isolated(thread);
	/* All requests of a CPU are one flush, when it comes back. */
	json_number("flushed_at_entry", kflush_value(KFLUSH, "flushed_at_entry"));
	json_bool("good", good);
	json_end();
	must_write(KFLUSH, "on");
	return !good;
}

static atomic_long turn;
static atomic_long wrong;

static void *read_in_turns(void *argument)
{
	long done = 0, now;

	pin_to((int)(intptr_t)argument);
	atomic_fetch_add(&running, 1);
	while (!atomic_load(&enough)) {
		now = atomic_load(&turn);
		if (now == done) {
			spin_relax();
			continue;
		}
		if (kflush_value(KFLUSH_TEST, "content") !=
		    kflush_value(KFLUSH_TEST, "mapped"))
			atomic_fetch_add(&wrong, 1);
		done = now;
		atomic_store(&turn, -now);
		while (atomic_load(&turn) == -now && !atomic_load(&enough))
			spin_relax();
	}
	return NULL;
}

static int remap(long rounds)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, read_in_turns,
			       (void *)(intptr_t)cpus_nth(&isolated, 0));
	if (errno)
		die("cannot start a thread");
	while (!atomic_load(&running))
		sleep_ms(1);
	for (long i = 1; i <= rounds; i++) {
		kflush_command("remap", 0);
		atomic_store(&turn, i);
		while (atomic_load(&turn) != -i)
			spin_relax();
	}
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	json_begin();
	json_text("test", "remap");
	json_number("rounds", rounds);
	json_number("wrong", atomic_load(&wrong));
	json_end();
	return atomic_load(&wrong) != 0;
}

static bool must_interrupt(const char *what, long times, void (*doit)(void))
{
	static struct interrupts before;
	pthread_t thread[MAX_CPUS];
	struct calls calls;
	bool good;

	start_on_isolated(thread);
	read_interrupts(&before);
	for (long i = 0; i < times; i++)
		doit();
	calls = calls_since(&before);
	stop_on_isolated(thread);
	good = calls.least >= (uint64_t)times;
	json_begin();
	json_text("test", "never");
	json_text("what", what);
	json_number("times", times);
	json_number("ipis_per_cpu_least", (int64_t)calls.least);
	json_bool("good", good);
	json_end();
	return good;
}

static void change_ldt(void)
{
	struct user_desc desc = {
		.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
	};

	if (syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc)))
		die("cannot change the LDT");
}

static void free_tables(void)
{
	kflush_command("tables", 0);
}

static int never(long times)
{
	bool ldt = must_interrupt("ldt", times, change_ldt);
	bool tables = must_interrupt("page-table-pages", times, free_tables);

	return !ldt || !tables;
}

/* An isolated CPU goes down, misses flushes, comes up and defers again. */
static int hotplug(long rounds)
{
	static struct interrupts before;
	pthread_t thread[MAX_CPUS];
	char online[64];
	uint64_t calls = 0;
	bool good;

	snprintf(online, sizeof(online), "/sys/devices/system/cpu/cpu%d/online",
		 cpus_nth(&isolated, 0));
	kflush_command("reset", 0);
	for (long i = 0; i < rounds; i++) {
		must_write(online, "0");
		kflush_command("churn", 5);
		must_write(online, "1");
		start_on_isolated(thread);
		read_interrupts(&before);
		kflush_command("churn", 20);
		calls += calls_since(&before).sum;
		stop_on_isolated(thread);
	}
	good = calls == 0 && kflush_value(KFLUSH_TEST, "stale") == 0;
	json_begin();
	json_text("test", "hotplug");
	json_number("rounds", rounds);
	json_number("isolated_ipis", (int64_t)calls);
	json_number("stale", kflush_value(KFLUSH_TEST, "stale"));
	json_bool("good", good);
	json_end();
	return !good;
}

/* The least of many batches: whatever interrupts one only adds. */
static int getpid_cycles(int cpu)
{
	enum { BATCHES = 2000, CALLS = 100 };
	uint64_t least = UINT64_MAX;

	pin_to(cpu);
	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = spin_cycles(), took;

		for (int j = 0; j < CALLS; j++)
			syscall(SYS_getpid);
		took = spin_cycles() - start;
		if (took < least)
			least = took;
	}
	json_begin();
	json_text("test", "getpid");
	json_number("cpu", cpu);
	json_bool("isolated", isolated.has[cpu]);
	json_number("calls", CALLS);
	json_number("least", (int64_t)least);
	json_end();
	return 0;
}

int main(int argc, char **argv)
{
	const char *test = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? atol(argv[2]) : -1;
	char *list;

	if (argc < 2 || argc > 3 || test[0] == '-') {
		bool asked = !strcmp(test, "--help");

		fputs("usage: kflush purges|remap|never|hotplug [TIMES]\n"
		      "       kflush adopt\n"
		      "       kflush getpid CPU\n", asked ? stdout : stderr);
		return asked ? 0 : 2;
	}
	list = must_read("/sys/devices/system/cpu/nohz_full");
	cpus_parse(&isolated, list);
	if (!strcmp(test, "getpid"))
		return getpid_cycles(number < 0 ? 0 : (int)number);
	if (!strcmp(test, "adopt")) {
		kflush_command("adopt", 1);
		return 0;
	}

	if (!cpus_count(&isolated))
		die("no CPU is isolated");
	stay_on_housekeeping();
	if (!strcmp(test, "purges")) {
		number = number < 0 ? 10000 : number;
		return purges_with(false, number) | purges_with(true, number);
	}
	if (!strcmp(test, "remap"))
		return remap(number < 0 ? 1000 : number);
	if (!strcmp(test, "never"))
		return never(number < 0 ? 100 : number);
	if (!strcmp(test, "hotplug"))
		return hotplug(number < 0 ? 10 : number);
	die("no test '%s'", test);
}
