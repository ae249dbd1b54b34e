// SPDX-License-Identifier: GPL-2.0
/*
 * init: PID 1 of the guest. Mounts what the programs need, runs /plan line by
 * line, and switches the machine off.
 *
 * A line of the plan is a program in /bin and its arguments, separated by
 * blanks; there is no shell and no quoting. '#' starts a comment line.
 *
 * Everything on the results port (quell.results=NAME on the kernel command
 * line) is a JSON object per line, so a reader needs no second grammar:
 *   what a program prints that is an object already, as it is;
 *   any other line it prints, as {"from":"program","text":"..."};
 *   {"ran":"the line","exit":N} after each, or "signal":N instead of "exit"
 *   for one that was killed;
 *   and last {"done":true,"failed":N}, N counting programs that did not
 *   exit with 0. Without that last line the machine died on the way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "json.h"
#include "sysfile.h"

#define MAX_WORDS 64
#define RESULTS "quell.results="

static const struct {
	const char *what, *type, *where;
	bool needed;
} mounts[] = {
	{ "proc", "proc", "/proc", true },
	{ "sysfs", "sysfs", "/sys", true },
	{ "devtmpfs", "devtmpfs", "/dev", true },
	{ "tmpfs", "tmpfs", "/tmp", false },
	{ "debugfs", "debugfs", "/sys/kernel/debug", false },
	{ "tracefs", "tracefs", "/sys/kernel/tracing", false },
	{ "hugetlbfs", "hugetlbfs", "/dev/hugepages", false },
};

/* Says it where people look when no results came: the kernel's console. */
static void complain(const char *what)
{
	fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
}

static void mount_all(void)
{
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].what, mounts[i].where, mounts[i].type, 0,
			  NULL) && errno != EBUSY && mounts[i].needed)
			complain(mounts[i].where);
	}
	errno = 0;
}

/* The port as it is: no echo, no carriage returns, nothing of a terminal. */
static void make_raw(int fd)
{
	struct termios mode;

	if (tcgetattr(fd, &mode))
		return;
	cfmakeraw(&mode);
	tcsetattr(fd, TCSANOW, &mode);
}

/* From here on stdout is the results port. */
static void open_results(void)
{
	char *line = read_file("/proc/cmdline"), path[128];
	char *name = line ? strstr(line, RESULTS) : NULL;
	int fd;

	if (!name || sscanf(name + strlen(RESULTS), "%100s", path + 5) != 1) {
		fprintf(stderr, "init: no " RESULTS ", results go here\n");
		free(line);
		return;
	}
	memcpy(path, "/dev/", 5);
	free(line);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0) {
		complain(path);
		return;
	}
	make_raw(fd);
	if (dup2(fd, STDOUT_FILENO) < 0)
		complain("dup2");
	close(fd);
}

/* Whatever a program prints arrives as an object. */
static void forward(const char *program, FILE *from)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	while ((n = getline(&line, &size, from)) > 0) {
		while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		if (n && line[0] == '{' && line[n - 1] == '}') {
			puts(line);
			fflush(stdout);
		} else if (n) {
			json_begin();
			json_text("from", program);
			json_text("text", line);
			json_end();
		}
	}
	free(line);
}

static void become(char **word, int output)
{
	char path[256];

	dup2(output, STDOUT_FILENO);
	snprintf(path, sizeof(path), "/bin/%s", word[0]);
	signal(SIGPIPE, SIG_DFL);
	execv(path, word);
	complain(path);
	_exit(127);
}

/*
 * Runs one program to its end, and to the end of whatever it left behind
 * holding its output. Returns its wait status.
 */
static int run(char **word)
{
	int output[2], status = 0, ended;
	FILE *from;
	pid_t pid;

	if (pipe2(output, O_CLOEXEC)) {
		complain("pipe");
		return -1;
	}
	pid = fork();
	if (pid == 0)
		become(word, output[1]);
	close(output[1]);
	from = fdopen(output[0], "r");
	if (pid < 0 || !from) {
		complain("cannot start a program");
		if (from)
			fclose(from);
		else
			close(output[0]);
		return -1;
	}
	forward(word[0], from);
	fclose(from);
	while ((pid_t)(ended = waitpid(pid, &status, 0)) != pid) {
		if (ended < 0 && errno != EINTR)
			return -1;
	}
	/* Orphans are ours. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return status;
}

static bool run_line(char *line)
{
	char *word[MAX_WORDS + 1], *save, text[1024];
	int words = 0, status;

	snprintf(text, sizeof(text), "%s", line);
	for (char *at = strtok_r(line, " \t", &save); at && words < MAX_WORDS;
	     at = strtok_r(NULL, " \t", &save))
		word[words++] = at;
	word[words] = NULL;
	if (!words || word[0][0] == '#')
		return true;

	status = run(word);
	json_begin();
	json_text("ran", text);
	if (status != -1 && WIFSIGNALED(status))
		json_number("signal", WTERMSIG(status));
	else
		json_number("exit", status == -1 ? -1 : WEXITSTATUS(status));
	json_end();
	return status == 0;
}

static int run_plan(void)
{
	char *plan = read_file("/plan"), *save, *line;
	int failed = 0;

	if (!plan) {
		complain("/plan");
		return 1;
	}
	for (line = strtok_r(plan, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		failed += !run_line(line);
	free(plan);
	return failed;
}

/*
 * A kernel that cannot switch off would halt, and the emulator stay forever:
 * there, restart, which the emulator takes as the end (-no-reboot).
 */
static void switch_off(void)
{
	struct stat there;

	sync();
	tcdrain(STDOUT_FILENO);
	if (stat("/sys/firmware/acpi", &there) == 0 ||
	    stat("/proc/device-tree", &there) == 0)
		reboot(RB_POWER_OFF);
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

int main(void)
{
	int failed;

	if (getpid() != 1) {
		fprintf(stderr, "init: only for PID 1 of a guest\n");
		return 2;
	}
	/* The kernel may have had no console to give us. */
	while (open("/dev/null", O_RDWR) >= 0 && fcntl(2, F_GETFD) < 0)
		;
	signal(SIGPIPE, SIG_IGN);
	mount_all();
	setenv("PATH", "/bin", 1);
	open_results();
	failed = run_plan();
	json_begin();
	json_bool("done", true);
	json_number("failed", failed);
	json_end();
	switch_off();
}
