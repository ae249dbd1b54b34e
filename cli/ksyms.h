/* SPDX-License-Identifier: GPL-2.0 */
/* ksyms.h - kernel addresses to function names, from /proc/kallsyms. */
#ifndef QUELL_KSYMS_H
#define QUELL_KSYMS_H

#include <stdbool.h>
#include <stdint.h>

bool ksyms_load(const char *path);
const char *ksyms_name(uint64_t addr);	/* NULL if no function is there */
bool ksyms_has(const char *name);	/* does this kernel have it? */
void ksyms_free(void);

#endif
