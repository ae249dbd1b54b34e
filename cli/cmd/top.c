// SPDX-License-Identifier: GPL-2.0
/*
 * top.c - quell top: a live table of what interrupts the CPUs.
 *
 * On a terminal the table has a screen of its own and obeys keys; anywhere else
 * one plain table follows the other wherever something changed, so that the output
 * can be kept or grepped.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "observe/attach.h"
#include "quell.h"
#include "observe/session.h"
#include "cmd/top.h"

#define MAX_SOURCES	8192

static const char usage[] =
	"usage: quell top [options]\n"
	"A live table of the interrupts the CPUs receive, by source. On a terminal the\n"
	"keys are q (quit), p (pause), s (sort), / (filter), c (CPUs), a (avoidable), ?.\n"
	USAGE_CPUS
	"  -i, --interval TIME    from one table to the next (default: 1s)\n"
	"  -n, --count N          end after N tables\n"
	"  -s, --sort KEY         rate (default), count, cause or time\n"
	"  -a, --avoidable        only what quell would avoid\n"
	"      --by-cpu           a table of CPUs instead of sources\n"
	USAGE_OWNER
	USAGE_WHAT
	USAGE_BUFFER
	USAGE_ATTACH
	"  -h, --help\n";

struct options {
	struct session_options	session;
	struct attach_options	attach;
	uint64_t		interval, count;
	struct top_view		view;
};

static void parse(int argc, char **argv, struct options *o, struct owner_filter *only)
{
	const char *sort = top_sort_names[BY_RATE];
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o->session),
		ATTACH_OPTIONS(&o->attach),
		OWNER_OPTIONS(only),
		TIME_OPTION("interval", 'i', &o->interval,
			    "interval of at least 100ms", 100000000),
		NUMBER("count", 'n', &o->count, "number of tables", 1, UINT64_MAX),
		TEXT_OPTION("sort", 's', &sort),
		FLAG("avoidable", 'a', &o->view.avoidable),
		FLAG("by-cpu", 0, &o->view.by_cpu),
	};
	size_t k;

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	for (k = 0; k < NR_SORTS; k++)
		if (!strcmp(sort, top_sort_names[k]))
			break;
	if (k == NR_SORTS)
		die(EXIT_USAGE, "\"%s\" is no sort key (rate, count, cause, time)", sort);
	o->view.sort = k;
}

/* The next table: what came since the last one. */
static void tick(struct session *s, struct top_view *v, uint64_t last, uint64_t age)
{
	struct summary *m = &s->sum;

	for (size_t i = 0; i < m->nrows; i++) {
		m->row[i]->delta = row_count(m->row[i]) - m->row[i]->last;
		m->row[i]->last = row_count(m->row[i]);
	}
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!m->cpu[cpu])
			continue;
		m->cpu[cpu]->delta = m->cpu[cpu]->irqs - m->cpu[cpu]->last;
		m->cpu[cpu]->last = m->cpu[cpu]->irqs;
	}
	v->seconds = (age - last) / 1e9;
	v->age = age / 1e9;
}

static void type(struct top_view *v, int key)
{
	size_t n = strlen(v->filter);

	if (key == KEY_ENTER || key == KEY_ESCAPE) {
		if (key == KEY_ESCAPE)
			*v->filter = '\0';
		v->typing = false;
	} else if (key == KEY_BACKSPACE) {
		if (n)
			v->filter[n - 1] = '\0';
	} else if (key >= ' ' && n + 1 < sizeof(v->filter)) {
		v->filter[n] = key;
		v->filter[n + 1] = '\0';
	}
}

/* False: enough. */
static bool obey(struct top_view *v, int key)
{
	if (v->typing) {
		type(v, key);
		return true;
	}
	switch (key) {
	case 'q':
		return false;
	case 'p':
	case ' ':
		v->paused = !v->paused;
		break;
	case 's':
		v->sort = (v->sort + 1) % NR_SORTS;
		break;
	case 'c':
		v->by_cpu = !v->by_cpu;
		break;
	case 'a':
		v->avoidable = !v->avoidable;
		break;
	case '/':
		*v->filter = '\0';
		v->typing = true;
		break;
	case '?':
	case 'h':
		v->help = !v->help;
		break;
	case KEY_ESCAPE:
		*v->filter = '\0';
		v->help = false;
		break;
	}
	return true;
}

/* What is there by now, and how long it is since the window opened. */
static uint64_t look(struct session *s, struct attach *a, struct options *o, uint64_t *last)
{
	if (!a)
		return now_ns() - s->from;
	/* A window that began anew has seen nothing yet. */
	if (attach_poll(a, s))
		*last = 0;
	o->view.service = attach_path(a);
	return attach_age(a);
}

static void observe(struct session *s, struct options *o, struct attach *a, bool screen)
{
	uint64_t last = a ? attach_age(a) : 0, next = now_ns() + o->interval, shown = 0, age;
	struct term t = { 0 };
	bool draw = true, drawn = false;
	int key;

	/* What the service saw before is not of the first second. */
	if (a)
		tick(s, &o->view, 0, last);
	if (screen)
		term_open(&t);
	while (!stop_signal && !ferror(stdout) && (!o->count || shown < o->count)) {
		if (screen && draw)
			top_screen(s, &o->view, &t);
		draw = false;
		if (screen) {
			key = term_key(&t, a ? 50 : session_pause(s), &draw);
			draw |= key != KEY_NONE;
			if (key != KEY_NONE && !obey(&o->view, key))
				break;
		} else {
			pause_ms(a ? 50 : session_pause(s));
		}
		if (!a)
			session_poll(s);
		if (now_ns() < next || o->view.paused)
			continue;
		next = now_ns() + o->interval;
		age = look(s, a, o, &last);
		/* The same snapshot as before: the service is gone, or slow. */
		if (age <= last) {
			draw = true;
			continue;
		}
		tick(s, &o->view, last, age);
		summary_trim(&s->sum, MAX_SOURCES);
		draw = true;
		shown++;
		if (!screen)
			drawn |= top_lines(s, &o->view, !drawn, 0);
		last = age;
	}
	term_close();
	/* A screen is gone with its table; who asked for N tables gets the last. */
	if (screen && o->count && shown == o->count)
		top_lines(s, &o->view, true, t.cols);
}

int cmd_top(int argc, char **argv)
{
	struct options o = { .interval = 1000000000, .view.seconds = 1 };
	bool screen = term_able();
	struct session s = { .on_screen = screen };
	struct attach *a;

	parse(argc, argv, &o, &s.only);
	catch_signals();
	a = attach_open(&o.attach, &o.session, &s);
	if (a) {
		o.view.service = attach_path(a);
		observe(&s, &o, a, screen);
		attach_close(a, &s);
		return EXIT_OK;
	}
	session_open(&s, &o.session);
	observe(&s, &o, NULL, screen);
	s.on_screen = false;
	session_close(&s);
	session_free(&s);
	return EXIT_OK;
}
