// SPDX-License-Identifier: GPL-2.0
/*
 * cpulist.c - sets of CPUs and the kernel's list notation.
 *
 * The text may come from a user or from a file, so nothing is assumed of it;
 * tests/fuzz_cpulist.c feeds this parser with whatever a fuzzer comes up with.
 */
#include <stdlib.h>
#include <string.h>

#include "cpulist.h"
#include "quell.h"

void cpuset_clear(struct cpuset *s)
{
	memset(s, 0, sizeof(*s));
}

void cpuset_or(struct cpuset *s, const struct cpuset *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->w); i++)
		s->w[i] |= other->w[i];
}

void cpuset_and(struct cpuset *s, const struct cpuset *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->w); i++)
		s->w[i] &= other->w[i];
}

void cpuset_without(struct cpuset *s, const struct cpuset *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->w); i++)
		s->w[i] &= ~other->w[i];
}

unsigned int cpuset_count(const struct cpuset *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(s->w); i++)
		n += __builtin_popcountll(s->w[i]);
	return n;
}

int cpuset_next(const struct cpuset *s, int after)
{
	unsigned int cpu = after + 1;
	uint64_t word;

	while (cpu < MAX_CPUS) {
		word = s->w[cpu / 64] >> (cpu % 64);
		if (word)
			return cpu + __builtin_ctzll(word);
		cpu = (cpu / 64 + 1) * 64;
	}
	return -1;
}

/* A decimal CPU number without sign or blanks; *@p moves behind it. */
static bool number(const char **p, unsigned int *out)
{
	unsigned int v = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (*s - '0');
		if (v >= MAX_CPUS)
			return false;
	}
	*p = s;
	*out = v;
	return true;
}

static bool one_range(const char **p, struct cpuset *out, const char **why)
{
	unsigned int first, last, used = 1, group = 1;

	*why = "a CPU number below 8192 is expected";
	if (!number(p, &first))
		return false;
	last = first;
	if (**p == '-') {
		++*p;
		if (!number(p, &last))
			return false;
		if (last < first) {
			*why = "a range must not run backwards";
			return false;
		}
		if (**p == ':') {
			++*p;
			*why = "\":\" needs used/group, such as 0-30:2/4";
			if (!number(p, &used) || *(*p)++ != '/' ||
			    !number(p, &group))
				return false;
			if (!used || used > group)
				return false;
		}
	}
	for (unsigned int cpu = first; cpu <= last; cpu++)
		if ((cpu - first) % group < used)
			cpuset_add(out, cpu);
	return true;
}

bool cpulist_parse(const char *text, struct cpuset *out, const char **why)
{
	const char *ignored;

	if (!why)
		why = &ignored;
	cpuset_clear(out);
	if (!*text)
		return true;
	for (;;) {
		if (!one_range(&text, out, why))
			return false;
		if (!*text)
			return true;
		if (*text++ != ',') {
			*why = "ranges are separated by \",\"";
			return false;
		}
	}
}

char *cpulist_format(const struct cpuset *s)
{
	/* No CPU costs more than its own four digits and a comma. */
	size_t room = 5 * (size_t)MAX_CPUS + 1, len = 0;
	char *buf = xcalloc(room, 1);
	int first, last;

	for (first = cpuset_next(s, -1); first >= 0;
	     first = cpuset_next(s, last)) {
		last = first;
		while (cpuset_has(s, last + 1))
			last++;
		len += snprintf(buf + len, room - len, "%s%d",
				len ? "," : "", first);
		if (last > first)
			len += snprintf(buf + len, room - len, "%c%d",
					last == first + 1 ? ',' : '-', last);
	}
	return buf;
}

/* As the kernel writes masks: groups of 8 digits, commas between them. */
char *cpulist_mask(const struct cpuset *s)
{
	char *out = xcalloc(1, MAX_CPUS / 4 + MAX_CPUS / 32 + 2), *p = out;
	bool begun = false;

	for (int g = MAX_CPUS / 32 - 1; g >= 0; g--) {
		uint32_t v = s->w[g / 2] >> (g % 2 ? 32 : 0);

		if (!begun && !v && g)
			continue;
		p += sprintf(p, begun ? ",%08x" : "%x", v);
		begun = true;
	}
	return out;
}
