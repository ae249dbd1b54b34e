// SPDX-License-Identifier: GPL-2.0
/*
 * tap: runs one of the kernel's own tests (in /selftests, unless a path is
 * given) and reports its verdicts.
 *
 *   tap [--timeout SECONDS] [--set PATH=VALUE]... PROGRAM [ARGUMENTS]
 *
 * JSON lines, each with "selftest" (the program and its arguments) and
 * "strategy" (the kernel's, `stock` where it has none):
 *   "verdict" (pass, fail, skip, xfail) and "what", per verdict;
 *   "said", per other line of output, for the reader of a surprise;
 *   "ended" ("exit 0", "signal 11", "timeout", "not run: why") with how many
 *   of each verdict there were, how long it took and how many page-table
 *   syncs the kernel counted meanwhile.
 *
 * Exits with 0 if the program ran to its end, whatever its verdicts: judging
 * them is for who compares them (lab/verdicts).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "instrument/counters.h"
#include "json.h"
#include "knobs.h"
#include "workload.h"

#define PROGRAMS "/selftests/"
#define DIRECTORY "/sys/kernel/debug/pt_sync/"
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum verdict { PASS, FAIL, SKIP, XFAIL, VERDICTS, NONE = VERDICTS };
static const char *const names[] = { "pass", "fail", "skip", "xfail" };

static char name[256], strategy[32] = "stock";
static unsigned int count[VERDICTS];
/* What the verdicts that follow are about, as some programs say beforehand. */
#define RUN_1 "[RUN] "
#define RUN_2 "Run test: "
static char about[256];

static void begin_row(void)
{
	json_begin();
	json_text("selftest", name);
	json_text("strategy", strategy);
}

static void read_strategy(void)
{
	char *text = read_file(DIRECTORY "strategy");
	char *open = text ? strchr(text, '[') : NULL;

	errno = 0;
	if (open)
		sscanf(open + 1, "%31[^]]", strategy);
	free(text);
}

/* All strategies' syncs: 0 on a kernel that does not count them. */
static uint64_t read_syncs(void)
{
	char *text = read_file(DIRECTORY "stats");
	static struct stats stats;
	uint64_t sum = 0;

	errno = 0;
	if (text && stats_parse(&stats, text))
		for (unsigned int i = 0; i < stats.strategies; i++)
			sum += stats_value(&stats, stats.strategy[i], "syncs");
	free(text);
	return sum;
}

static bool ends_with(const char *line, const char *end)
{
	size_t n = strlen(line), m = strlen(end);

	return n >= m && !strcmp(line + n - m, end);
}

/* "ok 3 - what", "not ok 3 what", "ok 3 # SKIP what" */
static enum verdict tap_verdict(const char *line, const char **what)
{
	bool not = !strncmp(line, "not ", 4);
	enum verdict verdict = not ? FAIL : PASS;
	char *end;

	line += not ? 4 : 0;
	if (strncmp(line, "ok ", 3))
		return NONE;
	strtoul(line + 3, &end, 10);
	if (end == line + 3)
		return NONE;
	*what = end + strspn(end, " -");
	if (strstr(end, "# SKIP"))
		verdict = SKIP;
	else if (strstr(end, "# XFAIL"))
		verdict = XFAIL;
	return verdict;
}

/*
 * "Collapse fully populated range... OK", "Testing move on anon... done".
 * More dots come while such a program waits, so they are no part of what;
 * nor is what comes after the word, the reason, which is said all the same.
 */
static enum verdict prose_verdict(char *line, const char **what)
{
	static const struct {
		const char *word;
		bool reason;
		enum verdict verdict;
	} words[] = {
		{ " OK", false, PASS }, { " done", false, PASS },
		{ " Fail", false, FAIL }, { " failed [reason: ", true, FAIL },
		{ " Skip", false, SKIP }, { " skipped [reason: ", true, SKIP },
	};
	char *dots = strstr(line, "...");

	if (!dots)
		return NONE;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].reason ? !strstr(dots, words[i].word) :
				      !ends_with(dots, words[i].word))
			continue;
		begin_row();
		json_text("said", line);
		json_end();
		*dots = '\0';
		*what = line + strspn(line, "# ");
		return words[i].verdict;
	}
	return NONE;
}

/* Colours, and whatever a carriage return has since overwritten, go. */
static char *plain(char *line)
{
	char *last = strrchr(line, '\r'), *to;

	if (last)
		line = last + 1;
	to = line;
	for (char *at = line; *at; at++) {
		if (at[0] == '\033' && at[1] == '[') {
			at += 2 + strspn(at + 2, "0123456789;");
			if (!*at)
				break;
			continue;
		}
		*to++ = *at;
	}
	*to = '\0';
	return line;
}

static void take_line(char *line)
{
	enum verdict verdict;
	const char *what = "", *begin;

	line = plain(line);
	if (!*line)
		return;
	begin = strstr(line, RUN_1);
	if (begin)
		begin += strlen(RUN_1);
	else if ((begin = strstr(line, RUN_2)))
		begin += strlen(RUN_2);
	if (begin)
		snprintf(about, sizeof(about), "%s", begin);

	verdict = tap_verdict(line, &what);
	if (verdict == NONE)
		verdict = prose_verdict(line, &what);
	begin_row();
	if (verdict == NONE) {
		json_text("said", line);
	} else {
		char text[1024];

		count[verdict]++;
		snprintf(text, sizeof(text), "%s%s%s", about,
			 *about ? ": " : "", what);
		json_text("verdict", names[verdict]);
		json_text("what", text);
	}
	json_end();
}

static void take(const char *text, size_t size)
{
	static char line[4096];
	static size_t used;

	for (; size; text++, size--) {
		if (*text && *text != '\n' && used < sizeof(line) - 1) {
			line[used++] = *text;
			continue;
		}
		line[used] = '\0';
		used = 0;
		take_line(line);
	}
	fflush(stdout);
}

/*
 * A terminal, not a pipe: there stdio writes line by line, so that children
 * of a test do not write again what their parent still had in its buffer.
 */
static pid_t start(char **argv, int *output)
{
	int master, slave;
	struct termios mode;
	pid_t pid;

	if (access("/dev/pts/ptmx", F_OK) &&
	    ((mkdir("/dev/pts", 0755) && errno != EEXIST) ||
	     mount("devpts", "/dev/pts", "devpts", 0, NULL)))
		die("tap: no terminals");
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master))
		die("tap: no terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0 || tcgetattr(slave, &mode))
		die("tap: no terminal");
	cfmakeraw(&mode);
	tcsetattr(slave, TCSANOW, &mode);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("tap: fork");
	if (pid == 0) {
		char path[128];

		setsid();
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		close(slave);
		snprintf(path, sizeof(path), "%s%s",
			 strchr(argv[0], '/') ? "" : PROGRAMS, argv[0]);
		/* Some map themselves, by the name they were called. */
		argv[0] = path;
		if (chdir("/tmp") == 0)
			execv(path, argv);
		_exit(127);
	}
	close(slave);
	*output = master;
	return pid;
}

/* Its status, or -1 if it had to be killed. */
static int watch(pid_t pid, int output, unsigned int seconds)
{
	uint64_t end = now_ns() + seconds * 1000000000ull;
	bool ended = false, late = false;
	int status = 0;

	for (;;) {
		struct pollfd ready = { .fd = output, .events = POLLIN };
		char text[4096];

		/* Once it ended, what it wrote is there; nobody is waited for. */
		if (poll(&ready, 1, ended ? 0 : 100) > 0) {
			ssize_t n = read(output, text, sizeof(text));

			if (n > 0)
				take(text, (size_t)n);
			else if (ended)
				break;
			else
				sleep_ms(20);
		} else if (ended) {
			break;
		}
		if (!ended && waitpid(pid, &status, WNOHANG) == pid)
			ended = true;
		if (!ended && now_ns() > end) {
			late = true;
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			ended = true;
		}
	}
	take("\n", 1);
	kill(-pid, SIGKILL);
	errno = 0;
	return late ? -1 : status;
}

static void end_row(const char *how, uint64_t ns, uint64_t syncs)
{
	struct utsname system;

	uname(&system);
	begin_row();
	json_text("ended", how);
	for (int i = 0; i < VERDICTS; i++)
		json_number(names[i], count[i]);
	json_number("ms", (int64_t)(ns / 1000000));
	json_number("syncs", (int64_t)syncs);
	json_text("kernel", system.release);
	json_end();
}

/* Numbers must be there when read back: a pool of huge pages may stay small. */
static bool borrow(char *setting)
{
	char *value = strchr(setting, '='), *end;
	long long number;

	if (!value)
		die("tap: --set wants PATH=VALUE");
	*value++ = '\0';
	if (!borrow_knob(setting, value))
		return false;
	number = strtoll(value, &end, 10);
	return end == value || *end || read_number(setting, -1) == number;
}

int main(int argc, char **argv)
{
	unsigned int seconds = 60;
	const char *lacking = NULL;
	int at, status, output;
	uint64_t begin, syncs;
	char how[128];
	pid_t pid;

	for (at = 1; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
		if (!strcmp(argv[at], "--timeout"))
			seconds = (unsigned int)atoi(argv[at + 1]);
		else if (strcmp(argv[at], "--set"))
			break;
		else if (!borrow(argv[at + 1]))
			lacking = argv[at + 1];
	}
	if (at >= argc || argv[at][0] == '-' || !seconds) {
		bool help = at < argc && !strcmp(argv[at], "--help");

		fputs("usage: tap [--timeout SECONDS] [--set PATH=VALUE]... PROGRAM [ARGUMENTS]\n"
		      "Runs one of the kernel's own tests in " PROGRAMS
		      ", reports its verdicts.\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	for (int i = at; i < argc; i++)
		snprintf(name + strlen(name), sizeof(name) - strlen(name),
			 "%s%s", i > at ? " " : "", argv[i]);
	read_strategy();
	if (lacking) {
		snprintf(how, sizeof(how), "not run: %s", lacking);
		end_row(how, 0, 0);
		return 1;
	}

	begin = now_ns();
	syncs = read_syncs();
	pid = start(argv + at, &output);
	status = watch(pid, output, seconds);
	if (status == -1)
		snprintf(how, sizeof(how), "timeout");
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == 127)
		snprintf(how, sizeof(how), "not run: no such program");
	else
		snprintf(how, sizeof(how), "exit %d", WEXITSTATUS(status));
	end_row(how, now_ns() - begin, read_syncs() - syncs);
	return status == -1 || !strncmp(how, "not run", 7);
}
