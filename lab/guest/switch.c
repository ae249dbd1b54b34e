// SPDX-License-Identifier: GPL-2.0
/*
 * switch: changes the kernel's strategy again and again while others work.
 * Every switch must be there when read back, and a name that is none must be
 * refused with EINVAL and change nothing. Leaves the strategy it found.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STRATEGY "/sys/kernel/debug/pt_sync/strategy"
#define MAX_NAMES 16

/* The names, and in *current the index of the one in brackets. */
static unsigned int names(char *text, char **name, unsigned int *current)
{
	unsigned int n = 0;
	char *save, *at = strtok_r(text, " \n", &save);

	*current = MAX_NAMES;
	for (; at && n < MAX_NAMES; at = strtok_r(NULL, " \n", &save)) {
		if (*at == '[') {
			*current = n;
			at++;
			at[strcspn(at, "]")] = '\0';
		}
		name[n++] = at;
	}
	return n;
}

static bool is_current(const char *wanted)
{
	char *text = must_read(STRATEGY), *name[MAX_NAMES];
	unsigned int current, n = names(text, name, &current);
	bool same = current < n && !strcmp(name[current], wanted);

	free(text);
	return same;
}

static void change_to(const char *name)
{
	must_write(STRATEGY, name);
	if (!is_current(name))
		die("switched to %s, but that is not what runs", name);
}

static void try_nonsense(const char *current)
{
	if (write_file(STRATEGY, "no-such-strategy"))
		die("a strategy that does not exist was accepted");
	if (errno != EINVAL)
		die("a strategy that does not exist must be EINVAL");
	errno = 0;
	if (!is_current(current))
		die("a refused name changed the strategy");
}

int main(int argc, char **argv)
{
	long ms = 1000, every = 20;
	const struct number numbers[] = {
		{ "ms", &ms, "how long" },
		{ "every", &every, "milliseconds between switches" },
		{ NULL, NULL, NULL },
	};
	unsigned long switches = 0;
	unsigned int original, n;
	char *text, *name[MAX_NAMES];
	uint64_t start, end;

	parse_numbers(argc, argv, "Switches strategies under load.", numbers);
	text = read_file(STRATEGY);
	if (!text)
		unavailable("this-kernel-has-no-strategies");
	n = names(text, name, &original);
	if (original >= n)
		die("cannot understand " STRATEGY);
	stay_on_housekeeping();
	start = now_ns();
	end = start + (uint64_t)ms * 1000000;
	while (now_ns() < end) {
		const char *next = name[switches++ % n];

		change_to(next);
		try_nonsense(next);
		sleep_ms((unsigned int)every);
	}
	change_to(name[original]);
	report(switches, now_ns() - start, NULL);
	return 0;
}
