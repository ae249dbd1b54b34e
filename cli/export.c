// SPDX-License-Identifier: GPL-2.0
/*
 * export.c - quell export: metrics, as a file for node_exporter's textfile
 * collector or over HTTP on the loopback interface.
 *
 * The HTTP side knows one thing, GET /metrics, serves one client at a time
 * with a deadline, and listens on loopback only: whoever wants it from outside
 * puts a proxy with authentication before it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "quell.h"
#include "session.h"
#include "show.h"

#define POLL_MS		50
#define CLIENT_MS	1000

static const char usage[] =
	"usage: quell export (--listen PORT | --textfile FILE) [options]\n"
	"Metrics of the interrupts the CPUs receive, for Prometheus.\n"
	"  -l, --listen PORT      serve http://127.0.0.1:PORT/metrics\n"
	"  -t, --textfile FILE    write FILE (NAME.prom) again and again\n"
	"  -i, --interval TIME    between two writings of FILE (default: 15s)\n"
	"  -d, --duration TIME    end after that long (default: until ^C)\n"
	"  -c, --cpus LIST        CPUs to observe: a list or \"all\"\n"
	"                         (default: the isolated ones; if there are none, all)\n"
	"      --buffer KIB       trace buffer per CPU (default: the kernel's)\n"
	"  -h, --help\n";

struct options {
	struct session_options	session;
	const char		*textfile;
	uint64_t		port, interval, duration;
};

static void parse(int argc, char **argv, struct options *o)
{
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o->session),
		NUMBER("listen", 'l', &o->port, "port", 1, 65535),
		TEXT_OPTION("textfile", 't', &o->textfile),
		TIME_OPTION("interval", 'i', &o->interval, "interval", 0),
		TIME_OPTION("duration", 'd', &o->duration, "duration", 0),
	};

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	if (!o->port == !o->textfile)
		die(EXIT_USAGE, "export needs either --listen PORT or --textfile FILE");
}

static int listen_on(unsigned long port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	if (fd < 0)
		die(EXIT_FAILED, "no socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 8))
		die(errno == EADDRINUSE ? EXIT_BUSY : EXIT_FAILED,
		    "port %lu cannot be used: %s", port, strerror(errno));
	return fd;
}

/* The request's head, or as much of it as came in time. */
static size_t read_head(int fd, char *buf, size_t size)
{
	uint64_t end = now_ns() + CLIENT_MS * 1000000ull;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && now_ns() < end && poll(&p, 1, CLIENT_MS) > 0) {
		n = read(fd, buf + len, size - 1 - len);
		if (n <= 0)
			break;
		len += n;
		buf[len] = '\0';
		if (strstr(buf, "\r\n\r\n"))
			return len;
	}
	return 0;
}

static void send_all(int fd, const char *p, size_t len)
{
	struct pollfd w = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len && poll(&w, 1, CLIENT_MS) > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return;
		p += n;
		len -= n;
	}
}

static void respond(int fd, const char *status, const char *type,
		    const char *body, size_t len)
{
	char *head = xasprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\n"
			       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			       status, type, len);

	send_all(fd, head, strlen(head));
	send_all(fd, body, len);
	free(head);
}

static void serve(struct session *s, int fd)
{
	enum metrics_format fmt = METRICS_PROMETHEUS;
	const char *type = "text/plain; version=0.0.4; charset=utf-8";
	char head[8192], *body = NULL;
	size_t len = 0;
	FILE *f;

	if (!read_head(fd, head, sizeof(head))) {
		respond(fd, "400 Bad Request", "text/plain", "", 0);
		return;
	}
	if (strncmp(head, "GET ", 4)) {
		respond(fd, "405 Method Not Allowed", "text/plain", "", 0);
		return;
	}
	if (strncmp(head + 4, "/metrics ", 9) && strncmp(head + 4, "/metrics?", 9)) {
		respond(fd, "404 Not Found", "text/plain", "/metrics\n", 9);
		return;
	}
	if (strcasestr(head, "application/openmetrics-text")) {
		fmt = METRICS_OPENMETRICS;
		type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
	}
	f = open_memstream(&body, &len);
	if (!f)
		die(EXIT_FAILED, "out of memory");
	s->sum.lost = collect_lost(s->collect);
	show_metrics(&s->sum, f, fmt);
	fclose(f);
	respond(fd, "200 OK", type, body, len);
	free(body);
}

/* A file that is no longer written would be read as still true. */
static char *published;

static void unpublish(void)
{
	if (published)
		unlink(published);
}

static void write_textfile(struct session *s, const char *path)
{
	struct output *o = output_open(path, OUTPUT_REGULAR);

	if (!published) {
		published = xstrdup(o->final);
		atexit(unpublish);
	}
	s->sum.lost = collect_lost(s->collect);
	show_metrics(&s->sum, o->f, METRICS_PROMETHEUS);
	if (fchmod(fileno(o->f), 0644) || !output_commit(o))
		die(EXIT_FAILED, "%s cannot be written: %s; it is removed", path,
		    strerror(errno));
}

int cmd_export(int argc, char **argv)
{
	struct options o = { .interval = 15000000000ull };
	struct session s = { 0 };
	struct pollfd p = { .fd = -1, .events = POLLIN };
	uint64_t next = 0, end;
	int client;

	parse(argc, argv, &o);
	catch_signals();
	if (o.port)
		p.fd = listen_on(o.port);
	/* First of all, so that a bad path does not cost a trace. */
	if (o.textfile)
		output_abandon(output_open(o.textfile, OUTPUT_REGULAR));
	session_open(&s, &o.session);
	end = o.duration ? now_ns() + o.duration : UINT64_MAX;
	while (!stop_signal && now_ns() < end) {
		/* The port is waited for, never the trace buffers. */
		if (poll(&p, 1, POLL_MS) > 0) {
			client = accept4(p.fd, NULL, NULL, SOCK_CLOEXEC);
			if (client >= 0) {
				session_poll(&s);
				serve(&s, client);
				close(client);
			}
		}
		session_poll(&s);
		if (o.textfile && now_ns() >= next) {
			write_textfile(&s, o.textfile);
			next = now_ns() + o.interval;
		}
	}
	if (p.fd >= 0)
		close(p.fd);
	session_close(&s);
	session_free(&s);
	return EXIT_OK;
}
