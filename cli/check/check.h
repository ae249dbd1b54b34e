/* SPDX-License-Identifier: GPL-2.0 */
/*
 * check.h - what the parts of quell check share: the system looked at, through
 * one root that tests put elsewhere, and the findings with their fixes.
 *
 * A part reads, and adds findings; it changes nothing. What could not be read,
 * although it is there, is named in "unread": silence must not be taken for
 * a clean bill.
 */
#ifndef QUELL_CHECK_H
#define QUELL_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cpulist.h"

enum severity { SEV_LOW, SEV_MEDIUM, SEV_HIGH };

enum fix_kind {
	FIX_CMDLINE,	/* kernel command line: target=value */
	FIX_DROP,	/* kernel command line: without target */
	FIX_SYSCTL,	/* target = value, now and at each boot */
	FIX_FILE,	/* write value into target, now and at each boot */
	FIX_NOW,	/* write value into target; another fix makes it last */
	FIX_CONF,	/* a file of its own, target, that holds value */
	FIX_MOVE,	/* kernel threads called target to CPUs value, now and at each boot */
	FIX_IRQ,	/* interrupts of target to CPUs value, at each boot */
	FIX_COMMAND,	/* run value, now; another fix makes it last */
	FIX_HAND,	/* for a person: value says what */
};

struct fix {
	enum fix_kind	kind;
	char		*target, *value;
};

struct finding {
	const char	*id;
	enum severity	severity;
	char		*what;
	const char	*why;
	struct fix	*fix;
	size_t		nfixes, fix_room;
};

struct check {
	const char	*root;
	char		**word;		/* of the kernel command line */
	size_t		nwords;
	struct cpuset	possible, online;
	struct cpuset	isolated;	/* from the scheduler's domains */
	struct cpuset	nohz_full;
	struct cpuset	quiet;		/* those that should be left alone */
	struct cpuset	house;		/* the others */
	char		*quiet_list, *house_list, *house_mask;

	struct finding	**finding;
	size_t		nfindings, finding_room;
	char		**unread;
	size_t		nunread, unread_room;
};

/* A file below the root; NULL if it is not there. The caller frees it. */
char *check_slurp(struct check *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Is it there, and may somebody write to it? */
bool check_exists(struct check *c, const char *path);
bool check_writable(struct check *c, const char *path);
/* The names in a directory below the root, sorted; free each and the array. */
char **check_list(struct check *c, const char *path, size_t *n);
void check_list_free(char **names, size_t n);
/* A file that holds a list or a hexadecimal mask; false: not there, or none. */
bool check_read_list(struct check *c, const char *path, struct cpuset *set);
bool check_read_mask(struct check *c, const char *path, struct cpuset *set);
/* As the kernel reads lists: also "N" for the last CPU, and "all". */
bool check_kernel_list(const struct check *c, const char *text,
		       struct cpuset *set, const char **why);

struct finding *check_find(struct check *c, const char *id, enum severity severity,
			   const char *why, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void fix_add(struct finding *f, enum fix_kind kind, const char *target, const char *value);
void fix_hand(struct finding *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* One line: what a person would type or write for it. The caller frees it. */
char *fix_text(const struct fix *f);

/* The value of the last KEY= on the command line, "" without "="; or NULL. */
const char *check_parameter(const struct check *c, const char *key);
bool check_is_parameter(const char *word, const char *key);
/* What @a and @b have in common, as a list, or NULL. The caller frees it. */
char *check_common(const struct cpuset *a, const struct cpuset *b);
char *check_lacks(const struct cpuset *whole, const struct cpuset *part);

void check_cmdline(struct check *c);
void check_irqs(struct check *c);
void check_workqueues(struct check *c);
void check_cpusets(struct check *c);
void check_systemd(struct check *c);
void check_knobs(struct check *c);
void check_clock(struct check *c);
void check_power(struct check *c);
void check_net(struct check *c);
void check_threads(struct check *c);
void check_kernel_flush(struct check *c);

/* Findings as a shell script, or as a profile for tuned. */
void check_script(const struct check *c, FILE *f);
void check_tuned(const struct check *c, FILE *f);

#endif
