// SPDX-License-Identifier: GPL-2.0
/* hist.c - how long interruptions took. */
#include <inttypes.h>
#include <stdio.h>

#include "record/hist.h"

const uint32_t hist_edge[HIST_EDGES] = {
	1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000,
	10000000, 100000000,
};

/* Eight slots to a power of two; below eight each number has its own. */
static unsigned int slot_of(uint32_t ns)
{
	unsigned int e = ns ? 31 - __builtin_clz(ns) : 0;

	return e < 3 ? ns : (e - 2) * 8 + (ns >> (e - 3) & 7);
}

/* The largest number of slot @i. */
static uint32_t slot_end(unsigned int i)
{
	unsigned int e = i / 8 + 2;

	return i < 8 ? i : ((uint64_t)(8 + i % 8 + 1) << (e - 3)) - 1;
}

void hist_add(struct hist *h, uint32_t ns)
{
	h->n++;
	h->sum += ns;
	if (ns > h->max)
		h->max = ns;
	h->slot[slot_of(ns)]++;
	for (int i = 0; i < HIST_EDGES; i++)
		if (ns < hist_edge[i]) {
			h->shorter[i]++;
			break;
		}
}

uint32_t hist_quantile(const struct hist *h, double q)
{
	uint64_t want, seen = 0;

	if (!h || !h->n)
		return 0;
	want = (uint64_t)(q * h->n);
	if (want >= h->n)
		want = h->n - 1;
	for (unsigned int i = 0; i < HIST_SLOTS; i++) {
		seen += h->slot[i];
		if (seen > want)
			return slot_end(i) < h->max ? slot_end(i) : h->max;
	}
	return h->max;
}

const char *short_time(uint64_t ns, char buf[16])
{
	if (ns < 1000)
		snprintf(buf, 16, "%u ns", (unsigned int)ns);
	else if (ns < 1000000)
		snprintf(buf, 16, "%.1f us", ns / 1e3);
	else if (ns < 1000000000)
		snprintf(buf, 16, "%.1f ms", ns / 1e6);
	else
		snprintf(buf, 16, "%.4g s", ns / 1e9);
	return buf;
}
