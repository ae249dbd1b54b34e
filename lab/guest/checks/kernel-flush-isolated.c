// SPDX-License-Identifier: GPL-2.0
/* Isolated CPUs that stay in user mode, and the interrupts that they get. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "checks/kernel-flush.h"
#include "spin.h"
#include "workload.h"

static atomic_bool enough;
static atomic_uint running;

static void *stay_in_user_mode(void *argument)
{
	pin_to((int)(intptr_t)argument);
	atomic_fetch_add(&running, 1);
	while (!atomic_load_explicit(&enough, memory_order_relaxed))
		spin_relax();
	return NULL;
}

void kernel_flush_occupy(const struct cpus *where, pthread_t *thread)
{
	unsigned int count = cpus_count(where);

	for (unsigned int i = 0; i < count; i++) {
		errno = pthread_create(&thread[i], NULL, stay_in_user_mode,
				       (void *)(intptr_t)cpus_nth(where, i));
		if (errno)
			die("cannot start a thread");
	}
	while (atomic_load(&running) < count)
		sleep_ms(1);
	sleep_ms(200);
}

void kernel_flush_leave(const struct cpus *where, pthread_t *thread)
{
	atomic_store(&enough, true);
	for (unsigned int i = 0; i < cpus_count(where); i++)
		pthread_join(thread[i], NULL);
	atomic_store(&enough, false);
	atomic_store(&running, 0);
}

void kernel_flush_read_interrupts(struct interrupts *to)
{
	char *text = must_read("/proc/interrupts");

	memset(to, 0, sizeof(*to));
	if (!interrupts_parse(to, text))
		die("cannot understand /proc/interrupts");
	free(text);
}

struct kernel_flush_calls
kernel_flush_calls_since(const struct cpus *where,
			 const struct interrupts *before)
{
	static struct interrupts now;
	struct kernel_flush_calls calls = { .least = UINT64_MAX };

	kernel_flush_read_interrupts(&now);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		uint64_t n = (uint32_t)(now.calls[cpu] - before->calls[cpu]);

		if (!where->has[cpu])
			continue;
		calls.sum += n;
		if (n < calls.least)
			calls.least = n;
		if (n > calls.most)
			calls.most = n;
	}
	return calls;
}

/* The flag is there if the isolation is on, not if the CPU could need it. */
bool kernel_flush_isolation(void)
{
	char *text = must_read("/proc/cpuinfo");
	char *flags = strstr(text, "\nflags"), *end = NULL;
	bool found;

	if (flags)
		end = strchr(flags + 1, '\n');
	if (!end)
		die("cannot understand /proc/cpuinfo");
	*end = ' ';
	end[1] = 0;
	found = strstr(flags, " pti ");
	free(text);
	return found;
}
