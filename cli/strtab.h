/* SPDX-License-Identifier: GPL-2.0 */
/*
 * strtab.h - strings (and stacks, which are strings of string numbers) kept
 * once and known by a number. Number 0 is always the empty one.
 */
#ifndef QUELL_STRTAB_H
#define QUELL_STRTAB_H

#include <stddef.h>
#include <stdint.h>

struct blob {
	char		*data;		/* NUL-terminated whatever it holds */
	uint32_t	len;
	uint32_t	hash;
};

struct strtab {
	struct blob	*item;
	size_t		n, room;
	uint32_t	*slot;		/* open addressing; 0 is a free slot */
	size_t		nslots;
};

uint32_t strtab_put(struct strtab *t, const void *data, size_t len);
uint32_t strtab_str(struct strtab *t, const char *s);
/* 0: it is not in there. */
uint32_t strtab_find(const struct strtab *t, const char *s);
const char *strtab_get(const struct strtab *t, uint32_t id);
void strtab_free(struct strtab *t);

#endif
