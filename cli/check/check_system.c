// SPDX-License-Identifier: GPL-2.0
/*
 * check_system.c - reading the system that quell check looks at. Everything
 * goes through the root, so a tree of files can stand in for a machine.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/check.h"
#include "quell.h"

char *check_slurp(struct check *c, const char *fmt, ...)
{
	char rest[PATH_MAX], *path, *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(rest, sizeof(rest), fmt, ap);
	va_end(ap);
	path = xasprintf("%s%s", c->root, rest);
	text = slurp(path);
	if (!text && (errno == EACCES || errno == EPERM)) {
		c->unread = grow(c->unread, &c->unread_room, c->nunread + 1,
				 sizeof(*c->unread));
		c->unread[c->nunread++] = xstrdup(rest);
	}
	free(path);
	return text;
}

bool check_exists(struct check *c, const char *path)
{
	char *full = xasprintf("%s%s", c->root, path);
	bool there = !access(full, F_OK);

	free(full);
	return there;
}

bool check_writable(struct check *c, const char *path)
{
	char *full = xasprintf("%s%s", c->root, path);
	struct stat st;
	bool yes = !stat(full, &st) && st.st_mode & 0222;

	free(full);
	return yes;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

char **check_list(struct check *c, const char *path, size_t *n)
{
	char *full = xasprintf("%s%s", c->root, path), **names = NULL;
	DIR *dir = opendir(full);
	struct dirent *d;
	size_t room = 0;

	*n = 0;
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		names = grow(names, &room, *n + 1, sizeof(*names));
		names[(*n)++] = xstrdup(d->d_name);
	}
	if (dir)
		closedir(dir);
	free(full);
	if (names)
		qsort(names, *n, sizeof(*names), by_name);
	return names;
}

void check_list_free(char **names, size_t n)
{
	while (n)
		free(names[--n]);
	free(names);
}

bool check_read_list(struct check *c, const char *path, struct cpuset *set)
{
	char *text = check_slurp(c, "%s", path);
	/* An empty nohz_full reads as "(null)" on some kernels. */
	bool good = text && (cpulist_parse(text, set, NULL) || !strchr("0123456789", *text));

	if (!text || !cpulist_parse(text, set, NULL))
		cpuset_clear(set);
	free(text);
	return good;
}

/* "ff,ffffffff": groups of 32 bits, the lowest CPUs last. */
bool check_read_mask(struct check *c, const char *path, struct cpuset *set)
{
	char *text = check_slurp(c, "%s", path);
	unsigned int bit = 0;
	bool good = text && *text;

	cpuset_clear(set);
	for (size_t i = good ? strlen(text) : 0; i && good; i--) {
		char digit[2] = { text[i - 1] };
		unsigned long v;
		char *end;

		if (*digit == ',')
			continue;
		v = strtoul(digit, &end, 16);
		good = !*end && end != digit;
		for (int k = 0; good && k < 4; k++)
			if (v >> k & 1)
				cpuset_add(set, bit + k);
		bit += 4;
	}
	free(text);
	return good;
}

static int last_of(const struct cpuset *s)
{
	int cpu, last = 0;

	for_each_cpu_in(cpu, s)
		last = cpu;
	return last;
}

bool check_kernel_list(const struct check *c, const char *text,
		       struct cpuset *set, const char **why)
{
	int last = last_of(&c->possible);
	char plain[4096];
	size_t n = 0;
	bool good;

	for (; *text && n + 16 < sizeof(plain); text++) {
		bool fresh = !n || plain[n - 1] == ',';

		if (*text == 'N') {
			n += snprintf(plain + n, sizeof(plain) - n, "%d", last);
		} else if (fresh && !strncmp(text, "all", 3)) {
			n += snprintf(plain + n, sizeof(plain) - n, "0-%d", last);
			text += 2;
		} else {
			plain[n++] = *text;
		}
	}
	plain[n] = '\0';
	good = cpulist_parse(plain, set, why);
	if (good && last_of(set) > last) {
		*why = "a CPU beyond the last one possible";
		good = false;
	}
	return good;
}

char *check_common(const struct cpuset *a, const struct cpuset *b)
{
	struct cpuset both = *a;

	cpuset_and(&both, b);
	return cpuset_count(&both) ? cpulist_format(&both) : NULL;
}

char *check_lacks(const struct cpuset *whole, const struct cpuset *part)
{
	struct cpuset left = *whole;

	cpuset_without(&left, part);
	return cpuset_count(&left) ? cpulist_format(&left) : NULL;
}

struct finding *check_find(struct check *c, const char *id, enum severity severity,
			   const char *why, const char *fmt, ...)
{
	struct finding *f = xcalloc(1, sizeof(*f));
	va_list ap;

	f->id = id;
	f->severity = severity;
	f->why = why;
	va_start(ap, fmt);
	if (vasprintf(&f->what, fmt, ap) < 0)
		die(EXIT_FAILED, "out of memory");
	va_end(ap);
	c->finding = grow(c->finding, &c->finding_room, c->nfindings + 1,
			  sizeof(*c->finding));
	c->finding[c->nfindings++] = f;
	return f;
}

void fix_add(struct finding *f, enum fix_kind kind, const char *target, const char *value)
{
	f->fix = grow(f->fix, &f->fix_room, f->nfixes + 1, sizeof(*f->fix));
	f->fix[f->nfixes++] = (struct fix){ kind, xstrdup(target), xstrdup(value) };
}

void fix_hand(struct finding *f, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		die(EXIT_FAILED, "out of memory");
	va_end(ap);
	fix_add(f, FIX_HAND, "", text);
	free(text);
}

char *fix_text(const struct fix *f)
{
	char *flat, *p;

	switch (f->kind) {
	case FIX_CMDLINE:
		return xasprintf("kernel command line: %s=%s", f->target, f->value);
	case FIX_DROP:
		return xasprintf("kernel command line: without %s", f->target);
	case FIX_SYSCTL:
		return xasprintf("sysctl %s=%s", f->target, f->value);
	case FIX_FILE:
	case FIX_NOW:
		return xasprintf("echo %s > %s", f->value, f->target);
	case FIX_MOVE:
		return xasprintf("taskset -acp %s $(pgrep -x '%s')", f->value, f->target);
	case FIX_IRQ:
		return xasprintf("at each boot: echo %s > /proc/irq/*/%s/../smp_affinity_list",
				 f->value, f->target);
	case FIX_CONF:
		flat = xstrdup(f->value);
		for (p = flat; (p = strchr(p, '\n')); )
			*p = p[1] ? ' ' : '\0';
		p = xasprintf("%s: %s", f->target, flat);
		free(flat);
		return p;
	default:
		return xstrdup(f->value);
	}
}
