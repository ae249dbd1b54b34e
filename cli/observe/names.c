// SPDX-License-Identifier: GPL-2.0
/*
 * names.c - what a task was called at a moment.
 *
 * An event carries a process number, and is read tens of milliseconds later:
 * by then the process may have executed another program, or ended, and its
 * number may be another's. So names are not looked up, but followed: everybody
 * is asked once, when the trace has begun, and from then on the kernel's own
 * events say who is new (task:task_newtask) and who changed the name
 * (task:task_rename, for execve() too). They are fed in the order of time,
 * between the events that need names.
 *
 * What is not known so is not known.
 *
 * Tasks that end are not followed: that would take another event. Where names
 * are many, who is gone is looked for from time to time, and forgotten once it
 * has been gone for longer than any event waits to be read.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/names.h"
#include "quell.h"

#define PID_LIMIT	(4 << 20)	/* PID_MAX_LIMIT of 64-bit kernels */
#define FEW		8192		/* names: not worth a look */
#define SWEEP_NS	5000000000ull
#define INIT_PIDNS	"pid:[4026531836]"	/* PROC_PID_INIT_INO */

struct name {
	int32_t		pid;		/* 0: nobody */
	uint32_t	id;
	struct names_cgroup cgroup;
	char		comm[COMM_LEN];	/* "": not known */
	bool		idle;		/* nobody set or asked for it since the last sweep */
	bool		gone;		/* there was no such task at the last sweep */
};

struct names {
	struct name	*slot;		/* open addressing, no deletions */
	size_t		nslots, n;
	uint64_t	swept;
};

struct names *names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	n->nslots = 1024;
	n->slot = xcalloc(n->nslots, sizeof(*n->slot));
	return n;
}

/* The place of @pid, or where it would be. */
static struct name *find(const struct names *n, int32_t pid)
{
	size_t i = (uint32_t)pid * 2654435769u & (n->nslots - 1);

	while (n->slot[i].pid && n->slot[i].pid != pid)
		i = (i + 1) & (n->nslots - 1);
	return &n->slot[i];
}

/* As large as what is in it, without those that @drop says. */
static void rebuild(struct names *n, bool (*drop)(const struct name *))
{
	struct name *old = n->slot;
	size_t nold = n->nslots, kept = 0, i;

	for (i = 0; i < nold; i++)
		kept += old[i].pid && !(drop && drop(&old[i]));
	for (n->nslots = 1024; n->nslots < 3 * kept; n->nslots *= 2)
		;
	n->slot = xcalloc(n->nslots, sizeof(*n->slot));
	n->n = kept;
	for (i = 0; i < nold; i++)
		if (old[i].pid && !(drop && drop(&old[i])))
			*find(n, old[i].pid) = old[i];
	free(old);
}

void names_set(struct names *n, int32_t pid, const char *comm)
{
	struct name *x;

	if (pid <= 0 || pid >= PID_LIMIT)
		return;
	if (2 * (n->n + 1) > n->nslots)
		rebuild(n, NULL);
	x = find(n, pid);
	x->idle = x->gone = false;
	if (x->pid && !strncmp(x->comm, comm, COMM_LEN - 1))
		return;
	n->n += !x->pid;
	memset(x, 0, sizeof(*x));
	x->pid = pid;
	memcpy(x->comm, comm, strnlen(comm, COMM_LEN - 1));
}

const char *names_get(struct names *n, int32_t pid, uint32_t **id)
{
	struct name *x = pid > 0 ? find(n, pid) : NULL;

	if (!x || !*x->comm)
		return NULL;
	x->idle = x->gone = false;
	*id = &x->id;
	return x->comm;
}

struct names_cgroup *names_cgroup(struct names *n, int32_t pid)
{
	struct name *x = pid > 0 ? find(n, pid) : NULL;

	return x && x->pid ? &x->cgroup : NULL;
}

void names_moved(struct names *n, int32_t pid)
{
	struct names_cgroup *c = names_cgroup(n, pid);

	if (c)
		*c = (struct names_cgroup){ 0 };
}

size_t names_count(const struct names *n)
{
	return n->n;
}

void names_forget(struct names *n)
{
	free(n->slot);
	memset(n, 0, sizeof(*n));
	n->nslots = 1024;
	n->slot = xcalloc(n->nslots, sizeof(*n->slot));
}

static bool is_gone(const struct name *x)
{
	return x->gone;
}

void names_sweep(struct names *n, bool can_ask, uint64_t now)
{
	if (n->n <= FEW || now - n->swept < SWEEP_NS)
		return;
	n->swept = now;
	/* Gone at the last sweep and not new since: no event of it is left. */
	rebuild(n, is_gone);
	for (size_t i = 0; i < n->nslots; i++) {
		struct name *x = &n->slot[i];

		if (x->pid)
			x->gone = can_ask ? kill(x->pid, 0) && errno == ESRCH : x->idle;
		x->idle = true;
	}
}

static void scan_task(struct names *n, const char *proc, const char *tid)
{
	char comm[COMM_LEN] = "", *path, *text;

	path = xasprintf("%s/%s/comm", proc, tid);
	text = slurp(path);
	free(path);
	if (text) {
		snprintf(comm, sizeof(comm), "%s", text);
		names_set(n, atoi(tid), comm);
	}
	free(text);
}

/* Calls scan_task() or scan_process() for every number in @dir. */
static void for_numbers(struct names *n, const char *dir,
			void (*each)(struct names *, const char *, const char *))
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (*e->d_name >= '1' && *e->d_name <= '9')
			each(n, dir, e->d_name);
	if (d)
		closedir(d);
}

static void scan_process(struct names *n, const char *proc, const char *pid)
{
	char *tasks = xasprintf("%s/%s/task", proc, pid);

	for_numbers(n, tasks, scan_task);
	free(tasks);
}

void names_scan(struct names *n, const char *proc)
{
	for_numbers(n, proc, scan_process);
}

void names_add_list(struct names *n, const char *list)
{
	const char *line, *end;
	char *number, comm[COMM_LEN];
	long pid;

	for (line = list; line && *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		pid = strtol(line, &number, 10);
		/* "<...>" is how the list says that it does not know. */
		if (*number != ' ' || number[1] == '<' || pid <= 0 || pid >= PID_LIMIT)
			continue;
		snprintf(comm, sizeof(comm), "%.*s", (int)(end - number) - 1, number + 1);
		names_set(n, pid, comm);
	}
}

bool names_proc_is_kernels(void)
{
	char link[64] = "", self[32] = "", me[32];

	/* Our namespace is the first one, and this /proc is of it. */
	if (readlink("/proc/self/ns/pid", link, sizeof(link) - 1) < 0 ||
	    readlink("/proc/self", self, sizeof(self) - 1) < 0)
		return false;
	snprintf(me, sizeof(me), "%d", getpid());
	return !strcmp(link, INIT_PIDNS) && !strcmp(self, me);
}

void names_free(struct names *n)
{
	if (n)
		free(n->slot);
	free(n);
}
