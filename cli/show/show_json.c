// SPDX-License-Identifier: GPL-2.0
/*
 * show_json.c - a summary as JSON; the schema is docs/operate/cli-json.md, and a change
 * that could break a reader raises SCHEMA.
 */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "json.h"
#include "quell.h"
#include "show/remedy.h"
#include "show/show.h"

#define SCHEMA	1

static void set(struct json *j, const char *key, const struct cpuset *s)
{
	char *list = cpulist_format(s);

	json_str(j, key, list);
	free(list);
}

static void tally(struct json *j, const struct tally *t)
{
	json_u64(j, "interrupts", t->irqs);
	json_u64(j, "sender_unknown", t->unknown);
	json_u64(j, "avoidable", t->avoidable);
	json_u64(j, "rode_along", t->rides);
	json_u64(j, "polled", t->polled);
	json_u64(j, "requests", t->requests);
	json_u64(j, "sends", t->sends);
	json_u64(j, "ipis", t->ipis);
	json_u64(j, "handler_ns", t->ns);
	json_u64(j, "interruptions", t->irqs + t->parts);
}

/* What it cost those who ran; @h may be NULL. */
static void lost(struct json *j, const struct hist *h)
{
	uint64_t longer = h ? h->n : 0;

	json_open(j, "lost", '{');
	json_u64(j, "timed", h ? h->n : 0);
	json_u64(j, "total_ns", h ? h->sum : 0);
	json_u64(j, "p50_ns", hist_quantile(h, 0.5));
	json_u64(j, "p99_ns", hist_quantile(h, 0.99));
	json_u64(j, "max_ns", h ? h->max : 0);
	json_open(j, "histogram", '[');
	for (int e = 0; h && e < HIST_EDGES; e++) {
		json_open(j, NULL, '{');
		json_u64(j, "below_ns", hist_edge[e]);
		json_u64(j, "count", h->shorter[e]);
		json_close(j, '}');
		longer -= h->shorter[e];
	}
	if (h) {
		json_open(j, NULL, '{');
		json_null(j, "below_ns");
		json_u64(j, "count", longer);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void text_or_null(struct json *j, const char *key, const char *text)
{
	if (*text)
		json_str(j, key, text);
	else
		json_null(j, key);
}

static void system_part(struct json *j, const struct summary *s)
{
	json_open(j, "system", '{');
	json_str(j, "release", s->release);
	json_str(j, "machine", s->machine);
	text_or_null(j, "host", s->host ? s->host : "");
	text_or_null(j, "processor", s->processor ? s->processor : "");
	json_str(j, "strategy", s->strategy);
	json_bool(j, "live_module", s->live);
	json_bool(j, "kernel_flush", s->facts.kernel_flush);
	if (s->pti_known)
		json_bool(j, "pti", s->facts.pti);
	else
		json_null(j, "pti");
	json_str(j, "flush", s->flush);
	/* No csd events: functions are told by the sender's stack alone. */
	json_bool(j, "degraded", !s->has_csd);
	set(j, "online", &s->online);
	set(j, "isolated", &s->quiet);
	set(j, "observed", &s->observed);
	json_close(j, '}');
}

static void causes(struct json *j, const struct summary *s)
{
	json_open(j, "causes", '[');
	for (int c = 0; c < NR_CAUSES; c++) {
		const struct tally *t = &s->cause[c];

		if (!t->irqs && !t->rides && !t->polled && !t->sends && !t->parts)
			continue;
		json_open(j, NULL, '{');
		json_str(j, "cause", cause_info(c)->key);
		json_str(j, "title", cause_info(c)->title);
		tally(j, t);
		lost(j, &s->lost_by_cause[c]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void cpus(struct json *j, const struct summary *s)
{
	int cpu;

	json_open(j, "cpus", '[');
	for_each_cpu_in(cpu, &s->observed) {
		const struct cpu_row *r = s->cpu[cpu];

		json_open(j, NULL, '{');
		json_u64(j, "cpu", cpu);
		json_bool(j, "isolated", cpuset_has(&s->quiet, cpu));
		json_u64(j, "interrupts", r ? r->irqs : 0);
		json_u64(j, "avoidable", r ? r->avoidable : 0);
		json_u64(j, "lost_ns", r ? r->lost : 0);
		json_open(j, "by_cause", '{');
		for (int c = 0; r && c < NR_CAUSES; c++)
			if (r->by_cause[c])
				json_u64(j, cause_info(c)->key, r->by_cause[c]);
		json_close(j, '}');
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void stack(struct json *j, const struct summary *s, uint32_t number)
{
	const struct blob *b = number ? &s->stacks->item[number] : NULL;
	uint32_t id;

	json_open(j, "stack", '[');
	for (size_t i = 0; b && i + sizeof(id) <= b->len; i += sizeof(id)) {
		memcpy(&id, b->data + i, sizeof(id));
		json_str(j, NULL, strtab_get(s->strings, id));
	}
	json_close(j, ']');
}

/* Of a device: where its interrupts may go, and did when it began. */
static void affinity(struct json *j, const struct irq_facts *f)
{
	char *file;

	if (!f) {
		json_null(j, "affinity");
		return;
	}
	json_open(j, "affinity", '{');
	file = xasprintf("/proc/irq/%u/smp_affinity_list", f->irq);
	json_str(j, "file", file);
	free(file);
	set(j, "allowed", &f->may);
	set(j, "effective", &f->does);
	json_bool(j, "fixed", f->fixed);
	text_or_null(j, "driver", f->driver);
	json_close(j, '}');
}

static void sources(struct json *j, const struct summary *s)
{
	const char *why;
	char *how;

	json_open(j, "sources", '[');
	for (size_t i = 0; i < s->nrows; i++) {
		const struct source_row *r = s->row[i];
		bool avoid = row_avoidable(r, &why);

		json_open(j, NULL, '{');
		json_str(j, "cause", cause_info(r->cause)->key);
		text_or_null(j, "function", strtab_get(s->strings, r->func));
		json_bool(j, "sender_known", r->known);
		text_or_null(j, "call_site", strtab_get(s->strings, r->site));
		text_or_null(j, "task", strtab_get(s->strings, r->comm));
		json_cgroup(j, "cgroup", strtab_get(s->strings, r->cgroup));
		set(j, "senders", &r->senders);
		set(j, "receivers", &r->receivers);
		tally(j, &r->t);
		lost(j, r->lost);
		text_or_null(j, "detail", strtab_get(s->strings, r->detail));
		json_u64(j, "handler_ns_max", r->max_ns);
		json_bool(j, "quell_avoids", avoid);
		json_str(j, "reason", why);
		affinity(j, row_irq(s, r));
		how = remedy(s, r);
		json_str(j, "remedy", how);
		free(how);
		stack(j, s, r->stack);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void victims(struct json *j, const struct summary *s)
{
	json_open(j, "victims", '[');
	for (size_t i = 0; i < s->nvictims; i++) {
		const struct victim_row *v = &s->victim[i];

		json_open(j, NULL, '{');
		json_cgroup(j, "cgroup", strtab_get(s->strings, v->cgroup));
		json_u64(j, "interruptions", v->times);
		json_u64(j, "lost_ns", v->lost);
		json_u64(j, "max_ns", v->max);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void counters(struct json *j, const struct summary *s)
{
	struct verdict v = summary_verdict(s);

	json_open(j, "proc_interrupts", '{');
	/* Part of an observation has nothing to be compared with. */
	if (s->dump)
		json_null(j, "agree");
	else
		json_bool(j, "agree", !v.off);
	json_u64(j, "exact", v.exact);
	json_u64(j, "within_reading", v.within);
	json_u64(j, "off", v.off);
	json_u64(j, "not_traced", v.missing);
	json_open(j, "rows", '[');
	for (size_t i = 0; i < s->nagree; i++) {
		const struct agreement *a = &s->agree[i];

		json_open(j, NULL, '{');
		json_str(j, "row", a->label);
		json_u64(j, "cpu", a->cpu);
		json_bool(j, "has_event", a->traced);
		json_u64(j, "kernel", a->kernel);
		json_u64(j, "traced", a->counted);
		json_u64(j, "while_reading", a->slack);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void syncs(struct json *j, const struct summary *s)
{
	json_open(j, "pt_sync", '[');
	for (int i = 0; i < s->nsync; i++) {
		json_open(j, NULL, '{');
		json_str(j, "strategy", s->sync[i].strategy);
		json_u64(j, "syncs", s->sync[i].syncs);
		json_u64(j, "receipts", s->sync[i].receipts);
		json_u64(j, "broadcasts", s->sync[i].broadcasts);
		json_u64(j, "cpus_interrupted", s->sync[i].interrupted);
		json_close(j, '}');
	}
	json_close(j, ']');
	if (s->has_deferred) {
		json_open(j, "kernel_flush", '{');
		json_u64(j, "deferred", s->flush_deferred);
		json_u64(j, "interrupted", s->flush_interrupted);
		json_close(j, '}');
	} else {
		json_null(j, "kernel_flush");
	}
}

static void notes(struct json *j, const struct summary *s)
{
	json_open(j, "notes", '[');
	for (size_t i = 0; i < s->nnotes && i < ARRAY_SIZE(s->note); i++) {
		json_open(j, NULL, '{');
		json_u64(j, "at_ns", s->note[i].ts);
		json_str(j, "text", s->note[i].text);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void show_json(const struct summary *s, FILE *f)
{
	struct json j = { .f = f };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "report");
	json_u64(&j, "schema", SCHEMA);
	json_str(&j, "version", QUELL_VERSION);
	text_or_null(&j, "started", s->started ? s->started : "");
	text_or_null(&j, "command", s->command ? s->command : "");
	text_or_null(&j, "dump", s->dump ? s->dump : "");
	text_or_null(&j, "what", s->what ? s->what : "");
	text_or_null(&j, "only", s->only ? s->only : "");
	json_u64(&j, "left_out_unknown", s->only_unknown);
	json_u64(&j, "duration_ns", s->duration);
	json_bool(&j, "complete", !s->cut);
	notes(&j, s);
	system_part(&j, s);
	json_open(&j, "totals", '{');
	tally(&j, &s->total);
	lost(&j, &s->lost_time);
	json_u64(&j, "lost_events", s->lost);
	json_u64(&j, "requests_not_seen_served", s->expired);
	json_u64(&j, "unaccounted_interrupts", s->unaccounted);
	json_close(&j, '}');
	causes(&j, s);
	cpus(&j, s);
	sources(&j, s);
	victims(&j, s);
	counters(&j, s);
	syncs(&j, s);
	json_close(&j, '}');
}
