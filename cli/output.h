/* SPDX-License-Identifier: GPL-2.0 */
/*
 * output.h - a file that the user named to be written.
 *
 * A regular file is written beside its name and takes the name when it is
 * complete: half a file is never taken for a whole one. A pipe is written as it
 * is, "-" is standard output. Everything else is refused: root that names a
 * device must not replace it by a file, nor write into it.
 */
#ifndef QUELL_OUTPUT_H
#define QUELL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	FILE	*f;
	char	*path;		/* as complaints call it */
	char	*final, *temp;	/* NULL where there is nothing to rename */
};

enum output_kind {
	OUTPUT_ANY,		/* a regular file, a pipe or "-" */
	OUTPUT_REGULAR,		/* what others read again and again */
	/*
	 * As OUTPUT_ANY, but of a regular file a part is worth keeping if the
	 * writer is killed: it is written as PATH.partial, under a lock.
	 */
	OUTPUT_PARTIAL,
};

/* Dies with one line if @path cannot be written or must not be. */
struct output *output_open(const char *path, enum output_kind kind);
/* Give it its name, and close; or, on false, remove it. errno says why. */
bool output_commit(struct output *o);
void output_abandon(struct output *o);

/* Whatever was printed has to arrive: called first of all by main(). */
void output_watch_stdout(void);

#endif
