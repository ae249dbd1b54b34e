/* SPDX-License-Identifier: GPL-2.0 */
/*
 * series.h - the sources of a summary as a bounded number of time series.
 *
 * Tasks come and go by the thousand, series must not. So the busiest sources have
 * one each, and all others are counted in one more, "other". An interrupt is
 * counted once, in the series its source had at that time: no series ever goes
 * backwards, and their growth adds up to all interrupts.
 */
#ifndef QUELL_SERIES_H
#define QUELL_SERIES_H

#include "record/summary.h"

#define SERIES_DEFAULT	100

enum series_label {
	LABEL_FUNCTION = 1, LABEL_SITE = 2, LABEL_TASK = 4,
	/* Of whoever sent it: the path, and what it says. */
	LABEL_CGROUP = 8, LABEL_UNIT = 16, LABEL_CONTAINER = 32, LABEL_POD = 64,
};
#define NR_LABELS	7
#define DEFAULT_LABELS	(LABEL_FUNCTION | LABEL_SITE | LABEL_TASK)
extern const char *const series_label_name[NR_LABELS];

struct series {
	enum cause	cause;
	uint32_t	label[NR_LABELS];	/* string numbers; 0: none, or not a label */
	bool		known, shown;
	uint64_t	value, recent;
	double		score;			/* decaying number of interrupts */
};

struct series_set {
	struct series	*item;
	size_t		n, room, shown, limit;
	uint32_t	*slot;		/* hash of items */
	size_t		nslots;
	unsigned int	labels;
	uint64_t	other, ranked;
	uint64_t	counted;	/* in all series ever */
};

/* What is left out of @labels is summed up: there are no duplicates. */
void series_init(struct series_set *t, size_t limit, unsigned int labels);
/* Count what came since; before summary_trim(). @now decides when to rank. */
void series_update(struct series_set *t, struct summary *s, uint64_t now);
/* There were @total interrupts: those of no source that was seen are other. */
void series_rest(struct series_set *t, uint64_t total);
void series_free(struct series_set *t);

#endif
