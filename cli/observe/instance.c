// SPDX-License-Identifier: GPL-2.0
/*
 * instance.c - a tracefs instance of our own that never outlives us.
 *
 * Its owner holds a lock on the instance's directory. Process numbers mean
 * nothing in another PID namespace, where every container has a process 1; a
 * lock is seen by all, and the kernel drops it whatever the owner dies of. So
 * an instance that can be locked has no owner and is swept up.
 *
 * Between making a directory and locking it an instance would look dead: both,
 * and sweeping, happen under a lock on the directory of all instances.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "observe/instance.h"
#include "observe/probes.h"
#include "quell.h"

#define TRACEFS_MAGIC	0x74726163
#define TRIES		200		/* of 10 ms */

static struct tracefs_instance *instance;
static int held = -1;			/* our instance's directory, locked */
static pid_t owner;
static const char *tracing;		/* where it was made */

static const char *mounted_at(void)
{
	static const char *const places[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (!statfs(places[i], &fs) && fs.f_type == TRACEFS_MAGIC)
			return places[i];
		if (errno == EACCES)
			die(EXIT_DENIED, "reading the kernel's trace needs root, or CAP_DAC_OVERRIDE and CAP_SYSLOG");
	}
	return NULL;
}

/* Tried, not asked for: a user id says little about what one may do. */
static int open_instances(const char *dir)
{
	char *path = xasprintf("%s/instances", dir);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = errno;

	free(path);
	errno = err;
	return fd;
}

const char *instance_tracing_dir(void)
{
	const char *dir = mounted_at();
	int fd;

	if (!dir)
		die(geteuid() ? EXIT_DENIED : EXIT_KERNEL, geteuid() ?
		    "reading the kernel's trace needs root, and tracefs mounted" :
		    "no tracefs here (mount -t tracefs nodev /sys/kernel/tracing)");
	fd = open_instances(dir);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		die(EXIT_DENIED, "reading the kernel's trace needs root, or CAP_DAC_OVERRIDE and CAP_SYSLOG");
	if (fd < 0)
		die(EXIT_KERNEL, "%s has no instances: this kernel lacks CONFIG_FTRACE events", dir);
	close(fd);
	return dir;
}

/* Locked within two seconds, or not at all: somebody else's lock stops nobody. */
static bool lock_within(int fd)
{
	for (int i = 0; i < TRIES; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return true;
		usleep(10000);
	}
	return false;
}

/* Is this an instance of a quell, and is its owner dead? */
static bool is_dead(int instances, const char *name)
{
	bool dead;
	int fd;

	if (strncmp(name, "quell.", 6))
		return false;
	fd = openat(instances, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return false;
	dead = !flock(fd, LOCK_EX | LOCK_NB);
	close(fd);
	return dead;
}

/* Calls @each for every dead instance. */
static void for_each_dead(int instances,
			  void (*each)(int instances, const char *name, void *arg),
			  void *arg)
{
	int fd = dup(instances);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (is_dead(instances, e->d_name))
			each(instances, e->d_name, arg);
	if (d) {
		rewinddir(d);	/* the offset is shared with @instances */
		closedir(d);
	}
}

static void sweep(int instances, const char *name, void *arg)
{
	(void)arg;
	/* One of a quell that knew no locks is busy while it lives: it stays. */
	unlinkat(instances, name, AT_REMOVEDIR);
}

static void note(int instances, const char *name, void *arg)
{
	char **all = arg, *more;

	(void)instances;
	more = xasprintf("%s%s%s", *all ? *all : "", *all ? " " : "", name);
	free(*all);
	*all = more;
}

char *instance_leftovers(void)
{
	static const char *const places[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
	};
	char *all = NULL;
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < ARRAY_SIZE(places); i++)
		fd = open_instances(places[i]);
	if (fd < 0)
		return NULL;
	/* Not while another one is being made. */
	if (lock_within(fd))
		for_each_dead(fd, note, &all);
	close(fd);
	return all;
}

void instance_destroy(void)
{
	char *group;

	if (!instance || getpid() != owner)
		return;
	group = probes_group(tracefs_instance_get_name(instance));
	tracefs_trace_off(instance);
	if (tracefs_instance_destroy(instance) && errno != ENOENT)
		complain("the tracefs instance %s could not be removed: %s",
			 tracefs_instance_get_name(instance), strerror(errno));
	tracefs_instance_free(instance);
	instance = NULL;
	/* Only now does nobody use them. */
	probes_remove(tracing, group);
	free(group);
	close(held);
	held = -1;
}

struct tracefs_instance *instance_create(void)
{
	static bool registered;
	uint64_t number = 0;
	bool locked;
	char *name;
	int all;

	tracing = instance_tracing_dir();
	all = open_instances(tracing);
	if (all < 0)
		die(EXIT_KERNEL, "no tracefs instance could be made: %s",
		    strerror(errno));
	locked = lock_within(all);
	if (locked) {
		for_each_dead(all, sweep, NULL);
		probes_sweep(tracing, all);
	}
	owner = getpid();
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = now_ns();
	name = xasprintf("quell.%d.%016llx", owner, (unsigned long long)number);
	instance = tracefs_instance_create(name);
	if (!instance)
		die(EXIT_KERNEL, "no tracefs instance could be made: %s",
		    strerror(errno));
	/* die() anywhere later must not leave it behind. */
	if (!registered)
		atexit(instance_destroy);
	registered = true;
	held = openat(all, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (held < 0 || flock(held, LOCK_EX | LOCK_NB))
		die(EXIT_KERNEL, "the tracefs instance %s cannot be locked: %s",
		    name, strerror(errno));
	close(all);
	free(name);
	return instance;
}
