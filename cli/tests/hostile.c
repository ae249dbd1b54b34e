// SPDX-License-Identifier: GPL-2.0
/*
 * hostile.c - PORT N SECONDS: N connections to a loopback port, or to a socket that
 * PORT is the path of, at all times, each bad in its own way. Prints how many were
 * made.
 *
 * hostile PATH FILE: the other way round. Whoever connects to PATH is given the bytes
 * of FILE, and then silence if it is called *.silent, else an end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { SILENT, DRIP, DEAF, NOISE, ENDLESS, NR_KINDS };

static struct sockaddr_in to = { .sin_family = AF_INET };
static struct sockaddr_un path = { .sun_family = AF_UNIX };
static char request[64] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int connect_one(void)
{
	int fd = socket(*path.sun_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int small = 1, err;

	if (fd < 0)
		return -1;
	/* As little room for an answer as there can be. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	err = *path.sun_path ? connect(fd, (struct sockaddr *)&path, sizeof(path)) :
			       connect(fd, (struct sockaddr *)&to, sizeof(to));
	if (err && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* False: this one was hung up on. */
static int torment(int fd, int kind, int turn)
{
	char junk[512];
	ssize_t n = 0;

	switch (kind) {
	case SILENT:
		n = recv(fd, junk, 1, MSG_DONTWAIT | MSG_PEEK);
		return n > 0 || (n < 0 && errno == EAGAIN);
	case DRIP:
		n = send(fd, &request[turn % 30], 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case DEAF:	/* asks, and does not listen */
		if (!turn)
			n = send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case NOISE:
		for (size_t i = 0; i < sizeof(junk); i++)
			junk[i] = rand();
		n = send(fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	case ENDLESS:	/* a head that never ends */
		memset(junk, 'a', sizeof(junk));
		if (!turn)
			memcpy(junk, "GET /metrics HTTP/1.1\r\nX: ", 26);
		n = send(fd, junk, sizeof(junk), MSG_NOSIGNAL | MSG_DONTWAIT);
		break;
	}
	return n >= 0 || errno == EAGAIN || errno == ENOTCONN;
}

static int answer(const char *file)
{
	static char text[1 << 20], drop[256];
	FILE *f = fopen(file, "r");
	size_t n = f ? fread(text, 1, sizeof(text), f) : 0;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), one;

	unlink(path.sun_path);
	if (!f || bind(fd, (struct sockaddr *)&path, sizeof(path)) ||
	    chmod(path.sun_path, 0666) || listen(fd, 8))
		return 1;
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		if (recv(one, drop, sizeof(drop), 0) > 0 && n &&
		    send(one, text, n, MSG_NOSIGNAL) < 0)
			perror("send");
		if (!strstr(file, ".silent"))
			close(one);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct rlimit files = { 8192, 8192 };
	int n, *fd, *turn;
	long made = 0;
	double end;

	if (argc > 1 && *argv[1] == '/') {
		snprintf(path.sun_path, sizeof(path.sun_path), "%s", argv[1]);
		strcpy(request, "GET /snapshot HTTP/1.0\r\nHost: x\r\n\r\n");
	}
	if (argc == 3 && *path.sun_path)
		return answer(argv[2]);
	if (argc != 4)
		return 2;
	setrlimit(RLIMIT_NOFILE, &files);
	to.sin_port = htons(atoi(argv[1]));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	n = atoi(argv[2]);
	end = now() + atof(argv[3]);
	fd = calloc(n, sizeof(*fd));
	turn = calloc(n, sizeof(*turn));
	if (!fd || !turn)
		return 1;
	memset(fd, -1, n * sizeof(*fd));
	while (now() < end) {
		for (int i = 0; i < n; i++) {
			if (fd[i] < 0) {
				fd[i] = connect_one();
				turn[i] = 0;
				made += fd[i] >= 0;
			} else if (!torment(fd[i], i % NR_KINDS, turn[i]++)) {
				close(fd[i]);
				fd[i] = -1;
			}
		}
		usleep(20000);
	}
	printf("%ld\n", made);
	return 0;
}
