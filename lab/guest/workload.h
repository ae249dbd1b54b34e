/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every workload shares: options, the window in which interrupts are
 * counted, housekeeping CPUs, sibling threads that stay in user mode.
 *
 * A workload started by `measure` has its window counted: everything between
 * window_open() and window_close() and nothing else, so that setting up and
 * tearing down (faults, threads, exec, exit) does not blur an exact count.
 * Started by hand the two only take the time.
 */
#ifndef QUELL_WORKLOAD_H
#define QUELL_WORKLOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cpulist.h"
#include "sysfile.h"

#define MIB (1ul << 20)
#define GIB (1ul << 30)
#define HUGE_PAGE (2 * MIB)

/* Names of the environment: the gate's two file descriptors, "in,out". */
#define GATE_VARIABLE "QUELL_GATE"
#define GATE_OPEN 'o'
#define GATE_CLOSE 'c'

struct number {
	const char *name;
	long *value;
	const char *help;
};

/*
 * Options are all "--name NUMBER"; the list ends with a NULL name. @about is
 * printed by --help. Unknown options end the program with status 2.
 */
void parse_numbers(int argc, char **argv, const char *about,
		   const struct number *numbers);

void window_open(void);
/* The nanoseconds since window_open(). */
uint64_t window_close(void);

/* The line `measure` reads: "ops=N ns=N" and what else is worth telling. */
void report(unsigned long ops, uint64_t ns, const char *more, ...)
	__attribute__((format(printf, 3, 4)));
/* This kernel or machine cannot do it: says so as a result of no operations. */
void unavailable(const char *why, ...)
	__attribute__((format(printf, 1, 2), noreturn));

uint64_t now_ns(void);
void sleep_ms(unsigned int ms);

/* Online CPUs that are not isolated. */
void housekeeping(struct cpus *set);
/* Runs only there from now on; every workload but `isolated` does. */
void stay_on_housekeeping(void);
void pin_to(int cpu);

/*
 * @count sibling threads, or as many as there are housekeeping CPUs: each is
 * pinned to one of its own, and the caller to another. Spinners stay in user mode;
 * sleepers have run and now sleep, which leaves their CPUs idle with this
 * mm still loaded (lazy TLB mode). Returns how many there are, when all of
 * them do so.
 */
unsigned int start_spinners(unsigned int count);
unsigned int start_sleepers(unsigned int count);
void stop_siblings(void);

/* Another process, in user mode on @cpu until this one dies or kills it. */
pid_t keep_busy(int cpu);
/*
 * Runs on @count housekeeping CPUs for a moment, or as many as there are, then
 * on the first; other processes keep those it left busy in user mode. Before
 * any siblings.
 */
unsigned int visit_cpus(unsigned int count);
void stop_strangers(void);

/* @bytes of address space, aligned to @alignment, not yet touched. */
char *map_aligned(unsigned long bytes, unsigned long alignment);
/* Base pages, whatever the system's setting for huge ones; undone at exit. */
void only_base_pages(void);
/* For those that then ask for huge ones, which the kernel has to have. */
void base_pages_at_first(void);
void touch(char *at, unsigned long bytes, unsigned long stride);
long page_size(void);

#endif
