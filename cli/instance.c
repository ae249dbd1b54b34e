// SPDX-License-Identifier: GPL-2.0
/*
 * instance.c - a tracefs instance of our own that never outlives us.
 *
 * The name carries the process and its start time, so a later quell can tell a
 * live owner from a process number that was reused, and sweeps up after one
 * that was killed with no chance to clean up.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instance.h"
#include "quell.h"

static struct tracefs_instance *instance;
static pid_t owner;

/* When @pid started, in clock ticks since boot; 0 if there is no such process. */
static unsigned long long start_time(long pid)
{
	unsigned long long start = 0;
	char path[64], *stat, *p;
	int field;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	stat = slurp(path);
	if (!stat)
		return 0;
	/* The command may hold blanks and parentheses: count from the last. */
	p = strrchr(stat, ')');
	for (field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		if (p)
			p++;
	}
	if (p)
		start = strtoull(p, NULL, 10);
	free(stat);
	return start;
}

const char *instance_tracing_dir(void)
{
	const char *dir;
	char *path;

	if (geteuid())
		die(EXIT_DENIED, "reading the kernel's trace needs root");
	dir = tracefs_tracing_dir();
	if (!dir)
		die(EXIT_KERNEL, "no tracefs here (mount -t tracefs nodev /sys/kernel/tracing)");
	path = xasprintf("%s/instances", dir);
	if (access(path, F_OK))
		die(EXIT_KERNEL, "%s has no instances: this kernel lacks CONFIG_FTRACE events", dir);
	free(path);
	return dir;
}

int instance_clean_stale(void)
{
	char *path = xasprintf("%s/instances", instance_tracing_dir());
	DIR *d = opendir(path);
	struct dirent *e;
	int cleaned = 0;

	while (d && (e = readdir(d))) {
		unsigned long long start;
		char *dir, end;
		long pid;

		if (sscanf(e->d_name, "quell.%ld.%llu%c", &pid, &start, &end) != 2)
			continue;
		if (start_time(pid) == start)
			continue;
		/* One of another PID namespace that is alive is busy: it stays. */
		dir = xasprintf("%s/%s", path, e->d_name);
		if (!rmdir(dir))
			cleaned++;
		free(dir);
	}
	if (d)
		closedir(d);
	free(path);
	return cleaned;
}

void instance_destroy(void)
{
	if (!instance || getpid() != owner)
		return;
	tracefs_trace_off(instance);
	if (tracefs_instance_destroy(instance))
		complain("the tracefs instance %s could not be removed: %s",
			 tracefs_instance_get_name(instance), strerror(errno));
	tracefs_instance_free(instance);
	instance = NULL;
}

struct tracefs_instance *instance_create(void)
{
	char *name;

	instance_tracing_dir();
	instance_clean_stale();
	owner = getpid();
	name = xasprintf("quell.%d.%llu", owner, start_time(owner));
	instance = tracefs_instance_create(name);
	if (!instance)
		die(EXIT_KERNEL, "no tracefs instance could be made: %s",
		    strerror(errno));
	free(name);
	/* die() anywhere later must not leave it behind. */
	atexit(instance_destroy);
	return instance;
}
