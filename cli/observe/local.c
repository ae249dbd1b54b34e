// SPDX-License-Identifier: GPL-2.0
/*
 * local.c - the socket by which viewers reach the one quell that observes.
 *
 * A lock beside the socket says whether somebody listens: the kernel drops it
 * whatever the owner dies of, so a socket that is there and not locked is nobody's.
 * Only its owner makes, replaces or removes the file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "observe/local.h"
#include "quell.h"

#define ASK_MS		3000
#define MAX_ANSWER	(64u << 20)

static bool address(const char *path, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	return *path && snprintf(a->sun_path, sizeof(a->sun_path), "%s", path) <
		(int)sizeof(a->sun_path);
}

/* ---- who listens ---------------------------------------------------------- */

static char *bound;
static pid_t owner;

static void unbind(void)
{
	if (bound && getpid() == owner)
		unlink(bound);
}

/* From the file, not from whatever else knows groups: a static binary can, too. */
static gid_t group_id(const char *name)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g;
	char *end;
	unsigned long id;

	while (f && (g = fgetgrent(f)))
		if (!strcmp(g->gr_name, name)) {
			fclose(f);
			return g->gr_gid;
		}
	if (f)
		fclose(f);
	errno = 0;
	id = strtoul(name, &end, 10);
	if (*name < '0' || *name > '9' || *end || errno || id >= (gid_t)-1)
		die(EXIT_USAGE, "\"%s\" is no group of /etc/group, and no number", name);
	return id;
}

/* Where others may write, they may put another socket in the place of ours. */
static void check_directory(const char *path)
{
	char *copy = xstrdup(path), *dir = dirname(copy);
	struct stat st;

	if (!strcmp(path, LOCAL_PATH) && mkdir(dir, 0755) && errno != EEXIST)
		die(EXIT_FAILED, "%s cannot be made: %s", dir, strerror(errno));
	if (stat(dir, &st))
		die(EXIT_FAILED, "%s: %s", dir, strerror(errno));
	if (st.st_mode & 022 || (st.st_uid && st.st_uid != geteuid()))
		die(EXIT_USAGE, "%s is no place for a socket: others may write there", dir);
	free(copy);
}

static void lock_or_die(const char *path)
{
	char *file = xasprintf("%s.lock", path);
	int fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		die(EXIT_FAILED, "%s: %s", file, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		die(EXIT_BUSY, "another quell serves at %s", path);
	free(file);		/* the lock is held until the end */
}

int local_listen(const char *path, const char *group)
{
	gid_t gid = group ? group_id(group) : 0;
	struct sockaddr_un a;
	struct stat st;
	mode_t mask;
	int fd;

	if (!address(path, &a))
		die(EXIT_USAGE, "\"%s\" is no path for a socket", path);
	check_directory(path);
	lock_or_die(path);
	if (!lstat(path, &st)) {
		if (!S_ISSOCK(st.st_mode))
			die(EXIT_FAILED, "%s is there and no socket", path);
		unlink(path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		die(EXIT_FAILED, "no socket: %s", strerror(errno));
	/* At no time may anybody connect who must not. */
	mask = umask(0177);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		die(EXIT_FAILED, "%s: %s", path, strerror(errno));
	umask(mask);
	bound = xstrdup(path);
	owner = getpid();
	atexit(unbind);
	if (group && (lchown(path, -1, gid) || chmod(path, 0660)))
		die(EXIT_FAILED, "%s cannot be given to group %s: %s", path, group,
		    strerror(errno));
	if (listen(fd, 1024))
		die(EXIT_FAILED, "%s: %s", path, strerror(errno));
	return fd;
}

/* ---- who asks ------------------------------------------------------------- */

static int refuse(int fd, int err, const char *text, const char **why)
{
	*why = text ? text : strerror(err);
	close(fd);
	return err;
}

/* Root, and whoever one is oneself, would have no need to lie. */
static bool believed(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) &&
	       (!who.uid || who.uid == geteuid());
}

/* All there is until the other side ends it, in ASK_MS. */
static int read_all(int fd, char **data, size_t *len)
{
	uint64_t end = now_ns() + ASK_MS * 1000000ull;
	size_t room = 0;
	ssize_t n;

	*data = NULL;
	*len = 0;
	for (;;) {
		*data = grow(*data, &room, *len + 65537, 1);
		n = recv(fd, *data + *len, 65536, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		*len += n;
		(*data)[*len] = '\0';
		if (!n)
			return 0;
		if (*len > MAX_ANSWER)
			return EMSGSIZE;
		if (now_ns() > end)
			return ETIMEDOUT;
	}
}

int local_ask(const char *path, char **body, size_t *len, const char **why)
{
	static const char ask[] = "GET " LOCAL_REQUEST " HTTP/1.0\r\n\r\n";
	struct timeval patience = { .tv_sec = ASK_MS / 1000 };
	struct sockaddr_un a;
	char *data = NULL, *at;
	int fd, err;

	if (!address(path, &a)) {
		*why = "no path for a socket";
		return ENAMETOOLONG;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		*why = strerror(errno);
		return errno;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		err = errno == EAGAIN ? ETIMEDOUT : errno == ENOENT ? ECONNREFUSED : errno;
		return refuse(fd, err, err == ECONNREFUSED ? "nobody serves there" : NULL, why);
	}
	if (!believed(fd))
		return refuse(fd, EPERM, "neither root nor you serve there", why);
	if (send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(ask) - 1)
		return refuse(fd, EPIPE, "it hung up", why);
	err = read_all(fd, &data, len);
	if (!err && !*len)
		err = EPIPE;
	at = err ? NULL : strstr(data, "\r\n\r\n");
	if (!err && (strncmp(data, "HTTP/1.1 200 ", 13) || !at))
		err = EPROTO;
	if (err) {
		free(data);
		return refuse(fd, err, err == EPROTO ? "it is of another version of quell" :
			      err == EPIPE ? "it hung up" :
			      err == ETIMEDOUT ? "it does not answer" : NULL, why);
	}
	close(fd);
	at += 4;
	*len -= at - data;
	memmove(data, at, *len);
	*body = data;
	return 0;
}
