// SPDX-License-Identifier: GPL-2.0
/*
 * kernel-flush: what deferred flushes of kernel addresses promise, as exact
 * counts. Its first argument is one of
 *
 *  purges    isolated CPUs stay in user mode while the kernel unmaps: an
 *            interrupt for each CPU and flush when senders do not defer, none
 *            when they do
 *  remap     an isolated CPU reads an address in a system call, which is mapped
 *            to another page each time it is in user mode; `remap TIMES BROKEN`
 *            with a fault of the kernel's
 *  rules     each kind of change whose flush must interrupt although the CPU is
 *            in user mode, and those that must not; and the same with the
 *            kernel's rule broken, which must be noticed
 *  hotplug   an isolated CPU that is taken down and brought up again
 *  adopt     from now on, NMIs of nobody are the test's: for those that
 *            somebody types into the emulator's monitor
 *  reset     clears the kernel's counters
 *  counters  tells them
 *  every-entry 1   from now on, isolated CPUs flush at every kernel entry
 *  getpid    the cycle counter's difference for a system call; with QEMU's
 *            -icount that is a number of instructions
 *
 * All but the last four want a kernel with CONFIG_KERNEL_FLUSH_TEST, and
 * every-entry one with CONFIG_PT_SYNC_LAB.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "instrument/counters.h"
#include "json.h"
#include "checks/kernel-flush.h"
#include "spin.h"
#include "workload.h"

static atomic_bool enough;
static atomic_uint running;
static struct cpus isolated;
static bool isolation;	/* of page tables */

static int purges_with(bool deferring, long purges)
{
	static struct interrupts before;
	pthread_t thread[MAX_CPUS];
	struct kernel_flush_calls calls;
	bool good;

	must_write(KERNEL_FLUSH, deferring ? "on" : "off");
	kernel_flush_occupy(&isolated, thread);
	must_write(KERNEL_FLUSH, "reset");
	kernel_flush_read_interrupts(&before);
	kernel_flush_command("churn", purges);
	calls = kernel_flush_calls_since(&isolated, &before);
	/*
	 * Without deferral one for each purge, and a few for what else the
	 * kernel unmaps meanwhile; with it, none for either.
	 */
	good = deferring ? calls.sum == 0 &&
		kernel_flush_value(KERNEL_FLUSH, "requested") >= purges &&
		kernel_flush_value(KERNEL_FLUSH, "deferred") >= purges * cpus_count(&isolated) :
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
	json_number("requested", kernel_flush_value(KERNEL_FLUSH, "requested"));
	json_number("interrupted",
		    kernel_flush_value(KERNEL_FLUSH, "interrupted"));
	json_number("deferred", kernel_flush_value(KERNEL_FLUSH, "deferred"));
	kernel_flush_leave(&isolated, thread);
	/* All requests of a CPU are one flush, when it comes back. */
	json_number("flushed_at_entry", kernel_flush_value(KERNEL_FLUSH, "flushed_at_entry"));
	json_bool("good", good);
	json_end();
	must_write(KERNEL_FLUSH, "on");
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
		if (kernel_flush_value(KERNEL_FLUSH_TEST, "content") !=
		    kernel_flush_value(KERNEL_FLUSH_TEST, "mapped"))
			atomic_fetch_add(&wrong, 1);
		done = now;
		atomic_store(&turn, -now);
		while (atomic_load(&turn) == -now && !atomic_load(&enough))
			spin_relax();
	}
	return NULL;
}

/*
 * With page table isolation the emulator empties its TLB at each switch of page
 * tables, so there no fault can be seen, and is not asked for.
 */
static int remap(long rounds, long broken)
{
	pthread_t thread;
	bool good;

	errno = pthread_create(&thread, NULL, read_in_turns,
			       (void *)(intptr_t)cpus_nth(&isolated, 0));
	if (errno)
		die("cannot start a thread");
	while (!atomic_load(&running))
		sleep_ms(1);
	kernel_flush_command("broken", broken);
	for (long i = 1; i <= rounds; i++) {
		kernel_flush_command("remap", 0);
		atomic_store(&turn, i);
		while (atomic_load(&turn) != -i)
			spin_relax();
	}
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	kernel_flush_command("broken", 0);
	good = broken && !isolation ? atomic_load(&wrong) > rounds / 10 :
				      atomic_load(&wrong) == 0;
	json_begin();
	json_text("test", "remap");
	json_bool("pti", isolation);
	json_number("broken", broken);
	json_number("rounds", rounds);
	json_number("wrong", atomic_load(&wrong));
	json_bool("good", good);
	json_end();
	return !good;
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
	kernel_flush_command("reset", 0);
	for (long i = 0; i < rounds; i++) {
		must_write(online, "0");
		kernel_flush_command("churn", 5);
		must_write(online, "1");
		kernel_flush_occupy(&isolated, thread);
		kernel_flush_read_interrupts(&before);
		kernel_flush_command("churn", 20);
		calls += kernel_flush_calls_since(&isolated, &before).sum;
		kernel_flush_leave(&isolated, thread);
	}
	good = calls == 0 &&
	       kernel_flush_value(KERNEL_FLUSH_TEST, "stale") == 0;
	json_begin();
	json_text("test", "hotplug");
	json_number("rounds", rounds);
	json_number("isolated_ipis", (int64_t)calls);
	json_number("stale", kernel_flush_value(KERNEL_FLUSH_TEST, "stale"));
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
	json_number("all", (int64_t)BATCHES * CALLS);
	json_number("least", (int64_t)least);
	json_end();
	return 0;
}

/* The file's lines of a name and a number. */
static void tell_counters(void)
{
	char *text = must_read(KERNEL_FLUSH), *save, *line;
	char name[64];
	long value;

	json_begin();
	json_text("test", "counters");
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (sscanf(line, "%63s %ld", name, &value) == 2)
			json_number(name, value);
	}
	json_end();
	free(text);
}

int main(int argc, char **argv)
{
	const char *test = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? atol(argv[2]) : -1;
	char *list;

	if (argc < 2 || argc > 4 || test[0] == '-') {
		bool asked = !strcmp(test, "--help");

		fputs("usage: kernel-flush purges|hotplug [TIMES]\n"
		      "       kernel-flush rules [TIMES [WHAT]]\n"
		      "       kernel-flush change WHAT [BROKEN]\n"
		      "       kernel-flush remap [TIMES [BROKEN]]\n"
		      "       kernel-flush adopt|reset|counters\n"
		      "       kernel-flush every-entry 0|1\n"
		      "       kernel-flush getpid CPU\n",
		      asked ? stdout : stderr);
		return asked ? 0 : 2;
	}
	list = must_read("/sys/devices/system/cpu/nohz_full");
	cpus_parse(&isolated, list);
	isolation = kernel_flush_isolation();
	if (!strcmp(test, "getpid"))
		return getpid_cycles(number < 0 ? 0 : (int)number);
	if (!strcmp(test, "reset")) {
		must_write(KERNEL_FLUSH, "reset");
		return 0;
	}
	if (!strcmp(test, "counters")) {
		tell_counters();
		return 0;
	}
	if (!strcmp(test, "every-entry")) {
		if (number != 0 && number != 1)
			die("every-entry wants 0 or 1");
		must_write(KERNEL_FLUSH_EVERY_ENTRY, number ? "1" : "0");
		return 0;
	}
	if (!strcmp(test, "adopt")) {
		kernel_flush_command("adopt", 1);
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
		return remap(number < 0 ? 1000 : number, argc > 3 ? atol(argv[3]) : 0);
	if (!strcmp(test, "rules"))
		return kernel_flush_rules(&isolated, number < 0 ? 5 : number,
				    argc > 3 ? argv[3] : NULL);
	if (!strcmp(test, "change") && argc > 2)
		return kernel_flush_change(&isolated, argv[2],
				     argc > 3 ? atol(argv[3]) : 0);
	if (!strcmp(test, "hotplug"))
		return hotplug(number < 0 ? 10 : number);
	die("no test '%s'", test);
}
