// SPDX-License-Identifier: GPL-2.0
/*
 * check_cpusets.c - cpuset partitions: isolation that can change while the
 * system runs. One that the kernel calls invalid isolates nothing, and says so
 * only to whoever reads the file.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

#define DEPTH 12

static void walk(struct check *c, const char *dir, int depth)
{
	char *state = check_slurp(c, "%s/cpuset.cpus.partition", dir);
	size_t n;
	char **names;

	if (state && strstr(state, " invalid")) {
		char *cpus = check_slurp(c, "%s/cpuset.cpus", dir);
		size_t kind = strcspn(state, " ");
		struct finding *f = check_find(c, "cpuset.invalid", SEV_HIGH,
			"the partition is not in force: the scheduler goes on balancing its CPUs",
			"%s/cpuset.cpus.partition says \"%s\" (cpuset.cpus %s)",
			dir, state, cpus && *cpus ? cpus : "empty");

		fix_hand(f, "end what the reason in brackets names, then: echo %.*s > %s/cpuset.cpus.partition",
			 (int)kind, state, dir);
		free(cpus);
	}
	free(state);
	if (depth >= DEPTH)
		return;
	names = check_list(c, dir, &n);
	for (size_t i = 0; i < n; i++) {
		char *sub = xasprintf("%s/%s", dir, names[i]);
		char *file = xasprintf("%s/cgroup.procs", sub);

		if (check_exists(c, file))
			walk(c, sub, depth + 1);
		free(sub);
		free(file);
	}
	check_list_free(names, n);
}

void check_cpusets(struct check *c)
{
	walk(c, "/sys/fs/cgroup", 0);
}
