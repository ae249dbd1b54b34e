// SPDX-License-Identifier: GPL-2.0
/*
 * top.c - quell top: a live table of what interrupts the CPUs.
 *
 * On a terminal the table is redrawn in place; anywhere else one plain table
 * follows the other, so that the output can be kept or grepped.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "quell.h"
#include "remedy.h"
#include "session.h"
#include "show.h"

#define POLL_MS	50
#define WIDE	200	/* columns of a terminal that hold a remedy, too */

static const char usage[] =
	"usage: quell top [options]\n"
	"A live table of the interrupts the CPUs receive, by source.\n"
	"  -c, --cpus LIST        CPUs to observe: a list or \"all\"\n"
	"                         (default: the isolated ones; if there are none, all)\n"
	"  -i, --interval TIME    between two tables (default: 1s)\n"
	"  -n, --count N          end after N tables\n"
	"  -s, --sort KEY         rate (default), count, cause or time\n"
	"  -a, --avoidable        only what quell would avoid\n"
	"      --by-cpu           a table of CPUs instead of sources\n"
	"      --buffer KIB       trace buffer per CPU (default: the kernel's)\n"
	"  -h, --help\n";

enum sort { BY_RATE, BY_COUNT, BY_CAUSE, BY_TIME };

struct options {
	struct session_options	session;
	uint64_t		interval, count;
	enum sort		sort;
	bool			avoidable, by_cpu;
};

static enum sort sort_key;

static void parse(int argc, char **argv, struct options *o)
{
	static const char *const keys[] = { "rate", "count", "cause", "time" };
	const char *sort = keys[BY_RATE];
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o->session),
		TIME_OPTION("interval", 'i', &o->interval,
			    "interval of at least 100ms", 100000000),
		NUMBER("count", 'n', &o->count, "number of tables", 1, UINT64_MAX),
		TEXT_OPTION("sort", 's', &sort),
		FLAG("avoidable", 'a', &o->avoidable),
		FLAG("by-cpu", 0, &o->by_cpu),
	};
	size_t k;

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	for (k = 0; k < ARRAY_SIZE(keys); k++)
		if (!strcmp(sort, keys[k]))
			break;
	if (k == ARRAY_SIZE(keys))
		die(EXIT_USAGE, "\"%s\" is no sort key (rate, count, cause, time)", sort);
	o->sort = k;
}

static uint64_t sort_value(const struct source_row *r)
{
	switch (sort_key) {
	case BY_RATE:	return r->t.irqs - r->last;
	case BY_TIME:	return r->t.ns;
	case BY_CAUSE:	return NR_CAUSES - r->cause;
	default:	return r->t.irqs;
	}
}

static int compare(const void *a, const void *b)
{
	const struct source_row *x = *(struct source_row *const *)a;
	const struct source_row *y = *(struct source_row *const *)b;
	uint64_t v = sort_value(x), w = sort_value(y);

	if (v != w)
		return v < w ? 1 : -1;
	return x->t.irqs < y->t.irqs ? 1 : x->t.irqs > y->t.irqs ? -1 : 0;
}

static void print_sources(const struct summary *s, const struct options *o,
			  double seconds, int lines, bool terminal, bool wide)
{
	struct source_row **row = xcalloc(s->nrows, sizeof(*row));
	char a[32];
	size_t n = 0;
	const char *why;

	for (size_t i = 0; i < s->nrows; i++)
		if (s->row[i]->t.irqs &&
		    (!o->avoidable || row_avoidable(s->row[i], &why)))
			row[n++] = s->row[i];
	sort_key = o->sort;
	if (n > 1)
		qsort(row, n, sizeof(*row), compare);
	printf("%9s %10s  %-17s %-27s %-24s %-15s %-9s %s\n", "PER S", "TOTAL",
	       "CAUSE", "FUNCTION", "CALL SITE", "TASK", "FROM CPU", "TO CPU");
	for (size_t i = 0; i < n && (!lines || (int)i < lines); i++) {
		struct source_row *r = row[i];
		char *from = cpulist_format(&r->senders);
		char *to = cpulist_format(&r->receivers);

		bool avoid = row_avoidable(r, &why);
		char *how = wide ? remedy(s, r) : NULL;

		printf("%s%9.1f %10s  %-17s %-27s %-24s %-15s %-9s %s%s%s%s%s\n",
		       avoid && terminal ? "\033[1m" : "",
		       (r->t.irqs - r->last) / seconds,
		       plain_number(r->t.irqs, a), cause_info(r->cause)->title,
		       row_function(s, r), row_site(s, r), row_task(s, r),
		       *from ? from : "-", to,
		       avoid ? "  avoidable" : "",
		       avoid && terminal ? "\033[0m" : "", how ? "  -> " : "",
		       how ? how : "");
		free(how);
		free(from);
		free(to);
	}
	free(row);
}

static void print_cpus(const struct summary *s, double seconds, int lines)
{
	char a[32], b[32];
	int cpu, n = 0;

	printf("%-5s %9s %10s %10s  %s\n", "CPU", "PER S", "TOTAL", "AVOIDABLE",
	       "BY CAUSE");
	for_each_cpu_in(cpu, &s->observed) {
		struct cpu_row *r = s->cpu[cpu];

		if (lines && n++ >= lines)
			break;
		printf("%-4d%c %9.1f %10s %10s%s", cpu,
		       cpuset_has(&s->quiet, cpu) ? '*' : ' ',
		       r ? (r->irqs - r->last) / seconds : 0,
		       plain_number(r ? r->irqs : 0, a),
		       plain_number(r ? r->avoidable : 0, b),
		       r && r->irqs ? " " : "");
		for (int c = 0; r && c < NR_CAUSES; c++)
			if (r->by_cause[c])
				printf(" %s %" PRIu64, cause_info(c)->key,
				       r->by_cause[c]);
		putchar('\n');
	}
}

static void remember(struct summary *s)
{
	for (size_t i = 0; i < s->nrows; i++)
		s->row[i]->last = s->row[i]->t.irqs;
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (s->cpu[cpu])
			s->cpu[cpu]->last = s->cpu[cpu]->irqs;
}

static void print_table(struct session *s, const struct options *o, double seconds)
{
	char *observed = cpulist_format(&s->sum.observed), a[32], b[32], c[32];
	bool terminal = isatty(STDOUT_FILENO);
	struct winsize w = { 0 };
	int lines = 0;

	if (terminal) {
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
		lines = w.ws_row > 6 ? w.ws_row - 5 : 0;
		fputs("\033[H\033[J", stdout);
	}
	printf("quell top: CPUs %s, %.0f s, kernel %s, strategy %s\n", observed,
	       (now_ns() - s->from) / 1e9, s->sum.release, s->sum.strategy);
	printf("%s interrupts, %s avoidable by quell, %s without a known sender",
	       plain_number(s->sum.total.irqs, a),
	       plain_number(s->sum.total.avoidable, b),
	       plain_number(s->sum.total.unknown, c));
	if (s->sum.lost)
		printf("; %" PRIu64 " TRACE EVENTS LOST", s->sum.lost);
	if (s->sum.unaccounted)
		printf("; %" PRIu64 " NOT SEEN", s->sum.unaccounted);
	fputs("\n", stdout);
	/* Trouble of the last minute, in place of the empty line. */
	if (terminal && s->noticed && now_ns() - s->noticed < 60000000000ull)
		fputs(s->notice, stdout);
	fputs("\n", stdout);
	if (o->by_cpu)
		print_cpus(&s->sum, seconds, lines);
	else
		print_sources(&s->sum, o, seconds, lines, terminal,
			      !terminal || w.ws_col >= WIDE);
	if (!terminal)
		putchar('\n');
	fflush(stdout);
	free(observed);
}

int cmd_top(int argc, char **argv)
{
	struct options o = { .interval = 1000000000 };
	struct session s = { .on_screen = isatty(STDOUT_FILENO) };
	uint64_t last, next, now;
	unsigned long shown = 0;

	parse(argc, argv, &o);
	catch_signals();
	session_open(&s, &o.session);
	last = s.from;
	next = last + o.interval;
	while (!stop_signal && !ferror(stdout) && (!o.count || shown < o.count)) {
		pause_ms(POLL_MS);
		session_poll(&s);
		now = now_ns();
		if (now < next)
			continue;
		s.sum.lost = collect_lost(s.collect);
		print_table(&s, &o, (now - last) / 1e9);
		remember(&s.sum);
		shown++;
		last = now;
		next = now + o.interval;
	}
	session_close(&s);
	session_free(&s);
	return EXIT_OK;
}
