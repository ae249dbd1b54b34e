// SPDX-License-Identifier: GPL-2.0
/*
 * kernel-flush-torture: isolated CPUs enter and leave the kernel by every way
 * user mode has (kernel-flush-ways), while housekeeping CPUs unmap kernel
 * addresses, interrupt and send NMIs. These come at random, from the emulator's
 * monitor (see kernel-flush adopt) if somebody types there, and from the CPU to
 * itself at chosen points of entry and exit. The kernel's detector
 * (CONFIG_KERNEL_FLUSH_TEST) counts the stale translations that would have been
 * used, and those that really were.
 *
 *   --broken N   an order that is wrong on purpose, by its number in
 *                enum kernel_flush_broken; then stale ones are what must be
 *                found, and finding none is the failure
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "json.h"
#include "checks/kernel-flush-ways.h"
#include "checks/kernel-flush.h"
#include "knobs.h"
#include "checks/text-sync.h"
#include "spin.h"
#include "instrument/vcpu.h"
#include "workload.h"

/* KERNEL_FLUSH_BROKEN_ORDER and _RANGE; between them those that are seen. */
#define FLUSH_FIRST 1
#define SHORT_RANGE 5

#define TRACING "/sys/kernel/tracing/"
#define KPROBES_OPTIMIZED "/proc/sys/debug/kprobes-optimization"

static atomic_bool enough;
static struct cpus isolated;

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
			if (way_taken(i))
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
			 "p:torture/getpid __x64_sys_getpid+%d", offset);
		placed = write_file(TRACING "kprobe_events", probe);
	}
	if (!placed)
		die("cannot break in getpid()");
	must_write(TRACING "events/torture/enable", "1");
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
	must_write(TRACING "events/torture/enable", "0");
	must_write(TRACING "kprobe_events", "-:torture/getpid");
}

static void *unmap(void *argument)
{
	(void)argument;
	stay_on_housekeeping();
	while (!atomic_load(&enough)) {
		kernel_flush_command("churn", 20);
		kernel_flush_command("replace", 20);
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
			kernel_flush_command("nest",
					     nest_at[round / 64 % NESTS]);
		if (round % 8) {
			kernel_flush_command("nmi", cpu);
			atomic_fetch_add(&nmis, 1);
		} else {
			kernel_flush_command("interrupt", cpu);
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
	json_bool("pti", kernel_flush_isolation());
	for (size_t i = 0; i < WAYS; i++)
		json_number(ways[i].name, atomic_load(&taken[i]));
	json_number("nmi", atomic_load(&nmis));
	json_number("interrupt", atomic_load(&interrupts));
	json_number("kernel_breakpoint", breakpoints);
	json_number("guest_exit", atomic_load(&guest_exits));
	json_number("remapped",
		    kernel_flush_value(KERNEL_FLUSH_TEST, "remapped"));
	json_number("deferred", kernel_flush_value(KERNEL_FLUSH, "deferred"));
	json_number("interrupted",
		    kernel_flush_value(KERNEL_FLUSH, "interrupted"));
	json_number("flushed_at_entry",
		    kernel_flush_value(KERNEL_FLUSH, "flushed_at_entry"));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		json_number(seen[i],
			    kernel_flush_value(KERNEL_FLUSH_TEST, seen[i]));
	json_bool("good", good);
	json_end();
}

int main(int argc, char **argv)
{
	long seconds = 10, broken = 0, delay = 30, dwell = 300, guests = 0;
	long stale, live_stale, deferred, breakpoints;
	struct text_sync text = { 0, 0 };
	const struct number numbers[] = {
		{ "text", &text.on, "1: kernel text is patched as well" },
		{ "text-broken", &text.broken, "what to break about that" },
		{ "seconds", &seconds, "how long" },
		{ "broken", &broken, "the order to break (0: none)" },
		{ "delay", &delay, "loops at each test point of the kernel" },
		{ "guests", &guests, "1: only in and out of guests" },
		{ "dwell", &dwell, "microseconds that a page stays mapped" },
		{ NULL, NULL, NULL },
	};
	pthread_t thread[MAX_CPUS + 2], patcher;
	unsigned int count;
	bool good;

	if (argc == 2 && !strcmp(argv[1], WAYS_END_WELL))
		return 0;
	parse_numbers(argc, argv, "Enters and leaves the kernel in every way "
		      "while kernel addresses are unmapped.", numbers);
	cpus_parse(&isolated, must_read("/sys/devices/system/cpu/nohz_full"));
	count = cpus_count(&isolated);
	if (!count)
		die("no CPU is isolated");
	stay_on_housekeeping();
	ways_prepare();
	kernel_flush_command("reset", 0);
	must_write(KERNEL_FLUSH, "reset");
	kernel_flush_command("dwell", dwell);
	kernel_flush_command("delay", delay);
	kernel_flush_command("broken", broken);
	break_in_kernel();
	text_sync_start(&text);
	errno = text.on ? pthread_create(&patcher, NULL, text_sync_patch, &enough) : 0;
	if (errno)
		die("cannot start a thread");

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
	if (text.on)
		pthread_join(patcher, NULL);
	kernel_flush_command("broken", 0);
	kernel_flush_command("delay", 0);
	kernel_flush_command("nest", 0);
	breakpoints = breakpoints_in_kernel();
	stop_breaking_in_kernel();

	stale = kernel_flush_value(KERNEL_FLUSH_TEST, "stale");
	live_stale = kernel_flush_value(KERNEL_FLUSH_TEST, "live_stale");
	deferred = kernel_flush_value(KERNEL_FLUSH, "deferred");
	/* No stale one counts for nothing if nothing could have been stale. */
	good = deferred && kernel_flush_value(KERNEL_FLUSH_TEST, "kept") &&
		(broken ? stale > 0 : stale == 0 && live_stale == 0);
	/*
	 * The emulator's own TLB has them only without page table isolation. Of
	 * a short range, or of F5, it need not show any: the next page is often
	 * there before anybody looks. In and out of guests it is emptied, too.
	 */
	if (broken > FLUSH_FIRST && broken < SHORT_RANGE && !guests &&
	    !kernel_flush_isolation())
		good = good && live_stale > 0;
	for (size_t i = 0; i < WAYS && !broken && !text.broken && !guests; i++)
		good = good && atomic_load(&taken[i]);
	good = good && kernel_flush_value(KERNEL_FLUSH_TEST, "nested") &&
		(guests ? atomic_load(&guest_exits) : breakpoints);
	tell(broken, breakpoints, good);
	if (text.on)
		good = text_sync_stop(&text, broken || text.broken) && good;
	return !good;
}
