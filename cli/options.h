/* SPDX-License-Identifier: GPL-2.0 */
/*
 * options.h - the options of a subcommand as a table. Nonsense, an unknown
 * option and a value that is missing end the program with EXIT_USAGE.
 */
#ifndef QUELL_OPTIONS_H
#define QUELL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,	/* bool */
	OPTION_TEXT,	/* const char * */
	OPTION_TIME,	/* uint64_t, ns */
	OPTION_NUMBER,	/* uint64_t */
};

struct option_row {
	const char		*name;
	char			letter;		/* 0: has none */
	enum option_kind	kind;
	void			*into;
	const char		*what;		/* "port", as in "x" is no port */
	uint64_t		least, most;	/* of times and numbers */
};

#define FLAG(name, letter, into) \
	{ name, letter, OPTION_FLAG, into, NULL, 0, 0 }
#define TEXT_OPTION(name, letter, into) \
	{ name, letter, OPTION_TEXT, into, NULL, 0, 0 }
#define TIME_OPTION(name, letter, into, what, least) \
	{ name, letter, OPTION_TIME, into, what, least, UINT64_MAX }
#define NUMBER(name, letter, into, what, least, most) \
	{ name, letter, OPTION_NUMBER, into, what, least, most }

/*
 * Reads options up to the first argument, prints @usage and exits for --help.
 * Return: the index of the first argument, of which there may be at most @max;
 * if @max is negative, any number, and options behind the first are its own.
 */
int options_parse(int argc, char **argv, const char *usage,
		  const struct option_row *rows, size_t n, int max);

#endif
