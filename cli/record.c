// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - quell record: what interrupts the CPUs, into a file.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quell.h"
#include "session.h"

#define POLL_MS	50

static const char usage[] =
	"usage: quell record -o FILE [options] [-- COMMAND [ARGUMENTS]]\n"
	"Record what interrupts the CPUs until COMMAND ends, the time is over or ^C.\n"
	"  -o, --output FILE      where to (required)\n"
	"  -c, --cpus LIST        CPUs to observe: a list or \"all\"\n"
	"                         (default: the isolated ones; if there are none, all)\n"
	"  -d, --duration TIME    10, 500ms, 2m, 1h (default: until ^C)\n"
	"      --buffer KIB       trace buffer per CPU (default: the kernel's)\n"
	"  -q, --quiet            no line at the end\n"
	"  -h, --help\n";

struct options {
	struct session_options	session;
	const char		*output;
	uint64_t		duration;
	bool			quiet;
	char			**command;
};

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "duration", required_argument, NULL, 'd' },
		{ "buffer", required_argument, NULL, 'b' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	char *end;
	int c;

	/* '+': the options behind COMMAND are its own. */
	while ((c = getopt_long(argc, argv, "+o:c:d:qh", longs, NULL)) != -1) {
		switch (c) {
		case 'o':
			o->output = optarg;
			break;
		case 'c':
			o->session.cpus = optarg;
			break;
		case 'd':
			if (!parse_duration(optarg, &o->duration))
				die(EXIT_USAGE, "\"%s\" is no duration", optarg);
			break;
		case 'b':
			o->session.buffer_kb = strtoul(optarg, &end, 10);
			if (*end || !o->session.buffer_kb ||
			    o->session.buffer_kb > 1 << 20)
				die(EXIT_USAGE, "\"%s\" is no buffer size in KiB", optarg);
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_OK);
		default:
			die(EXIT_USAGE, "see quell record --help");
		}
	}
	if (!o->output)
		die(EXIT_USAGE, "record needs -o FILE");
	if (optind < argc)
		o->command = argv + optind;
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

/* The child inherits no CPU affinity of ours: it runs where it would have. */
static pid_t start(char **command, const cpu_set_t *affinity, size_t size)
{
	int ready[2], err = 0;
	pid_t pid;

	if (pipe2(ready, O_CLOEXEC))
		die(EXIT_FAILED, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0)
		die(EXIT_FAILED, "fork: %s", strerror(errno));
	if (!pid) {
		sched_setaffinity(0, size, affinity);
		execvp(command[0], command);
		err = errno;
		if (write(ready[1], &err, sizeof(err)) < 0)
			_exit(126);
		_exit(127);
	}
	close(ready[1]);
	if (read(ready[0], &err, sizeof(err)) == sizeof(err)) {
		waitpid(pid, NULL, 0);
		die(EXIT_FAILED, "%s cannot be run: %s", command[0], strerror(err));
	}
	close(ready[0]);
	return pid;
}

/* Until the command ended, the time is over, a signal came or a write failed. */
static void observe(struct session *s, uint64_t duration, pid_t *child,
		    int *status)
{
	uint64_t end = duration ? now_ns() + duration : UINT64_MAX, now;

	while (!stop_signal && !s->write_failed && (now = now_ns()) < end) {
		uint64_t left = (end - now) / 1000000;

		if (*child && waitpid(*child, status, WNOHANG) == *child) {
			*child = 0;
			break;
		}
		/* A short command must not end up in a long window. */
		pause_ms(*child ? 5 : left < POLL_MS ? left + 1 : POLL_MS);
		session_poll(s);
	}
}

int cmd_record(int argc, char **argv)
{
	size_t size = CPU_ALLOC_SIZE(MAX_CPUS);
	cpu_set_t *affinity = CPU_ALLOC(MAX_CPUS);
	struct session s = { .no_rows = false };
	struct options o = { 0 };
	struct rec_end end;
	struct verdict v;
	pid_t child = 0;
	int status = 0;

	parse(argc, argv, &o);
	if (!affinity || sched_getaffinity(0, size, affinity))
		die(EXIT_FAILED, "sched_getaffinity: %s", strerror(errno));
	catch_signals();
	/* First of all, so that a bad path does not cost a trace. */
	s.writer = rec_create(o.output, &s.strings, &s.stacks);
	session_open(&s, &o.session);
	if (o.command)
		s.sum.command = join_words(o.command);
	summary_to_meta(&s.sum, s.writer);
	rec_flush(s.writer);
	if (o.command)
		child = start(o.command, affinity, size);
	observe(&s, o.duration, &child, &status);
	session_close(&s);
	if (child) {
		/* Whatever ended the recording ends what it was made of. */
		kill(child, stop_signal ? stop_signal : SIGTERM);
		waitpid(child, &status, 0);
	}

	end = (struct rec_end){ .duration = s.sum.duration, .lost = s.sum.lost,
				.expired = s.sum.expired };
	if (!rec_close(s.writer, &end))
		die(EXIT_FAILED, "%s cannot be written: %s", o.output,
		    strerror(errno));
	v = summary_verdict(&s.sum);
	if (status)
		complain("%s did not end well (status %d); the record is whole",
			 o.command[0], WIFEXITED(status) ? WEXITSTATUS(status) :
			 128 + WTERMSIG(status));
	if (!o.quiet)
		printf("%s: %.3f s, %llu interrupts, %llu of them avoidable by quell; /proc/interrupts %s%s\n",
		       o.output, s.sum.duration / 1e9,
		       (unsigned long long)s.sum.total.irqs,
		       (unsigned long long)s.sum.total.avoidable,
		       v.off ? "DOES NOT AGREE" : "agrees",
		       s.sum.lost ? "; TRACE EVENTS WERE LOST" : "");
	CPU_FREE(affinity);
	session_free(&s);
	return EXIT_OK;
}
