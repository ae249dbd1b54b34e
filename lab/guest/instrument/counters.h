/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Three independent witnesses of the same interrupts, what they looked like
 * before and after, and whether they agree.
 *
 *  interrupts  /proc/interrupts: per CPU, "Function call interrupts" and, on
 *              x86, "TLB shootdowns". The latter are function calls too and
 *              already in the first line (both kernels; older ones took them
 *              out).
 *  trace       histogram triggers, which count in the kernel and so lose
 *              nothing to a full ring buffer: what was queued by a sender
 *              (csd:csd_queue_cpu), what ran at a receiver
 *              (csd:csd_function_entry), both per function, and how often
 *              the interrupt itself arrived, per CPU.
 *  stats       our own counters, /sys/kernel/debug/pt_sync/stats, where the
 *              kernel has them.
 *
 * THE RULE. The counters agree only if all of this holds between the two
 * snapshots:
 *  1. on every CPU, function-call interrupts of /proc/interrupts = interrupt
 *     entries the tracepoints saw;
 *  2. on x86, TLB shootdowns of all CPUs = remote runs of flush_tlb_func, or
 *     one less in 64: 7.x may move the sender to another CPU in the middle of a
 *     flush, and then the CPU it began on is interrupted and does not count
 *     that as a shootdown;
 *  3. sync calls queued by senders = sync calls run by receivers;
 *  4. sync calls run = cpus_interrupted of the strategy under test, and no
 *     other strategy counted anything (not asked of a kernel without stats);
 *  5. no histogram dropped an entry, no witness was missing, and while each
 *     snapshot was taken no CPU was interrupted.
 * A call that finds another still queued for the same CPU needs no interrupt
 * of its own, so calls and interrupts need not be equal in number: rules 1
 * and 3 hold them together from both ends instead.
 */
#ifndef QUELL_COUNTERS_H
#define QUELL_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cpulist.h"

#define SYNC_FUNCTION "tlb_remove_table_smp_sync"
#define TLB_FUNCTION "flush_tlb_func"

#define MAX_FUNCTIONS 96
#define MAX_STRATEGIES 16
#define MAX_COLUMNS 32
#define NAME_LENGTH 64

struct interrupts {
	bool has_calls, has_tlb;
	/* As wide as the kernel's, so that differences survive a wrap. */
	uint32_t calls[MAX_CPUS], tlb[MAX_CPUS];
};

struct function {
	char name[NAME_LENGTH];
	uint64_t hits, isolated;
};

/* A histogram keyed by function and by the CPU that runs it. */
struct functions {
	bool present;
	unsigned int count;
	uint64_t dropped;
	struct function of[MAX_FUNCTIONS];
};

/* A histogram keyed by CPU only. */
struct per_cpu {
	bool present;
	uint64_t dropped;
	uint64_t hits[MAX_CPUS];
};

struct stats {
	bool present;
	unsigned int columns, strategies;
	char column[MAX_COLUMNS][NAME_LENGTH];
	char strategy[MAX_STRATEGIES][NAME_LENGTH];
	uint64_t value[MAX_STRATEGIES][MAX_COLUMNS];
};

struct snapshot {
	bool stable;
	struct interrupts interrupts;
	struct functions queued, run;
	struct per_cpu entries;
	struct stats stats;
};

/*
 * Parsers. All are additive where a file is read in parts (@entries may be
 * the sum of several events), and return false if the text is not what it
 * should be.
 */
bool interrupts_parse(struct interrupts *to, const char *text);
bool functions_parse(struct functions *to, const char *text,
		     const struct cpus *isolated);
bool per_cpu_parse(struct per_cpu *to, const char *text);
bool stats_parse(struct stats *to, const char *text);

/* The function's entry, made if need be; NULL only if the table is full. */
struct function *function_named(struct functions *in, const char *name);
/* 0 for what is not there. */
uint64_t function_hits(const struct functions *functions, const char *name);
uint64_t stats_value(const struct stats *stats, const char *strategy,
		     const char *column);

/* @now becomes what happened since @before. */
void snapshot_subtract(struct snapshot *now, const struct snapshot *before);

uint64_t total_calls(const struct snapshot *since, const struct cpus *only);
uint64_t total_tlb(const struct snapshot *since, const struct cpus *only);

/* The rule above; says in @why which part of it fails, for people. */
bool counters_agree(const struct snapshot *since, const char *strategy,
		    char *why, size_t len);

#endif
