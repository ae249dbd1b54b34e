/* SPDX-License-Identifier: GPL-2.0 */
/*
 * local.h - the socket by which viewers reach the one quell that observes.
 *
 * Who may attach is who may write to the socket's file: its owner, root, and one
 * group if it is given to one. A viewer believes root, and itself.
 */
#ifndef QUELL_LOCAL_H
#define QUELL_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOCAL_PATH	"/run/quell/socket"
#define LOCAL_REQUEST	"/snapshot"

/*
 * Listen at @path; dies with one line if that cannot be, with EXIT_BUSY if somebody
 * does already. The file goes when the process ends; what a killed one left is
 * replaced. @group: a name or a number, NULL for none.
 */
int local_listen(const char *path, const char *group);

/*
 * Ask who listens at @path. Return: 0, and a body of *@len bytes for the caller to
 * free; or an errno, and *@why says it in words: ECONNREFUSED if nobody is there.
 */
int local_ask(const char *path, char **body, size_t *len, const char **why);

#endif
