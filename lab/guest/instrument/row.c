// SPDX-License-Identifier: GPL-2.0
/* The row: one line of JSON for a workload under one strategy. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "instrument/measure.h"
#include "json.h"
#include "spin.h"

static void put_functions(const char *key, const struct functions *functions,
			  bool isolated)
{
	json_open(key);
	for (unsigned int i = 0; i < functions->count; i++) {
		const struct function *it = &functions->of[i];
		uint64_t hits = isolated ? it->isolated : it->hits;

		if (hits)
			json_number(it->name, (int64_t)hits);
	}
	json_close();
}

static void put_stats(const struct stats *stats, const char *strategy)
{
	if (!stats->present)
		return;
	json_open("stats");
	for (unsigned int j = 0; j < stats->columns; j++)
		json_number(stats->column[j], (int64_t)
			    stats_value(stats, strategy, stats->column[j]));
	json_close();
}

/*
 * "ops=N ns=N key=value..." of the workload's last such line, as keys of the
 * row. Returns false if the workload did not say.
 */
static bool put_result(char *output)
{
	char *line = NULL, *save, *at;

	for (at = strtok_r(output, "\n", &save); at;
	     at = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(at, "ops=", 4))
			line = at;
	}
	if (!line)
		return false;
	for (at = strtok_r(line, " ", &save); at;
	     at = strtok_r(NULL, " ", &save)) {
		char *value = strchr(at, '='), *end;
		long long number;

		if (!value)
			continue;
		*value++ = '\0';
		number = strtoll(value, &end, 10);
		if (end != value && !*end)
			json_number(at, number);
		else
			json_text(at, value);
	}
	return true;
}

static void put_arguments(char **command)
{
	char text[512] = "";
	size_t used = 0;

	for (int i = 1; command[i]; i++) {
		int n = snprintf(text + used, sizeof(text) - used, "%s%s",
				 i > 1 ? " " : "", command[i]);

		if (n < 0 || (used += (size_t)n) >= sizeof(text))
			break;
	}
	json_text("args", text);
}

/* What a turn took, if it says so. */
void take_time(struct times *times, const struct outcome *out)
{
	const char *line = strstr(out->output, "ops=");
	unsigned long long ops, ns;

	if (line && sscanf(line, "ops=%llu ns=%llu", &ops, &ns) == 2 && ops &&
	    times->count < MAX_REPEAT)
		times->ps[times->count++] = (int64_t)(ns * 1000 / ops);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Nothing, unless every turn has its time. */
static void put_times(struct times *times, long repeat)
{
	if (repeat < 2 || times->count != repeat)
		return;
	qsort(times->ps, times->count, sizeof(times->ps[0]), by_size);
	json_number("repeats", repeat);
	json_number("op_ps", times->ps[times->count / 2]);
	json_number("op_ps_least", times->ps[0]);
	json_number("op_ps_most", times->ps[times->count - 1]);
}

bool put_row(struct outcome *out, const struct request *request,
	     const char *strategy, struct times *times)
{
	bool exited = WIFEXITED(out->status) && !WEXITSTATUS(out->status);
	struct snapshot *since = &out->after;
	struct utsname system;
	bool good;

	uname(&system);
	json_begin();
	json_text("kernel", system.release);
	json_text("arch", system.machine);
	json_number("cpus", sysconf(_SC_NPROCESSORS_ONLN));
	json_number("isolated", cpus_count(&request->isolated));
	json_text("workload", request->name);
	put_arguments(request->command);
	json_text("strategy", strategy);
	if (request->flush)
		json_text("flush", request->flush);
	good = put_result(out->output) && exited;
	put_times(times, request->repeat);
	json_number("sync_ipis", (int64_t)
		    function_hits(&since->run, SYNC_FUNCTION));
	json_number("call_ipis", (int64_t)total_calls(since, NULL));
	json_number("tlb_ipis", (int64_t)total_tlb(since, NULL));
	json_number("isolated_ipis", (int64_t)
		    total_calls(since, &request->isolated));
	if (SPIN_TELLS && companion_watches())
		json_number("isolated_interruptions", (int64_t)
			    (out->seen_after - out->seen_before));
	if (request->guests) {
		json_bool("guests", true);
		/* Of the slowest, not exactly: it may be between two of its own. */
		json_number("guest_counted", (int64_t)
			    (out->counted_after - out->counted_before));
	}
	put_functions("calls", &since->run, false);
	/*
	 * By what senders queued: some kinds of calls (irq_work) are not
	 * traced where they run, and each is somebody's interrupt.
	 */
	if (cpus_count(&request->isolated))
		put_functions("isolated_calls", &since->queued, true);
	put_stats(&since->stats, strategy);
	json_bool("windowed", out->windowed);
	json_number("attempts", out->attempts);
	json_bool("counters_agree", out->agree);
	if (!out->agree)
		json_text("disagreement", out->why);
	if (!exited) {
		json_number("exit", WIFEXITED(out->status) ?
			    WEXITSTATUS(out->status) : -1);
		json_number("signal", WIFSIGNALED(out->status) ?
			    WTERMSIG(out->status) : 0);
	}
	json_end();
	return good;
}
