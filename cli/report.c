// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - quell report: a record as text, JSON or a heat map.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "quell.h"
#include "show.h"

static const char usage[] =
	"usage: quell report [options] FILE\n"
	"Show what quell record wrote to FILE.\n"
	"  -j, --json             as JSON (docs/cli-json.md)\n"
	"  -s, --svg              as a heat map: CPU by time, colour by cause\n"
	"  -k, --stacks           as text, with the stacks of the senders\n"
	"  -o, --output FILE      where to (default: standard output)\n"
	"  -h, --help\n";

enum { TEXT, JSON, SVG };

int cmd_report(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "svg", no_argument, NULL, 's' },
		{ "stacks", no_argument, NULL, 'k' },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct strtab strings = { 0 }, stacks = { 0 };
	const char *output = NULL;
	bool with_stacks = false;
	int c, as = TEXT;
	struct summary s;
	FILE *f = stdout;

	while ((c = getopt_long(argc, argv, "jsko:h", longs, NULL)) != -1) {
		switch (c) {
		case 'j':
			as = JSON;
			break;
		case 's':
			as = SVG;
			break;
		case 'k':
			with_stacks = true;
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			bad_option(argv);
		}
	}
	if (optind + 1 != argc)
		die(EXIT_USAGE, "report needs one FILE");

	summary_init(&s, &strings, &stacks);
	summary_load(&s, argv[optind], as == SVG);
	summary_sort(&s);
	if (output) {
		f = fopen(output, "we");
		if (!f)
			die(EXIT_FAILED, "%s cannot be written: %s", output,
			    strerror(errno));
	}
	if (as == JSON)
		show_json(&s, f);
	else if (as == SVG)
		show_svg(&s, f);
	else
		show_text(&s, f, with_stacks);
	if (fflush(f) || ferror(f) || (output && fclose(f)))
		die(EXIT_FAILED, "%s cannot be written: %s",
		    output ? output : "standard output", strerror(errno));
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
	return EXIT_OK;
}
