// SPDX-License-Identifier: GPL-2.0
/*
 * check_knobs.c - settings of the kernel that are a number or a word: which
 * value interrupts, why, and which does not.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

enum when { NOT_ZERO, ZERO, BELOW, POSITIVE };

static const struct knob {
	const char	*id;
	enum severity	severity;
	const char	*path;		/* sysctls are below /proc/sys/ */
	enum when	when;
	long		limit;
	int		base;
	const char	*value;
	const char	*what;		/* with the value that is set */
	const char	*why;
} knobs[] = {
	{ "vm.stat_interval", SEV_LOW, "/proc/sys/vm/stat_interval", BELOW, 10, 10, "10",
	  "statistics of memory are folded every %s s",
	  "a kworker of each CPU runs for it, isolated ones included before Linux 6.5" },
	{ "vm.compaction", SEV_LOW, "/proc/sys/vm/compaction_proactiveness", POSITIVE, 0, 10, "0",
	  "memory is compacted although nobody asked (vm.compaction_proactiveness is %s)",
	  "moving pages unmaps them first: TLB flushes wherever their process runs" },
	{ "numa.balancing", SEV_MEDIUM, "/proc/sys/kernel/numa_balancing", NOT_ZERO, 0, 10, "0",
	  "NUMA balancing is on (kernel.numa_balancing is %s)",
	  "it unmaps memory to see who uses it: TLB flushes and faults wherever the process runs" },
	{ "timer.migration", SEV_MEDIUM, "/proc/sys/kernel/timer_migration", ZERO, 0, 10, "1",
	  "timers stay on the CPU that armed them (kernel.timer_migration is %s)",
	  "the timers of daemons that came by keep interrupting the CPU" },
	{ "ksm", SEV_MEDIUM, "/sys/kernel/mm/ksm/run", POSITIVE, 0, 10, "0",
	  "same-page merging runs (ksm/run is %s)",
	  "each merge write-protects a page first: a TLB flush wherever the process runs" },
	{ "rcu.expedited", SEV_MEDIUM, "/sys/kernel/rcu_expedited", NOT_ZERO, 0, 10, "0",
	  "every grace period of RCU is expedited (rcu_expedited is %s)",
	  "an expedited grace period interrupts each CPU that is not idle or in user mode" },
	{ "machine_check.poll", SEV_LOW, "/sys/devices/system/machinecheck/machinecheck0/check_interval",
	  NOT_ZERO, 0, 16, "0",
	  "corrected machine checks are polled for (check_interval is %s seconds, in hexadecimal)",
	  "by a timer on every CPU; what CMCI reports still arrives without it" },
};

static bool bad(const struct knob *k, const char *text)
{
	char *end;
	long v = strtol(text, &end, k->base);

	if (end == text)
		return false;
	switch (k->when) {
	case NOT_ZERO:	return v;
	case ZERO:	return !v;
	case BELOW:	return v < k->limit;
	case POSITIVE:	return v > 0;
	}
	return false;
}

static void set_sysctl(struct finding *f, const char *path, const char *value)
{
	char *name = xstrdup(path + strlen("/proc/sys/")), *p;

	for (p = name; *p; p++)
		if (*p == '/')
			*p = '.';
	fix_add(f, FIX_SYSCTL, name, value);
	free(name);
}

static void numbers(struct check *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(knobs); i++) {
		const struct knob *k = &knobs[i];
		char *text = check_slurp(c, "%s", k->path);
		struct finding *f;

		if (text && bad(k, text)) {
			/* The format is one of the table above. */
			char *what = xstrdup(k->what), *at = strstr(what, "%s");

			f = check_find(c, k->id, k->severity, k->why, "%.*s%s%s",
				       (int)(at - what), what, text, at + 2);
			free(what);
			if (!strncmp(k->path, "/proc/sys/", 10))
				set_sysctl(f, k->path, k->value);
			else
				fix_add(f, FIX_FILE, k->path, k->value);
		}
		free(text);
	}
}

static void watchdogs(struct check *c)
{
	static const char path[] = "/proc/sys/kernel/watchdog_cpumask";
	char *soft = check_slurp(c, "/proc/sys/kernel/soft_watchdog");
	char *hard = check_slurp(c, "/proc/sys/kernel/nmi_watchdog");
	char *any = check_slurp(c, "/proc/sys/kernel/watchdog"), *on = NULL;
	bool softly = soft && *soft != '0', hardly = hard && *hard != '0';
	struct cpuset set;

	if (any && *any != '0' && (softly || hardly) && check_read_list(c, path, &set))
		on = check_common(&set, &c->quiet);
	if (on)
		set_sysctl(check_find(c, "watchdog", SEV_HIGH,
			"a timer every few seconds, a thread of the highest priority, and with the NMI watchdog a counter that overflows",
			"the %s watches CPUs %s", !hardly ? "soft lockup detector" :
			!softly ? "NMI watchdog" : "lockup detector (soft and NMI)", on),
			path, c->house_list);
	free(on);
	free(soft);
	free(hard);
	free(any);
}

/* The bracketed word is the one in force. */
static bool chosen(const char *text, const char *word)
{
	char *mark = xasprintf("[%s]", word);
	bool is = text && strstr(text, mark);

	free(mark);
	return is;
}

/* Syncs after a collapse do not matter where quell is in force. */
static bool quelled(struct check *c)
{
	char *live = check_slurp(c, "/sys/kernel/livepatch/quell_live/enabled");
	char *strategy = check_slurp(c, "/sys/kernel/debug/pt_sync/strategy");
	bool is = (live && *live == '1') || chosen(strategy, "auto");

	free(live);
	free(strategy);
	return is;
}

static void huge_pages(struct check *c)
{
	static const char dir[] = "/sys/kernel/mm/transparent_hugepage";
	char *enabled = check_slurp(c, "%s/enabled", dir);
	struct finding *f;
	char *path;

	if (chosen(enabled, "always") && !quelled(c)) {
		path = xasprintf("%s/enabled", dir);
		f = check_find(c, "thp", SEV_HIGH,
			       "khugepaged collapses memory of every process, and each collapse interrupts every CPU",
			       "transparent huge pages are made for everybody (always)");
		fix_add(f, FIX_FILE, path, "madvise");
		fix_add(f, FIX_CMDLINE, "transparent_hugepage", "madvise");
		free(path);
	}
	free(enabled);
}

/*
 * From 6.12 on a deadline server keeps time for ordinary tasks beside real-time
 * ones; before, real-time tasks were throttled for them.
 */
static void servers(struct check *c)
{
	static const char dir[] = "/sys/kernel/debug/sched/fair_server";
	struct cpuset on = c->quiet;
	struct finding *f;
	char *text, *list;
	int cpu;

	if (check_exists(c, dir)) {
		cpuset_clear(&on);
		for_each_cpu_in(cpu, &c->quiet) {
			text = check_slurp(c, "%s/cpu%d/runtime", dir, cpu);
			if (text && strtoull(text, NULL, 10))
				cpuset_add(&on, cpu);
			free(text);
		}
		if (!cpuset_count(&on))
			return;
		list = cpulist_format(&on);
		f = check_find(c, "sched.fair_server", SEV_LOW,
			       "its timer expires there each second while ordinary tasks are on the CPU, and on 7.3 a tick it began stays; without it a real-time task that never sleeps starves them for good, so keep other threads away first",
			       "the scheduler keeps time for ordinary tasks on CPUs %s (fair server)", list);
		for_each_cpu_in(cpu, &on) {
			char *path = xasprintf("%s/cpu%d/runtime", dir, cpu);

			fix_add(f, FIX_FILE, path, "0");
			free(path);
		}
		free(list);
		return;
	}
	text = check_slurp(c, "/proc/sys/kernel/sched_rt_runtime_us");
	if (text && atol(text) > 0) {
		f = check_find(c, "sched.rt_throttling", SEV_LOW,
			       "a real-time task that never sleeps is stopped for the rest of each second; without the limit it starves all else on its CPU, so keep other threads away first",
			       "real-time tasks are throttled to %s us of a period", text);
		set_sysctl(f, "/proc/sys/kernel/sched_rt_runtime_us", "-1");
	}
	free(text);
}

void check_knobs(struct check *c)
{
	numbers(c);
	watchdogs(c);
	huge_pages(c);
	servers(c);
}
