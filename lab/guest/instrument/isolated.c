// SPDX-License-Identifier: GPL-2.0
/*
 * isolated: the program isolation is meant for. A loop pinned to each of some
 * CPUs that never leaves user mode by itself, so whatever takes it out is
 * somebody else's doing. It sees that in two ways:
 *  interruptions  returns from the kernel, seen without a clock (x86, see
 *                 spin.h); two in quick succession may count as one;
 *  gaps           holes in the cycle counter longer than --gap cycles, which
 *                 also shows what a hypervisor or the firmware took. Under
 *                 emulation one host CPU plays many: there gaps mean little.
 * Or, with --guests, a virtual CPU that never leaves its guest by itself.
 * Next to both, the function-call and TLB interrupts /proc/interrupts counts
 * for these CPUs in the same time.
 */
#define _GNU_SOURCE
#include "instrument/isolated.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "instrument/counters.h"
#include "spin.h"
#include "workload.h"

static struct seen_by_all *seen;
static atomic_bool enough, settled;
static atomic_int guests_ready;
static uint64_t gap_cycles = 20000;
static bool guests;

/*
 * As the loops that isolation is for. For a task of the fair class the
 * scheduler keeps a deadline server (6.12 and later), which wakes up each
 * second and kicks the CPU out of user mode: no unmapping's doing.
 */
static void be_real_time(void)
{
	struct sched_param lowest = { .sched_priority = 1 };

	errno = pthread_setschedparam(pthread_self(), SCHED_FIFO, &lowest);
	if (errno)
		fprintf(stderr, "isolated: no real-time task: %s\n",
			strerror(errno));
}

static void *watch(void *argument)
{
	int cpu = (int)(intptr_t)argument;
	struct seen *mine = &seen->cpu[cpu];
	uint64_t last;

	/* In this order, so that the CPU never sees a task of the fair class. */
	be_real_time();
	pin_to(cpu);
	atomic_store(&mine->running, 1);
	spin_arm();
	last = spin_cycles();
	while (!atomic_load_explicit(&enough, memory_order_relaxed)) {
		uint64_t now = spin_cycles(), gap = now - last;

		last = now;
		if (spin_interrupted()) {
			spin_arm();
			atomic_fetch_add(&mine->interruptions, 1);
		}
		if (gap > gap_cycles) {
			atomic_fetch_add(&mine->gaps, 1);
			if (gap > atomic_load(&mine->longest))
				atomic_store(&mine->longest, gap);
		}
		spin_relax();
	}
	return NULL;
}

/* The same with a guest, whose exits the kernel counts. */
static void *host(void *argument)
{
	int cpu = (int)(intptr_t)argument;
	struct vcpu vcpu;

	vcpu_make(&vcpu, &seen->guest[cpu], false);
	be_real_time();
	pin_to(cpu);
	vcpu_run(&vcpu);
	atomic_fetch_add(&guests_ready, 1);
	while (!atomic_load(&settled))
		sleep_ms(10);
	atomic_store(&seen->cpu[cpu].running, 1);
	while (!atomic_load_explicit(&enough, memory_order_relaxed))
		vcpu_run(&vcpu);
	return NULL;
}

/*
 * KVM notes the first use of a page in a list of the CPU's, and whoever drains
 * these lists next (a collapse does) wakes up a thread there, which waits for
 * the guest's thread; on 7.x the tick then stays. So drain them now, and wait
 * until the scheduler's deadline server has found nothing more to do.
 */
static void settle_guests(int count)
{
	while (atomic_load(&guests_ready) < count)
		sleep_ms(1);
	if (!write_file("/proc/sys/vm/drop_caches", "1"))
		fprintf(stderr, "isolated: cannot drain lists of pages\n");
	sleep_ms(2500);
	atomic_store(&settled, true);
}

static void usage(FILE *to)
{
	fputs("usage: isolated [--cpus LIST] [--seconds N] [--gap CYCLES]\n"
	      "Stays in user mode on CPUs and reports every interruption.\n"
	      "  --cpus LIST     where (default: the isolated CPUs)\n"
	      "  --seconds N     how long (default 1)\n"
	      "  --gap CYCLES    the shortest hole that counts (default 20000)\n"
	      "  --guests        run a guest of KVM on each, in a loop\n"
	      "  --shared FD     count into this memory file until killed;\n"
	      "                  for `measure`\n", to);
}

static long number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0) {
		fprintf(stderr, "isolated: '%s' is not a number\n", text);
		exit(2);
	}
	return value;
}

static void start(const struct cpus *where)
{
	int count = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		pthread_t thread;

		if (!where->has[cpu])
			continue;
		errno = pthread_create(&thread, NULL, guests ? host : watch,
				       (void *)(intptr_t)cpu);
		if (errno)
			die("cannot start a thread");
		pthread_detach(thread);
		count++;
		while (!guests && !atomic_load(&seen->cpu[cpu].running))
			sleep_ms(1);
	}
	if (guests)
		settle_guests(count);
}

static void read_interrupts(struct interrupts *to)
{
	char *text = must_read("/proc/interrupts");

	if (!interrupts_parse(to, text))
		die("cannot understand /proc/interrupts");
	free(text);
}

static void tell(const struct cpus *where, const struct interrupts *before,
		 const struct interrupts *after)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		struct seen *it = &seen->cpu[cpu];

		if (!where->has[cpu])
			continue;
		if (guests)
			printf("counted=%" PRIu64 " ", atomic_load(
				&seen->guest[cpu].counted));
		printf("cpu=%d interruptions=%" PRIu64 " gaps=%" PRIu64
		       " longest_gap=%" PRIu64 " call_ipis=%d tlb_ipis=%d\n",
		       cpu, atomic_load(&it->interruptions),
		       atomic_load(&it->gaps), atomic_load(&it->longest),
		       (int)(after->calls[cpu] - before->calls[cpu]),
		       (int)(after->tlb[cpu] - before->tlb[cpu]));
	}
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cpus", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' },
		{ "gap", required_argument, NULL, 'g' },
		{ "guests", no_argument, NULL, 'v' },
		{ "shared", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct interrupts before, after;
	const char *list = NULL;
	long seconds = 1;
	struct cpus where;
	int option, file = -1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			list = optarg;
			break;
		case 's':
			seconds = number(optarg);
			break;
		case 'g':
			gap_cycles = (uint64_t)number(optarg);
			break;
		case 'v':
			guests = true;
			break;
		case 'f':
			file = (int)number(optarg);
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (!list)
		list = must_read("/sys/devices/system/cpu/isolated");
	if (!cpus_parse(&where, list) || !cpus_count(&where))
		die("'%s' is no list of CPUs to watch", list);

	seen = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED |
		    (file < 0 ? MAP_ANONYMOUS : 0), file, 0);
	if (seen == MAP_FAILED)
		die("cannot map the memory to count in");
	stay_on_housekeeping();
	if (file >= 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	start(&where);
	if (file >= 0) {
		for (;;)
			pause();
	}
	read_interrupts(&before);
	sleep_ms((unsigned int)seconds * 1000);
	read_interrupts(&after);
	tell(&where, &before, &after);
	return 0;
}
