/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quell.h - what every part of the command shares: exit codes, messages,
 * checked allocation, and the entry points of the subcommands.
 */
#ifndef QUELL_H
#define QUELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The only place: packages take it from here. CHANGELOG.md says what it has. */
#define QUELL_VERSION	"1.0"

/* Documented in quell.1; scripts depend on them. */
enum exit_code {
	EXIT_OK		= 0,
	EXIT_FAILED	= 1,	/* the work was begun and could not be finished */
	EXIT_USAGE	= 2,	/* bad option, CPU list or argument */
	EXIT_DENIED	= 3,	/* root is needed */
	EXIT_KERNEL	= 4,	/* no tracefs, kernel too old, event missing */
	EXIT_FILE	= 5,	/* not a record, truncated, corrupt, too new */
	EXIT_BUSY	= 6,	/* the port is taken */
	EXIT_DOUBT	= 7,	/* done, but not all of it was seen */
};

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define printf_like(f, a) __attribute__((format(printf, f, a)))

/* One line on stderr, "quell: ..."; die() also leaves with @code. */
void complain(const char *fmt, ...) printf_like(1, 2);
void die(int code, const char *fmt, ...) printf_like(2, 3)
	__attribute__((noreturn));

/* Called before a complaint is printed: a screen has to be left first. */
extern void (*complaint_hook)(void);

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *old, size_t n, size_t size);
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) printf_like(1, 2)
	__attribute__((malloc, returns_nonnull));

/* The first bytes of a file, without the last newline; NULL if unreadable. */
char *slurp(const char *path);

/* Grow @array (of @elem-sized items, room for *@room) to hold @need. */
void *grow(void *array, size_t *room, size_t need, size_t elem);

/* A duration such as 10, 10s, 500ms, 2m, 1h; false if it is none. */
bool parse_duration(const char *text, uint64_t *ns);

uint64_t now_ns(void);

/* Set by SIGINT, SIGTERM and SIGHUP once catch_signals() was called. */
extern volatile int stop_signal;
void catch_signals(void);

int cmd_status(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_record(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_explain(int argc, char **argv);

#endif
