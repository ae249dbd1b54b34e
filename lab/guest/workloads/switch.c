// SPDX-License-Identifier: GPL-2.0
/*
 * switch: changes the kernel's strategy, and where it can also the backend of
 * its TLB flushes, again and again while others work. Every switch must be
 * there when read back, and a name that is none must be refused with EINVAL
 * and change nothing. Leaves what it found.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIRECTORY "/sys/kernel/debug/pt_sync/"
#define MAX_NAMES 16

/* A file that offers names, the current one in brackets. */
static struct choice {
	const char *path;
	char *text, *name[MAX_NAMES];
	unsigned int count, current;
} strategy = { .path = DIRECTORY "strategy" },
	flush = { .path = DIRECTORY "flush_backend" };

static bool read_choice(struct choice *it)
{
	char *save, *at;

	it->text = read_file(it->path);
	it->count = 0;
	it->current = MAX_NAMES;
	if (!it->text) {
		errno = 0;
		return false;
	}
	for (at = strtok_r(it->text, " \n", &save);
	     at && it->count < MAX_NAMES; at = strtok_r(NULL, " \n", &save)) {
		if (*at == '[') {
			it->current = it->count;
			at++;
			at[strcspn(at, "]")] = '\0';
		}
		it->name[it->count++] = at;
	}
	if (it->current >= it->count)
		die("cannot understand %s", it->path);
	return true;
}

static bool is_current(const struct choice *it, const char *wanted)
{
	struct choice now = { .path = it->path };
	bool same;

	if (!read_choice(&now))
		die("%s is gone", it->path);
	same = !strcmp(now.name[now.current], wanted);
	free(now.text);
	return same;
}

static void change_to(const struct choice *it, unsigned int index)
{
	const char *name = it->name[index];

	must_write(it->path, name);
	if (!is_current(it, name))
		die("%s: switched to %s, but that is not what runs", it->path,
		    name);
	if (write_file(it->path, "nonsense"))
		die("%s: a name that does not exist was accepted", it->path);
	if (errno != EINVAL)
		die("%s: a name that does not exist must be EINVAL", it->path);
	errno = 0;
	if (!is_current(it, name))
		die("%s: a refused name changed it", it->path);
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
	uint64_t start, end;

	parse_numbers(argc, argv, "Switches strategies under load.", numbers);
	if (!read_choice(&strategy))
		unavailable("this-kernel-has-no-strategies");
	read_choice(&flush);
	stay_on_housekeeping();
	start = now_ns();
	end = start + (uint64_t)ms * 1000000;
	while (now_ns() < end) {
		change_to(&strategy, switches % strategy.count);
		/* Every strategy gets to see every backend. */
		if (flush.count && switches % strategy.count == 0)
			change_to(&flush, switches / strategy.count %
				  flush.count);
		switches++;
		sleep_ms((unsigned int)every);
	}
	change_to(&strategy, strategy.current);
	if (flush.count)
		change_to(&flush, flush.current);
	report(switches, now_ns() - start, "strategies=%u backends=%u",
	       strategy.count, flush.count);
	return 0;
}
