// SPDX-License-Identifier: GPL-2.0
/*
 * behind.c - behind PATH COMMAND [ARGUMENTS]: COMMAND goes on behind what comes next,
 * which is once PATH is there; or SIGNAL instead of PATH (a number): once the last
 * one was sent that, and is gone; or "probes": prints how many kprobe events of a
 * quell's there are; or "until": COMMAND, again and again until it ends with 0. For
 * plans of guests without a shell.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PID_FILE "/behind.pid"

static int end_it(int signal)
{
	FILE *f = fopen(PID_FILE, "r");
	char exe[32], drop[64];
	int pid = 0;

	if (!f || fscanf(f, "%d", &pid) != 1 || pid < 2 || kill(pid, signal))
		return 1;
	fclose(f);
	/* What is dead and not yet waited for has no program any more. */
	snprintf(exe, sizeof(exe), "/proc/%d/exe", pid);
	for (int i = 0; i < 600; i++) {
		if (readlink(exe, drop, sizeof(drop)) < 0)
			return 0;
		usleep(100000);
	}
	return 1;
}

static int count_probes(void)
{
	FILE *f = fopen("/sys/kernel/tracing/kprobe_events", "r");
	char line[4096];
	int n = 0;

	while (f && fgets(line, sizeof(line), f))
		n += strstr(line, ":quell_") != NULL;
	if (f)
		fclose(f);
	printf("{\"probes\": %d}\n", n);
	return 0;
}

static int until(char **command)
{
	int status = 1;
	pid_t pid;

	for (int i = 0; status && i < 60; i++) {
		pid = fork();
		if (!pid) {
			execvp(*command, command);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return 1;
	}
	return status != 0;
}

int main(int argc, char **argv)
{
	struct stat st;
	pid_t pid;
	FILE *f;

	if (argc == 2 && !strcmp(argv[1], "probes"))
		return count_probes();
	if (argc == 2)
		return end_it(atoi(argv[1]));
	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "until"))
		return until(argv + 2);
	pid = fork();
	if (!pid) {
		/* Whoever started us waits for the end of our output. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		setsid();
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	f = fopen(PID_FILE, "w");
	if (pid < 0 || !f || fprintf(f, "%d\n", pid) < 0 || fclose(f))
		return 1;
	for (int i = 0; i < 600; i++) {
		if (!stat(argv[1], &st))
			return 0;
		usleep(100000);
	}
	return 1;
}
