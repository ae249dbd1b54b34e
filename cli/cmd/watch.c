// SPDX-License-Identifier: GPL-2.0
/*
 * watch.c - quell watch: a flight recorder. The last seconds are kept in memory
 * (flight.c); for a reason (trigger.c) what is around it is written as a record
 * (dump.c), the culprit named, and a command run (then.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "observe/culprit.h"
#include "observe/dump.h"
#include "observe/flight.h"
#include "quell.h"
#include "observe/session.h"
#include "text.h"
#include "cmd/then.h"
#include "observe/trigger.h"

/* What is older was read, joined and told: the margins of collect.c and join.c. */
#define TOLD_NS		(JOIN_SETTLE_NS + 50000000ull)
#define CHECKED_NS	150000000ull	/* a reading of /proc/interrupts was compared */
#define MOST_MARKS	4096		/* different texts, in a process's life */

static const char usage[] =
	"usage: quell watch [--over TIME] [options]\n"
	"Keep the last seconds in memory, and write a record of them when something happens:\n"
	"an interrupt that lasts too long, a marker, or the signal USR1.\n"
	"      --over TIME        an interrupt that lasts longer, such as 20us\n"
	"      --marker TEXT      a line with TEXT (default: quell-dump) in DIR/marker, or,\n"
	"                         from Linux 6.16 on, in /sys/kernel/tracing/trace_marker\n"
	"      --keep TIME        how much before it to save (default: 5s)\n"
	"      --after TIME       how much after it to save (default: 1s)\n"
	"      --dump DIR         where the records go (default: .)\n"
	"      --dumps N          only the last N stay there (default: 16)\n"
	"      --pause TIME       at least this long between records (default: 10s)\n"
	"      --then COMMAND     run by sh with QUELL_DUMP, QUELL_CAUSE, QUELL_CPU and\n"
	"                         others set, see quell(1)\n"
	"  -n, --count N          end after N records\n"
	"  -d, --duration TIME    end after that long (default: until ^C)\n"
	USAGE_CPUS
	USAGE_WHAT
	USAGE_BUFFER
	"  -h, --help\n";

struct options {
	struct session_options	session;
	const char		*dir, *then;
	uint64_t		dumps, count, duration;
};

struct watch {
	struct session	s;
	struct options	o;
	struct trigger	trigger;
	struct flight	*flight;
	struct dump_dir	*dir;
	struct then	*then;
	uint64_t	checked;	/* when a reading was asked for, 0: not yet */
	uint64_t	written;
	unsigned int	reopened;	/* of the session, when the marker was made */
	unsigned int	marks;
	bool		failed;
};

static void parse(int argc, char **argv, struct options *o, struct trigger_rules *r)
{
	const struct option_row rows[] = {
		SESSION_OPTIONS(&o->session),
		TIME_OPTION("over", 0, &r->over, "time", 1),
		TEXT_OPTION("marker", 0, &r->mark),
		TIME_OPTION("keep", 0, &r->before, "time", 1000000),
		TIME_OPTION("after", 0, &r->after, "time", 0),
		TEXT_OPTION("dump", 0, &o->dir),
		NUMBER("dumps", 0, &o->dumps, "number of records", 1, 1000000),
		TIME_OPTION("pause", 0, &r->pause, "time", 0),
		TEXT_OPTION("then", 0, &o->then),
		NUMBER("count", 'n', &o->count, "number of records", 1, UINT64_MAX),
		TIME_OPTION("duration", 'd', &o->duration, "duration", 0),
	};

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	if (!*r->mark)
		die(EXIT_USAGE, "watch: --marker needs a text");
	if (r->before + r->after > 3600000000000ull)
		die(EXIT_USAGE, "watch: --keep and --after are an hour at most");
}

/* ---- what the session tells ----------------------------------------------- */

static void on_send(void *arg, const struct send *s)
{
	flight_send(((struct watch *)arg)->flight, s);
}

static void on_receipt(void *arg, const struct receipt *r, const struct send *from)
{
	struct watch *w = arg;

	(void)from;
	flight_receipt(w->flight, r);
	trigger_receipt(&w->trigger, r);
}

static void on_mark(void *arg, uint64_t ts, const char *text)
{
	struct watch *w = arg;

	/* A program may count in its markers: texts in records live for long. */
	if (w->marks < MOST_MARKS)
		w->marks++;
	else
		text = strstr(text, w->trigger.rules.mark) ? w->trigger.rules.mark : "(marker)";
	flight_note(w->flight, ts, text);
	trigger_mark(&w->trigger, ts, text);
}

static void on_notice(void *arg, uint64_t ts, const char *text)
{
	flight_note(((struct watch *)arg)->flight, ts, text);
}

static void on_no_stacks(void *arg)
{
	flight_forget_stacks(((struct watch *)arg)->flight);
}

static volatile sig_atomic_t asked;

static void on_usr1(int sig)
{
	(void)sig;
	asked = 1;
}

/* ---- a dump ----------------------------------------------------------------- */

static uint64_t wall_of(const struct session *s, uint64_t ts)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec - (now_ns() - s->from - ts);
}

static bool write_record(struct watch *w, const char *path, uint64_t from, uint64_t to,
			 const char *why)
{
	struct session *s = &w->s;
	struct rec_writer *out = rec_create(path, &s->strings, &s->stacks, 0, 0);
	uint64_t since = flight_whole_since(w->flight);
	time_t began = wall_of(s, from) / 1000000000;
	struct rec_end end;
	char started[32];
	bool good;

	session_describe(s, out, from);
	strftime(started, sizeof(started), "%Y-%m-%dT%H:%M:%SZ", gmtime(&began));
	rec_meta(out, "started", started);
	rec_meta(out, "dump", why);
	good = flight_write(w->flight, out, from, to, &end);
	if (good && since > from)
		good = rec_note(out, since - from,
				"before this more came than is kept: some is missing");
	if (!good) {
		rec_abandon(out);
		return false;
	}
	return rec_close(out, &end);
}

static const char *const reasons[] = {
	[BY_LENGTH] = "longer", [BY_MARK] = "marker", [BY_SIGNAL] = "signal",
};

static void run_command(struct watch *w, const struct culprit *c, const char *path,
			const char *line)
{
	const struct pending *d = &w->trigger.dump;
	char *mark = text_visible(d->text), *shown = text_visible(line);
	char *env[] = {
		xasprintf("QUELL_DUMP=%s", path),
		xasprintf("QUELL_REASON=%s", reasons[d->by]),
		xasprintf("QUELL_CULPRIT=%s", shown),
		xasprintf("QUELL_MARKER=%s", mark),
		xasprintf("QUELL_CAUSE=%s", c->known ? cause_info(c->r.cause)->key : ""),
		c->known ? xasprintf("QUELL_CPU=%u", c->r.cpu) : xstrdup("QUELL_CPU="),
		c->known ? xasprintf("QUELL_NS=%u", c->r.ns) : xstrdup("QUELL_NS="),
		xasprintf("QUELL_FUNCTION=%s", c->function),
		xasprintf("QUELL_TASK=%s", c->task),
	};

	if (!then_run(w->then, env, ARRAY_SIZE(env)))
		complain("%s still runs for earlier records: not run for %s", w->o.then, path);
	for (size_t i = 0; i < ARRAY_SIZE(env); i++)
		free(env[i]);
	free(mark);
	free(shown);
}

static void say_dump(const struct watch *w, const char *line)
{
	const struct pending *d = &w->trigger.dump;

	if (d->by == BY_MARK) {
		fputs("marker \"", stdout);
		text_put(stdout, d->text, TEXT_PLAIN);
		fputs("\"; longest: ", stdout);
	} else if (d->by == BY_SIGNAL) {
		fputs("signal; longest: ", stdout);
	}
	text_put(stdout, line, TEXT_PLAIN);
	if (d->longer > 1)
		printf(" (and %" PRIu64 " more over the limit)", d->longer - 1);
	if (w->trigger.held_back)
		printf("; %" PRIu64 " earlier reasons came too soon after the last record",
		       w->trigger.held_back);
	putchar('\n');
	fflush(stdout);
}

static void dump(struct watch *w, uint64_t from, uint64_t to)
{
	struct pending *d = &w->trigger.dump;
	uint64_t wall = wall_of(&w->s, d->at);
	char *path = dump_name(w->dir, wall), *line;
	struct culprit c;

	flight_losses(w->flight, to, w->s.sum.lost, w->s.sum.unaccounted);
	/* What came before the reason may be another record's already. */
	culprit_find(&c, w->flight, &w->s.strings, d->by == BY_LENGTH ? d->at : from, to);
	line = culprit_line(&c, &w->s.strings, wall_of(&w->s, c.r.ts));
	if (write_record(w, path, from, to, line)) {
		w->written++;
		dump_prune(w->dir);
		printf("%s: ", path);
		say_dump(w, line);
		if (w->then)
			run_command(w, &c, path, line);
	} else {
		complain("%s cannot be written: %s", path, strerror(errno));
		w->failed = true;
	}
	trigger_done(&w->trigger);
	w->checked = 0;
	culprit_free(&c);
	free(line);
	free(path);
}

/* Not before the kernel's own count was compared with what is written. */
static void dump_if_due(struct watch *w, uint64_t polled)
{
	struct session *s = &w->s;
	uint64_t from, to, told = polled - s->from;

	told = told > TOLD_NS ? told - TOLD_NS : 0;
	if (!trigger_due(&w->trigger, told, &from, &to))
		return;
	if (!w->checked) {
		w->checked = polled;
		s->next_check = 0;
	} else if (polled - w->checked > CHECKED_NS) {
		dump(w, from, to);
	}
}

/* ---- the command -------------------------------------------------------------- */

static void lead_marker(struct watch *w)
{
	char *to = collect_marker(w->s.collect);

	w->reopened = w->s.reopened;
	if (to)
		dump_marker(w->dir, to);
	free(to);
}

static void obey(struct watch *w)
{
	if (!asked)
		return;
	asked = 0;
	trigger_signal(&w->trigger, now_ns() - w->s.from);
}

static void observe(struct watch *w)
{
	struct session *s = &w->s;
	uint64_t end = w->o.duration ? now_ns() + w->o.duration : UINT64_MAX, now;

	while (!stop_signal && (now = now_ns()) < end &&
	       (!w->o.count || w->written < w->o.count)) {
		session_poll(s);
		flight_losses(w->flight, now - s->from, s->sum.lost, s->sum.unaccounted);
		if (s->reopened != w->reopened)
			lead_marker(w);
		obey(w);
		dump_if_due(w, now);
		pause_ms(session_pause(s));
	}
	obey(w);
}

static void say_what(const struct watch *w, const char *dir)
{
	char *cpus = cpulist_format(&w->s.sum.observed);
	const struct trigger_rules *r = &w->trigger.rules;

	printf("watching CPU %s; records go to %s", cpus, dir);
	if (r->over)
		printf(" after an interrupt longer than %g us,", r->over / 1e3);
	printf(" for \"%s\" in %s/marker, and for kill -USR1 %d\n", r->mark, dir,
	       (int)getpid());
	fflush(stdout);
	free(cpus);
}

int cmd_watch(int argc, char **argv)
{
	struct watch *w = xcalloc(1, sizeof(*w));
	struct trigger_rules *r = &w->trigger.rules;
	uint64_t from, to;
	bool failed;

	w->o = (struct options){ .dir = ".", .dumps = 16 };
	*r = (struct trigger_rules){ .before = 5000000000ull, .after = 1000000000ull,
				     .pause = 10000000000ull, .mark = "quell-dump" };
	parse(argc, argv, &w->o, r);
	catch_signals();
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = on_usr1 }, NULL);
	if (w->o.then)
		w->then = then_start(w->o.then);
	w->dir = dump_dir_open(w->o.dir, w->o.dumps);
	/* Interrupts alone are seldom it. */
	if (r->over && !w->o.session.what)
		w->o.session.what = "all";
	/* A reason is told a moment late, and its dump another one later. */
	w->flight = flight_new(r->before + r->after + 2000000000ull, FLIGHT_MOST);
	w->s.no_rows = true;
	w->s.tap = (struct session_tap){ .send = on_send, .receipt = on_receipt,
					 .mark = on_mark, .notice = on_notice,
					 .no_stacks = on_no_stacks, .arg = w };
	session_open(&w->s, &w->o.session);
	if (w->then)
		then_follow(w->then);
	lead_marker(w);
	say_what(w, w->o.dir);
	observe(w);
	session_close(&w->s);
	/* What was coming is written as far as it came. */
	if ((!w->o.count || w->written < w->o.count) &&
	    trigger_due(&w->trigger, UINT64_MAX, &from, &to))
		dump(w, from, to < w->s.sum.duration ? to : w->s.sum.duration);
	dump_dir_close(w->dir);
	if (w->then)
		then_finish(w->then);
	failed = w->failed;
	flight_free(w->flight);
	session_free(&w->s);
	free(w);
	return failed ? EXIT_FAILED : EXIT_OK;
}
