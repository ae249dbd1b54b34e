// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - quell report: a record as text, JSON or a heat map.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "output.h"
#include "quell.h"
#include "show.h"

static const char usage[] =
	"usage: quell report [options] FILE\n"
	"Show what quell record wrote to FILE.\n"
	"  -j, --json             as JSON (docs/cli-json.md)\n"
	"  -s, --svg              as a heat map: CPU by time, colour by cause\n"
	"  -k, --stacks           as text, with the stacks of the senders\n"
	"  -o, --output FILE      a file, a pipe, or - (default: standard output)\n"
	"  -h, --help\n";

int cmd_report(int argc, char **argv)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	bool as_json = false, as_svg = false, with_stacks = false;
	const char *output = NULL;
	const struct option_row rows[] = {
		FLAG("json", 'j', &as_json),
		FLAG("svg", 's', &as_svg),
		FLAG("stacks", 'k', &with_stacks),
		TEXT_OPTION("output", 'o', &output),
	};
	int first = options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 1);
	struct summary s;
	struct output *out;
	FILE *f;
	bool cut;

	if (as_json && as_svg)
		die(EXIT_USAGE, "report: either --json or --svg");
	if (first + 1 != argc)
		die(EXIT_USAGE, "report needs one FILE");

	summary_init(&s, &strings, &stacks);
	summary_load(&s, argv[first], as_svg);
	summary_sort(&s);
	out = output_open(output, OUTPUT_ANY);
	f = out->f;
	if (as_json)
		show_json(&s, f);
	else if (as_svg)
		show_svg(&s, f);
	else
		show_text(&s, f, with_stacks);
	if (!output_commit(out))
		die(EXIT_FAILED, "%s cannot be written: %s",
		    output ? output : "standard output", strerror(errno));
	cut = s.cut;
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
	return cut ? EXIT_DOUBT : EXIT_OK;
}
