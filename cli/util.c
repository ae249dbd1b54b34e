// SPDX-License-Identifier: GPL-2.0
/*
 * util.c - messages, checked allocation, signals: the parts that have no
 * better home. An allocation that fails ends the program through exit(), so
 * that the tracefs instance is removed by the handler instance.c registered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "quell.h"
#include "text.h"

volatile int stop_signal;
void (*complaint_hook)(void);

static void vcomplain(const char *fmt, va_list ap)
{
	char *line;

	if (complaint_hook)
		complaint_hook();
	fflush(stdout);
	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	fputs("quell: ", stderr);
	/* A file's name may hold anything too. */
	text_put(stderr, line ? line : "out of memory", TEXT_PLAIN);
	fputc('\n', stderr);
	free(line);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
}

void die(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
	exit(code);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		die(EXIT_FAILED, "out of memory");
	return p;
}

void *xrealloc(void *old, size_t n, size_t size)
{
	void *p = reallocarray(old, n ? n : 1, size);

	if (!p)
		die(EXIT_FAILED, "out of memory");
	return p;
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		die(EXIT_FAILED, "out of memory");
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		die(EXIT_FAILED, "out of memory");
	return p;
}

void *grow(void *array, size_t *room, size_t need, size_t elem)
{
	size_t n = *room ? *room : 16;

	if (need <= *room)
		return array;
	while (n < need)
		n *= 2;
	array = xrealloc(array, n, elem);
	*room = n;
	return array;
}

char *slurp(const char *path)
{
	size_t len = 0, room = 0;
	char *buf = NULL;
	ssize_t n;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	do {
		buf = grow(buf, &room, len + 4096, 1);
		n = read(fd, buf + len, room - len - 1);
		if (n > 0)
			len += n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	close(fd);
	if (n < 0) {
		free(buf);
		return NULL;
	}
	while (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return buf;
}

bool parse_duration(const char *text, uint64_t *ns)
{
	static const struct { const char *name; double ns; } units[] = {
		{ "", 1e9 }, { "s", 1e9 }, { "ms", 1e6 }, { "us", 1e3 },
		{ "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 },
	};
	double v;
	size_t digits = strspn(text, "0123456789."), i;
	char *end;

	/* strtod() alone would also take signs, hex, nan and exponents. */
	if (*text < '0' || *text > '9' || (text[digits] | 0x20) == 'e' ||
	    (text[digits] | 0x20) == 'x')
		return false;
	v = strtod(text, &end);
	for (i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(end, units[i].name))
			continue;
		v *= units[i].ns;
		/* A month is more than any record; this also refuses inf. */
		if (!(v >= 1e3 && v <= 30 * 86400e9))
			return false;
		*ns = (uint64_t)v;
		return true;
	}
	return false;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	/* The clock the trace uses too (trace_clock=mono). */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void on_signal(int sig)
{
	stop_signal = sig;
}

void catch_signals(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	/* No SA_RESTART: a sleeping loop must wake up and clean up. */
	for (i = 0; i < ARRAY_SIZE(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}
