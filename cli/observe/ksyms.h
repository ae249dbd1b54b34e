/* SPDX-License-Identifier: GPL-2.0 */
/* ksyms.h - kernel addresses to function names, from /proc/kallsyms. */
#ifndef QUELL_KSYMS_H
#define QUELL_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

/* @modules is /proc/modules, or NULL if there are none. */
bool ksyms_load(const char *path, const char *modules);
/* Read it again if modules came or went; true: names may have changed. */
bool ksyms_refresh(void);
/* NULL if no function is known to be there. Looks again for what is new. */
const char *ksyms_name(uint64_t addr);
bool ksyms_has(const char *name);	/* does this kernel have it? */
void ksyms_free(void);

#endif
