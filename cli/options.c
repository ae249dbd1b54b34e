// SPDX-License-Identifier: GPL-2.0
/* options.c - reads the options of a subcommand from its table. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "quell.h"

#define MAX_ROWS	24
#define BY_NAME		256	/* + row: what getopt says of a row without letter */

static void refuse(const struct option_row *row, const char *text)
{
	die(EXIT_USAGE, "\"%s\" is no %s", text, row->what);
}

static void take(const struct option_row *row, const char *text)
{
	uint64_t v = 0;
	char *end;

	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)row->into = true;
		return;
	case OPTION_TEXT:
		*(const char **)row->into = text;
		return;
	case OPTION_TIME:
		if (!parse_duration(text, &v))
			refuse(row, text);
		break;
	case OPTION_NUMBER:
		errno = 0;
		v = strtoull(text, &end, 10);
		if (*text < '0' || *text > '9' || *end || errno)
			refuse(row, text);
		break;
	}
	if (v < row->least || v > row->most)
		refuse(row, text);
	*(uint64_t *)row->into = v;
}

int options_parse(int argc, char **argv, const char *usage,
		  const struct option_row *rows, size_t n, int max)
{
	struct option longs[MAX_ROWS + 2] = { { "help", no_argument, NULL, 'h' } };
	char letters[2 * MAX_ROWS + 3], *next = letters;
	size_t i;
	int c;

	if (max < 0)
		*next++ = '+';
	*next++ = 'h';
	for (i = 0; i < n && i < MAX_ROWS; i++) {
		bool value = rows[i].kind != OPTION_FLAG;

		longs[i + 1] = (struct option){
			rows[i].name, value ? required_argument : no_argument, NULL,
			rows[i].letter ? rows[i].letter : BY_NAME + (int)i };
		if (!rows[i].letter)
			continue;
		*next++ = rows[i].letter;
		if (value)
			*next++ = ':';
	}
	*next = '\0';

	opterr = 0;		/* one line per error, and it is ours */
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			exit(EXIT_OK);
		}
		for (i = 0; i < n; i++)
			if (c == (rows[i].letter ? rows[i].letter : BY_NAME + (int)i))
				break;
		if (i == n)
			die(EXIT_USAGE, "\"%s\" is no option or lacks its value (see quell %s --help)",
			    argv[optind - 1], argv[0]);
		take(&rows[i], optarg);
	}
	if (max >= 0 && argc - optind > max)
		die(EXIT_USAGE, max ? "%s takes no more arguments than %d" : "%s takes no argument",
		    argv[0], max);
	return optind;
}
