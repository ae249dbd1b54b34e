// SPDX-License-Identifier: GPL-2.0
/*
 * explain.c - quell explain: what an interrupt is for, when it is needed and
 * what avoids it. By cause, by the function it ran, or by the row's label in
 * /proc/interrupts.
 */
#include <string.h>
#include <strings.h>

#include "classify.h"
#include "json.h"
#include "options.h"
#include "quell.h"
#include "show/remedy.h"

static const char usage[] =
	"usage: quell explain [options] [NAME]\n"
	"What the interrupt NAME is for, when it is needed, and what avoids it.\n"
	"NAME is a cause (pt_sync), a kernel function (flush_tlb_func) or a row of\n"
	"/proc/interrupts (CAL). Without NAME: the causes there are.\n"
	"  -j, --json             as JSON (docs/operate/cli-json.md)\n"
	"  -h, --help\n";

/* Rows of /proc/interrupts that say less than a cause does. */
static const struct { const char *row, *text; } rows[] = {
	{ "CAL", "Function calls from other CPUs. The row does not say which function: page-table syncs, TLB flushes, membarrier, text patching, RCU and all other causes that run a function are in it. quell top and quell record tell them apart." },
	{ "TLB", "User TLB flushes carried out for other CPUs. These are functions, not interrupts: each came with an interrupt that is counted under CAL." },
	{ "RES", NULL }, { "LOC", NULL }, { "IWI", NULL },
	{ "NMI", "Non-maskable interrupts: the watchdog, perf, a backtrace or a reboot asked of all CPUs. They have no trace event quell could use; nmi_watchdog=0 and no perf keep them away." },
	{ "MCP", "Machine check polls, counted by a timer that runs on every CPU; they are no interrupts of their own. mce=ignore_ce or a longer check_interval stops them." },
};

static enum cause by_row(const char *name)
{
	if (!strcasecmp(name, "RES"))
		return CAUSE_RESCHED;
	if (!strcasecmp(name, "LOC"))
		return CAUSE_TICK;
	if (!strcasecmp(name, "IWI"))
		return CAUSE_IRQ_WORK;
	return CAUSE_UNKNOWN;
}

static void wrapped(const char *label, const char *text)
{
	size_t column = 12, n;

	printf("%-12s", label);
	while (*text) {
		n = strcspn(text, " ");
		if (column > 12 && column + n > 79) {
			printf("\n%-12s", "");
			column = 12;
		}
		printf("%s%.*s", column > 12 ? " " : "", (int)n, text);
		column += n + (column > 12);
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void tell(enum cause c, bool as_json)
{
	const struct cause_info *i = cause_info(c);
	struct json j = { .f = stdout };

	if (as_json) {
		json_open(&j, NULL, '{');
		json_str(&j, "cause", i->key);
		json_str(&j, "title", i->title);
		json_str(&j, "functions", i->funcs ? i->funcs : "");
		json_str(&j, "what", i->what);
		json_str(&j, "needed", i->needed);
		json_str(&j, "avoided_by", i->avoid);
		json_close(&j, '}');
		return;
	}
	printf("%s (%s)\n", i->title, i->key);
	wrapped("what", i->what);
	wrapped("needed", i->needed);
	wrapped("avoided by", i->avoid);
	if (i->funcs)
		wrapped("runs", i->funcs);
}

static void tell_row(const char *row, const char *what, bool as_json)
{
	struct json j = { .f = stdout };

	if (!as_json) {
		wrapped(row, what);
		return;
	}
	json_open(&j, NULL, '{');
	json_str(&j, "row", row);
	json_str(&j, "what", what);
	json_close(&j, '}');
}

static void list(bool as_json)
{
	for (int c = CAUSE_PT_SYNC; c < NR_CAUSES; c++) {
		if (as_json)
			tell(c, true);
		else
			printf("%-14s %s\n", cause_info(c)->key,
			       cause_info(c)->title);
	}
	if (!as_json)
		tell(CAUSE_UNKNOWN, false);
}

int cmd_explain(int argc, char **argv)
{
	bool as_json = false;
	const struct option_row options[] = {
		FLAG("json", 'j', &as_json),
	};
	int first = options_parse(argc, argv, usage, options, ARRAY_SIZE(options), 1);
	const char *name;
	enum cause c;

	if (first == argc) {
		list(as_json);
		return EXIT_OK;
	}
	name = argv[first];
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcasecmp(name, rows[i].row) || !rows[i].text)
			continue;
		tell_row(rows[i].row, rows[i].text, as_json);
		return EXIT_OK;
	}
	c = cause_by_key(name);
	if (!c)
		c = by_row(name);
	for (int k = 0; !c && k < NR_CAUSES; k++)
		if (!strcasecmp(cause_info(k)->title, name))
			c = k;
	if (!c && classify_func(name) != CAUSE_CALL)
		c = classify_func(name);
	if (!c && strcmp(name, "unknown") && explain_function(name, as_json))
		return EXIT_OK;
	if (!c && strcmp(name, "unknown"))
		die(EXIT_USAGE, "\"%s\" is no cause, row or function that quell knows (quell explain lists them)", name);
	tell(c, as_json);
	return EXIT_OK;
}
