/* SPDX-License-Identifier: GPL-2.0 */
/*
 * snapshot.h - a summary as it is at one moment, for others to show.
 *
 * It is a record (recfile.h) of sums: tallies, rows, CPUs and histograms instead of
 * what they are sums of. So it is as large as there are sources, whatever happened,
 * and whoever missed ten of them has lost nothing: the eleventh has it all.
 */
#ifndef QUELL_SNAPSHOT_H
#define QUELL_SNAPSHOT_H

#include "record/summary.h"

struct snapshot {
	char		id[40];		/* of the window: another one counts anew */
	uint64_t	age;		/* ns since the window opened */
	uint64_t	noticed;	/* when the last trouble was, 0: never */
	char		notice[160];	/* what it was */
};

bool snapshot_write(const struct summary *s, const struct snapshot *about, FILE *f);
/*
 * Read one into @s, which is fresh and whose table of strings is kept. Return: NULL,
 * or what is wrong with it; @s has to be freed either way.
 */
const char *snapshot_read(struct summary *s, struct snapshot *about, FILE *f);
/* What a viewer noted about a row or a CPU in @old holds for the same one in @s. */
void snapshot_inherit(struct summary *s, const struct summary *old);

#endif
