// SPDX-License-Identifier: GPL-2.0
/*
 * check_systemd.c - CPUAffinity= of systemd's manager, which every service
 * inherits. It overrides what the kernel gave to init, which is everything but
 * the isolated CPUs.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

#define DROPIN "/etc/systemd/system.conf.d/zz-quell-check.conf"

static const char inherited[] =
	"every service inherits it, and is scheduled on these CPUs";

struct affinity {
	struct cpuset	set;
	bool		any;
	char		*bad, *where;	/* the last file that says something */
	const char	*why;
};

/* One list: CPUs and ranges, by blanks or commas; nothing at all resets. */
static void assign(struct affinity *a, const char *value, const char *path)
{
	char *list = xstrdup(value), *p;
	struct cpuset more;
	size_t n = 0;

	for (p = list; *p; p++) {
		bool gap = strchr(", \t", *p);

		if (!gap || (n && list[n - 1] != ','))
			list[n++] = gap ? ',' : *p;
	}
	while (n && list[n - 1] == ',')
		n--;
	list[n] = '\0';
	free(a->where);
	a->where = xstrdup(path);
	if (!n) {
		cpuset_clear(&a->set);
		a->any = false;
		free(a->bad);
		a->bad = NULL;
	} else if (!strcmp(list, "numa")) {
		a->any = true;
	} else if (cpulist_parse(list, &more, &a->why)) {
		cpuset_or(&a->set, &more);
		a->any = true;
	} else {
		free(a->bad);
		a->bad = xasprintf("CPUAffinity=%s in %s", value, path);
	}
	free(list);
}

static void read_conf(struct check *c, struct affinity *a, const char *path)
{
	char *text = check_slurp(c, "%s", path), *line, *save = NULL;
	bool manager = false;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (*line == '[')
			manager = !strncmp(line, "[Manager]", 9);
		else if (manager && !strncmp(line, "CPUAffinity=", 12))
			assign(a, line + 12, path);
	}
	free(text);
}

/* /etc hides a file of the same name in /run, and that one in /usr/lib. */
static void read_dropins(struct check *c, struct affinity *a)
{
	static const char *const dirs[] = { "/etc/systemd", "/run/systemd", "/usr/lib/systemd" };
	struct { char *name, *path; } *file = NULL;
	size_t room = 0, nfiles = 0, n;

	for (size_t d = 0; d < ARRAY_SIZE(dirs); d++) {
		char *dir = xasprintf("%s/system.conf.d", dirs[d]);
		char **names = check_list(c, dir, &n);

		for (size_t i = 0; i < n; i++) {
			size_t len = strlen(names[i]), k;

			for (k = 0; k < nfiles && strcmp(file[k].name, names[i]) < 0; k++)
				;
			if (len < 5 || strcmp(names[i] + len - 5, ".conf") ||
			    (k < nfiles && !strcmp(file[k].name, names[i])))
				continue;
			file = grow(file, &room, nfiles + 1, sizeof(*file));
			memmove(file + k + 1, file + k, (nfiles - k) * sizeof(*file));
			file[k].name = xstrdup(names[i]);
			file[k].path = xasprintf("%s/%s", dir, names[i]);
			nfiles++;
		}
		check_list_free(names, n);
		free(dir);
	}
	for (size_t i = 0; i < nfiles; i++) {
		read_conf(c, a, file[i].path);
		free(file[i].name);
		free(file[i].path);
	}
	free(file);
}

static void dropin(struct check *c, struct finding *f)
{
	/* The empty line takes back what other files have said. */
	char *text = xasprintf("[Manager]\nCPUAffinity=\nCPUAffinity=%s\n", c->house_list);

	fix_add(f, FIX_CONF, DROPIN, text);
	free(text);
}

/* The CPUs init may run on; services inherit those. */
static bool init_allowed(struct check *c, struct cpuset *set)
{
	char *text = check_slurp(c, "/proc/1/status"), *line;
	bool good;

	line = text ? strstr(text, "\nCpus_allowed_list:") : NULL;
	if (line) {
		line += strlen("\nCpus_allowed_list:");
		line += strspn(line, " \t");
		line[strcspn(line, "\n")] = '\0';
	}
	good = line && cpulist_parse(line, set, NULL);
	free(text);
	return good;
}

void check_systemd(struct check *c)
{
	struct affinity a = { .any = false };
	struct cpuset set;
	char *on, *comm;

	read_conf(c, &a, "/etc/systemd/system.conf");
	read_dropins(c, &a);
	on = a.any ? check_common(&a.set, &c->quiet) : NULL;
	if (a.bad)
		dropin(c, check_find(c, "systemd.syntax", SEV_MEDIUM,
			"systemd ignores the line, and services may run where it should keep them away",
			"%s is no list of CPUs: %s", a.bad, a.why));
	if (on)
		dropin(c, check_find(c, "systemd.affinity", SEV_HIGH, inherited,
			"systemd lets services run on CPUs %s: CPUAffinity= in %s", on, a.where));
	comm = check_slurp(c, "/proc/1/comm");
	if (!a.any && comm && !strcmp(comm, "systemd") && init_allowed(c, &set)) {
		free(on);
		on = check_common(&set, &c->quiet);
		if (on)
			dropin(c, check_find(c, "systemd.affinity", SEV_MEDIUM, inherited,
				"systemd itself, and with it services, may run on CPUs %s", on));
	}
	free(comm);
	free(on);
	free(a.bad);
	free(a.where);
}
