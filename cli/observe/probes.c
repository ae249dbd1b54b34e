// SPDX-License-Identifier: GPL-2.0
/* probes.c - kprobe events of our own; see probes.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/probes.h"
#include "quell.h"

#define PREFIX	"quell_"

/* "quell.PID.NUMBER" and "quell_PID_NUMBER": a group's name has no dots. */
static char *renamed(const char *name, char from, char to)
{
	char *copy = xstrdup(name);

	for (char *p = copy; *p; p++)
		if (*p == from)
			*p = to;
	return copy;
}

char *probes_group(const char *instance)
{
	return renamed(instance, '.', '_');
}

/* Appended: whoever truncates this file removes everybody's probes. */
static int append(const char *tracing, const char *line)
{
	char *path = xasprintf("%s/kprobe_events", tracing);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC), err = 0;

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		err = errno;
	if (fd >= 0)
		close(fd);
	free(path);
	return err;
}

/* They can be made and switched on, and never fire. */
static bool disarmed(void)
{
	char *text = slurp("/sys/kernel/debug/kprobes/enabled");
	bool off = text && *text == '0';

	free(text);
	return off;
}

const char *probes_add(const char *tracing, const char *group, const char *name,
		       const char *what)
{
	char *line;
	int err;

	if (disarmed())
		return "they are switched off in debugfs";
	line = xasprintf("p:%s/%s %s\n", group, name, what);
	err = append(tracing, line);
	free(line);
	if (err == ENOENT)
		return "it was built without them, or without this function";
	return err ? strerror(err) : NULL;
}

/* Calls @each for the group and the name of every probe of a quell's. */
static void for_each(const char *tracing,
		     void (*each)(const char *tracing, const char *group,
				  const char *name, const void *arg),
		     const void *arg)
{
	char *path = xasprintf("%s/kprobe_events", tracing), *line = NULL;
	FILE *f = fopen(path, "re");
	char group[80], name[80], **all = NULL;
	size_t room = 0, n = 0, all_room = 0;

	/* "p:quell_1_2/name function ...": read first, for each of them changes it. */
	while (f && getline(&line, &room, f) > 0) {
		all = grow(all, &all_room, n + 1, sizeof(*all));
		all[n++] = xstrdup(line);
	}
	if (f)
		fclose(f);
	for (size_t i = 0; i < n; i++) {
		if (sscanf(all[i], "p:%79[^/ ]/%79s", group, name) == 2 &&
		    !strncmp(group, PREFIX, strlen(PREFIX)))
			each(tracing, group, name, arg);
		free(all[i]);
	}
	free(all);
	free(line);
	free(path);
}

static void drop(const char *tracing, const char *group, const char *name)
{
	char *line = xasprintf("-:%s/%s\n", group, name);

	append(tracing, line);
	free(line);
}

static void drop_of(const char *tracing, const char *group, const char *name,
		    const void *arg)
{
	if (!strcmp(group, arg))
		drop(tracing, group, name);
}

void probes_remove(const char *tracing, const char *group)
{
	for_each(tracing, drop_of, group);
}

static void drop_dead(const char *tracing, const char *group, const char *name,
		      const void *arg)
{
	char *instance = renamed(group, '_', '.');
	struct stat st;

	if (fstatat(*(const int *)arg, instance, &st, 0) && errno == ENOENT)
		drop(tracing, group, name);
	free(instance);
}

void probes_sweep(const char *tracing, int instances)
{
	for_each(tracing, drop_dead, &instances);
}
