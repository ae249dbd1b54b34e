// SPDX-License-Identifier: GPL-2.0
/*
 * server.c - GET /metrics on loopback, or /snapshot on a local socket, by a thread of
 * its own.
 *
 * A client is in one of three states, and no state is for long:
 *
 *   READING   its request comes in           HEAD_MS, or until the room is needed
 *   WAITING   a page is being rendered       a few hundred ms
 *   WRITING   the page goes out              CLIENT_MS, or after ROOM_MS until
 *                                            the room is needed
 *
 * So there is room for the next one, whatever the others do: whoever connects and
 * says nothing is the first to go. A page is kept for FRESH_MS, so that requests
 * without end render no pages without end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "observe/local.h"
#include "quell.h"
#include "cmd/server.h"

#define MAX_CLIENTS	64
#define HEAD_MS		2000
#define CLIENT_MS	5000
#define ROOM_MS		500
#define FRESH_MS	100
#define NFORMATS	(METRICS_SNAPSHOT + 1)
#define MS		1000000ull

enum state { READING, WAITING, WRITING };

struct page {			/* head and body of an answer */
	char		*text;
	size_t		len;
	unsigned int	users;	/* clients, and one for being the current one */
};

struct client {
	int		fd;
	enum state	state;
	uint64_t	since, until;
	enum metrics_format fmt;
	struct page	*page;	/* NULL: @p is a constant */
	const char	*p;
	size_t		left, len;
	char		head[4096];
};

struct server {
	int		listen_fd, asked, woken;	/* eventfds, either way */
	pthread_t	thread;
	bool		started, local;

	pthread_mutex_t	lock;	/* of what follows */
	bool		stop, wanted[NFORMATS];
	struct page	*fresh[NFORMATS];	/* published, not yet taken */

	/* Of the thread alone. */
	struct page	*page[NFORMATS];
	uint64_t	page_at[NFORMATS];
	struct client	client[MAX_CLIENTS];
	size_t		nclients;
};

static void wake(int fd)
{
	uint64_t one = 1;
	ssize_t n = write(fd, &one, sizeof(one));

	(void)n;	/* it is full only if it is set already */
}

static void clear(int fd)
{
	uint64_t v;
	ssize_t n = read(fd, &v, sizeof(v));

	(void)n;
}

static void put_page(struct page *g)
{
	if (!g || --g->users)
		return;
	free(g->text);
	free(g);
}

/* ---- one client ---------------------------------------------------------- */

static void hang_up(struct server *v, size_t i)
{
	close(v->client[i].fd);
	put_page(v->client[i].page);
	v->client[i] = v->client[--v->nclients];
}

static void answer(struct client *c, const char *text, size_t len)
{
	c->state = WRITING;
	c->p = text;
	c->left = len;
	c->until = now_ns() + CLIENT_MS * MS;
}

static void refuse(struct client *c, const char *text)
{
	answer(c, text, strlen(text));
}

static void ask(struct server *v, struct client *c)
{
	c->state = WAITING;
	c->until = now_ns() + CLIENT_MS * MS;
	pthread_mutex_lock(&v->lock);
	v->wanted[c->fmt] = true;
	pthread_mutex_unlock(&v->lock);
	wake(v->asked);
}

static void take_page(struct server *v, struct client *c)
{
	c->page = v->page[c->fmt];
	c->page->users++;
	answer(c, c->page->text, c->page->len);
}

static bool asks_for(const struct client *c, const char *path)
{
	size_t n = strlen(path);

	return !strncmp(c->head + 4, path, n) && strchr(" ?", c->head[4 + n]) && c->head[4 + n];
}

/* The whole head is there. */
static void request(struct server *v, struct client *c)
{
	if (strncmp(c->head, "GET ", 4)) {
		refuse(c, "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n"
			  "Allow: GET\r\nConnection: close\r\n\r\n");
		return;
	}
	if (v->local && !asks_for(c, LOCAL_REQUEST)) {
		refuse(c, "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
			  "Content-Length: 10\r\nConnection: close\r\n\r\n" LOCAL_REQUEST "\n");
		return;
	}
	if (!v->local && !asks_for(c, "/metrics")) {
		refuse(c, "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n"
			  "Content-Length: 9\r\nConnection: close\r\n\r\n/metrics\n");
		return;
	}
	c->fmt = v->local ? METRICS_SNAPSHOT :
		 strcasestr(c->head, "application/openmetrics-text") ?
		 METRICS_OPENMETRICS : METRICS_PROMETHEUS;
	if (v->page[c->fmt] && now_ns() - v->page_at[c->fmt] < FRESH_MS * MS)
		take_page(v, c);
	else
		ask(v, c);
}

/* False: there is nothing more to do for this client. */
static bool read_some(struct server *v, struct client *c)
{
	ssize_t n = recv(c->fd, c->head + c->len, sizeof(c->head) - 1 - c->len, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (!n)
		return false;
	c->len += n;
	c->head[c->len] = '\0';
	if (strstr(c->head, "\r\n\r\n"))
		request(v, c);
	else if (c->len == sizeof(c->head) - 1 || strlen(c->head) != c->len)
		refuse(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
			  "Connection: close\r\n\r\n");
	return true;
}

static bool write_some(struct client *c)
{
	ssize_t n = send(c->fd, c->p, c->left, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->p += n;
	c->left -= n;
	return c->left > 0;
}

static bool serve(struct server *v, struct client *c, short events)
{
	if (c->state == READING && (events & (POLLIN | POLLHUP | POLLERR)) &&
	    !read_some(v, c))
		return false;
	/* It may be writable at once, and mostly all goes out at once. */
	if (c->state == WRITING)
		return write_some(c);
	return !(c->state == WAITING && (events & (POLLHUP | POLLERR)));
}

/* ---- all of them --------------------------------------------------------- */

/* Who has to go so that another can come; MAX_CLIENTS: nobody. */
static size_t victim(const struct server *v, uint64_t now)
{
	size_t best = MAX_CLIENTS;

	for (size_t i = 0; i < v->nclients; i++) {
		const struct client *c = &v->client[i], *b = &v->client[best % MAX_CLIENTS];

		if (c->state != READING &&
		    (c->state != WRITING || now - c->since < ROOM_MS * MS))
			continue;
		if (best == MAX_CLIENTS || (c->state == READING && b->state != READING) ||
		    ((c->state == READING) == (b->state == READING) && c->since < b->since))
			best = i;
	}
	return best;
}

static bool room(struct server *v)
{
	size_t i;

	if (v->nclients < MAX_CLIENTS)
		return true;
	i = victim(v, now_ns());
	if (i == MAX_CLIENTS)
		return false;
	hang_up(v, i);
	return true;
}

static void welcome(struct server *v)
{
	struct client *c;
	int fd;

	/* Not without end: those that are there want to be served, too. */
	for (int k = 0; k < MAX_CLIENTS && room(v); k++) {
		fd = accept4(v->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		c = &v->client[v->nclients++];
		c->fd = fd;
		c->state = READING;
		c->since = now_ns();
		c->until = c->since + HEAD_MS * MS;
		c->page = NULL;
		c->len = 0;
		/* Who means it has sent the request already. */
		if (!serve(v, c, POLLIN))
			hang_up(v, v->nclients - 1);
	}
}

/* What was published meanwhile, to those who wait for it. False: stop. */
static bool news(struct server *v)
{
	bool stop;

	clear(v->woken);
	pthread_mutex_lock(&v->lock);
	stop = v->stop;
	for (int f = 0; f < NFORMATS; f++) {
		if (!v->fresh[f])
			continue;
		put_page(v->page[f]);
		v->page[f] = v->fresh[f];
		v->page_at[f] = now_ns();
		v->fresh[f] = NULL;
	}
	pthread_mutex_unlock(&v->lock);
	for (size_t i = 0; i < v->nclients; i++) {
		struct client *c = &v->client[i];

		if (c->state == WAITING && v->page[c->fmt] &&
		    v->page_at[c->fmt] >= c->since)
			take_page(v, c);
	}
	return !stop;
}

static void step(struct server *v)
{
	struct pollfd p[MAX_CLIENTS + 2];
	uint64_t now = now_ns();
	/* If there is no room, whoever comes has to wait until there is. */
	bool open = v->nclients < MAX_CLIENTS || victim(v, now) < MAX_CLIENTS;
	size_t n = v->nclients;

	p[0] = (struct pollfd){ .fd = v->woken, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = open ? v->listen_fd : -1, .events = POLLIN };
	for (size_t i = 0; i < n; i++)
		p[i + 2] = (struct pollfd){ .fd = v->client[i].fd,
			.events = v->client[i].state == READING ? POLLIN :
				  v->client[i].state == WRITING ? POLLOUT : 0 };
	if (poll(p, n + 2, n ? 100 : 1000) < 0)
		return;
	now = now_ns();
	/* From the last: hang_up() puts the last one in the place of another. */
	for (size_t i = n; i-- > 0;)
		if (v->client[i].until < now ||
		    (p[i + 2].revents && !serve(v, &v->client[i], p[i + 2].revents)))
			hang_up(v, i);
	if (p[1].revents)
		welcome(v);
}

static void *run(void *arg)
{
	struct server *v = arg;

	/* On Linux this is the thread's own: reading goes first. */
	setpriority(PRIO_PROCESS, 0, 5);
	while (news(v))
		step(v);
	while (v->nclients)
		hang_up(v, 0);
	return NULL;
}

/* ---- for the session's thread -------------------------------------------- */

static struct server *new_server(int listen_fd)
{
	struct server *v = xcalloc(1, sizeof(*v));

	pthread_mutex_init(&v->lock, NULL);
	v->listen_fd = listen_fd;
	v->asked = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (v->listen_fd < 0 || v->asked < 0 || v->woken < 0)
		die(EXIT_FAILED, "no socket: %s", strerror(errno));
	return v;
}

struct server *server_listen(unsigned int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct server *v = new_server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
	int on = 1;

	setsockopt(v->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(v->listen_fd, (struct sockaddr *)&a, sizeof(a)) ||
	    listen(v->listen_fd, 1024))
		die(errno == EADDRINUSE ? EXIT_BUSY : EXIT_FAILED,
		    "port %u cannot be used: %s", port, strerror(errno));
	return v;
}

struct server *server_local(int listen_fd)
{
	struct server *v = new_server(listen_fd);

	v->local = true;
	return v;
}

void server_start(struct server *v)
{
	sigset_t all, old;
	int err;

	/* Signals are for the session's thread: it sleeps and must wake up. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&v->thread, NULL, run, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		die(EXIT_FAILED, "no thread: %s", strerror(err));
	v->started = true;
}

bool server_wait(struct server *v, unsigned int ms, enum metrics_format *fmt)
{
	struct pollfd p = { .fd = v->asked, .events = POLLIN };
	bool any = false, more = false;

	if (poll(&p, 1, ms) < 1)
		return false;
	pthread_mutex_lock(&v->lock);
	for (int f = 0; f < NFORMATS && !any; f++) {
		any = v->wanted[f];
		if (any)
			*fmt = f;
		v->wanted[f] = false;
	}
	/* Cleared by the last one only. */
	for (int f = 0; f < NFORMATS; f++)
		more |= v->wanted[f];
	if (!more)
		clear(v->asked);
	pthread_mutex_unlock(&v->lock);
	return any;
}

void server_publish(struct server *v, enum metrics_format fmt, char *body, size_t len)
{
	struct page *g = xcalloc(1, sizeof(*g)), *old;
	char *head = xasprintf("HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
			       "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			       fmt == METRICS_SNAPSHOT ? "application/octet-stream" :
			       fmt == METRICS_OPENMETRICS ?
			       "application/openmetrics-text; version=1.0.0; charset=utf-8" :
			       "text/plain; version=0.0.4; charset=utf-8", len);
	size_t n = strlen(head);

	g->text = xrealloc(head, n + len, 1);
	memcpy(g->text + n, body, len);
	g->len = n + len;
	g->users = 1;
	free(body);
	pthread_mutex_lock(&v->lock);
	old = v->fresh[fmt];
	v->fresh[fmt] = g;
	pthread_mutex_unlock(&v->lock);
	put_page(old);		/* not taken, so nobody else knows it */
	wake(v->woken);
}

void server_stop(struct server *v)
{
	if (v->started) {
		pthread_mutex_lock(&v->lock);
		v->stop = true;
		pthread_mutex_unlock(&v->lock);
		wake(v->woken);
		pthread_join(v->thread, NULL);
	}
	for (int f = 0; f < NFORMATS; f++) {
		put_page(v->page[f]);
		put_page(v->fresh[f]);
	}
	close(v->listen_fd);
	close(v->asked);
	close(v->woken);
	free(v);
}
