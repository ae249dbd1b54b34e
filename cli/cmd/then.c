// SPDX-License-Identifier: GPL-2.0
/* then.c - runs a command for each dump, by a process of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quell.h"
#include "cmd/then.h"

#define MESSAGE		16384		/* bytes of an environment */
#define MOST		32		/* variables in it */
#define PATIENCE_S	5		/* for a command that was told to end */

struct then {
	pid_t	pid;
	int	to;
};

/* ---- in the process that runs them ---------------------------------------- */

static volatile pid_t running;
static volatile sig_atomic_t ending;

static void on_term(int sig)
{
	(void)sig;
	ending = 1;
	if (running)
		kill(-running, SIGTERM);
	alarm(PATIENCE_S);
}

static void on_alarm(int sig)
{
	(void)sig;
	if (running)
		kill(-running, SIGKILL);
}

static void handle(int sig, void (*how)(int))
{
	sigaction(sig, &(struct sigaction){ .sa_handler = how }, NULL);
}

static void become(const char *command, char *message, ssize_t len)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGALRM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		signal(sigs[i], SIG_DFL);
	for (char *at = message; at < message + len; at += strlen(at) + 1)
		putenv(at);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static void run(const char *command, char *message, ssize_t len)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0) {
		complain("%s cannot be run: %s", command, strerror(errno));
		return;
	}
	if (!pid) {
		/* Its whole group can be ended, and a ^C is not meant for it. */
		setpgid(0, 0);
		become(command, message, len);
	}
	setpgid(pid, pid);
	running = pid;
	if (ending)
		kill(-pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	running = 0;
	if (WIFSIGNALED(status))
		complain("%s was ended by signal %d", command, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		complain("%s ended with %d", command, WEXITSTATUS(status));
}

static void serve(int from, const char *command)
{
	static char message[MESSAGE + 1];
	ssize_t n;

	handle(SIGINT, SIG_IGN);
	handle(SIGHUP, SIG_IGN);
	handle(SIGUSR1, SIG_IGN);
	handle(SIGTERM, on_term);
	handle(SIGALRM, on_alarm);
	while (!ending && (n = recv(from, message, MESSAGE, 0)) > 0) {
		message[n] = '\0';
		run(command, message, n);
	}
	_exit(0);
}

/* ---- in the process that observes ----------------------------------------- */

struct then *then_start(const char *command)
{
	struct then *t = xcalloc(1, sizeof(*t));
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die(EXIT_FAILED, "socketpair: %s", strerror(errno));
	t->pid = fork();
	if (t->pid < 0)
		die(EXIT_FAILED, "fork: %s", strerror(errno));
	if (!t->pid) {
		close(pair[0]);
		serve(pair[1], command);
	}
	close(pair[1]);
	t->to = pair[0];
	return t;
}

void then_follow(struct then *t)
{
	size_t size = CPU_ALLOC_SIZE(8192);
	cpu_set_t *set = CPU_ALLOC(8192);

	if (set && !sched_getaffinity(0, size, set))
		sched_setaffinity(t->pid, size, set);
	CPU_FREE(set);
}

bool then_run(struct then *t, char *const *env, size_t n)
{
	char message[MESSAGE];
	size_t len = 0, more;

	for (size_t i = 0; i < n && i < MOST; i++) {
		more = strlen(env[i]) + 1;
		if (len + more > sizeof(message))
			break;
		memcpy(message + len, env[i], more);
		len += more;
	}
	return send(t->to, message, len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)len;
}

void then_finish(struct then *t)
{
	int had = stop_signal;
	uint64_t told = had ? now_ns() : 0;

	close(t->to);
	for (;;) {
		if (waitpid(t->pid, NULL, WNOHANG) == t->pid)
			break;
		/* Told to end, and it has not for a while. */
		if (told && now_ns() - told > PATIENCE_S * 1000000000ull) {
			kill(t->pid, SIGTERM);
			told = now_ns();
		}
		if (stop_signal && !told) {
			kill(t->pid, SIGTERM);
			told = now_ns();
		}
		usleep(10000);
	}
	free(t);
}
