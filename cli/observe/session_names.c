// SPDX-License-Identifier: GPL-2.0
/*
 * session_names.c - what a task is called at this point of the trace.
 *
 * names.c follows the kernel's events. In another PID namespace /proc counts
 * otherwise than events do, so nobody can be asked at the start; there the
 * kernel's own list (saved_cmdlines) helps, as far as it was written since.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <tracefs.h>

#include "quell.h"
#include "observe/session.h"

#define MAX_NAMES	4096	/* a tenant may invent names without end */
#define REREAD_NS	100000000ull
#define REREAD_SHARE	50	/* of the time, one part for reading the list again */

static struct names *saved_names(void)
{
	char *list = tracefs_instance_file_read(NULL, "saved_cmdlines", NULL);
	struct names *n = names_new();

	names_add_list(n, list);
	free(list);
	return n;
}

void session_ask_names(struct session *s)
{
	if (!s->names)
		s->names = names_new();
	s->kernels_proc = names_proc_is_kernels();
	if (s->kernels_proc) {
		names_scan(s->names, "/proc");
		return;
	}
	names_free(s->saved);
	s->saved = saved_names();
}

/*
 * What stood there at the start may be of a task that is long dead. What is new
 * since was written when the task was scheduled after an event of ours.
 */
static bool saved_name(struct session *s, int32_t pid)
{
	static uint64_t read_at, took;
	static struct names *now;
	const char *comm, *old;
	uint64_t start = now_ns();
	uint32_t *id;

	if (!now || start - read_at > REREAD_NS + REREAD_SHARE * took) {
		names_free(now);
		now = saved_names();
		read_at = now_ns();
		took = read_at - start;
	}
	comm = names_get(now, pid, &id);
	old = names_get(s->saved, pid, &id);
	if (!comm || (old && !strcmp(comm, old)))
		return false;
	names_set(s->names, pid, comm);
	return true;
}

/* Field 9 of /proc/PID/stat, behind a name that may hold anything. */
static bool read_kthread(int32_t pid)
{
	char *path = xasprintf("/proc/%d/stat", pid), *text = slurp(path), *end;
	unsigned int flags = 0;

	end = text ? strrchr(text, ')') : NULL;
	if (end)
		sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %u", &flags);
	free(path);
	free(text);
	return flags & 0x00200000;	/* PF_KTHREAD */
}

bool session_kthread(int32_t pid)
{
	/* A number is used again after 32,768 others, at the earliest. */
	static struct { int32_t pid; bool is; } known[4096];
	size_t i = (uint32_t)pid % ARRAY_SIZE(known);

	if (known[i].pid != pid) {
		known[i].pid = pid;
		known[i].is = read_kthread(pid);
	}
	return known[i].is;
}

uint32_t session_name(struct session *s, int32_t pid)
{
	uint32_t *kept, id;
	const char *name;
	size_t before;
	char text[32];

	if (!pid)
		return strtab_str(&s->strings, "idle");
	name = names_get(s->names, pid, &kept);
	if (!name && !s->kernels_proc && saved_name(s, pid))
		name = names_get(s->names, pid, &kept);
	if (name && *kept)
		return *kept;
	if (s->nnames >= MAX_NAMES)
		return strtab_str(&s->strings, "(other)");
	if (!name)
		snprintf(text, sizeof(text), "pid %d", pid);
	/* What a worker is at changes all the time; the stack tells it. */
	else if (!strncmp(name, "kworker/", 8))
		strcpy(text, "kworker");
	else
		snprintf(text, sizeof(text), "%s", name);
	before = s->strings.n;
	id = strtab_str(&s->strings, text);
	s->nnames += id >= before;
	if (name)
		*kept = id;
	return id;
}
