// SPDX-License-Identifier: GPL-2.0
/*
 * check_threads.c - threads that may run on the quiet CPUs without being meant
 * to, and programs that interrupt every CPU to look at it.
 *
 * A thread that may run on quiet CPUs only has been put there: that is the work
 * they are kept quiet for. One that may run on both kinds is astray.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "check/check.h"
#include "quell.h"

#define PF_NO_SETAFFINITY	0x04000000
#define PF_KTHREAD		0x00200000

/* These read registers or counters of every CPU, wherever they run. */
static const struct { const char *comm, *how; bool takes_list; } readers[] = {
	{ "turbostat", "turbostat --cpu ", true },
	{ "perf", "perf ... --cpu ", true },
	{ "powertop", "end powertop", false },
	{ "i7z", "end i7z", false },
	{ "pcm", "end pcm", false },
	{ "thermald", "systemctl disable --now thermald", false },
};

struct process {
	char		pid[16], comm[64];
	unsigned long	flags;
	struct cpuset	astray;		/* where some of its threads may run */
	unsigned int	threads;
};

static bool field(const char *text, const char *name, char *out, size_t size)
{
	char mark[32];
	const char *p;

	snprintf(mark, sizeof(mark), "\n%s:", name);
	p = text ? strstr(text, mark) : NULL;
	if (!p)
		return false;
	p += strlen(mark);
	p += strspn(p, " \t");
	snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
	return true;
}

static bool allowed(struct check *c, const char *path, struct cpuset *set)
{
	char *text = check_slurp(c, "%s", path), list[1024];
	bool good = field(text, "Cpus_allowed_list", list, sizeof(list)) &&
		    cpulist_parse(list, set, NULL);

	free(text);
	return good;
}

/* Both kinds of CPU, or for a kernel thread: any quiet one. */
static bool astray(const struct check *c, const struct process *p, const struct cpuset *set)
{
	struct cpuset on = *set, off = *set;

	cpuset_and(&on, &c->quiet);
	cpuset_and(&off, &c->house);
	return cpuset_count(&on) && (cpuset_count(&off) || p->flags & PF_KTHREAD);
}

static bool look(struct check *c, struct process *p, const struct cpuset *init)
{
	char *text = check_slurp(c, "/proc/%s/stat", p->pid), *end, *path, **tids;
	struct cpuset set, on;
	size_t n;

	end = text ? strrchr(text, ')') : NULL;
	/* After the name: state ppid pgrp session tty tpgid flags. */
	if (!end || sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %lu", &p->flags) != 1) {
		free(text);
		return false;
	}
	snprintf(p->comm, sizeof(p->comm), "%.*s",
		 (int)(end - strchr(text, '(') - 1), strchr(text, '(') + 1);
	free(text);
	/* A bound kernel thread cannot be moved; systemd has a finding of its own. */
	if (p->flags & PF_NO_SETAFFINITY || (!init && !strcmp(p->comm, "systemd")))
		return true;
	path = xasprintf("/proc/%s/task", p->pid);
	tids = check_list(c, path, &n);
	free(path);
	for (size_t i = 0; i < n; i++) {
		path = xasprintf("/proc/%s/task/%s/status", p->pid, tids[i]);
		/* What init has, it has from init: that is a finding of its own. */
		if (allowed(c, path, &set) && astray(c, p, &set) &&
		    (!init || memcmp(&set, init, sizeof(set)) || p->flags & PF_KTHREAD)) {
			on = set;
			cpuset_and(&on, &c->quiet);
			cpuset_or(&p->astray, &on);
			p->threads++;
		}
		free(path);
	}
	check_list_free(tids, n);
	return true;
}

/* For good: a drop-in of the unit that it belongs to. */
static void last(struct check *c, struct finding *f, const struct process *p)
{
	char *text = check_slurp(c, "/proc/%s/cgroup", p->pid), *path = cgroup_path(text);
	struct cgroup_owner o = { "", "", "" };

	if (path)
		cgroup_owner(path, &o);
	if (*o.container) {
		char label[128];

		fix_hand(f, "give %s a cpuset without CPUs %s (docker: --cpuset-cpus %s)",
			 cgroup_label(path, label, sizeof(label)), c->quiet_list, c->house_list);
	} else if (strstr(o.unit, ".service")) {
		char *file = xasprintf("/etc/systemd/system/%s.d/zz-quell-check.conf", o.unit);
		char *conf = xasprintf("[Service]\nCPUAffinity=\nCPUAffinity=%s\n", c->house_list);

		fix_add(f, FIX_CONF, file, conf);
		free(file);
		free(conf);
	}
	free(path);
	free(text);
}

/* Kernel threads are many and alike: one finding. */
static void report_kernel(struct check *c, struct finding **f, const struct process *p)
{
	char *longer;

	if (!*f) {
		*f = check_find(c, "thread.kernel", SEV_MEDIUM,
				"each preempts the task there whenever it has something to do",
				"kernel threads may run on CPUs %s: %s (%s)",
				c->quiet_list, p->comm, p->pid);
	} else {
		longer = xasprintf("%s, %s (%s)", (*f)->what, p->comm, p->pid);
		free((*f)->what);
		(*f)->what = longer;
	}
	fix_add(*f, FIX_MOVE, p->comm, c->house_list);
}

static void report(struct check *c, struct finding **kernel, const struct process *p)
{
	struct finding *f;
	char *on, *line;

	for (size_t i = 0; i < ARRAY_SIZE(readers); i++)
		if (!strcmp(p->comm, readers[i].comm)) {
			f = check_find(c, "thread.reader", SEV_MEDIUM,
				       "it reads registers or counters of every CPU: an interrupt each, wherever it runs itself",
				       "%s runs (process %s)", p->comm, p->pid);
			fix_hand(f, "%s%s", readers[i].how,
				 readers[i].takes_list ? c->house_list : "");
		}
	/* Threads of interrupts go where their interrupt goes. */
	if (p->threads && p->flags & PF_KTHREAD && strncmp(p->comm, "irq/", 4))
		report_kernel(c, kernel, p);
	if (!p->threads || p->flags & PF_KTHREAD)
		return;
	on = cpulist_format(&p->astray);
	line = xasprintf("taskset -acp %s %s", c->house_list, p->pid);
	f = check_find(c, "thread.affinity", SEV_HIGH,
		       "it preempts the task there, or makes two runnable, which starts the tick",
		       "%s (process %s) may run on CPUs %s with %u of its threads",
		       p->comm, p->pid, on, p->threads);
	last(c, f, p);
	fix_add(f, FIX_COMMAND, "", line);
	free(line);
	free(on);
}

void check_threads(struct check *c)
{
	size_t n;
	char **pids = check_list(c, "/proc", &n);
	struct finding *kernel = NULL;
	struct cpuset init;
	bool has_init = allowed(c, "/proc/1/status", &init);
	struct process p;

	for (size_t i = 0; i < n; i++) {
		if (strspn(pids[i], "0123456789") != strlen(pids[i]) ||
		    strlen(pids[i]) >= sizeof(p.pid))
			continue;
		memset(&p, 0, sizeof(p));
		strcpy(p.pid, pids[i]);
		if (look(c, &p, has_init && strcmp(pids[i], "1") ? &init : NULL))
			report(c, &kernel, &p);
	}
	check_list_free(pids, n);
}
