// SPDX-License-Identifier: GPL-2.0
/*
 * serve.c - quell serve: observe once, for as many viewers as there are.
 *
 * Whoever starts to observe patches kernel text, which interrupts every CPU. So one
 * quell observes, and others (quell top, quell export) show what it sees. They ask
 * over a local socket (local.c), by a thread of its own (server.c), and are given the
 * sums of that moment (snapshot.c): nothing is queued for anybody, so one that does
 * not read holds a page until it is hung up on, and misses nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "observe/instance.h"
#include "observe/local.h"
#include "quell.h"
#include "cmd/server.h"
#include "observe/session.h"
#include "record/snapshot.h"

#define MAX_SOURCES	1024	/* of 2 KiB each */

static const char usage[] =
	"usage: quell serve [options]\n"
	"Observe once, for many viewers: quell top and quell export attach to it, and a\n"
	"viewer that starts patches no kernel code.\n"
	"      --socket PATH      where they attach (default: " LOCAL_PATH ")\n"
	"  -g, --group GROUP      who may attach, besides root: a name in /etc/group or a number\n"
	"  -d, --duration TIME    end after that long (default: until ^C)\n"
	USAGE_CPUS
	USAGE_WHAT
	USAGE_BUFFER
	"  -h, --help\n";

struct options {
	struct session_options	session;
	const char		*socket, *group;
	uint64_t		duration;
};

static void render(const struct session *s, struct snapshot *about, struct server *server)
{
	char *body = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&body, &len);

	if (!f)
		die(EXIT_FAILED, "out of memory");
	about->age = now_ns() - s->from;
	about->noticed = s->noticed ? s->noticed - s->from : 0;
	snprintf(about->notice, sizeof(about->notice), "%s", s->notice);
	if (!snapshot_write(&s->sum, about, f))
		die(EXIT_FAILED, "out of memory");
	fclose(f);
	server_publish(server, METRICS_SNAPSHOT, body, len);
}

static void observe(struct session *s, uint64_t duration, struct server *server)
{
	uint64_t end = duration ? now_ns() + duration : UINT64_MAX, number = 0;
	struct snapshot about = { 0 };
	enum metrics_format fmt;
	bool asked = false;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = now_ns();
	snprintf(about.id, sizeof(about.id), "%d.%016llx", getpid(),
		 (unsigned long long)number);
	while (!stop_signal && now_ns() < end) {
		session_poll(s);
		summary_trim(&s->sum, MAX_SOURCES);
		if (asked)
			render(s, &about, server);
		/* Viewers are waited for by another thread, trace buffers never. */
		asked = server_wait(server, session_pause(s), &fmt);
	}
}

int cmd_serve(int argc, char **argv)
{
	struct options o = { .socket = LOCAL_PATH };
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o.session),
		TEXT_OPTION("socket", 0, &o.socket),
		TEXT_OPTION("group", 'g', &o.group),
		TIME_OPTION("duration", 'd', &o.duration, "duration", 0),
	};
	struct session s = { 0 };
	struct server *server;

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	catch_signals();
	/* First of all, so that a second one does not cost a trace. */
	instance_tracing_dir();		/* the plainest complaint comes first */
	server = server_local(local_listen(o.socket, o.group));
	session_open(&s, &o.session);
	server_start(server);
	observe(&s, o.duration, server);
	server_stop(server);
	session_close(&s);
	session_free(&s);
	return EXIT_OK;
}
