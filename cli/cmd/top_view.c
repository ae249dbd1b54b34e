// SPDX-License-Identifier: GPL-2.0
/*
 * top_view.c - what quell top looks like.
 *
 * A screen is never wider nor higher than the terminal: columns are dropped from
 * the least important on, names are cut, and the first rows stay. Elsewhere
 * nothing is cut. A source that sent nothing since the last table has no row.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "quell.h"
#include "show/remedy.h"
#include "show/show.h"
#include "text.h"
#include "cmd/top.h"

#define NOTICE_NS	60000000000ull	/* trouble is shown for so long */

const char *const top_sort_names[NR_SORTS] = { "rate", "count", "cause", "time" };

/* ---- which rows ----------------------------------------------------------- */

static enum top_sort sort_key;

static uint64_t sort_value(const struct source_row *r)
{
	switch (sort_key) {
	case BY_RATE:	return r->delta;
	case BY_TIME:	return r->lost ? r->lost->sum : 0;
	case BY_CAUSE:	return NR_CAUSES - r->cause;
	default:	return row_count(r);
	}
}

static int compare(const void *a, const void *b)
{
	const struct source_row *x = *(struct source_row *const *)a;
	const struct source_row *y = *(struct source_row *const *)b;
	uint64_t v = sort_value(x), w = sort_value(y);

	if (v != w)
		return v < w ? 1 : -1;
	return row_count(x) < row_count(y) ? 1 : row_count(x) > row_count(y) ? -1 : 0;
}

static bool matches(const struct summary *s, const struct source_row *r,
		    const char *filter)
{
	char owner[OWNER_LABEL];

	return !*filter || strcasestr(cause_info(r->cause)->title, filter) ||
	       strcasestr(cause_info(r->cause)->key, filter) ||
	       strcasestr(row_function(s, r), filter) ||
	       strcasestr(row_site(s, r), filter) || strcasestr(row_task(s, r), filter) ||
	       strcasestr(row_owner(s, r, owner, sizeof(owner)), filter);
}

/* The caller frees it. */
static struct source_row **choose(const struct summary *s, const struct top_view *v,
				  size_t *n)
{
	struct source_row **row = xcalloc(s->nrows, sizeof(*row));
	const char *why;

	*n = 0;
	for (size_t i = 0; i < s->nrows; i++)
		if (s->row[i]->delta && matches(s, s->row[i], v->filter) &&
		    (!v->avoidable || row_avoidable(s->row[i], &why)))
			row[(*n)++] = s->row[i];
	sort_key = v->sort;
	if (*n > 1)
		qsort(row, *n, sizeof(*row), compare);
	return row;
}

/* ---- columns -------------------------------------------------------------- */

enum column { PER_S, TOTAL, LOST, MAX, MARK, CAUSE, FUNCTION, SITE, TASK, CGROUP, FROM, TO, REMEDY, NR_COLUMNS };

static const struct {
	const char	*title;
	bool		right;
	int		least, most, plain;	/* columns; plain: not on a screen */
	int		keep;			/* the lowest is dropped first; 0: never */
} columns[NR_COLUMNS] = {
	[PER_S]		= { "PER S",	 true,	 9,   9,  9, 0 },
	[TOTAL]		= { "TOTAL",	 true,	10,  10, 10, 4 },
	[LOST]		= { "LOST",	 true,	 9,   9,  9, 7 },
	[MAX]		= { "MAX",	 true,	 8,   8,  8, 5 },
	[MARK]		= { "",		 false,	 1,   1,  1, 0 },
	[CAUSE]		= { "CAUSE",	 false,	17,  17, 17, 0 },
	[FUNCTION]	= { "FUNCTION",	 false,	14,  36, 27, 9 },
	[SITE]		= { "CALL SITE", false,	12,  32, 24, 6 },
	[TASK]		= { "TASK",	 false,	 9,  15, 15, 8 },
	[CGROUP]	= { "CGROUP",	 false,	12,  30, 15, 0 },
	[FROM]		= { "FROM CPU",	 false,	 8,  14,  9, 3 },
	[TO]		= { "TO CPU",	 false,	 6,  14,  8, 2 },
	[REMEDY]	= { "REMEDY",	 false,	40, 400,  6, 0 },
};

/* width[c] is 0 for a column that has no room. */
static void layout(int cols, int width[NR_COLUMNS])
{
	int need = 0, more;

	for (int c = 0; c < NR_COLUMNS; c++) {
		width[c] = c == REMEDY || c == CGROUP ? 0 : columns[c].least;
		need += width[c] ? width[c] + 1 : 0;
	}
	need--;
	for (int keep = 1; need > cols && keep <= 9; keep++)
		for (int c = 0; c < NR_COLUMNS; c++)
			if (columns[c].keep == keep) {
				need -= width[c] + 1;
				width[c] = 0;
			}
	/* Names first, then a remedy if there is room for one, and the group. */
	for (int c = 0; c < NR_COLUMNS && need < cols; c++) {
		if (!width[c])
			continue;
		more = columns[c].most - width[c];
		if (more > cols - need)
			more = cols - need;
		width[c] += more;
		need += more;
	}
	more = cols - need - 1;
	if (more > columns[REMEDY].least)
		more -= columns[REMEDY].least + 1;
	if (more >= columns[CGROUP].least) {
		width[CGROUP] = more < columns[CGROUP].most ? more : columns[CGROUP].most;
		need += width[CGROUP] + 1;
	}
	if (cols - need > columns[REMEDY].least)
		width[REMEDY] = cols - need - 1;
}

struct line {
	FILE	*f;
	int	left;		/* columns; for a file: enough */
	bool	cut;
	bool	first;
};

static void put(struct line *l, const char *text, int width, bool right)
{
	int pad;

	if (!l->first && l->left > 0) {
		fputc(' ', l->f);
		l->left--;
	}
	l->first = false;
	if (width > l->left)
		width = l->left;
	pad = right ? width - text_columns(text) : 0;
	if (pad > 0) {
		fprintf(l->f, "%*s", pad, "");
		width -= pad;
		l->left -= pad;
	}
	if (l->cut)
		text_cell(l->f, text, width);
	else
		text_padded(l->f, text, width);
	l->left -= width;
}

/* A cut line of text, in a row of its own. */
static void sentence(struct line *l, const char *text)
{
	text_cell(l->f, text, l->left);
}

static void heads(struct line *l, const int width[NR_COLUMNS])
{
	for (int c = 0; c < NR_COLUMNS; c++)
		if (width[c])
			put(l, columns[c].title, width[c], columns[c].right);
}

static void source(struct line *l, const struct summary *s, const struct source_row *r,
		   double seconds, const int width[NR_COLUMNS])
{
	char *from = cpulist_format(&r->senders), *to = cpulist_format(&r->receivers);
	char *how = width[REMEDY] ? remedy(s, r) : NULL, rate[32], total[32];
	char lost[16], max[16], owner[OWNER_LABEL];
	const char *why, *text[NR_COLUMNS];

	snprintf(rate, sizeof(rate), "%.1f", r->delta / seconds);
	text[PER_S] = rate;
	text[TOTAL] = plain_number(row_count(r), total);
	text[LOST] = r->lost ? short_time(r->lost->sum, lost) : "-";
	text[MAX] = r->lost ? short_time(r->lost->max, max) : "-";
	text[MARK] = row_avoidable(r, &why) ? "*" : "";
	text[CAUSE] = cause_info(r->cause)->title;
	text[FUNCTION] = row_function(s, r);
	text[SITE] = row_site(s, r);
	text[TASK] = row_task(s, r);
	text[CGROUP] = row_owner(s, r, owner, sizeof(owner));
	text[FROM] = *from ? from : "-";
	text[TO] = to;
	text[REMEDY] = how ? how : "";
	for (int c = 0; c < NR_COLUMNS; c++)
		if (width[c])
			put(l, text[c], width[c], columns[c].right);
	free(from);
	free(to);
	free(how);
}

static void cpu_heads(struct line *l)
{
	put(l, "CPU", 5, false);
	put(l, "PER S", 9, true);
	put(l, "TOTAL", 10, true);
	put(l, "AVOIDABLE", 10, true);
	put(l, "BY CAUSE", 8, false);
}

static void cpu_line(struct line *l, const struct summary *s, const struct cpu_row *r,
		     double seconds)
{
	char name[16], number[32];

	snprintf(name, sizeof(name), "%d%s", r->cpu, cpuset_has(&s->quiet, r->cpu) ? "*" : "");
	put(l, name, 5, false);
	snprintf(number, sizeof(number), "%.1f", r->delta / seconds);
	put(l, number, 9, true);
	put(l, plain_number(r->irqs, number), 10, true);
	put(l, plain_number(r->avoidable, number), 10, true);
	for (int c = 0; c < NR_CAUSES && l->left > 0; c++) {
		if (!r->by_cause[c])
			continue;
		snprintf(number, sizeof(number), "%" PRIu64, r->by_cause[c]);
		put(l, cause_info(c)->key, strlen(cause_info(c)->key), false);
		put(l, number, strlen(number), false);
	}
}

/* ---- what stands above ---------------------------------------------------- */

static char *title(const struct session *s, const struct top_view *v)
{
	char *observed = cpulist_format(&s->sum.observed), *text;

	text = xasprintf("quell top: CPUs %s, %.0f s, kernel %s, strategy %s%s%s%s%s", observed,
			 v->age, s->sum.release, s->sum.strategy,
			 s->sum.only ? ", only what was " : "", s->sum.only ? s->sum.only : "",
			 v->service ? ", seen by " : "", v->service ? v->service : "");
	free(observed);
	return text;
}

/* What was not seen comes first: it must not be cut off. */
static char *totals(const struct summary *s)
{
	char a[32], b[32], c[32], d[32], *lost, *blind, *text;

	lost = s->lost ? xasprintf("%s TRACE EVENTS LOST; ", plain_number(s->lost, a)) : xstrdup("");
	blind = s->unaccounted ? xasprintf("%s NOT SEEN; ", plain_number(s->unaccounted, a)) : xstrdup("");
	text = xasprintf("%s%s%s interrupts, %s avoidable by quell (*), %s without a known sender",
			 lost, blind, plain_number(s->total.irqs, b),
			 plain_number(s->total.avoidable, c),
			 plain_number(s->total.unknown, d));
	free(lost);
	free(blind);
	return text;
}

/* ---- a screen ------------------------------------------------------------- */

struct screen {
	FILE			*f;
	const struct term	*t;
	int			used;
};

static bool full(const struct screen *c)
{
	return c->used >= c->t->rows;
}

/* The line is cleared before it is written: behind its last column is nothing. */
static struct line next_line(struct screen *c, const char *style)
{
	fprintf(c->f, "%s\033[K%s", c->used++ ? "\n" : "", c->t->colour ? style : "");
	return (struct line){ .f = c->f, .left = c->t->cols, .cut = true, .first = true };
}

static void plain_line(struct screen *c, const char *text, const char *style)
{
	struct line l = next_line(c, style);

	sentence(&l, text);
	if (c->t->colour)
		fputs("\033[0m", c->f);
}

static void screen_sources(struct screen *c, const struct session *s,
			   const struct top_view *v, int keep)
{
	int width[NR_COLUMNS];
	struct source_row **row;
	const char *why;
	struct line l;
	size_t n;

	layout(c->t->cols, width);
	if (c->used < c->t->rows - 1) {
		l = next_line(c, "\033[7m");
		heads(&l, width);
		fprintf(c->f, "%*s%s", l.left > 0 ? l.left : 0, "", c->t->colour ? "\033[0m" : "");
	}
	row = choose(&s->sum, v, &n);
	for (size_t i = 0; i < n && c->used < c->t->rows - keep; i++) {
		l = next_line(c, row_avoidable(row[i], &why) ? "\033[1;33m" : "");
		source(&l, &s->sum, row[i], v->seconds, width);
		if (c->t->colour)
			fputs("\033[0m", c->f);
	}
	free(row);
}

static void screen_cpus(struct screen *c, const struct session *s,
			const struct top_view *v, int keep)
{
	struct line l;
	int cpu;

	if (c->used < c->t->rows - 1) {
		l = next_line(c, "\033[7m");
		cpu_heads(&l);
		fprintf(c->f, "%*s%s", l.left > 0 ? l.left : 0, "", c->t->colour ? "\033[0m" : "");
	}
	for_each_cpu_in(cpu, &s->sum.observed) {
		const struct cpu_row *r = s->sum.cpu[cpu];

		if (c->used >= c->t->rows - keep)
			break;
		if (!r || !r->delta)
			continue;
		l = next_line(c, r->avoidable ? "\033[1;33m" : "");
		cpu_line(&l, &s->sum, r, v->seconds);
		if (c->t->colour)
			fputs("\033[0m", c->f);
	}
}

static void screen_help(struct screen *c)
{
	static const char *const text[] = {
		"q  quit",
		"p  pause, and go on: counting does not stop",
		"s  sort by the next of rate, count, cause, time",
		"/  show only what has this in its cause, function, call site, task or cgroup",
		"c  CPUs or sources",
		"a  only what quell would avoid, or all",
		"?  this, or back",
		"",
		"A row with * is avoidable: quell explain CAUSE says by what. A source that",
		"sent nothing since the last table has no row.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(text) && !full(c); i++)
		plain_line(c, text[i], "");
}

static char *state(const struct session *s, const struct top_view *v)
{
	if (v->typing)
		return xasprintf("/%s_", v->filter);
	/* Trouble of the last minute. */
	if (s->noticed && now_ns() - s->noticed < NOTICE_NS)
		return xstrdup(s->notice);
	return xasprintf("%s%s%s%s%s", v->paused ? "PAUSED  " : "",
			 *v->filter ? "only /" : "", v->filter, *v->filter ? "  " : "",
			 v->avoidable ? "only avoidable" : "");
}

void top_screen(const struct session *s, const struct top_view *v, const struct term *t)
{
	struct screen c = { .t = t };
	char *frame = NULL, *text;
	int keep = t->rows >= 10;	/* a line of keys */
	size_t len;

	c.f = open_memstream(&frame, &len);
	if (!c.f)
		die(EXIT_FAILED, "out of memory");
	fputs("\033[H", c.f);
	text = title(s, v);
	plain_line(&c, text, "");
	free(text);
	if (t->rows >= 3) {
		text = totals(&s->sum);
		plain_line(&c, text, s->sum.lost || s->sum.unaccounted ? "\033[1;31m" : "");
		free(text);
	}
	text = state(s, v);
	if (t->rows >= 6 || (*text && t->rows >= 4))
		plain_line(&c, text, "\033[1m");
	free(text);
	if (v->help)
		screen_help(&c);
	else if (v->by_cpu)
		screen_cpus(&c, s, v, keep);
	else
		screen_sources(&c, s, v, keep);
	while (c.used < t->rows - keep)
		plain_line(&c, "", "");
	if (keep) {
		text = xasprintf("q quit  p %s  s sort: %s  / filter  c %s  a %s  ? help",
				 v->paused ? "go on" : "pause", top_sort_names[v->sort],
				 v->by_cpu ? "sources" : "CPUs", v->avoidable ? "all" : "avoidable");
		plain_line(&c, text, "\033[2m");
		free(text);
	}
	fclose(c.f);
	fwrite(frame, 1, len, stdout);
	fflush(stdout);
	free(frame);
}

/* ---- lines ---------------------------------------------------------------- */

static bool cpu_changed(const struct summary *s)
{
	int cpu;

	for_each_cpu_in(cpu, &s->observed)
		if (s->cpu[cpu] && s->cpu[cpu]->delta)
			return true;
	return false;
}

static struct line fresh_line(int cols)
{
	return (struct line){ .f = stdout, .left = cols ? cols : INT_MAX / 2,
			      .cut = cols, .first = true };
}

static void text_line(char *text, int cols)
{
	if (cols)
		text_cell(stdout, text, cols);
	else
		text_put(stdout, text, TEXT_PLAIN);
	putchar('\n');
	free(text);
}

bool top_lines(const struct session *s, const struct top_view *v, bool always, int cols)
{
	struct source_row **row;
	int width[NR_COLUMNS], cpu;
	struct line l = fresh_line(cols);
	size_t n;

	row = choose(&s->sum, v, &n);
	if (!always && !(v->by_cpu ? cpu_changed(&s->sum) : n > 0)) {
		free(row);
		return false;
	}
	text_line(title(s, v), cols);
	text_line(totals(&s->sum), cols);
	putchar('\n');
	for (int c = 0; c < NR_COLUMNS; c++)
		width[c] = columns[c].plain;
	if (cols)
		layout(cols, width);
	if (v->by_cpu)
		cpu_heads(&l);
	else
		heads(&l, width);
	putchar('\n');
	for (size_t i = 0; i < n && !v->by_cpu; i++) {
		l = fresh_line(cols);
		source(&l, &s->sum, row[i], v->seconds, width);
		putchar('\n');
	}
	for_each_cpu_in(cpu, &s->sum.observed) {
		if (!v->by_cpu || !s->sum.cpu[cpu] || !s->sum.cpu[cpu]->delta)
			continue;
		l = fresh_line(cols);
		cpu_line(&l, &s->sum, s->sum.cpu[cpu], v->seconds);
		putchar('\n');
	}
	putchar('\n');
	fflush(stdout);
	free(row);
	return true;
}
