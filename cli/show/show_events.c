// SPDX-License-Identifier: GPL-2.0
/* show_events.c - a record interrupt by interrupt, as lines for people or jq. */
#include <inttypes.h>
#include <stdlib.h>

#include "cgroup.h"
#include "record/events.h"
#include "json.h"
#include "quell.h"
#include "text.h"

static const char *name(const struct event_source *src, uint32_t id)
{
	return strtab_get(src->s->strings, id);
}

static const char *function(const struct event_source *src, const struct receipt *r)
{
	return name(src, r->func ? r->func : r->name);
}

/* ---- lines ---------------------------------------------------------------- */

static void begin(const struct event_source *src, FILE *f)
{
	fprintf(f, "%-30s %14s %-5s %9s %-17s %-27s %-8s %-20s %s\n",
		src->wall ? "TIME (UTC)" : "", "SINCE BEGIN s", "CPU", "TOOK us",
		"CAUSE", "FUNCTION", "FROM CPU", "TASK", "CALL SITE");
}

static void event(const struct event_source *src, FILE *f, const struct shown_event *e)
{
	const char *what = function(src, &e->r);
	char *task, wall[40] = "", took[16] = "-", from[16] = "-", pid[16] = "";

	if (src->wall)
		wall_time(src->wall + e->r.ts, wall);
	if (e->r.ns)
		snprintf(took, sizeof(took), "%.1f", e->r.ns / 1e3);
	if (e->sent)
		snprintf(from, sizeof(from), "%u", e->from.cpu);
	if (e->sent && e->from.pid > 0)
		snprintf(pid, sizeof(pid), " %d", e->from.pid);
	fprintf(f, "%-30s %14.9f %-5u %9s %-17s ", wall, e->r.ts / 1e9, e->r.cpu, took,
		cause_info(e->r.cause)->title);
	text_padded(f, *what ? what : "-", 27);
	task = xasprintf("%s%s", e->sent && e->from.comm ? name(src, e->from.comm) : "-", pid);
	fprintf(f, " %-8s ", from);
	text_padded(f, task, 20);
	fputc(' ', f);
	free(task);
	text_put(f, e->sent && e->from.site ? name(src, e->from.site) :
		 e->sent || e->r.how == HOW_SOURCE ? "-" : "(sender not seen)", TEXT_PLAIN);
	fprintf(f, "%s\n", e->avoidable ? "  avoidable" : "");
}

static void note(const struct event_source *src, FILE *f, uint64_t ts, const char *text)
{
	char wall[40] = "";

	if (src->wall)
		wall_time(src->wall + ts, wall);
	fprintf(f, "%-30s %14.9f ", wall, ts / 1e9);
	text_put(f, text, TEXT_PLAIN);
	fputc('\n', f);
}

static void end(const struct event_source *src, FILE *f)
{
	if (src->s->only_unknown)
		fprintf(f, "LEFT OUT: %" PRIu64 " interruptions of an unknown control group\n",
			src->s->only_unknown);
	if (src->s->lost)
		fprintf(f, "LOST: %" PRIu64 " trace events; there were more interrupts than are shown\n",
			src->s->lost);
	if (src->s->unaccounted)
		fprintf(f, "NOT SEEN: %" PRIu64 " interrupts that the kernel counted\n",
			src->s->unaccounted);
}

const struct event_printer print_lines = {
	.begin = begin, .event = event, .note = note, .end = end,
};

/* ---- JSON lines ----------------------------------------------------------- */

static void or_null(struct json *j, const char *key, const char *text)
{
	if (*text)
		json_str(j, key, text);
	else
		json_null(j, key);
}

static void sender(const struct event_source *src, struct json *j, const struct send *x)
{
	json_open(j, "sender", '{');
	json_u64(j, "cpu", x->cpu);
	or_null(j, "task", name(src, x->comm));
	if (x->pid > 0)
		json_u64(j, "pid", x->pid);
	else
		json_null(j, "pid");
	or_null(j, "call_site", name(src, x->site));
	json_cgroup(j, "cgroup", name(src, x->cgroup));
	json_close(j, '}');
}

static void victim(const struct event_source *src, struct json *j, const struct receipt *r)
{
	if (!r->victim) {
		json_null(j, "victim");
		return;
	}
	json_open(j, "victim", '{');
	or_null(j, "task", name(src, r->victim));
	json_u64(j, "pid", r->victim_pid);
	json_cgroup(j, "cgroup", name(src, r->victim_cgroup));
	json_close(j, '}');
}

static void times(const struct event_source *src, struct json *j, uint64_t ts)
{
	char wall[40];

	json_u64(j, "at_ns", ts);
	if (src->wall)
		json_str(j, "time", wall_time(src->wall + ts, wall));
	else
		json_null(j, "time");
}

static void json_event(const struct event_source *src, FILE *f, const struct shown_event *e)
{
	struct json j = { .f = f };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "event");
	times(src, &j, e->r.ts);
	json_u64(&j, "cpu", e->r.cpu);
	json_str(&j, "cause", cause_info(e->r.cause)->key);
	or_null(&j, "function", function(src, &e->r));
	if (e->r.ns)
		json_u64(&j, "handler_ns", e->r.ns);
	else
		json_null(&j, "handler_ns");
	if (e->r.span)
		json_u64(&j, "span_ns", e->r.span);
	else
		json_null(&j, "span_ns");
	json_bool(&j, "interrupt", e->r.kind == RECEIPT_IRQ);
	victim(src, &j, &e->r);
	json_bool(&j, "idle", e->r.idle);
	json_bool(&j, "avoidable", e->avoidable);
	json_str(&j, "reason", e->why);
	if (e->sent)
		sender(src, &j, &e->from);
	else
		json_null(&j, "sender");
	json_close(&j, '}');
}

static void json_note(const struct event_source *src, FILE *f, uint64_t ts, const char *text)
{
	struct json j = { .f = f };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "note");
	times(src, &j, ts);
	json_str(&j, "text", text);
	json_close(&j, '}');
}

static void json_end(const struct event_source *src, FILE *f)
{
	struct json j = { .f = f };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "end");
	json_u64(&j, "duration_ns", src->s->duration);
	json_u64(&j, "lost_events", src->s->lost);
	json_u64(&j, "unaccounted_interrupts", src->s->unaccounted);
	json_u64(&j, "left_out_unknown", src->s->only_unknown);
	json_close(&j, '}');
}

const struct event_printer print_json_lines = {
	.event = json_event, .note = json_note, .end = json_end,
};
