// SPDX-License-Identifier: GPL-2.0
/*
 * show_perfetto.c - a record for a trace viewer (ui.perfetto.dev, Chrome), in the
 * Trace Event format.
 *
 * Two processes: "interrupted", a thread per CPU with a slice per interrupt, and
 * "senders", a thread per CPU with a slice per request that led to one. An arrow
 * leads from the one to the other. Where the time in the handler is not known a
 * slice has no length. Times are CLOCK_MONOTONIC, the kernel trace's own.
 */
#include <inttypes.h>
#include <string.h>

#include "record/events.h"
#include "json.h"
#include "quell.h"

enum { INTERRUPTED = 1, SENDERS = 2 };

#define SLOTS	65536	/* senders whose slice is there already */

static struct {
	bool		any, named[3][MAX_CPUS];
	uint64_t	arrows;
	uint64_t	sent[SLOTS];	/* time and CPU of a send, mixed */
} state;

static void open_event(struct json *j, FILE *f, const char *type, const char *name)
{
	fputs(state.any ? ",\n" : "\n", f);
	state.any = true;
	*j = (struct json){ .f = f, .depth = 1 };	/* so that no line ends inside */
	json_open(j, NULL, '{');
	json_str(j, "ph", type);
	json_str(j, "name", name);
}

/* Microseconds, to the nanosecond. A send may lie before the window. */
static void when(struct json *j, const struct event_source *src, uint64_t ts)
{
	/* Without a clock the window opens after a second, so that all is positive. */
	uint64_t ns = (src->mono ? src->mono : 1000000000) + ts;

	fprintf(j->f, ",\"ts\":%" PRIu64 ".%03u", ns / 1000, (unsigned int)(ns % 1000));
}

static void place(struct json *j, int pid, unsigned int cpu)
{
	json_u64(j, "pid", pid);
	json_u64(j, "tid", cpu + 1);	/* 0 is special to viewers */
}

static void name_process(FILE *f, int pid, const char *name)
{
	struct json j;

	open_event(&j, f, "M", "process_name");
	json_u64(&j, "pid", pid);
	json_open(&j, "args", '{');
	json_str(&j, "name", name);
	json_close(&j, '}');
	json_close(&j, '}');
}

static void name_cpu(FILE *f, int pid, unsigned int cpu)
{
	struct json j;
	char name[32];

	if (state.named[pid][cpu])
		return;
	state.named[pid][cpu] = true;
	snprintf(name, sizeof(name), "CPU %u", cpu);
	open_event(&j, f, "M", "thread_name");
	place(&j, pid, cpu);
	json_open(&j, "args", '{');
	json_str(&j, "name", name);
	json_close(&j, '}');
	json_close(&j, '}');
	open_event(&j, f, "M", "thread_sort_index");
	place(&j, pid, cpu);
	json_open(&j, "args", '{');
	json_u64(&j, "sort_index", cpu);
	json_close(&j, '}');
	json_close(&j, '}');
}

static void begin(const struct event_source *src, FILE *f)
{
	(void)src;
	memset(&state, 0, sizeof(state));
	fputs("{\"traceEvents\":[", f);
	name_process(f, INTERRUPTED, "interrupted");
	name_process(f, SENDERS, "senders");
}

/* One broadcast interrupts many and is one slice. */
static bool first_of(const struct send *x)
{
	uint64_t key = x->ts * MAX_CPUS + x->cpu + 1;
	uint64_t *slot = &state.sent[(key * 11400714819323198485ull) % SLOTS];

	if (*slot == key)
		return false;
	*slot = key;
	return true;
}

static void send_slice(const struct event_source *src, FILE *f, const struct send *x)
{
	const struct strtab *t = src->s->strings;
	struct json j;

	name_cpu(f, SENDERS, x->cpu);
	if (!first_of(x))
		return;
	open_event(&j, f, "X", x->site ? strtab_get(t, x->site) : cause_info(x->cause)->key);
	json_str(&j, "cat", cause_info(x->cause)->key);
	place(&j, SENDERS, x->cpu);
	when(&j, src, x->ts);
	fputs(",\"dur\":0", f);
	json_open(&j, "args", '{');
	json_str(&j, "task", strtab_get(t, x->comm));
	if (x->pid > 0)
		json_u64(&j, "pid", x->pid);
	json_u64(&j, "targets", x->targets);
	json_close(&j, '}');
	json_close(&j, '}');
}

static void arrow(const struct event_source *src, FILE *f, const struct shown_event *e)
{
	struct json j;

	state.arrows++;
	open_event(&j, f, "s", "sent");
	json_str(&j, "cat", "ipi");
	json_u64(&j, "id", state.arrows);
	place(&j, SENDERS, e->from.cpu);
	when(&j, src, e->from.ts);
	json_close(&j, '}');
	open_event(&j, f, "f", "sent");
	json_str(&j, "cat", "ipi");
	json_str(&j, "bp", "e");
	json_u64(&j, "id", state.arrows);
	place(&j, INTERRUPTED, e->r.cpu);
	when(&j, src, e->r.ts);
	json_close(&j, '}');
}

static void event(const struct event_source *src, FILE *f, const struct shown_event *e)
{
	const struct receipt *r = &e->r;
	const char *what = strtab_get(src->s->strings, r->func ? r->func : r->name);
	struct json j;

	name_cpu(f, INTERRUPTED, r->cpu);
	if (e->sent)
		send_slice(src, f, &e->from);
	open_event(&j, f, "X", *what ? what : cause_info(r->cause)->title);
	json_str(&j, "cat", cause_info(r->cause)->key);
	place(&j, INTERRUPTED, r->cpu);
	when(&j, src, r->ts);
	fprintf(f, ",\"dur\":%" PRIu32 ".%03" PRIu32, (r->span ? r->span : r->ns) / 1000,
		(r->span ? r->span : r->ns) % 1000);
	json_open(&j, "args", '{');
	json_str(&j, "cause", cause_info(r->cause)->title);
	json_bool(&j, "avoidable", e->avoidable);
	json_str(&j, "reason", e->why);
	if (e->sent) {
		json_u64(&j, "sender_cpu", e->from.cpu);
		json_str(&j, "task", strtab_get(src->s->strings, e->from.comm));
		if (e->from.cgroup)
			json_str(&j, "cgroup", strtab_get(src->s->strings, e->from.cgroup));
	}
	json_close(&j, '}');
	json_close(&j, '}');
	if (e->sent)
		arrow(src, f, e);
}

static void note(const struct event_source *src, FILE *f, uint64_t ts, const char *text)
{
	struct json j;

	open_event(&j, f, "i", text);
	json_str(&j, "s", "g");
	json_str(&j, "cat", "quell");
	place(&j, INTERRUPTED, 0);
	when(&j, src, ts);
	json_close(&j, '}');
}

static void end(const struct event_source *src, FILE *f)
{
	const struct summary *s = src->s;
	struct json j = { .f = f, .depth = 1 };
	char text[80], wall[40];

	if (s->lost) {
		snprintf(text, sizeof(text), "LOST: %" PRIu64 " trace events", s->lost);
		note(src, f, s->duration, text);
	}
	fputs("\n],\"displayTimeUnit\":\"ns\",\"otherData\":", f);
	json_open(&j, NULL, '{');
	json_str(&j, "quell", QUELL_VERSION);
	json_str(&j, "kernel", s->release ? s->release : "?");
	json_str(&j, "strategy", s->strategy ? s->strategy : "?");
	if (src->wall)
		json_str(&j, "window_opened", wall_time(src->wall, wall));
	json_u64(&j, "window_opened_monotonic_ns", src->mono);
	json_u64(&j, "duration_ns", s->duration);
	json_u64(&j, "lost_events", s->lost);
	json_u64(&j, "unaccounted_interrupts", s->unaccounted);
	json_close(&j, '}');
	fputs("}\n", f);
}

const struct event_printer print_perfetto = {
	.begin = begin, .event = event, .note = note, .end = end,
};
