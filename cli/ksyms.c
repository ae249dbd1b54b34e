// SPDX-License-Identifier: GPL-2.0
/*
 * ksyms.c - kernel addresses to function names.
 *
 * Addresses in trace events are raw; the record must outlive this boot, so
 * they are turned into names while the kernel that knows them still runs.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ksyms.h"
#include "quell.h"

static struct ksym {
	uint64_t	addr;
	char		*name;
} *sym;
static size_t nsym, room;

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

bool ksyms_load(const char *path)
{
	unsigned long long addr;
	char line[512], type, *name;
	bool any = false;
	FILE *f;
	int at;

	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		at = 0;
		if (sscanf(line, "%llx %c %n", &addr, &type, &at) < 2 || !at)
			continue;
		if (!strchr("tTwW", type))
			continue;
		name = line + at;
		name[strcspn(name, "\t\n ")] = '\0';
		sym = grow(sym, &room, nsym + 1, sizeof(*sym));
		sym[nsym].addr = addr;
		sym[nsym++].name = xstrdup(name);
		/* kptr_restrict shows zeroes to those who may not know. */
		any |= addr != 0;
	}
	fclose(f);
	qsort(sym, nsym, sizeof(*sym), by_addr);
	return any;
}

const char *ksyms_name(uint64_t addr)
{
	size_t lo = 0, hi = nsym, mid;

	if (!nsym || addr < sym[0].addr)
		return NULL;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (sym[mid].addr <= addr)
			lo = mid;
		else
			hi = mid;
	}
	/* Aliases share an address; the first of them is as good as any. */
	while (lo && sym[lo - 1].addr == sym[lo].addr)
		lo--;
	/* No function is a megabyte long: this is beyond the last one. */
	return addr - sym[lo].addr < 1 << 20 ? sym[lo].name : NULL;
}

bool ksyms_has(const char *name)
{
	for (size_t i = 0; i < nsym; i++)
		if (!strcmp(sym[i].name, name))
			return true;
	return false;
}

void ksyms_free(void)
{
	for (size_t i = 0; i < nsym; i++)
		free(sym[i].name);
	free(sym);
	sym = NULL;
	nsym = room = 0;
}
