// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - quell: who interrupts my CPUs, from where, why, and could it be
 * avoided. Each subcommand is a file of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "quell.h"
#include "text.h"

static const struct {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*what;
} commands[] = {
	{ "status",	cmd_status,	"is this system fit for quiet CPUs, and what is missing" },
	{ "check",	cmd_check,	"what to change so that CPUs are left alone, line by line" },
	{ "top",	cmd_top,	"a live table of the interrupts the CPUs receive" },
	{ "record",	cmd_record,	"the same over some time, into a file" },
	{ "watch",	cmd_watch,	"a flight recorder: the seconds around what took too long" },
	{ "test",	cmd_test,	"the acceptance test of a node: are the CPUs quiet enough" },
	{ "report",	cmd_report,	"a record as text, JSON or a heat map" },
	{ "diff",	cmd_diff,	"two records side by side" },
	{ "export",	cmd_export,	"metrics for Prometheus" },
	{ "serve",	cmd_serve,	"observe once, for many viewers: top and export attach" },
	{ "explain",	cmd_explain,	"what an interrupt is for and what avoids it" },
};

static void usage(FILE *f)
{
	fputs("usage: quell COMMAND [options]\n"
	      "Who interrupts my CPUs, from where, why, and could it be avoided.\n", f);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "  %-8s  %s\n", commands[i].name, commands[i].what);
	fputs("quell COMMAND --help and quell(1) tell more.\n", f);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	output_watch_stdout();
	text_locale();
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		usage(stdout);
		return EXIT_OK;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("quell " QUELL_VERSION);
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(name, commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	if (!*name) {
		usage(stderr);
		return EXIT_USAGE;
	}
	die(EXIT_USAGE, "\"%s\" is no command (quell --help)", name);
}
