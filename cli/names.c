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
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"
#include "quell.h"

#define PID_LIMIT	(4 << 20)	/* PID_MAX_LIMIT of 64-bit kernels */
#define INIT_PIDNS	"pid:[4026531836]"	/* PROC_PID_INIT_INO */

struct name {
	char		comm[COMM_LEN];	/* first byte 0: not known */
	uint32_t	id;
};

struct names {
	/* Pages nobody touches cost nothing; a number is a place. */
	struct name	*by_pid;
};

struct names *names_new(void)
{
	struct names *n = xcalloc(1, sizeof(*n));

	n->by_pid = xcalloc(PID_LIMIT, sizeof(*n->by_pid));
	return n;
}

void names_set(struct names *n, int32_t pid, const char *comm)
{
	struct name *x;

	if (pid <= 0 || pid >= PID_LIMIT)
		return;
	x = &n->by_pid[pid];
	if (!strncmp(x->comm, comm, COMM_LEN - 1))
		return;
	memset(x, 0, sizeof(*x));
	memcpy(x->comm, comm, strnlen(comm, COMM_LEN - 1));
}

const char *names_get(struct names *n, int32_t pid, uint32_t **id)
{
	struct name *x;

	if (pid <= 0 || pid >= PID_LIMIT || !*n->by_pid[pid].comm)
		return NULL;
	x = &n->by_pid[pid];
	*id = &x->id;
	return x->comm;
}

void names_forget(struct names *n)
{
	free(n->by_pid);
	n->by_pid = xcalloc(PID_LIMIT, sizeof(*n->by_pid));
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
		free(n->by_pid);
	free(n);
}
