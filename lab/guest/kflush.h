/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's files about deferred flushes of kernel addresses. */
#ifndef QUELL_KFLUSH_H
#define QUELL_KFLUSH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sysfile.h"

#define KFLUSH "/sys/kernel/debug/pt_sync/kernel_flush"
#define KFLUSH_TEST "/sys/kernel/debug/pt_sync/kernel_flush_test"

/* The number in the line "@name NUMBER" of @file. */
static inline long kflush_value(const char *file, const char *name)
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

static inline void kflush_command(const char *name, long number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %ld", name, number);
	must_write(KFLUSH_TEST, text);
}

#endif
