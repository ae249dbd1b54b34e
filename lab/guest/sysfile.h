/* SPDX-License-Identifier: GPL-2.0 */
/* Whole files of /proc and /sys, read and written in one go. */
#ifndef QUELL_SYSFILE_H
#define QUELL_SYSFILE_H

#include <stdbool.h>

/* The whole file as a string the caller frees, or NULL with errno set. */
char *read_file(const char *path);
/* Like read_file(), but ends the program with a message on failure. */
char *must_read(const char *path);
bool write_file(const char *path, const char *text);
void must_write(const char *path, const char *text);
/* The number a file holds, or @otherwise. */
long long read_number(const char *path, long long otherwise);

/* Message and errno (if set) to stderr, exit 1. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
