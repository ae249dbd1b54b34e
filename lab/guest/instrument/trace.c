// SPDX-License-Identifier: GPL-2.0
/*
 * Histogram triggers and snapshots. The triggers live in the top-level
 * instance of tracefs on purpose: no event is ever recorded, and a private
 * instance would allocate 1.4 MiB of ring buffer per CPU for nothing.
 */
#include "instrument/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sysfile.h"
#include "workload.h"

#define EVENTS "/sys/kernel/tracing/events/"
#define STATS "/sys/kernel/debug/pt_sync/stats"

#define TRIES 20
#define REST_MS 3

enum kind { QUEUED, RUN, ENTRY };

/*
 * csd_function_entry also fires for the sender's own turn at the function,
 * with no csd: that is no call to anybody.
 */
static struct witness {
	const char *event, *trigger;
	enum kind kind;
	bool armed;
} witnesses[] = {
	{ "csd/csd_queue_cpu", "hist:keys=func.sym,cpu:size=8192", QUEUED,
	  false },
	{ "csd/csd_function_entry",
	  "hist:keys=func.sym,common_cpu:size=8192 if csd != 0", RUN, false },
	{ "irq_vectors/call_function_entry", "hist:keys=common_cpu", ENTRY,
	  false },
	{ "irq_vectors/call_function_single_entry", "hist:keys=common_cpu",
	  ENTRY, false },
	/* arm64 has one kind of event for all of its kinds of IPIs. */
	{ "ipi/ipi_entry",
	  "hist:keys=common_cpu if reason == \"Function call interrupts\"",
	  ENTRY, false },
};

#define WITNESSES (sizeof(witnesses) / sizeof(witnesses[0]))

void trace_start(void)
{
	for (size_t i = 0; i < WITNESSES; i++) {
		struct witness *it = &witnesses[i];
		char path[256];

		snprintf(path, sizeof(path), EVENTS "%s/trigger", it->event);
		it->armed = write_file(path, it->trigger);
		if (!it->armed && errno != ENOENT)
			fprintf(stderr, "cannot arm '%s' at %s: %s\n",
				it->trigger, path, strerror(errno));
	}
	errno = 0;
}

void trace_stop(void)
{
	for (size_t i = 0; i < WITNESSES; i++) {
		struct witness *it = &witnesses[i];
		char path[256], remove[256];

		if (!it->armed)
			continue;
		snprintf(path, sizeof(path), EVENTS "%s/trigger", it->event);
		snprintf(remove, sizeof(remove), "!%s", it->trigger);
		write_file(path, remove);
		it->armed = false;
	}
}

static void read_interrupts(struct interrupts *to)
{
	char *text = must_read("/proc/interrupts");

	if (!interrupts_parse(to, text))
		die("cannot understand /proc/interrupts");
	free(text);
}

static void read_witness(struct snapshot *to, const struct witness *it,
			 const struct cpus *isolated)
{
	char path[256], *text;
	bool good = true;

	snprintf(path, sizeof(path), EVENTS "%s/hist", it->event);
	text = must_read(path);
	switch (it->kind) {
	case QUEUED:
		good = functions_parse(&to->queued, text, isolated);
		break;
	case RUN:
		good = functions_parse(&to->run, text, isolated);
		break;
	case ENTRY:
		good = per_cpu_parse(&to->entries, text);
		break;
	}
	if (!good)
		die("cannot understand %s", path);
	free(text);
}

static void read_stats(struct stats *to)
{
	char *text = read_file(STATS);

	if (!text) {
		errno = 0;
		return;
	}
	if (!stats_parse(to, text))
		die("cannot understand " STATS);
	free(text);
}

static void read_witnesses(struct snapshot *to, bool entries,
			   const struct cpus *isolated)
{
	for (size_t i = 0; i < WITNESSES; i++) {
		if (witnesses[i].armed &&
		    (witnesses[i].kind == ENTRY) == entries)
			read_witness(to, &witnesses[i], isolated);
	}
}

/*
 * The witnesses cannot be read at one instant. What syncs and flushes did is
 * at rest here, the workload is waiting for us. But the scheduler interrupts
 * some CPU every few milliseconds, so the two that count all interrupts must
 * be read as one: if /proc/interrupts did not move from before to after the
 * other was read, that was as good as one instant.
 */
void snapshot_take(struct snapshot *to, const struct cpus *isolated)
{
	static struct interrupts before;

	memset(to, 0, sizeof(*to));
	read_witnesses(to, false, isolated);
	read_stats(&to->stats);
	for (int i = 0; i < TRIES && !to->stable; i++) {
		if (i)
			sleep_ms(REST_MS);
		memset(&to->entries, 0, sizeof(to->entries));
		read_interrupts(&before);
		read_witnesses(to, true, isolated);
		read_interrupts(&to->interrupts);
		to->stable = !memcmp(&before, &to->interrupts, sizeof(before));
	}
}
