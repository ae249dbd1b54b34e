// SPDX-License-Identifier: GPL-2.0
/*
 * export.c - quell export: metrics, as a file for node_exporter's textfile
 * collector or over HTTP on the loopback interface.
 *
 * Only loopback is served, by a thread of its own (server.c): whoever wants it from
 * outside puts a proxy with authentication before it. The number of series has a
 * limit, and so has memory, whatever tasks come and go (series.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/attach.h"
#include "output.h"
#include "quell.h"
#include "cmd/server.h"
#include "observe/session.h"
#include "show/show.h"

#define MAX_SOURCES	1024	/* of 2 KiB each */
#define HEAR_NS		1000000000ull

static const char usage[] =
	"usage: quell export (--listen PORT | --textfile FILE) [options]\n"
	"Metrics of the interrupts the CPUs receive, for Prometheus.\n"
	"  -l, --listen PORT      serve http://127.0.0.1:PORT/metrics\n"
	"  -t, --textfile FILE    write FILE (NAME.prom) again and again\n"
	"  -i, --interval TIME    between two writings of FILE (default: 15s)\n"
	"  -n, --series N         how many sources have a series (default: 100); the others\n"
	"                         are counted in one, \"other\"\n"
	"      --labels LIST      what tells sources apart, comma-separated (default:\n"
	"                         function,call_site,task); what is left out is summed up.\n"
	"                         Of who sent it also cgroup, unit, container, pod\n"
	"  -d, --duration TIME    end after that long (default: until ^C)\n"
	USAGE_CPUS
	USAGE_OWNER
	USAGE_WHAT
	USAGE_BUFFER
	USAGE_ATTACH
	"  -h, --help\n";

struct options {
	struct session_options	session;
	struct attach_options	attach;
	const char		*textfile;
	uint64_t		port, interval, duration, series;
	unsigned int		labels;
};

static unsigned int parse_labels(const char *text)
{
	unsigned int labels = 0;
	size_t n, i;

	for (; *text; text += n + (text[n] == ',')) {
		n = strcspn(text, ",");
		for (i = 0; i < NR_LABELS; i++)
			if (strlen(series_label_name[i]) == n &&
			    !strncmp(series_label_name[i], text, n))
				break;
		if (i == NR_LABELS)
			die(EXIT_USAGE, "\"%.*s\" is no label (function, call_site, task, cgroup, unit, container, pod)",
			    (int)n, text);
		labels |= 1u << i;
	}
	return labels;
}

static void parse(int argc, char **argv, struct options *o, struct owner_filter *only)
{
	const char *labels = NULL;
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o->session),
		ATTACH_OPTIONS(&o->attach),
		OWNER_OPTIONS(only),
		NUMBER("listen", 'l', &o->port, "port", 1, 65535),
		TEXT_OPTION("textfile", 't', &o->textfile),
		TIME_OPTION("interval", 'i', &o->interval, "interval", 0),
		TIME_OPTION("duration", 'd', &o->duration, "duration", 0),
		NUMBER("series", 'n', &o->series, "number of series", 1, 10000),
		TEXT_OPTION("labels", 0, &labels),
	};

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	if (labels)
		o->labels = parse_labels(labels);
	if (!o->port == !o->textfile)
		die(EXIT_USAGE, "export needs either --listen PORT or --textfile FILE");
}

/* A file that is no longer written would be read as still true. */
static char *published;

static void unpublish(void)
{
	if (published)
		unlink(published);
}

static void write_textfile(struct session *s, const struct series_set *series,
			   const char *path)
{
	struct output *o = output_open(path, OUTPUT_REGULAR);

	if (!published) {
		published = xstrdup(o->final);
		atexit(unpublish);
	}
	show_metrics(&s->sum, series, o->f, METRICS_PROMETHEUS);
	if (fchmod(fileno(o->f), 0644) || !output_commit(o))
		die(EXIT_FAILED, "%s cannot be written: %s; it is removed", path,
		    strerror(errno));
}

static void render(struct session *s, const struct series_set *series,
		   struct server *server, enum metrics_format fmt)
{
	char *body = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&body, &len);

	if (!f)
		die(EXIT_FAILED, "out of memory");
	show_metrics(&s->sum, series, f, fmt);
	fclose(f);
	server_publish(server, fmt, body, len);
}

/* Observe, or hear from who does: when asked, and else once a second. */
static void look(struct session *s, struct attach *a, const struct options *o,
		 struct series_set *series, bool now, uint64_t *heard)
{
	if (!a) {
		session_poll(s);
		return;
	}
	if (!now && now_ns() - *heard < HEAR_NS)
		return;
	*heard = now_ns();
	if (attach_poll(a, s)) {
		series_free(series);
		series_init(series, o->series, o->labels);
	}
}

static void observe(struct session *s, const struct options *o, struct attach *a,
		    struct server *server, struct series_set *series)
{
	unsigned int pause;
	uint64_t heard = 0;
	uint64_t next = 0, end = o->duration ? now_ns() + o->duration : UINT64_MAX, now;
	enum metrics_format fmt;
	bool asked = false;

	while (!stop_signal && (now = now_ns()) < end) {
		look(s, a, o, series, asked || (o->textfile && now >= next), &heard);
		series_update(series, &s->sum, now);
		/* What came and went in the service between two snapshots. */
		if (a)
			series_rest(series, s->sum.total.irqs);
		summary_trim(&s->sum, MAX_SOURCES);
		if (asked)
			render(s, series, server, fmt);
		if (o->textfile && now >= next) {
			write_textfile(s, series, o->textfile);
			next = now + o->interval;
		}
		/* Clients are waited for by another thread, trace buffers never. */
		asked = false;
		pause = a ? 50 : session_pause(s);
		if (server)
			asked = server_wait(server, pause, &fmt);
		else
			pause_ms(pause);
	}
}

int cmd_export(int argc, char **argv)
{
	struct options o = { .interval = 15000000000ull, .series = SERIES_DEFAULT,
			     .labels = DEFAULT_LABELS };
	struct server *server = NULL;
	struct session s = { 0 };
	struct series_set series;
	struct attach *a;

	parse(argc, argv, &o, &s.only);
	catch_signals();
	/* First of all, so that a bad path or port does not cost a trace. */
	if (o.port)
		server = server_listen(o.port);
	if (o.textfile)
		output_abandon(output_open(o.textfile, OUTPUT_REGULAR));
	series_init(&series, o.series, o.labels);
	a = attach_open(&o.attach, &o.session, &s);
	if (!a)
		session_open(&s, &o.session);
	if (server)
		server_start(server);
	observe(&s, &o, a, server, &series);
	if (server)
		server_stop(server);
	if (a) {
		attach_close(a, &s);
	} else {
		session_close(&s);
		session_free(&s);
	}
	series_free(&series);
	return EXIT_OK;
}
