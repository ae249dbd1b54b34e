// SPDX-License-Identifier: GPL-2.0
/*
 * cgroup.c - who a task belongs to, from the path of its control group. The
 * forms are those of systemd, and of Docker, Podman, CRI-O and containerd
 * below the kubelet, with either of its drivers:
 *
 *	/system.slice/cron.service
 *	/system.slice/docker-<64 hex>.scope            /docker/<64 hex>
 *	/machine.slice/libpod-<64 hex>.scope/container
 *	/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid with _>.slice/
 *		cri-containerd-<64 hex>.scope
 *	/kubepods/burstable/pod<uid>/<64 hex>
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "json.h"
#include "quell.h"
#include "strtab.h"

#define INIT_CGROUPNS	"cgroup:[4026531835]"	/* PROC_CGROUP_INIT_INO */

static bool ends(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(s + len - n, end, n);
}

/* 64 hexadecimal digits, alone or between a runtime's "name-" and ".scope". */
static bool container_id(const char *part, size_t len, char out[65])
{
	const char *dash;

	if (ends(part, len, ".scope"))
		len -= 6;
	dash = memrchr(part, '-', len);
	if (dash) {
		len -= dash + 1 - part;
		part = dash + 1;
	}
	if (len != 64)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isxdigit((unsigned char)part[i]))
			return false;
	memcpy(out, part, 64);
	out[64] = '\0';
	return true;
}

/* "pod" and a uid of 36 characters; systemd wants "_" for "-" in a slice. */
static bool pod_uid(const char *part, size_t len, char out[37])
{
	const char *p;

	if (ends(part, len, ".slice"))
		len -= 6;
	if (len < 39)
		return false;
	p = part + len - 39;
	if (memcmp(p, "pod", 3) || (p > part && p[-1] != '-'))
		return false;
	for (int i = 0; i < 36; i++) {
		char ch = p[3 + i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? ch != '-' && ch != '_' : !isxdigit((unsigned char)ch))
			return false;
		out[i] = dash ? '-' : ch;
	}
	out[36] = '\0';
	return true;
}

void cgroup_owner(const char *path, struct cgroup_owner *o)
{
	size_t len;

	memset(o, 0, sizeof(*o));
	for (; *path; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (!len)
			break;
		if (ends(path, len, ".service") || ends(path, len, ".scope") ||
		    ends(path, len, ".socket") || ends(path, len, ".mount") ||
		    ends(path, len, ".swap"))
			snprintf(o->unit, sizeof(o->unit), "%.*s", (int)len, path);
		pod_uid(path, len, o->pod);
		container_id(path, len, o->container);
	}
}

/* What the kernel appends to the path of a zombie whose group was removed. */
static size_t without_deleted(const char *path, size_t len)
{
	return ends(path, len, " (deleted)") ? len - strlen(" (deleted)") : len;
}

char *cgroup_path(const char *text)
{
	const char *line, *path, *best = NULL;
	int rank, found = 0;
	size_t len = 0;

	for (line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		path = strchr(line, ':');
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path || path[1] != '/')
			continue;
		rank = !strncmp(line, "0::", 3) ? 3 :
		       strstr(line, "name=systemd:") == strchr(line, ':') + 1 ? 2 : 1;
		/* In a hierarchy that nobody uses everybody is in the root. */
		if (path[2] && path[2] != '\n')
			rank += 3;
		if (rank > found) {
			found = rank;
			best = path + 1;
			len = strcspn(best, "\n");
			if (!strncmp(line, "0::", 3))
				len = without_deleted(best, len);
		}
	}
	/* It is there, and no hierarchy is mounted that it could be in. */
	if (text && !*text)
		return xstrdup("/");
	return best ? xasprintf("%.*s", (int)len, best) : NULL;
}

bool cgroup_whole(void)
{
	char link[64] = "";

	return readlink("/proc/self/ns/cgroup", link, sizeof(link) - 1) > 0 &&
	       !strcmp(link, INIT_CGROUPNS);
}

/* @part is @name, or @name with one of systemd's endings. */
static bool part_is(const char *part, size_t len, const char *name)
{
	static const char *const endings[] = { "", ".service", ".scope", ".slice" };
	size_t n = strlen(name);

	if (len < n || memcmp(part, name, n))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (strlen(endings[i]) == len - n && !memcmp(part + n, endings[i], len - n))
			return true;
	return false;
}

bool cgroup_is(const char *path, const char *name)
{
	size_t n = strlen(name), len;
	struct cgroup_owner o;

	if (!strcmp(name, "/"))
		return *path == '/';
	/* "(exited)" and the like are no paths, and can be asked for. */
	if (*name == '/' || *name == '(') {
		while (n > 1 && name[n - 1] == '/')
			n--;
		return !strncmp(path, name, n) && (!path[n] || path[n] == '/');
	}
	cgroup_owner(path, &o);
	if (!strcmp(o.pod, name) || (n >= 12 && !strncmp(o.container, name, n)))
		return true;
	for (; *path; path += len) {
		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len && part_is(path, len, name))
			return true;
	}
	return false;
}

bool cgroup_fit(const char *path)
{
	size_t len = strlen(path);

	return len <= CGROUP_LONGEST &&
	       (*path == '/' || !strncmp(path, CGROUP_OURS "/", strlen(CGROUP_OURS "/")) ||
		!strcmp(path, CGROUP_EXITED) || !strcmp(path, CGROUP_NOT_OURS) ||
		!strcmp(path, CGROUP_OTHER));
}

const char *cgroup_label(const char *path, char *buf, size_t size)
{
	struct cgroup_owner o;

	cgroup_owner(path, &o);
	if (*o.pod && *o.container)
		snprintf(buf, size, "pod %s/%.12s", o.pod, o.container);
	else if (*o.pod)
		snprintf(buf, size, "pod %s", o.pod);
	else if (*o.container)
		snprintf(buf, size, "container %.12s", o.container);
	else
		snprintf(buf, size, "%s", *o.unit ? o.unit : path);
	return buf;
}

static void part(struct json *j, const char *key, const char *text)
{
	if (*text)
		json_str(j, key, text);
	else
		json_null(j, key);
}

void json_cgroup(struct json *j, const char *key, const char *path)
{
	struct cgroup_owner o;

	if (!*path) {
		json_null(j, key);
		return;
	}
	cgroup_owner(path, &o);
	json_open(j, key, '{');
	part(j, "path", cgroup_unknown(path) ? "" : path);
	part(j, "unit", o.unit);
	part(j, "container", o.container);
	part(j, "pod", o.pod);
	part(j, "unknown", cgroup_unknown(path) ? path : "");
	json_close(j, '}');
}

uint32_t cgroup_number(struct strtab *t, size_t *n, const char *path)
{
	bool fits = strlen(path) <= CGROUP_LONGEST;
	uint32_t id = fits ? strtab_find(t, path) : 0;

	if (id)
		return id;
	if (!fits || *n >= CGROUP_MOST)
		return strtab_str(t, CGROUP_OTHER);
	++*n;
	return strtab_str(t, path);
}
