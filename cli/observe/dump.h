/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dump.h - the directory that the flight recorder's dumps go to: their names, how
 * many stay, and the marker beside them.
 */
#ifndef QUELL_DUMP_H
#define QUELL_DUMP_H

#include <stdint.h>

struct dump_dir;

/*
 * Makes it if it is not there, takes it for ourselves, and removes what one that
 * was killed left half-written. Dies with one line.
 */
struct dump_dir *dump_dir_open(const char *path, unsigned int keep);
/* The file for a dump of what happened at that time of day; the caller frees it. */
char *dump_name(const struct dump_dir *d, uint64_t wall);
/* Of the dumps only the newest stay. */
void dump_prune(const struct dump_dir *d);
/* Let DIR/marker lead to @to. */
void dump_marker(struct dump_dir *d, const char *to);
void dump_dir_close(struct dump_dir *d);

#endif
