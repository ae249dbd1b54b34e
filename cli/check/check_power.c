// SPDX-License-Identifier: GPL-2.0
/*
 * check_power.c - idle states and frequencies of the quiet CPUs. They interrupt
 * nobody, but what wakes up late or runs slowly is as bad as interrupted.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

#define CPU_DIR	"/sys/devices/system/cpu"
#define SLOW_US	10	/* to wake up from an idle state */

static void idle_states(struct check *c)
{
	struct cpuset on;
	struct finding *f = NULL;
	long worst = 0;
	char *dir, **names, *list;
	size_t n;
	int cpu;

	cpuset_clear(&on);
	for_each_cpu_in(cpu, &c->quiet) {
		dir = xasprintf(CPU_DIR "/cpu%d/cpuidle", cpu);
		names = check_list(c, dir, &n);
		for (size_t i = 0; i < n; i++) {
			char *latency = check_slurp(c, "%s/%s/latency", dir, names[i]);
			char *disabled = check_slurp(c, "%s/%s/disable", dir, names[i]);
			long us = latency ? atol(latency) : 0;

			if (us > SLOW_US && disabled && *disabled == '0') {
				char *path = xasprintf("%s/%s/disable", dir, names[i]);

				if (!f)
					f = check_find(c, "power.idle", SEV_LOW,
						"a CPU that sleeps deeply is late for whatever wakes it; these states cost only those that do not poll",
						" ");
				fix_add(f, FIX_FILE, path, "1");
				free(path);
				cpuset_add(&on, cpu);
				if (us > worst)
					worst = us;
			}
			free(latency);
			free(disabled);
		}
		check_list_free(names, n);
		free(dir);
	}
	if (!f)
		return;
	list = cpulist_format(&on);
	free(f->what);
	f->what = xasprintf("CPUs %s may sleep so deeply that they wake up %ld us late", list, worst);
	free(list);
}

static void frequencies(struct check *c)
{
	struct cpuset on;
	struct finding *f;
	char *governor, *last = NULL, *list;
	int cpu;

	cpuset_clear(&on);
	for_each_cpu_in(cpu, &c->quiet) {
		governor = check_slurp(c, CPU_DIR "/cpu%d/cpufreq/scaling_governor", cpu);
		if (governor && strcmp(governor, "performance")) {
			cpuset_add(&on, cpu);
			free(last);
			last = governor;
			governor = NULL;
		}
		free(governor);
	}
	if (last) {
		list = cpulist_format(&on);
		f = check_find(c, "power.frequency", SEV_LOW,
			       "the governor changes the frequency, for which some drivers run a thread or read registers on that CPU",
			       "the frequency of CPUs %s is governed by %s", list, last);
		for_each_cpu_in(cpu, &on) {
			char *path = xasprintf(CPU_DIR "/cpu%d/cpufreq/scaling_governor", cpu);

			fix_add(f, FIX_FILE, path, "performance");
			free(path);
		}
		free(list);
	}
	free(last);
}

void check_power(struct check *c)
{
	idle_states(c);
	frequencies(c);
}
