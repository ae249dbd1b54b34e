// SPDX-License-Identifier: GPL-2.0
/*
 * livectl: loads and unloads a livepatch module in the lab's guest, and waits
 * until livepatch has switched every task: before that neither the old
 * function is gone nor the new one in force. Also provides what the module is
 * to be shown with: busy processes that have nothing to do with the mm.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sysfile.h"
#include "workload.h"

#define NAME "quell_live"
#define PATCH "/sys/kernel/livepatch/" NAME
/* Tasks are asked again every second; an emulated machine may need many. */
#define PATIENCE_MS 300000
#define TOGGLE_ON_MS 3000

/* True if the kernel took it; else errno is why not. */
static bool load(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		die("%s", file);
	ret = (int)syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	return !ret;
}

/* Who holds it up: tasks whose patch_state is not what it is to become. */
static void name_laggards(void)
{
	long long target = read_number(PATCH "/enabled", 0);
	char path[512], *name;
	glob_t tasks;

	if (glob("/proc/[0-9]*/task/*/patch_state", 0, NULL, &tasks))
		return;
	for (size_t i = 0; i < tasks.gl_pathc; i++) {
		if (read_number(tasks.gl_pathv[i], target) == target)
			continue;
		snprintf(path, sizeof(path), "%.*s/comm",
			 (int)(strrchr(tasks.gl_pathv[i], '/') -
			       tasks.gl_pathv[i]), tasks.gl_pathv[i]);
		name = read_file(path);
		fprintf(stderr, "livectl: not yet switched: %s %s",
			tasks.gl_pathv[i], name ? name : "\n");
		free(name);
	}
	globfree(&tasks);
}

static void settle(void)
{
	uint64_t begin = now_ns();

	while (read_number(PATCH "/transition", 0)) {
		if (now_ns() - begin >= PATIENCE_MS * 1000000ull) {
			name_laggards();
			die("tasks are still being switched after %d s",
			    PATIENCE_MS / 1000);
		}
		sleep_ms(10);
	}
	errno = 0;
}

static int on(const char *file)
{
	if (!load(file))
		die("%s is refused", file);
	settle();
	if (read_number(PATCH "/enabled", 0) != 1)
		die(NAME " is loaded, but not enabled");
	return 0;
}

static int off(void)
{
	must_write(PATCH "/enabled", "0");
	settle();
	/* A moment passes between the last task and the last reference. */
	for (int i = 0; i < 500; i++) {
		if (!syscall(SYS_delete_module, NAME, O_NONBLOCK))
			return 0;
		if (errno != EAGAIN && errno != EBUSY)
			break;
		sleep_ms(10);
	}
	die(NAME " cannot be unloaded");
}

/* The refusal must be for the reason given, by errno. */
static int refuse(const char *file, int reason)
{
	if (load(file))
		die("%s is loaded, which it must not be", file);
	if (errno != reason)
		die("%s is refused, but not for reason %d", file, reason);
	return 0;
}

/* Runs @command with processes busy in user mode on the CPUs from 1 on. */
static int beside(long count, char **command)
{
	int status;
	pid_t pid;

	for (int cpu = 1; cpu <= count; cpu++)
		keep_busy(cpu);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		execvp(command[0], command);
		die("%s", command[0]);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Any other module, which is on when it is loaded. */
static int load_only(const char *file)
{
	if (!load(file))
		die("%s is refused", file);
	return 0;
}

/* Runs @command again and again for @seconds; ends with its first failure. */
static void keep_running(long seconds, char **command)
{
	uint64_t end = now_ns() + (uint64_t)seconds * 1000000000;
	int status;
	pid_t pid;

	while (now_ns() < end) {
		pid = fork();
		if (!pid) {
			execvp(command[0], command);
			die("%s", command[0]);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			_exit(1);
	}
	_exit(0);
}

/*
 * Runs @command while the module comes and goes, as fast as livepatch can. It
 * is started over because a machine that is never at rest is never switched.
 */
static int toggling(const char *file, long seconds, char **command)
{
	unsigned int times = 0;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		keep_running(seconds, command);
	while (!waitpid(pid, &status, WNOHANG)) {
		on(file);
		/* Only when all tasks are switched it knows any mm. */
		sleep_ms(TOGGLE_ON_MS);
		off();
		sleep_ms(100);
		times++;
	}
	printf("{\"toggled\":%u}\n", times);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "on"))
		return on(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "load"))
		return load_only(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "off"))
		return off();
	if (argc == 4 && !strcmp(argv[1], "refuse"))
		return refuse(argv[2], atoi(argv[3]));
	if (argc >= 4 && !strcmp(argv[1], "beside") && atol(argv[2]) > 0)
		return beside(atol(argv[2]), argv + 3);
	if (argc >= 5 && !strcmp(argv[1], "toggling") && atol(argv[3]) > 0)
		return toggling(argv[2], atol(argv[3]), argv + 4);
	fputs("usage: livectl on FILE.ko | off | refuse FILE.ko ERRNO |\n"
	      "       load FILE.ko | beside COUNT COMMAND [ARGUMENT]... |\n"
	      "       toggling FILE.ko SECONDS COMMAND [ARGUMENT]...\n", stderr);
	return 2;
}
