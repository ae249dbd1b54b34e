// SPDX-License-Identifier: GPL-2.0
/*
 * session_cgroup.c - the control group of a task, from /proc.
 *
 * No event carries it. So a task is asked when it is first seen, some 50 ms after
 * what it did; again when it is new or executes another program, which is when a
 * manager of services or containers has moved it; and otherwise once a second. Who was gone
 * before that is "(exited)": a parent's group would be a guess.
 */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "quell.h"
#include "observe/session.h"

#define AGAIN_NS	1000000000ull
#define MAX_ASKED	1000u	/* tasks a second: some ms of our CPU */

/* 0: it is gone. */
static uint32_t read_cgroup(struct session *s, int32_t pid)
{
	char *file = xasprintf("/proc/%d/cgroup", pid), *text = slurp(file), *path, *ours;
	uint32_t id = 0;

	path = text ? cgroup_path(text) : NULL;
	if (path && !s->whole_paths && strncmp(path, "/..", 3)) {
		ours = xasprintf(CGROUP_OURS "%s", path);
		id = cgroup_number(&s->strings, &s->ngroups, ours);
		free(ours);
	} else if (path) {
		id = cgroup_number(&s->strings, &s->ngroups, path);
	}
	free(path);
	free(text);
	free(file);
	return id;
}

uint32_t session_cgroup(struct session *s, int32_t pid)
{
	struct names_cgroup *c, none = { 0 };
	uint64_t now;
	uint32_t id;

	if (!s->kernels_proc)
		return strtab_str(&s->strings, CGROUP_NOT_OURS);
	c = names_cgroup(s->names, pid);
	if (!c)
		c = &none;
	now = now_ns();
	if (c->id && now - c->asked < AGAIN_NS)
		return c->id;
	if (now - s->asking_since >= AGAIN_NS) {
		s->asking_since = now;
		s->asked = 0;
	}
	if (s->asked >= MAX_ASKED)
		return c->id ? c->id : strtab_str(&s->strings, CGROUP_OTHER);
	s->asked++;
	id = read_cgroup(s, pid);
	/* Of one that is gone now, what was known of it holds. */
	if (!id)
		id = c->id ? c->id : strtab_str(&s->strings, CGROUP_EXITED);
	*c = (struct names_cgroup){ id, now };
	return id;
}
