/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Workloads that run at the same time, each over and over, as processes of
 * their own: what `stress` and `churn` are made of.
 */
#ifndef QUELL_JOBS_H
#define QUELL_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct job - one of them
 * @line: what to run, with arguments; with a second line, in turns. "%ld" is
 *	  the milliseconds of the whole: such a job runs once, to the end
 * @rounds: how often to run it, whatever the time; 0: until that is over
 * @least: without @rounds, go on until it has done that many operations
 * @left_out: do not run it
 * @runs: how often it has ended
 * @ms: when that was the last time, since all began
 * @failures: and with another status than 0, after which it is not run again
 */
struct job {
	const char *line[2];
	unsigned long rounds, least;
	bool left_out;
	unsigned long runs, ms, failures;
	pid_t pid;
	int output;
};

/*
 * Runs all of @jobs for @ms, or as often as they say, and until those that run
 * then have ended.
 */
void jobs_run(struct job *jobs, size_t count, long ms);
/* The sum of what the runs of a job reported as NAME=number, a line each. */
unsigned long job_count(const struct job *job, const char *name);
/* All their operations. */
unsigned long job_operations(const struct job *job);
/* The program's name, the first word of its (first) line. */
void job_name(const struct job *job, char *name, size_t len);

#endif
