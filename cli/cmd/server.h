/* SPDX-License-Identifier: GPL-2.0 */
/*
 * server.h - GET /metrics on loopback, or /snapshot on a local socket, by a thread of
 * its own.
 *
 * Any local user may connect, and as often as he likes. So serving must never
 * delay reading the trace: the thread never touches the session; it asks for a
 * page, and the session's thread renders one between two readings.
 */
#ifndef QUELL_SERVER_H
#define QUELL_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "show/show.h"

struct server;

/* Dies if the port cannot be had. Nobody is served before server_start(). */
struct server *server_listen(unsigned int port);
/* The same for viewers, on what local_listen() gave. */
struct server *server_local(int listen_fd);
/* The thread inherits the CPUs the caller may run on. */
void server_start(struct server *v);

/* Sleep until a page is asked for, a signal comes or @ms are over. */
bool server_wait(struct server *v, unsigned int ms, enum metrics_format *fmt);
/* @body is given away. */
void server_publish(struct server *v, enum metrics_format fmt, char *body, size_t len);
void server_stop(struct server *v);

#endif
