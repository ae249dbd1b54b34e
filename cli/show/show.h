/* SPDX-License-Identifier: GPL-2.0 */
/* show.h - a summary as text, JSON, SVG or metrics. */
#ifndef QUELL_SHOW_H
#define QUELL_SHOW_H

#include "record/series.h"
#include "record/summary.h"

/* The last one is a snapshot.h, which show_metrics() has no part in. */
enum metrics_format { METRICS_OPENMETRICS, METRICS_PROMETHEUS, METRICS_SNAPSHOT };

void show_text(const struct summary *s, FILE *f, bool stacks);
void show_json(const struct summary *s, FILE *f);
void show_svg(const struct summary *s, FILE *f);
void show_metrics(const struct summary *s, const struct series_set *series, FILE *f,
		  enum metrics_format fmt);
const char *cause_color(enum cause c);

/* "1.2k"-like numbers would lie about exactness; this only groups digits. */
const char *plain_number(uint64_t n, char buf[32]);
/* Who sent it, from where, running what; each as the tables print it. */
const char *row_function(const struct summary *s, const struct source_row *r);
const char *row_site(const struct summary *s, const struct source_row *r);
const char *row_task(const struct summary *s, const struct source_row *r);
/* Whose it is: "pod UID/ID", "container ID", a unit, a path; "-": nobody's. */
#define OWNER_LABEL	160
const char *row_owner(const struct summary *s, const struct source_row *r,
		      char *buf, size_t size);
bool row_avoidable(const struct source_row *r, const char **why);

#endif
