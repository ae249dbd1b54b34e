/* SPDX-License-Identifier: GPL-2.0 */
/*
 * accept.h - is a node as quiet as it has to be? Limits for each observed CPU, what
 * was observed, and what follows.
 */
#ifndef QUELL_ACCEPT_H
#define QUELL_ACCEPT_H

#include "join/counters.h"
#include "join/join.h"
#include "json.h"

enum measure {
	MEASURE_COUNT,		/* CAUSE=N: so often */
	MEASURE_LONGEST,	/* CAUSE.max=TIME: the longest of all */
	MEASURE_TIME,		/* CAUSE.time=TIME: all together */
};

/* For every observed CPU by itself. */
struct limit {
	char		*text;		/* as it was given */
	enum cause	cause;
	bool		all;		/* whatever the cause */
	bool		per_second;
	enum measure	measure;
	double		most;		/* times in ns */
};

enum answer { ANSWER_PASS, ANSWER_FAIL, ANSWER_UNKNOWN };

/* What became of a limit: the CPU that is the farthest over it, or the nearest. */
struct outcome {
	enum answer	answer;
	double		value;
	int		cpu;
	unsigned int	over;		/* CPUs over it */
	char		*culprit;	/* as names are; NULL: there is none */
	const char	*doubt;		/* why it is not known; NULL */
};

struct accept;

/* "pt_sync=0,tick/s=1": dies with one line that names the known causes. */
struct accept *accept_new(const char *limits);
size_t accept_limits(const struct accept *a, const struct limit **out);
/* Is anything asked that interrupts by themselves do not tell? */
bool accept_wants_parts(const struct accept *a);
bool accept_wants_times(const struct accept *a);

void accept_receipt(struct accept *a, const struct receipt *r, const struct send *from);
/* What the kernel counted and nothing traces. */
void accept_untraced(struct accept *a, const struct agreement *g);
/* Of @limit, after @duration ns. */
struct outcome accept_judge(const struct accept *a, const struct limit *limit,
			    const struct cpuset *observed, uint64_t duration,
			    const struct strtab *strings);
void accept_free(struct accept *a);

/* ---- what is shown ---------------------------------------------------------- */

struct acceptance {
	const struct limit	*limit;
	struct outcome		*outcome;
	size_t			n;
	char			*doubt;		/* of the whole; NULL: none */
	enum answer		answer;
	const char		*cpus, *host, *release, *started;
	uint64_t		duration;
};

void show_acceptance(const struct acceptance *a, FILE *f);
void show_acceptance_json(const struct acceptance *a, FILE *f);
void show_acceptance_junit(const struct acceptance *a, FILE *f);

#endif
