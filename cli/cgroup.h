/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cgroup.h - who a task belongs to, told from the path of its control group:
 * a systemd unit, a container, a pod.
 */
#ifndef QUELL_CGROUP_H
#define QUELL_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cgroup_owner {
	char	unit[128];	/* the innermost service, scope or mount; "" for none */
	char	container[65];	/* the runtime's id; "" for none */
	char	pod[37];	/* the uid, with dashes; "" for none */
};

/* @path as in /proc/PID/cgroup: begins with "/". */
void cgroup_owner(const char *path, struct cgroup_owner *o);

/*
 * The path of a task out of the text of /proc/PID/cgroup: that of version 2,
 * else that of systemd's hierarchy, else the first; "/" only if all are, or if it
 * is empty, as where none is mounted. The caller frees it; NULL if there is none,
 * or no @text: the task is gone.
 */
char *cgroup_path(const char *text);

/*
 * Does the path that our own /proc shows begin at the root of the system? In a
 * cgroup namespace it begins at that of the namespace.
 */
bool cgroup_whole(void);

/*
 * Is @path of what a user calls @name: a path and what is below it, the name of
 * a part of it ("cron" is cron.service), a pod's uid, or a container's id, of
 * which twelve digits do?
 */
bool cgroup_is(const char *path, const char *name);

/*
 * Before a path that begins at the root of our own namespace, of which nobody
 * knows here where it lies.
 */
#define CGROUP_OURS	"(ours)"

/*
 * What stands for a path where there is none: nobody had asked before the task
 * was gone, its number is not one of our /proc, or there were too many.
 */
#define CGROUP_EXITED	"(exited)"
#define CGROUP_NOT_OURS	"(another PID namespace)"
#define CGROUP_OTHER	"(other)"

static inline bool cgroup_unknown(const char *path)
{
	return *path == '(' && strncmp(path, CGROUP_OURS, strlen(CGROUP_OURS));
}

/* The longest that is kept, and how many: anybody may invent more. */
#define CGROUP_LONGEST	1024
#define CGROUP_MOST	4096

/*
 * The number of @path in @t, where @n of them are already; that of CGROUP_OTHER if
 * it is too long, or one more than fit. What is in there stays known.
 */
struct strtab;
uint32_t cgroup_number(struct strtab *t, size_t *n, const char *path);

/* Of somebody else's making: is @path one, or what stands for one? */
bool cgroup_fit(const char *path);

/* A short name for people: "pod UID/CONTAINER", "container ID", a unit, or the path. */
const char *cgroup_label(const char *path, char *buf, size_t size);

/* An object with all that @path says; null for "", which is no task's. */
struct json;
void json_cgroup(struct json *j, const char *key, const char *path);

#endif
