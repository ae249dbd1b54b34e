/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hist.h - how long interruptions took: total, quantiles, the longest, and how
 * many of each length.
 */
#ifndef QUELL_HIST_H
#define QUELL_HIST_H

#include <stdint.h>

#define HIST_SLOTS	240	/* eight to a power of two: quantiles within 7 % */
#define HIST_EDGES	12	/* what is shown: 1 us, 2 us, 5 us, ... 100 ms */

struct hist {
	uint64_t	n, sum;			/* ns */
	uint32_t	max;
	uint32_t	slot[HIST_SLOTS];
	uint64_t	shorter[HIST_EDGES];	/* than the edge, not than the one before */
};

extern const uint32_t hist_edge[HIST_EDGES];

void hist_add(struct hist *h, uint32_t ns);
/* So long at most were @q (0.99) of them; NULL or empty: 0. */
uint32_t hist_quantile(const struct hist *h, double q);
/* "850 ns", "12.3 us", "4.5 ms", "1.2 s" */
const char *short_time(uint64_t ns, char buf[16]);

#endif
