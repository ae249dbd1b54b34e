// SPDX-License-Identifier: GPL-2.0
/*
 * capacity.c - the CPU time that joining and counting an interrupt takes, without the
 * kernel that sends it: a million function-call interrupts from 64 tasks of 4 places
 * go through the join engine, the summary and the series of an exporter, as a trace
 * of 100,000 a second would bring them. "capacity merge": the idle loop of the target
 * runs every second request before its IPI arrives, which merges with the next one.
 * Prints nanoseconds of CPU time for each interrupt.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../join/join.h"
#include "../quell.h"
#include "../record/series.h"

#define INTERRUPTS	1000000
#define APART_NS	10000u		/* 100,000 a second */
#define POLL		500		/* of them at a time: 5 ms */

enum { GENERIC = 0x1000, MANY = 0x2000, BARRIER = 0x3000, PLACE = 0x4000, OUTER = 0x8000 };

static struct summary sum;
static struct strtab strings, stacks;

static const char *symbol(void *arg, uint64_t addr)
{
	static char place[8][16];

	(void)arg;
	switch (addr) {
	case GENERIC:	return "generic_smp_call_function_single_interrupt";
	case MANY:	return "smp_call_function_many_cond";
	case BARRIER:	return "ipi_mb";
	}
	snprintf(place[addr % 8], sizeof(place[0]), "place_%llx", (unsigned long long)addr);
	return place[addr % 8];
}

static uint32_t comm(void *arg, int32_t pid)
{
	char name[16];

	(void)arg;
	snprintf(name, sizeof(name), "task%d", pid);
	return strtab_str(&strings, name);
}

static void on_send(void *arg, struct send *s)
{
	(void)arg;
	summary_send(&sum, s);
}

static void on_receipt(void *arg, const struct receipt *r)
{
	(void)arg;
	summary_receipt(&sum, r, r->from);
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

/* CPU 0 calls CPU 1, which runs it: @polled when it is idle, before the interrupt. */
static void one(struct join *j, uint64_t i, uint64_t ts, bool polled)
{
	uint64_t frame[16] = { MANY, PLACE + i % 4 };
	int32_t pid = 100 + i % 64;
	struct event e[] = {
		{ .ts = ts, .type = EV_QUEUE, .pid = pid, .target = 1, .callsite = MANY,
		  .func = BARRIER, .csd = 0x100 },
		{ .ts = ts + 100, .type = EV_SEND, .pid = pid, .target = 1, .callsite = MANY, .func = GENERIC },
		{ .ts = ts + 200, .type = EV_STACK, .pid = pid, .words = frame, .nwords = 16 },
		{ .ts = ts + 1000, .type = EV_IRQ_ENTRY, .cpu = 1, .vec = VEC_CALL_SINGLE, .ctx = CTX_HARDIRQ },
		{ .ts = ts + 1500, .type = EV_FUNC, .cpu = 1, .func = BARRIER, .csd = 0x100, .ctx = CTX_HARDIRQ },
		{ .ts = ts + 2000, .type = EV_IRQ_EXIT, .cpu = 1, .vec = VEC_CALL_SINGLE, .ctx = CTX_HARDIRQ },
	};

	for (int k = 2; k < 16; k++)
		frame[k] = OUTER + k;
	for (size_t k = 0; k < ARRAY_SIZE(e); k++)
		if (!polled || e[k].type == EV_FUNC || e[k].cpu == 0)
			join_event(j, &e[k]);
}

int main(int argc, char **argv)
{
	bool merge = argc > 1 && !strcmp(argv[1], "merge");
	static const struct join_ops ops = { .send = on_send, .receipt = on_receipt,
					     .symbol = symbol, .comm = comm };
	struct series_set series;
	struct cpuset set;
	struct join *j;
	double began;

	cpulist_parse("1", &set, NULL);
	summary_init(&sum, &strings, &stacks);
	series_init(&series, SERIES_DEFAULT, DEFAULT_LABELS);
	j = join_new(&ops, NULL, &set, &strings, &stacks);
	began = cpu_ns();
	for (uint64_t i = 0; i < INTERRUPTS; i++) {
		uint64_t ts = 1000000000 + i * APART_NS;

		if (merge)
			one(j, i, ts - APART_NS / 2, true);
		one(j, i, ts, false);
		if (i % POLL)
			continue;
		join_advance(j, 1000000000 + i * APART_NS);
		series_update(&series, &sum, i * APART_NS);
	}
	join_finish(j);
	began = cpu_ns() - began;
	if (sum.total.irqs != INTERRUPTS || sum.total.unknown)
		die(EXIT_FAILED, "capacity: of %d interrupts %llu were counted, %llu without a sender",
		    INTERRUPTS, (unsigned long long)sum.total.irqs,
		    (unsigned long long)sum.total.unknown);
	printf("%.0f\n", began / INTERRUPTS);
	return 0;
}
