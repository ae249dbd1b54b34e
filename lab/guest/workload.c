// SPDX-License-Identifier: GPL-2.0
/* What every workload shares; see workload.h. */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "knobs.h"
#include "spin.h"

#define MAX_OPTIONS 16
#define THP_ENABLED "/sys/kernel/mm/transparent_hugepage/enabled"

static void usage(FILE *to, const char *me, const char *about,
		  const struct number *numbers)
{
	fprintf(to, "usage: %s [options]\n%s\n", me, about);
	for (; numbers->name; numbers++)
		fprintf(to, "  --%-10s %s (default %ld)\n", numbers->name,
			numbers->help, *numbers->value);
}

void parse_numbers(int argc, char **argv, const char *about,
		   const struct number *numbers)
{
	struct option options[MAX_OPTIONS + 2] = { 0 };
	int n = 0, found, index;

	while (numbers[n].name && n < MAX_OPTIONS) {
		options[n].name = numbers[n].name;
		options[n].has_arg = required_argument;
		n++;
	}
	options[n].name = "help";
	while ((found = getopt_long(argc, argv, "", options, &index)) != -1) {
		char *end;

		if (found == 0 && index == n) {
			usage(stdout, argv[0], about, numbers);
			exit(0);
		}
		if (found == 0) {
			errno = 0;
			*numbers[index].value = strtol(optarg, &end, 10);
			if (!errno && end != optarg && !*end &&
			    *numbers[index].value >= 0)
				continue;
			fprintf(stderr, "%s: --%s wants a number, not '%s'\n",
				argv[0], numbers[index].name, optarg);
		}
		usage(stderr, argv[0], about, numbers);
		exit(2);
	}
	if (optind < argc) {
		fprintf(stderr, "%s: '%s' is not an option\n", argv[0],
			argv[optind]);
		usage(stderr, argv[0], about, numbers);
		exit(2);
	}
}

/* Tells `measure` and waits until it has taken its snapshot. */
static void gate(char what)
{
	const char *variable = getenv(GATE_VARIABLE);
	int in, out;
	char answer;

	if (!variable)
		return;
	if (sscanf(variable, "%d,%d", &in, &out) != 2)
		die(GATE_VARIABLE " is '%s'", variable);
	if (write(out, &what, 1) != 1 || read(in, &answer, 1) != 1)
		die("whoever measures is gone");
}

static uint64_t opened_at;

void window_open(void)
{
	gate(GATE_OPEN);
	opened_at = now_ns();
}

uint64_t window_close(void)
{
	uint64_t ns = now_ns() - opened_at;

	gate(GATE_CLOSE);
	return ns;
}

void report(unsigned long ops, uint64_t ns, const char *more, ...)
{
	va_list args;

	printf("ops=%lu ns=%llu", ops, (unsigned long long)ns);
	if (more) {
		putchar(' ');
		va_start(args, more);
		vprintf(more, args);
		va_end(args);
	}
	putchar('\n');
	fflush(stdout);
}

void unavailable(const char *why, ...)
{
	va_list args;

	fputs("ops=0 ns=0 unavailable=", stdout);
	va_start(args, why);
	vprintf(why, args);
	va_end(args);
	putchar('\n');
	exit(0);
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void sleep_ms(unsigned int ms)
{
	struct timespec left = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

void housekeeping(struct cpus *set)
{
	char *online = must_read("/sys/devices/system/cpu/online");
	char *isolated = read_file("/sys/devices/system/cpu/isolated");
	struct cpus away;

	if (!cpus_parse(set, online))
		die("cannot understand the online CPUs '%s'", online);
	if (isolated && cpus_parse(&away, isolated))
		cpus_remove(set, &away);
	free(online);
	free(isolated);
	errno = 0;
}

static void run_on(const struct cpus *set)
{
	cpu_set_t *mask = CPU_ALLOC(MAX_CPUS);
	size_t size = CPU_ALLOC_SIZE(MAX_CPUS);

	if (!mask)
		die("no memory for a CPU mask");
	CPU_ZERO_S(size, mask);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (set->has[cpu])
			CPU_SET_S((size_t)cpu, size, mask);
	}
	if (sched_setaffinity(0, size, mask))
		die("cannot choose the CPUs to run on");
	CPU_FREE(mask);
}

void stay_on_housekeeping(void)
{
	struct cpus set;

	housekeeping(&set);
	if (!cpus_count(&set))
		die("every CPU is isolated");
	run_on(&set);
}

void pin_to(int cpu)
{
	struct cpus set = { 0 };

	if (cpu < 0 || cpu >= MAX_CPUS)
		die("there is no CPU %d to run on", cpu);
	set.has[cpu] = true;
	run_on(&set);
}

#define MAX_SIBLINGS MAX_CPUS

static pthread_t siblings[MAX_SIBLINGS];
static unsigned int nr_siblings;
static atomic_uint up;
static atomic_bool enough;
static pthread_mutex_t bed = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake_up = PTHREAD_COND_INITIALIZER;

static void *spin(void *cpu)
{
	pin_to((int)(intptr_t)cpu);
	atomic_fetch_add(&up, 1);
	while (!atomic_load_explicit(&enough, memory_order_relaxed))
		spin_relax();
	return NULL;
}

static void *doze(void *cpu)
{
	pin_to((int)(intptr_t)cpu);
	pthread_mutex_lock(&bed);
	atomic_fetch_add(&up, 1);
	while (!atomic_load(&enough))
		pthread_cond_wait(&wake_up, &bed);
	pthread_mutex_unlock(&bed);
	return NULL;
}

/* Siblings go to the housekeeping CPUs in order, the first is the caller's. */
static unsigned int start_siblings(void *(*how)(void *), unsigned int count)
{
	unsigned int all, room;
	struct cpus set;

	housekeeping(&set);
	room = cpus_count(&set) - 1 - nr_siblings;
	if (count > room)
		count = room;
	if (!count)
		return 0;
	all = nr_siblings + count;
	pin_to(cpus_nth(&set, 0));
	for (; nr_siblings < all; nr_siblings++) {
		intptr_t cpu = cpus_nth(&set, nr_siblings + 1);

		errno = pthread_create(&siblings[nr_siblings], NULL, how,
				       (void *)cpu);
		if (errno)
			die("cannot start a thread");
	}
	while (atomic_load(&up) < all)
		sleep_ms(1);
	return count;
}

unsigned int start_spinners(unsigned int count)
{
	return start_siblings(spin, count);
}

unsigned int start_sleepers(unsigned int count)
{
	return start_siblings(doze, count);
}

void stop_siblings(void)
{
	pthread_mutex_lock(&bed);
	atomic_store(&enough, true);
	pthread_cond_broadcast(&wake_up);
	pthread_mutex_unlock(&bed);
	while (nr_siblings)
		pthread_join(siblings[--nr_siblings], NULL);
}

static pid_t strangers[MAX_CPUS];
static unsigned int nr_strangers;

pid_t keep_busy(int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		die("cannot start a process");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin_to(cpu);
	for (;;)
		spin_relax();
}

unsigned int visit_cpus(unsigned int count)
{
	struct cpus set;
	unsigned int room;

	housekeeping(&set);
	room = cpus_count(&set) - 1;
	if (count > room)
		count = room;
	if (!count)
		return 0;
	for (; nr_strangers < count; nr_strangers++)
		strangers[nr_strangers] = keep_busy(cpus_nth(&set, nr_strangers + 1));
	for (unsigned int i = 1; i <= count; i++)
		pin_to(cpus_nth(&set, i));
	pin_to(cpus_nth(&set, 0));
	return count;
}

void stop_strangers(void)
{
	while (nr_strangers) {
		kill(strangers[--nr_strangers], SIGKILL);
		waitpid(strangers[nr_strangers], NULL, 0);
	}
}

char *map_aligned(unsigned long bytes, unsigned long alignment)
{
	char *start = mmap(NULL, bytes + alignment, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned long skip;

	if (start == MAP_FAILED)
		die("cannot map %lu MiB", (bytes + alignment) / MIB);
	skip = -(uintptr_t)start & (alignment - 1);
	if (skip)
		munmap(start, skip);
	if (alignment - skip)
		munmap(start + skip + bytes, alignment - skip);
	return start + skip;
}

void only_base_pages(void)
{
	/* A kernel without huge pages has no others. */
	if (!access(THP_ENABLED, F_OK))
		base_pages_at_first();
}

void base_pages_at_first(void)
{
	if (!borrow_knob(THP_ENABLED, "madvise"))
		unavailable("no-transparent-huge-pages");
}

void touch(char *at, unsigned long bytes, unsigned long stride)
{
	for (unsigned long i = 0; i < bytes; i += stride)
		*(volatile char *)(at + i) = 1;
}

long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}
