// SPDX-License-Identifier: GPL-2.0
/* output.c - a file that the user named to be written. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "quell.h"

/* The temporary file of an output that die() leaves behind is removed. */
static struct output *unfinished[4];

static void remove_unfinished(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(unfinished); i++)
		if (unfinished[i] && unfinished[i]->temp)
			unlink(unfinished[i]->temp);
}

static void remember(struct output *old, struct output *new)
{
	static bool registered;

	if (!registered)
		atexit(remove_unfinished);
	registered = true;
	for (size_t i = 0; i < ARRAY_SIZE(unfinished); i++) {
		if (unfinished[i] == old) {
			unfinished[i] = new;
			return;
		}
	}
}

static void no(const char *path, const char *why)
{
	die(EXIT_FAILED, "%s cannot be written: %s", path, why);
}

static const char *kind_of(mode_t mode)
{
	return S_ISDIR(mode) ? "it is a directory" :
	       S_ISSOCK(mode) ? "it is a socket" : "it is a device";
}

/*
 * What is there already. Opened without being truncated, so that the kernel
 * applies its rules for links in directories that everybody may write to, and so
 * that nobody puts something else there after it was looked at.
 */
static int open_existing(const char *path, struct stat *st, enum output_kind kind)
{
	int fd;

	/* Not opened first: with some devices that alone has an effect. */
	if (stat(path, st))
		no(path, errno == ENOENT ? "it is a link to nothing" : strerror(errno));
	if (!S_ISREG(st->st_mode) && !(kind != OUTPUT_REGULAR && S_ISFIFO(st->st_mode)))
		no(path, S_ISFIFO(st->st_mode) ? "it is a pipe" : kind_of(st->st_mode));
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, st))
		no(path, strerror(errno));
	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode))
		no(path, kind_of(st->st_mode));
	return fd;
}

/* The file that @fd is, by its own name and not by a link's. */
static char *name_of(int fd, const char *path)
{
	char link[32], name[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	if (n <= 0 || name[0] != '/')
		no(path, "its name cannot be found");
	name[n] = '\0';
	return xstrdup(name);
}

/* One that was killed leaves its part; one that is alive holds the lock. */
static void clear_way(const char *path, const char *temp)
{
	int fd = open(temp, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		die(EXIT_FAILED, "%s is in the way", temp);
	if (flock(fd, LOCK_EX | LOCK_NB))
		die(EXIT_BUSY, "%s is being written by another quell", path);
	complain("%s, left by a quell that was killed, is replaced", temp);
	unlink(temp);
	close(fd);
}

static int open_partial(struct output *o)
{
	int fd;

	o->temp = xasprintf("%s.partial", o->final);
	clear_way(o->path, o->temp);
	fd = open(o->temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static void open_temp(struct output *o, enum output_kind kind, mode_t mode)
{
	int fd;

	if (kind == OUTPUT_PARTIAL) {
		fd = open_partial(o);
	} else {
		o->temp = xasprintf("%s.XXXXXX", o->final);
		fd = mkostemp(o->temp, O_CLOEXEC);
	}
	if (fd < 0) {
		free(o->temp);
		o->temp = NULL;
		no(o->path, strerror(errno));
	}
	remember(NULL, o);
	if (fchmod(fd, mode))
		no(o->path, strerror(errno));
	o->f = fdopen(fd, "w");
}

struct output *output_open(const char *path, enum output_kind kind)
{
	struct output *o = xcalloc(1, sizeof(*o));
	mode_t mask = umask(0);
	struct stat st;
	int fd;

	umask(mask);
	if (kind != OUTPUT_REGULAR && (!path || !strcmp(path, "-"))) {
		o->path = xstrdup("standard output");
		o->f = stdout;
		return o;
	}
	o->path = xstrdup(path);
	if (lstat(path, &st)) {
		if (errno != ENOENT)
			no(path, strerror(errno));
		o->final = xstrdup(path);
		open_temp(o, kind, 0666 & ~mask);
	} else {
		fd = open_existing(path, &st, kind);
		if (S_ISFIFO(st.st_mode)) {
			o->f = fdopen(fd, "w");
		} else {
			o->final = name_of(fd, path);
			close(fd);
			open_temp(o, kind, st.st_mode & 0777);
		}
	}
	if (!o->f)
		die(EXIT_FAILED, "out of memory");
	return o;
}

static bool told;		/* of an error of standard output */

static void free_output(struct output *o)
{
	remember(o, NULL);
	free(o->path);
	free(o->final);
	free(o->temp);
	free(o);
}

bool output_commit(struct output *o)
{
	int err = 0;

	if (fflush(o->f) || ferror(o->f) || (o->temp && fsync(fileno(o->f))))
		err = errno ? errno : EIO;
	if (o->f != stdout && fclose(o->f) && !err)
		err = errno;
	if (o->temp && !err && rename(o->temp, o->final))
		err = errno;
	if (o->temp && err)
		unlink(o->temp);
	if (err && o->f == stdout)
		told = true;	/* the caller does */
	free_output(o);
	errno = err;
	return !err;
}

void output_abandon(struct output *o)
{
	if (o->f != stdout)
		fclose(o->f);
	if (o->temp)
		unlink(o->temp);
	free_output(o);
}

static void flush_stdout(void)
{
	bool failed = ferror(stdout);

	if (told)
		_exit(EXIT_FAILED);

	errno = 0;
	if (!fflush(stdout) && !failed)
		return;
	/* An error that was met before has taken its reason with it. */
	fprintf(stderr, "quell: standard output cannot be written%s%s\n",
		errno ? ": " : "", errno ? strerror(errno) : "");
	_exit(EXIT_FAILED);
}

void output_watch_stdout(void)
{
	/* What is opened later must not become standard output. */
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
	/* Handlers run in reverse order: the trace is removed before this. */
	atexit(flush_stdout);
}
