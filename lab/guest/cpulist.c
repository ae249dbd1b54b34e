// SPDX-License-Identifier: GPL-2.0
/* CPU lists as the kernel writes them, as sets. */
#include "cpulist.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits only: strtoul() alone would take "-1" and " 7". */
static bool number(const char **at, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	*value = strtoul(*at, &end, 10);
	*at = end;
	return *value < MAX_CPUS;
}

static bool parse(struct cpus *set, const char *at)
{
	while (*at && *at != '\n') {
		unsigned long first, last;

		if (!number(&at, &first))
			return false;
		last = first;
		if (*at == '-') {
			at++;
			if (!number(&at, &last) || last < first)
				return false;
		}
		for (; first <= last; first++)
			set->has[first] = true;
		if (*at == ',') {
			at++;
			if (!isdigit((unsigned char)*at))
				return false;
		} else if (*at && *at != '\n') {
			return false;
		}
	}
	return true;
}

bool cpus_parse(struct cpus *set, const char *list)
{
	memset(set, 0, sizeof(*set));
	if (parse(set, list))
		return true;
	memset(set, 0, sizeof(*set));
	return false;
}

unsigned int cpus_count(const struct cpus *set)
{
	unsigned int n = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		n += set->has[cpu];
	return n;
}

int cpus_nth(const struct cpus *set, unsigned int n)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (set->has[cpu] && n-- == 0)
			return cpu;
	}
	return -1;
}

void cpus_remove(struct cpus *from, const struct cpus *these)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		from->has[cpu] = from->has[cpu] && !these->has[cpu];
}

void cpus_format(const struct cpus *set, char *out, size_t len)
{
	size_t used = 0;

	if (!len)
		return;
	out[0] = '\0';
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		char range[32];
		int last = cpu, n;

		if (!set->has[cpu])
			continue;
		while (last + 1 < MAX_CPUS && set->has[last + 1])
			last++;
		if (last > cpu)
			n = snprintf(range, sizeof(range), "%s%d-%d",
				     used ? "," : "", cpu, last);
		else
			n = snprintf(range, sizeof(range), "%s%d",
				     used ? "," : "", cpu);
		if (used + (size_t)n >= len)
			return;
		memcpy(out + used, range, (size_t)n + 1);
		used += (size_t)n;
		cpu = last;
	}
}
