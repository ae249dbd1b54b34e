// SPDX-License-Identifier: GPL-2.0
/* Whole files of /proc and /sys, read and written in one go. */
#include "sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void die(const char *format, ...)
{
	int error = errno;
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(1);
}

/* These files have no size, so read until nothing more comes. */
char *read_file(const char *path)
{
	size_t size = 65536, used = 0;
	char *text = malloc(size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (!text || fd < 0)
		goto fail;
	for (;;) {
		ssize_t n = read(fd, text + used, size - used - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			goto fail;
		if (n == 0)
			break;
		used += (size_t)n;
		if (size - used < size / 4) {
			char *more = realloc(text, size * 2);

			if (!more)
				goto fail;
			text = more;
			size *= 2;
		}
	}
	close(fd);
	text[used] = '\0';
	errno = 0;
	return text;
fail:
	if (fd >= 0) {
		int error = errno;

		close(fd);
		errno = error;
	}
	free(text);
	return NULL;
}

char *must_read(const char *path)
{
	char *text = read_file(path);

	if (!text)
		die("cannot read %s", path);
	return text;
}

/* One write: debugfs and tracefs files take a command per write. */
bool write_file(const char *path, const char *text)
{
	size_t len = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int error;

	if (fd < 0)
		return false;
	n = write(fd, text, len);
	error = n < 0 ? errno : EIO;
	close(fd);
	errno = n == (ssize_t)len ? 0 : error;
	return n == (ssize_t)len;
}

void must_write(const char *path, const char *text)
{
	if (!write_file(path, text))
		die("cannot write '%s' to %s", text, path);
}

long long read_number(const char *path, long long otherwise)
{
	char *text = read_file(path), *end;
	long long value;

	if (!text)
		return otherwise;
	value = strtoll(text, &end, 10);
	if (end == text)
		value = otherwise;
	free(text);
	return value;
}
