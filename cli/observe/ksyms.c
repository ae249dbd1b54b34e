// SPDX-License-Identifier: GPL-2.0
/*
 * ksyms.c - kernel addresses to function names.
 *
 * Addresses in trace events are raw; the record must outlive this boot, so
 * they are turned into names while the kernel that knows them still runs.
 *
 * Modules come and go in the meantime. The nearest symbol below an address is
 * its name only if it belongs to the same module; otherwise the address is of
 * something that was loaded later, and a neighbour's name would be a lie.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe/ksyms.h"
#include "quell.h"

#define AGAIN_NS	1000000000ull	/* for code without a module (BPF) */
#define LOOK_NS		10000000ull	/* events are read later than that */

enum { OWNER_KERNEL, OWNER_OTHER, OWNER_MODULE };	/* + number of module */

static struct ksym {
	uint64_t	addr;
	char		*name;
	uint32_t	owner;
} *sym;
static size_t nsym, room;

static struct module {
	char		name[64];
	uint64_t	base, size;
} *mod;
static size_t nmod, mod_room;

static char *path, *modules_path, *modules;
static uint64_t loaded_at, looked_at;
static struct { uint64_t from, to; } text[2];
static bool changed;

static int by_addr(const void *a, const void *b)
{
	const struct ksym *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void parse_modules(void)
{
	char *copy = xstrdup(modules ? modules : ""), *line, *save = NULL;
	unsigned long long size, base;
	struct module m;

	nmod = 0;
	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		memset(&m, 0, sizeof(m));
		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", m.name, &size,
			   &base) != 3 || !base)
			continue;
		m.base = base;
		m.size = size;
		mod = grow(mod, &mod_room, nmod + 1, sizeof(*mod));
		mod[nmod++] = m;
	}
	free(copy);
}

/* "[name]" behind a symbol. */
static uint32_t owner_of(const char *tag)
{
	size_t len = strcspn(tag, "]\n");

	if (*tag != '[')
		return OWNER_KERNEL;
	for (size_t i = 0; i < nmod; i++)
		if (strlen(mod[i].name) == len - 1 &&
		    !memcmp(mod[i].name, tag + 1, len - 1))
			return OWNER_MODULE + i;
	return OWNER_OTHER;
}

static void drop_symbols(void)
{
	for (size_t i = 0; i < nsym; i++)
		free(sym[i].name);
	nsym = 0;
}

static bool load(void)
{
	static const struct { const char *name; int at; bool end; } ends[] = {
		{ "_stext", 0, false }, { "_etext", 0, true },
		{ "_sinittext", 1, false }, { "_einittext", 1, true },
	};
	unsigned long long addr;
	char line[512], type, *name;
	bool any = false;
	FILE *f;
	int at;

	f = fopen(path, "re");
	if (!f)
		return false;
	drop_symbols();
	loaded_at = now_ns();
	while (fgets(line, sizeof(line), f)) {
		size_t len;

		at = 0;
		if (sscanf(line, "%llx %c %n", &addr, &type, &at) < 2 || !at)
			continue;
		if (!strchr("tTwW", type))
			continue;
		name = line + at;
		len = strcspn(name, "\t\n ");
		sym = grow(sym, &room, nsym + 1, sizeof(*sym));
		sym[nsym].addr = addr;
		sym[nsym].owner = name[len] ? owner_of(name + len +
						strspn(name + len, "\t ")) : OWNER_KERNEL;
		name[len] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
			if (!strcmp(name, ends[i].name))
				*(ends[i].end ? &text[ends[i].at].to :
				  &text[ends[i].at].from) = addr;
		sym[nsym++].name = xstrdup(name);
		/* kptr_restrict shows zeroes to those who may not know. */
		any |= addr != 0;
	}
	fclose(f);
	qsort(sym, nsym, sizeof(*sym), by_addr);
	return any;
}

bool ksyms_load(const char *symbols, const char *module_list)
{
	ksyms_free();
	path = xstrdup(symbols);
	modules_path = module_list ? xstrdup(module_list) : NULL;
	modules = module_list ? slurp(module_list) : NULL;
	parse_modules();
	return load();
}

/* Did modules come or go since we looked? Then all symbols are read again. */
static void look(void)
{
	char *now = modules_path ? slurp(modules_path) : NULL;
	bool same = (!now && !modules) || (now && modules && !strcmp(now, modules));

	looked_at = now_ns();
	if (same) {
		free(now);
		return;
	}
	free(modules);
	modules = now;
	parse_modules();
	load();
	changed = true;
}

bool ksyms_refresh(void)
{
	bool was;

	look();
	was = changed;
	changed = false;
	return was;
}

static bool in_kernel_text(uint64_t addr)
{
	if (!text[0].to)
		return addr < UINT64_MAX;	/* it does not say where it ends */
	return (addr >= text[0].from && addr < text[0].to) ||
	       (addr >= text[1].from && addr < text[1].to);
}

/* The last symbol at or below @addr. */
static const struct ksym *nearest(uint64_t addr)
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
	return addr - sym[lo].addr < 1 << 20 ? &sym[lo] : NULL;
}

/* Whose address is it? A module's stated size may reach into its neighbour. */
static uint32_t place_of(uint64_t addr)
{
	uint32_t owner = OWNER_OTHER;
	uint64_t base = 0;

	if (in_kernel_text(addr) && text[0].to)
		return OWNER_KERNEL;
	for (size_t i = 0; i < nmod; i++)
		if (mod[i].base <= addr && addr - mod[i].base < mod[i].size &&
		    mod[i].base >= base) {
			base = mod[i].base;
			owner = OWNER_MODULE + i;
		}
	if (owner == OWNER_OTHER && in_kernel_text(addr))
		return OWNER_KERNEL;
	return owner;
}

static const char *name_if_owned(uint64_t addr)
{
	const struct ksym *s = nearest(addr);

	return s && s->owner == place_of(addr) ? s->name : NULL;
}

const char *ksyms_name(uint64_t addr)
{
	uint64_t now;

	if (place_of(addr) == OWNER_KERNEL)
		return name_if_owned(addr);
	now = now_ns();
	if (now - looked_at > LOOK_NS)
		look();
	if (place_of(addr) == OWNER_OTHER && now - loaded_at > AGAIN_NS) {
		load();
		changed = true;
	}
	return name_if_owned(addr);
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
	drop_symbols();
	free(sym);
	free(mod);
	free(path);
	free(modules_path);
	free(modules);
	sym = NULL;
	mod = NULL;
	path = modules_path = modules = NULL;
	room = nmod = mod_room = 0;
	memset(text, 0, sizeof(text));
}
