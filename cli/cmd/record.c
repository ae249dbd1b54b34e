// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - quell record: what interrupts the CPUs, into a file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quell.h"
#include "observe/session.h"

#define MIN_SIZE	(1 << 20)	/* so that a part holds more than its head */

static const char usage[] =
	"usage: quell record -o FILE [options] [-- COMMAND [ARGUMENTS]]\n"
	"Record what interrupts the CPUs until COMMAND ends, the time is over or ^C.\n"
	"  -o, --output FILE      where to (required): a file, a pipe, or - for\n"
	"                         standard output\n"
	USAGE_CPUS
	"  -d, --duration TIME    10, 500ms, 2m, 1h (default: until ^C)\n"
	USAGE_WHAT
	USAGE_OWNER
	USAGE_BUFFER
	"      --max-size SIZE    such as 100M: a file that grows to that is finished as\n"
	"                         FILE.1, FILE.2, ... and another one begun\n"
	"      --keep N           of these, only the last N (default: 8)\n"
	"  -q, --quiet            no line at the end\n"
	"  -h, --help\n";

struct options {
	struct session_options	session;
	const char		*output;
	const char		*size;
	uint64_t		duration, max_size, keep;
	bool			quiet;
	char			**command;
};

/* 500k, 100M, 2G: units of 1024 bytes, of that, and so on. */
static bool parse_size(const char *text, uint64_t *size)
{
	static const char units[] = "kMGT";
	unsigned long long v;
	const char *unit;
	char *end;

	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || v > UINT32_MAX)
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (*end && (!unit || end[1]))
		return false;
	*size = unit ? v << (10 * (unit - units + 1)) : v;
	return true;
}

static void parse(int argc, char **argv, struct options *o, struct owner_filter *only)
{
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o->session),
		OWNER_OPTIONS(only),
		TEXT_OPTION("output", 'o', &o->output),
		TIME_OPTION("duration", 'd', &o->duration, "duration", 0),
		TEXT_OPTION("max-size", 0, &o->size),
		NUMBER("keep", 0, &o->keep, "number of files", 1, 1000000),
		FLAG("quiet", 'q', &o->quiet),
	};
	int first = options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), -1);

	owner_check(only);
	if (!o->output)
		die(EXIT_USAGE, "record needs -o FILE");
	if (o->size && (!parse_size(o->size, &o->max_size) || o->max_size < MIN_SIZE))
		die(EXIT_USAGE, "\"%s\" is no size of at least 1M", o->size);
	if (first < argc)
		o->command = argv + first;
}

static char *join_words(char **argv)
{
	char *text = xstrdup(""), *more;

	for (; *argv; argv++) {
		more = xasprintf("%s%s%s", text, *text ? " " : "", *argv);
		free(text);
		text = more;
	}
	return text;
}

/*
 * The command's process, waiting to be told to begin. It is made before the
 * trace buffers are opened: an inherited buffer would be flushed when the
 * command is executed, which raises interrupts of its own. It is not moved to
 * other CPUs either, so it runs where it would have.
 */
struct command {
	pid_t	pid;
	int	go, failed;
};

static void prepare(struct command *c, char **argv, bool stdout_is_record)
{
	int go[2], failed[2], err;
	char token;

	if (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC))
		die(EXIT_FAILED, "pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid < 0)
		die(EXIT_FAILED, "fork: %s", strerror(errno));
	if (!c->pid) {
		close(go[1]);
		/* End of file: the recording never began. */
		if (read(go[0], &token, 1) != 1)
			_exit(0);
		if (stdout_is_record)
			dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[0], argv);
		err = errno;
		if (write(failed[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	close(go[0]);
	close(failed[1]);
	c->go = go[1];
	c->failed = failed[0];
}

static void begin(struct command *c, const char *name)
{
	int err;

	if (write(c->go, "g", 1) != 1)
		die(EXIT_FAILED, "%s cannot be run: %s", name, strerror(errno));
	if (read(c->failed, &err, sizeof(err)) == sizeof(err)) {
		waitpid(c->pid, NULL, 0);
		die(EXIT_FAILED, "%s cannot be run: %s", name, strerror(err));
	}
	close(c->go);
	close(c->failed);
}

/* Until the command ended, the time is over, a signal came or a write failed. */
static void observe(struct session *s, uint64_t duration, pid_t *child,
		    int *status)
{
	uint64_t end = duration ? now_ns() + duration : UINT64_MAX, now;

	while (!stop_signal && !s->write_failed && (now = now_ns()) < end) {
		uint64_t left = (end - now) / 1000000;
		unsigned int pause;

		if (*child && waitpid(*child, status, WNOHANG) == *child) {
			*child = 0;
			break;
		}
		/* A short command must not end up in a long window. */
		pause = *child ? 5 : session_pause(s);
		pause_ms(left < pause ? left + 1 : pause);
		session_poll(s);
	}
}

static int command_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int cmd_record(int argc, char **argv)
{
	struct session s = { .no_rows = false };
	struct options o = { .keep = 8 };
	struct rec_end end;
	struct verdict v;
	struct command child = { 0 };
	int status = 0;

	parse(argc, argv, &o, &s.only);
	if (o.command)
		prepare(&child, o.command, !strcmp(o.output, "-"));
	catch_signals();
	/* First of all, so that a bad path does not cost a trace. */
	s.writer = rec_create(o.output, &s.strings, &s.stacks, o.max_size, o.keep);
	session_open(&s, &o.session);
	if (o.command)
		s.sum.command = join_words(o.command);
	session_to_record(&s);
	if (o.command)
		begin(&child, o.command[0]);
	observe(&s, o.duration, &child.pid, &status);
	session_close(&s);
	if (child.pid) {
		/* Whatever ended the recording ends what it was made of. */
		kill(child.pid, stop_signal ? stop_signal : SIGTERM);
		waitpid(child.pid, &status, 0);
		status = 0;
	}

	end = (struct rec_end){ .duration = s.sum.duration, .lost = s.sum.lost,
				.expired = s.sum.expired,
				.unaccounted = s.sum.unaccounted };
	if (!rec_close(s.writer, &end))
		die(EXIT_FAILED, "%s cannot be written: %s", o.output,
		    strerror(errno));
	v = summary_verdict(&s.sum);
	/* The record itself may be what goes to standard output. */
	if (!o.quiet)
		fprintf(strcmp(o.output, "-") ? stdout : stderr,
		       "%s: %.3f s, %llu interrupts, %llu of them avoidable by quell; /proc/interrupts %s%s\n",
		       o.output, s.sum.duration / 1e9,
		       (unsigned long long)s.sum.total.irqs,
		       (unsigned long long)s.sum.total.avoidable,
		       v.off ? "DOES NOT AGREE" : "agrees",
		       s.sum.lost ? "; TRACE EVENTS WERE LOST" : "");
	if (s.only.unknown)
		complain("%s leaves out %llu interruptions of an unknown control group", o.output,
			 (unsigned long long)s.only.unknown);
	if (v.off)
		complain("%s does not agree with /proc/interrupts: %llu interrupts were not traced",
			 o.output, (unsigned long long)v.missing);
	session_free(&s);
	/* The command's own end is the record's, as with time(1) and env(1). */
	return v.off ? EXIT_DOUBT : command_status(status);
}
