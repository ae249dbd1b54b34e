/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cgroup.h - who a task belongs to, told from the path of its control group:
 * a systemd unit, a container, a pod.
 */
#ifndef QUELL_CGROUP_H
#define QUELL_CGROUP_H

#include <stddef.h>

struct cgroup_owner {
	char	unit[128];	/* the innermost service, scope or mount; "" for none */
	char	container[65];	/* the runtime's id; "" for none */
	char	pod[37];	/* the uid, with dashes; "" for none */
};

/* @path as in /proc/PID/cgroup: begins with "/". */
void cgroup_owner(const char *path, struct cgroup_owner *o);

/*
 * The path of a task out of the text of /proc/PID/cgroup: that of version 2,
 * else that of systemd's hierarchy, else the first. The caller frees it; NULL
 * if there is none.
 */
char *cgroup_path(const char *text);

/* A short name for people: "pod UID/CONTAINER", "container ID", a unit, or the path. */
const char *cgroup_label(const char *path, char *buf, size_t size);

#endif
