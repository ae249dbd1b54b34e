// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - quell check: is this system set up so that some of its CPUs are
 * left alone? What is not, why it interrupts, and the exact line to change.
 * It changes nothing.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check/check.h"
#include "json.h"
#include "options.h"
#include "quell.h"

#define EXIT_FINDINGS	1
#define EXIT_TROUBLE	2

static const char usage[] =
	"usage: quell check [options]\n"
	"Is this system set up so that some CPUs are left alone? What is not, why it\n"
	"interrupts, and the line to change. Changes nothing.\n"
	"  -c, --cpus LIST        the CPUs to be left alone (default: those that are\n"
	"                         isolated, or that the kernel command line names)\n"
	"  -f, --fix              print a shell script that changes it\n"
	"  -t, --tuned            print a profile for tuned\n"
	"  -j, --json             as JSON (docs/operate/cli-json.md)\n"
	"      --root DIR         look at the system below DIR: a tree with proc, sys, etc\n"
	"  -h, --help\n"
	"Exit status: 0 nothing found, 1 something found, 2 trouble.\n";

static const char *const severities[] = { "low", "medium", "high" };

/* As the kernel splits it: blanks separate, double quotes hold together. */
static void split(struct check *c, char *line)
{
	size_t room = 0;
	bool quoted = false;
	char *p = line, *to;

	while (*p) {
		p += strspn(p, " \t\n");
		if (!*p)
			break;
		c->word = grow(c->word, &room, c->nwords + 1, sizeof(*c->word));
		c->word[c->nwords++] = to = p;
		for (; *p && (quoted || !strchr(" \t\n", *p)); p++) {
			if (*p == '"')
				quoted = !quoted;
			else
				*to++ = *p;
		}
		if (*p)
			p++;
		*to = '\0';
		/* What follows "--" is init's. */
		if (!strcmp(c->word[c->nwords - 1], "--")) {
			c->nwords--;
			break;
		}
	}
}

/* What the command line asks for, whether or not the kernel took it. */
static void intended(struct check *c)
{
	static const char *const keys[] = { "isolcpus", "nohz_full" };
	const char *value, *why;
	struct cpuset set;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		value = check_parameter(c, keys[i]);
		/* Behind the flags. */
		while (value && strchr("dmn", *value) && *value && strchr(value, ','))
			value = strchr(value, ',') + 1;
		if (value && *value && check_kernel_list(c, value, &set, &why))
			cpuset_or(&c->quiet, &set);
	}
	/* Threads and interrupts are not where no CPU can be. */
	cpuset_and(&c->quiet, &c->possible);
}

static void read_system(struct check *c, const char *cpus)
{
	struct cpuset partition;
	char *line = check_slurp(c, "/proc/cmdline");
	const char *why;

	if (!line)
		die(EXIT_TROUBLE, "%s/proc/cmdline cannot be read", c->root);
	split(c, line);		/* the words point into it, to the end */
	if (!check_read_list(c, "/sys/devices/system/cpu/online", &c->online) ||
	    !cpuset_count(&c->online))
		die(EXIT_TROUBLE, "%s/sys/devices/system/cpu/online cannot be read", c->root);
	if (!check_read_list(c, "/sys/devices/system/cpu/possible", &c->possible))
		c->possible = c->online;
	check_read_list(c, "/sys/devices/system/cpu/isolated", &c->isolated);
	check_read_list(c, "/sys/devices/system/cpu/nohz_full", &c->nohz_full);
	if (check_read_list(c, "/sys/fs/cgroup/cpuset.cpus.isolated", &partition))
		cpuset_or(&c->isolated, &partition);

	if (cpus) {
		if (!cpulist_parse(cpus, &c->quiet, &why))
			die(EXIT_TROUBLE, "\"%s\" is no list of CPUs: %s", cpus, why);
		if (!cpuset_count(&c->quiet))
			die(EXIT_TROUBLE, "the list of CPUs is empty");
		cpus = check_lacks(&c->quiet, &c->possible);
		if (cpus)
			die(EXIT_TROUBLE, "there are no CPUs %s", cpus);
	} else {
		c->quiet = c->isolated;
		cpuset_or(&c->quiet, &c->nohz_full);
		intended(c);
	}
	c->house = c->online;
	cpuset_without(&c->house, &c->quiet);
	c->quiet_list = cpulist_format(&c->quiet);
	c->house_list = cpulist_format(&c->house);
	c->house_mask = cpulist_mask(&c->house);
}

static void look(struct check *c)
{
	check_cmdline(c);
	if (!cpuset_count(&c->quiet)) {
		fix_hand(check_find(c, "isolation.none", SEV_HIGH,
				"the scheduler, interrupts and timers use all of them alike",
				"no CPU is isolated"),
			 "say which should be: quell check --cpus LIST --fix");
		return;
	}
	if (!cpuset_count(&c->house))
		return;
	check_irqs(c);
	check_workqueues(c);
	check_cpusets(c);
	check_systemd(c);
	check_knobs(c);
	check_clock(c);
	check_power(c);
	check_net(c);
	check_threads(c);
	check_kernel_flush(c);
}

static int by_severity(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a;
	const struct finding *y = *(struct finding *const *)b;

	return (int)y->severity - (int)x->severity;
}

static void print_text(const struct check *c)
{
	size_t count[ARRAY_SIZE(severities)] = { 0 };

	for (size_t i = 0; i < c->nfindings; i++) {
		const struct finding *f = c->finding[i];

		count[f->severity]++;
		printf("%-6s %s (%s)\n", severities[f->severity], f->what, f->id);
		printf("       why: %s\n", f->why);
		for (size_t k = 0; k < f->nfixes; k++) {
			char *text = fix_text(&f->fix[k]);

			printf("       fix: %s\n", text);
			free(text);
		}
	}
	for (size_t i = 0; i < c->nunread; i++)
		printf("not looked at: %s (permission denied)\n", c->unread[i]);
	if (c->nfindings)
		printf("%zu found for CPUs %s: %zu high, %zu medium, %zu low. "
		       "`quell check --fix` prints a script.\n", c->nfindings,
		       *c->quiet_list ? c->quiet_list : "(none)", count[SEV_HIGH],
		       count[SEV_MEDIUM], count[SEV_LOW]);
	else
		printf("nothing found: CPUs %s are set up to be left alone\n", c->quiet_list);
}

static void print_json(const struct check *c)
{
	struct json j = { .f = stdout };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "check");
	json_u64(&j, "schema", 1);
	json_str(&j, "version", QUELL_VERSION);
	json_str(&j, "cpus", c->quiet_list);
	json_str(&j, "housekeeping", c->house_list);
	json_open(&j, "findings", '[');
	for (size_t i = 0; i < c->nfindings; i++) {
		static const char *const kinds[] = { "cmdline", "drop", "sysctl", "file", "now",
						     "conf", "move", "irq", "command", "hand" };
		const struct finding *f = c->finding[i];
		char *all = NULL, *text, *longer;

		json_open(&j, NULL, '{');
		json_str(&j, "id", f->id);
		json_str(&j, "severity", severities[f->severity]);
		json_str(&j, "what", f->what);
		json_str(&j, "why", f->why);
		for (size_t k = 0; k < f->nfixes; k++) {
			text = fix_text(&f->fix[k]);
			longer = all ? xasprintf("%s; %s", all, text) : xstrdup(text);
			free(all);
			free(text);
			all = longer;
		}
		json_str(&j, "fix", all ? all : "");
		free(all);
		json_open(&j, "fixes", '[');
		for (size_t k = 0; k < f->nfixes; k++) {
			json_open(&j, NULL, '{');
			json_str(&j, "kind", kinds[f->fix[k].kind]);
			json_str(&j, "target", f->fix[k].target);
			json_str(&j, "value", f->fix[k].value);
			json_close(&j, '}');
		}
		json_close(&j, ']');
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_open(&j, "unread", '[');
	for (size_t i = 0; i < c->nunread; i++)
		json_str(&j, NULL, c->unread[i]);
	json_close(&j, ']');
	json_close(&j, '}');
}

int cmd_check(int argc, char **argv)
{
	bool fix = false, tuned = false, as_json = false;
	const char *cpus = NULL, *root = "";
	const struct option_row rows[] = {
		TEXT_OPTION("cpus", 'c', &cpus),
		FLAG("fix", 'f', &fix),
		FLAG("tuned", 't', &tuned),
		FLAG("json", 'j', &as_json),
		TEXT_OPTION("root", 0, &root),
	};
	struct check *c = xcalloc(1, sizeof(*c));

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	if (fix + tuned + as_json > 1)
		die(EXIT_TROUBLE, "check: one of --fix, --tuned and --json");
	c->root = root;
	read_system(c, cpus);
	look(c);
	if (c->nfindings > 1)
		qsort(c->finding, c->nfindings, sizeof(*c->finding), by_severity);
	if (fix)
		check_script(c, stdout);
	else if (tuned)
		check_tuned(c, stdout);
	else if (as_json)
		print_json(c);
	else
		print_text(c);
	if (fflush(stdout) || ferror(stdout))
		die(EXIT_TROUBLE, "standard output cannot be written");
	return c->nfindings ? EXIT_FINDINGS : EXIT_OK;
}
