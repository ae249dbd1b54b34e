// SPDX-License-Identifier: GPL-2.0
/* Three witnesses of the same interrupts; the rule is in counters.h. */
#include "instrument/counters.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *next_line(const char *at)
{
	at = strchr(at, '\n');
	return at ? at + 1 : NULL;
}

static const char *skip_blanks(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* A copy of the line @at is on, cut at @len. */
static void copy_line(char *to, size_t len, const char *at)
{
	size_t n = strcspn(at, "\n");

	if (n >= len)
		n = len - 1;
	memcpy(to, at, n);
	to[n] = '\0';
}

static bool ends_with(const char *line, const char *end)
{
	size_t n = strlen(line), m = strlen(end);

	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	return n >= m && !strncmp(line + n - m, end, m);
}

/* One number per online CPU, whose numbers @column has. */
static bool parse_line(uint32_t *to, const char *line, const int *column,
		       int columns)
{
	const char *at = strchr(line, ':');

	if (!at++)
		return false;
	for (int i = 0; i < columns; i++) {
		char *end;

		to[column[i]] = (uint32_t)strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	return true;
}

/*
 * The lines are found by what they say, not by their label: the same words
 * stand behind "CAL:" on x86 and "IPI1:" on arm64.
 */
bool interrupts_parse(struct interrupts *to, const char *text)
{
	static char line[MAX_CPUS * 12 + 256];
	int column[MAX_CPUS], columns = 0;
	const char *at = skip_blanks(text);

	memset(to, 0, sizeof(*to));
	while (!strncmp(at, "CPU", 3) && isdigit((unsigned char)at[3])) {
		char *end;
		unsigned long cpu = strtoul(at + 3, &end, 10);

		if (cpu >= MAX_CPUS || columns == MAX_CPUS)
			return false;
		column[columns++] = (int)cpu;
		at = skip_blanks(end);
	}
	if (!columns)
		return false;
	while ((at = next_line(at)) && *at) {
		copy_line(line, sizeof(line), at);
		if (ends_with(line, "Function call interrupts"))
			to->has_calls = parse_line(to->calls, line, column,
						   columns);
		else if (ends_with(line, "TLB shootdowns"))
			to->has_tlb = parse_line(to->tlb, line, column,
						 columns);
	}
	return to->has_calls;
}

struct function *function_named(struct functions *in, const char *name)
{
	for (unsigned int i = 0; i < in->count; i++) {
		if (!strcmp(in->of[i].name, name))
			return &in->of[i];
	}
	if (in->count == MAX_FUNCTIONS)
		return NULL;
	snprintf(in->of[in->count].name, NAME_LENGTH, "%s", name);
	return &in->of[in->count++];
}

/* The number behind @label on the line at @at, or false. */
static bool field(const char *at, const char *label, uint64_t *value)
{
	size_t line = strcspn(at, "\n");
	const char *found = strstr(at, label);
	char *end;

	if (!found || found >= at + line)
		return false;
	found = skip_blanks(found + strlen(label));
	*value = strtoull(found, &end, 10);
	return end != found;
}

/*
 * "{ func: [ffffffff81234567] name   , common_cpu:  3 } hitcount:  12", or
 * "cpu:" where a sender says whom it calls.
 */
static bool function_line(struct functions *to, const char *at,
			  const struct cpus *isolated)
{
	char name[NAME_LENGTH];
	struct function *known;
	uint64_t hits, cpu;
	const char *bracket;

	bracket = memchr(at, ']', strcspn(at, "\n"));
	if (!bracket || sscanf(bracket + 1, " %63[^ \n,}]", name) != 1 ||
	    !field(at, "hitcount:", &hits))
		return false;
	known = function_named(to, name);
	if (!known)
		return false;
	known->hits += hits;
	if (field(at, "cpu:", &cpu) && cpu < MAX_CPUS && isolated &&
	    isolated->has[cpu])
		known->isolated += hits;
	return true;
}

/* Lines that hold an entry start with '{'; at the end come the totals. */
bool functions_parse(struct functions *to, const char *text,
		     const struct cpus *isolated)
{
	uint64_t dropped;
	bool ended = false;

	for (const char *at = text; at && *at; at = next_line(at)) {
		if (*at == '{' && !function_line(to, at, isolated))
			return false;
		if (field(at, "Dropped:", &dropped)) {
			to->dropped += dropped;
			ended = true;
		}
	}
	to->present = ended;
	return ended;
}

bool per_cpu_parse(struct per_cpu *to, const char *text)
{
	uint64_t cpu, hits, dropped;
	bool ended = false;

	for (const char *at = text; at && *at; at = next_line(at)) {
		if (*at == '{') {
			if (!field(at, "common_cpu:", &cpu) ||
			    !field(at, "hitcount:", &hits) || cpu >= MAX_CPUS)
				return false;
			to->hits[cpu] += hits;
		}
		if (field(at, "Dropped:", &dropped)) {
			to->dropped += dropped;
			ended = true;
		}
	}
	to->present = ended;
	return ended;
}

/* Splits @line at blanks; returns how many words there were. */
static unsigned int words(char *line, char **word, unsigned int max)
{
	unsigned int n = 0;
	char *save, *at = strtok_r(line, " \t", &save);

	for (; at && n < max; at = strtok_r(NULL, " \t", &save))
		word[n++] = at;
	return at ? max + 1 : n;
}

/* "# strategy syncs ..." names the columns, then one line per strategy. */
bool stats_parse(struct stats *to, const char *text)
{
	char line[1024], *word[MAX_COLUMNS + 2];
	unsigned int n;

	memset(to, 0, sizeof(*to));
	copy_line(line, sizeof(line), text);
	n = words(line, word, MAX_COLUMNS + 2);
	if (n < 3 || n > MAX_COLUMNS + 2 || strcmp(word[0], "#") ||
	    strcmp(word[1], "strategy"))
		return false;
	to->columns = n - 2;
	for (unsigned int i = 0; i < to->columns; i++)
		snprintf(to->column[i], NAME_LENGTH, "%s", word[i + 2]);

	for (text = next_line(text); text && *text; text = next_line(text)) {
		unsigned int row = to->strategies;

		copy_line(line, sizeof(line), text);
		n = words(line, word, MAX_COLUMNS + 2);
		if (n != to->columns + 1 || row == MAX_STRATEGIES)
			return false;
		snprintf(to->strategy[row], NAME_LENGTH, "%s", word[0]);
		for (unsigned int i = 0; i < to->columns; i++) {
			char *end;

			to->value[row][i] = strtoull(word[i + 1], &end, 10);
			if (*end)
				return false;
		}
		to->strategies++;
	}
	to->present = to->strategies > 0;
	return to->present;
}

uint64_t function_hits(const struct functions *functions, const char *name)
{
	for (unsigned int i = 0; i < functions->count; i++) {
		if (!strcmp(functions->of[i].name, name))
			return functions->of[i].hits;
	}
	return 0;
}

static int column_of(const struct stats *stats, const char *name)
{
	for (unsigned int i = 0; i < stats->columns; i++) {
		if (!strcmp(stats->column[i], name))
			return (int)i;
	}
	return -1;
}

uint64_t stats_value(const struct stats *stats, const char *strategy,
		     const char *name)
{
	int column = column_of(stats, name);

	for (unsigned int i = 0; column >= 0 && i < stats->strategies; i++) {
		if (!strcmp(stats->strategy[i], strategy))
			return stats->value[i][column];
	}
	return 0;
}

static void functions_subtract(struct functions *now,
			       const struct functions *before)
{
	for (unsigned int i = 0; i < before->count; i++) {
		struct function *known = function_named(now, before->of[i].name);

		if (!known)
			continue;
		known->hits -= before->of[i].hits;
		known->isolated -= before->of[i].isolated;
	}
	now->dropped -= before->dropped;
	now->present = now->present && before->present;
}

void snapshot_subtract(struct snapshot *now, const struct snapshot *before)
{
	now->stable = now->stable && before->stable;
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		now->interrupts.calls[cpu] -= before->interrupts.calls[cpu];
		now->interrupts.tlb[cpu] -= before->interrupts.tlb[cpu];
		now->entries.hits[cpu] -= before->entries.hits[cpu];
	}
	now->entries.dropped -= before->entries.dropped;
	now->entries.present = now->entries.present && before->entries.present;
	functions_subtract(&now->queued, &before->queued);
	functions_subtract(&now->run, &before->run);
	for (unsigned int i = 0; i < now->stats.strategies; i++) {
		for (unsigned int j = 0; j < now->stats.columns; j++)
			now->stats.value[i][j] -=
				stats_value(&before->stats,
					    now->stats.strategy[i],
					    now->stats.column[j]);
	}
	now->stats.present = now->stats.present && before->stats.present;
}

static uint64_t total(const uint32_t *value, const struct cpus *only)
{
	uint64_t sum = 0;

	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!only || only->has[cpu])
			sum += value[cpu];
	}
	return sum;
}

uint64_t total_calls(const struct snapshot *since, const struct cpus *only)
{
	return total(since->interrupts.calls, only);
}

uint64_t total_tlb(const struct snapshot *since, const struct cpus *only)
{
	return total(since->interrupts.tlb, only);
}

static bool entries_agree(const struct snapshot *since, char *why, size_t len)
{
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		uint32_t counted = since->interrupts.calls[cpu];

		if (counted == since->entries.hits[cpu])
			continue;
		snprintf(why, len, "CPU %d: /proc/interrupts %" PRIu32
			 ", tracepoints %" PRIu64, cpu, counted,
			 since->entries.hits[cpu]);
		return false;
	}
	return true;
}

static bool stats_agree(const struct snapshot *since, const char *strategy,
			char *why, size_t len)
{
	uint64_t run = function_hits(&since->run, SYNC_FUNCTION);
	int column = column_of(&since->stats, "cpus_interrupted");

	if (!since->stats.present)
		return true;
	if (column < 0) {
		snprintf(why, len, "stats have no cpus_interrupted");
		return false;
	}
	for (unsigned int i = 0; i < since->stats.strategies; i++) {
		const char *name = since->stats.strategy[i];
		uint64_t value = since->stats.value[i][column];
		uint64_t expected = strcmp(name, strategy) ? 0 : run;

		if (value == expected)
			continue;
		snprintf(why, len, "stats count %" PRIu64 " for %s, %" PRIu64
			 " sync calls ran under %s", value, name, run,
			 strategy);
		return false;
	}
	return true;
}

bool counters_agree(const struct snapshot *since, const char *strategy,
		    char *why, size_t len)
{
	uint64_t queued = function_hits(&since->queued, SYNC_FUNCTION);
	uint64_t run = function_hits(&since->run, SYNC_FUNCTION);
	uint64_t flushes = function_hits(&since->run, TLB_FUNCTION);
	uint64_t tlb = total_tlb(since, NULL);

	why[0] = '\0';
	if (!since->interrupts.has_calls || !since->queued.present ||
	    !since->run.present || !since->entries.present) {
		snprintf(why, len, "a witness is missing:%s%s%s%s",
			 since->interrupts.has_calls ? "" : " interrupts",
			 since->queued.present ? "" : " csd_queue_cpu",
			 since->run.present ? "" : " csd_function_entry",
			 since->entries.present ? "" : " vectors");
		return false;
	}
	if (since->queued.dropped || since->run.dropped ||
	    since->entries.dropped) {
		snprintf(why, len, "a histogram was full");
		return false;
	}
	if (!since->stable) {
		snprintf(why, len, "the machine did not come to rest");
		return false;
	}
	if (queued != run) {
		snprintf(why, len, "sync calls: %" PRIu64 " queued, %" PRIu64
			 " run", queued, run);
		return false;
	}
	if (since->interrupts.has_tlb &&
	    (tlb > flushes || flushes - tlb > flushes / 64)) {
		snprintf(why, len, "TLB shootdowns: %" PRIu64
			 " in /proc/interrupts, %" PRIu64 " run", tlb,
			 flushes);
		return false;
	}
	return stats_agree(since, strategy, why, len) &&
	       entries_agree(since, why, len);
}
