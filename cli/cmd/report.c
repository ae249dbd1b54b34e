// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - quell report: a record as text, JSON or a heat map.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/events.h"
#include "options.h"
#include "output.h"
#include "quell.h"
#include "show/show.h"

static const char usage[] =
	"usage: quell report [options] FILE\n"
	"Show what quell record wrote to FILE.\n"
	"  -j, --json             as JSON (docs/operate/cli-json.md)\n"
	"  -s, --svg              as a heat map: CPU by time, colour by cause\n"
	"  -k, --stacks           as text, with the stacks of the senders\n"
	"  -e, --events           interrupt by interrupt; with --json, an object a line\n"
	"  -p, --perfetto         for a trace viewer: ui.perfetto.dev, or Chrome's\n"
	USAGE_OWNER
	"Of --events and --perfetto, only what is\n"
	"      --from TIME        not before: 1.5s since the beginning, or 12:03:04.123 (UTC)\n"
	"      --to TIME          not after\n"
	"  -c, --cpus LIST        on these CPUs\n"
	"      --cause LIST       of these causes, comma-separated\n"
	"  -t, --task NAME        sent by a task of this name or number\n"
	"  -l, --longer TIME      longer in the handler, as far as that is known\n"
	"  -o, --output FILE      a file, a pipe, or - (default: standard output)\n"
	"  -h, --help\n";

/* False: it was cut. */
static bool report(const char *path, bool as_json, bool as_svg, bool with_stacks,
		   struct owner_filter *only, FILE *f)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct summary s;
	bool cut;

	summary_init(&s, &strings, &stacks);
	summary_load(&s, path, as_svg, only);
	summary_sort(&s);
	if (as_json)
		show_json(&s, f);
	else if (as_svg)
		show_svg(&s, f);
	else
		show_text(&s, f, with_stacks);
	cut = s.cut;
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
	return !cut;
}

int cmd_report(int argc, char **argv)
{
	bool as_json = false, as_svg = false, with_stacks = false;
	bool events = false, perfetto = false, cut;
	struct owner_filter only = { 0 };
	struct event_filter x = { .only = &only };
	const char *output = NULL;
	const struct option_row rows[] = {
		FLAG("json", 'j', &as_json),
		FLAG("svg", 's', &as_svg),
		FLAG("stacks", 'k', &with_stacks),
		FLAG("events", 'e', &events),
		FLAG("perfetto", 'p', &perfetto),
		TEXT_OPTION("from", 0, &x.from),
		TEXT_OPTION("to", 0, &x.to),
		TEXT_OPTION("cpus", 'c', &x.cpus),
		TEXT_OPTION("cause", 0, &x.causes),
		TEXT_OPTION("task", 't', &x.task),
		TIME_OPTION("longer", 'l', &x.longer, "time", 0),
		TEXT_OPTION("output", 'o', &output),
		OWNER_OPTIONS(&only),
	};
	int first = options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 1);
	struct output *out;

	if (perfetto + events + as_svg + with_stacks > 1 || (as_json && (as_svg || perfetto)))
		die(EXIT_USAGE, "report: either --json or --svg, --stacks, --events or --perfetto");
	if (filters(&x) && !events && !perfetto)
		die(EXIT_USAGE, "report: --from, --to, --cpus, --cause, --task and --longer are for --events and --perfetto");
	if (first + 1 != argc)
		die(EXIT_USAGE, "report needs one FILE");

	owner_check(&only);
	out = output_open(output, OUTPUT_ANY);
	if (events || perfetto)
		cut = !show_events(argv[first], &x, perfetto ? &print_perfetto :
				   as_json ? &print_json_lines : &print_lines, out->f);
	else
		cut = !report(argv[first], as_json, as_svg, with_stacks, &only,
			      out->f);
	if (!output_commit(out))
		die(EXIT_FAILED, "%s cannot be written: %s",
		    output ? output : "standard output", strerror(errno));
	return cut ? EXIT_DOUBT : EXIT_OK;
}
