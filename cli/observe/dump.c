// SPDX-License-Identifier: GPL-2.0
/*
 * dump.c - the directory that the flight recorder's dumps go to.
 *
 * It belongs to one recorder at a time, by a lock. So "the last ten" means
 * something, and what is half-written and has no owner can go.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "observe/dump.h"
#include "quell.h"

/* As dump_name() makes them: nothing else is ever removed. */
#define DUMPS	"quell-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z.rec"
#define MARKER	"marker"

struct dump_dir {
	char		*path;
	int		fd;
	unsigned int	keep;
	bool		marked;
};

static int is_dump(const struct dirent *e)
{
	return !fnmatch(DUMPS, e->d_name, 0);
}

static int is_partial(const struct dirent *e)
{
	return !fnmatch(DUMPS ".partial", e->d_name, 0);
}

/* Removes the first of those that @which tells, but for the last @keep. */
static void remove_but(const struct dump_dir *d, int (*which)(const struct dirent *),
		       unsigned int keep)
{
	struct dirent **list;
	int n = scandirat(d->fd, ".", &list, which, alphasort);

	for (int i = 0; i < n; i++) {
		if ((unsigned int)(n - i) > keep)
			unlinkat(d->fd, list[i]->d_name, 0);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

struct dump_dir *dump_dir_open(const char *path, unsigned int keep)
{
	struct dump_dir *d = xcalloc(1, sizeof(*d));

	if (mkdir(path, 0755) && errno != EEXIST)
		die(EXIT_FAILED, "%s cannot be made: %s", path, strerror(errno));
	d->path = xstrdup(path);
	d->keep = keep;
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0)
		die(EXIT_FAILED, "%s: %s", path, strerror(errno));
	if (flock(d->fd, LOCK_EX | LOCK_NB))
		die(EXIT_BUSY, "another quell watch dumps to %s", path);
	if (faccessat(d->fd, ".", W_OK | X_OK, AT_EACCESS))
		die(EXIT_FAILED, "nothing can be written to %s: %s", path, strerror(errno));
	remove_but(d, is_partial, 0);
	return d;
}

char *dump_name(const struct dump_dir *d, uint64_t wall)
{
	time_t t = wall / 1000000000;
	char day[24];
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y%m%dT%H%M%S", &tm);
	return xasprintf("%s/quell-%s.%06uZ.rec", d->path, day,
			 (unsigned int)(wall % 1000000000 / 1000));
}

void dump_prune(const struct dump_dir *d)
{
	remove_but(d, is_dump, d->keep);
}

void dump_marker(struct dump_dir *d, const char *to)
{
	char temp[40];

	/* Whoever opens it finds the one or the other, never none. */
	snprintf(temp, sizeof(temp), ".%s.%d", MARKER, (int)getpid());
	unlinkat(d->fd, temp, 0);
	if (symlinkat(to, d->fd, temp) || renameat(d->fd, temp, d->fd, MARKER)) {
		complain("%s/%s cannot be made: %s", d->path, MARKER, strerror(errno));
		unlinkat(d->fd, temp, 0);
		return;
	}
	d->marked = true;
}

void dump_dir_close(struct dump_dir *d)
{
	if (d->marked)
		unlinkat(d->fd, MARKER, 0);
	close(d->fd);
	free(d->path);
	free(d);
}
