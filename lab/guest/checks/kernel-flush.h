/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's files about deferred flushes of kernel addresses. */
#ifndef QUELL_KERNEL_FLUSH_H
#define QUELL_KERNEL_FLUSH_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "instrument/counters.h"
#include "cpulist.h"
#include "sysfile.h"

#define KERNEL_FLUSH "/sys/kernel/debug/pt_sync/kernel_flush"
#define KERNEL_FLUSH_EVERY_ENTRY "/sys/kernel/debug/pt_sync/flush_every_entry"
#define KERNEL_FLUSH_TEST "/sys/kernel/debug/pt_sync/kernel_flush_test"

/* The number in the line "@name NUMBER" of @file. */
static inline long kernel_flush_value(const char *file, const char *name)
{
	char *text = must_read(file), *save, *line;
	size_t length = strlen(name);
	long value = -1;

	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, name, length) && line[length] == ' ')
			value = atol(line + length);
	}
	free(text);
	if (value < 0)
		die("%s has no %s", file, name);
	return value;
}

static inline void kernel_flush_command(const char *name, long number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %ld", name, number);
	must_write(KERNEL_FLUSH_TEST, text);
}

/* One thread on each CPU of @where; returns when all are there and settled. */
void kernel_flush_occupy(const struct cpus *where, pthread_t *thread);
void kernel_flush_leave(const struct cpus *where, pthread_t *thread);

/* Function-call interrupts of some CPUs: the sum, and the extremes. */
struct kernel_flush_calls {
	uint64_t sum, least, most;
};

void kernel_flush_read_interrupts(struct interrupts *to);
struct kernel_flush_calls
kernel_flush_calls_since(const struct cpus *where,
			 const struct interrupts *before);

/* Is page table isolation on? */
bool kernel_flush_isolation(void);

/*
 * One such change, once, under a broken rule or none (0): a detector judges.
 * "refill": a process with a huge leaf ends, then "huge", then small pages come
 * where they were.
 */
int kernel_flush_change(const struct cpus *isolated, const char *what,
			long broken);

/* All of them, or those named @only. */
int kernel_flush_rules(const struct cpus *isolated, long times,
		       const char *only);

#endif
