// SPDX-License-Identifier: GPL-2.0
/*
 * hostile.c - PORT N SECONDS: N connections to a loopback port at all times, each
 * bad in its own way. Prints how many were made.
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
#include <time.h>
#include <unistd.h>

enum { SILENT, DRIP, DEAF, NOISE, ENDLESS, NR_KINDS };

static struct sockaddr_in to = { .sin_family = AF_INET };

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int connect_one(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), small = 1;

	if (fd < 0)
		return -1;
	/* As little room for an answer as there can be. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

/* False: this one was hung up on. */
static int torment(int fd, int kind, int turn)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
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
			n = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
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

int main(int argc, char **argv)
{
	struct rlimit files = { 8192, 8192 };
	int n, *fd, *turn;
	long made = 0;
	double end;

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
