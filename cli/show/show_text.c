// SPDX-License-Identifier: GPL-2.0
/*
 * show_text.c - a summary as plain tables, 100 columns wide at most where
 * names allow.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "quell.h"
#include "show/remedy.h"
#include "show/show.h"
#include "text.h"

const char *plain_number(uint64_t n, char buf[32])
{
	char digits[24];
	size_t len, out = 0;

	len = snprintf(digits, sizeof(digits), "%" PRIu64, n);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf[out++] = ',';
		buf[out++] = digits[i];
	}
	buf[out] = '\0';
	return buf;
}

const char *row_function(const struct summary *s, const struct source_row *r)
{
	const char *name = strtab_get(s->strings, r->func);

	return *name ? name : "-";
}

const char *row_site(const struct summary *s, const struct source_row *r)
{
	if (!r->site && r->cause == CAUSE_TICK)
		return r->func ? "(armed unseen)" : "-";
	if (!r->site && (r->cause == CAUSE_DEVICE || r->cause == CAUSE_VECTOR))
		return "-";
	return r->known && r->site ? strtab_get(s->strings, r->site) :
		r->known ? "-" : "(sender not seen)";
}

const char *row_task(const struct summary *s, const struct source_row *r)
{
	return r->comm ? strtab_get(s->strings, r->comm) : "-";
}

const char *row_owner(const struct summary *s, const struct source_row *r,
		      char *buf, size_t size)
{
	const char *path = strtab_get(s->strings, r->cgroup);

	/* The kernel's own threads are in the root. */
	if (!*path || !strcmp(path, "/"))
		snprintf(buf, size, "-");
	else
		cgroup_label(path, buf, size);
	return buf;
}

bool row_avoidable(const struct source_row *r, const char **why)
{
	*why = r->why ? r->why : "no interrupt came of it";
	return r->t.avoidable > 0;
}

static void head(const struct summary *s, FILE *f)
{
	char *observed = cpulist_format(&s->observed);
	char *quiet = cpulist_format(&s->quiet);

	fputs("kernel ", f);
	text_put(f, s->release, TEXT_PLAIN);
	fputs(" (", f);
	text_put(f, s->machine, TEXT_PLAIN);
	fputs("), strategy ", f);
	text_put(f, s->strategy, TEXT_PLAIN);
	fprintf(f, "%s, PTI %s, %.3f s\n",
		s->live && strcmp(s->strategy, "live") ? " + live module" : "",
		!s->pti_known ? "unknown" : s->facts.pti ? "on" : "off",
		s->duration / 1e9);
	fprintf(f, "observed CPUs %s; isolated %s\n", observed,
		*quiet ? quiet : "none");
	if (s->command) {
		fputs("while running: ", f);
		text_put(f, s->command, TEXT_PLAIN);
		fputc('\n', f);
	}
	if (s->only) {
		fputs("only what was ", f);
		text_put(f, s->only, TEXT_PLAIN);
		if (s->only_unknown)
			fprintf(f, "; %" PRIu64 " interruptions of an unknown control group are left out",
				s->only_unknown);
		fputc('\n', f);
	}
	free(observed);
	free(quiet);
}

static void causes(const struct summary *s, FILE *f)
{
	char a[32], b[32], c[32], d[32];

	fprintf(f, "\n%-18s %10s %10s %10s %9s %9s  %s\n", "CAUSE", "INTERRUPTS",
		"SENDS", "AVOIDABLE", "RODE", "POLLED", "SENDER UNKNOWN");
	for (int i = 0; i < NR_CAUSES; i++) {
		const struct tally *t = &s->cause[i];

		if (!cause_is_irq(i) || (!t->irqs && !t->rides && !t->polled && !t->sends))
			continue;
		fprintf(f, "%-18s %10s %10s %10s %9" PRIu64 " %9" PRIu64 "  %s\n",
			cause_info(i)->title, plain_number(t->irqs, a),
			plain_number(t->sends, b),
			t->avoidable ? plain_number(t->avoidable, c) : "-",
			t->rides, t->polled,
			t->unknown ? plain_number(t->unknown, d) : "-");
	}
	fprintf(f, "%-18s %10s %10s %10s\n", "all",
		plain_number(s->total.irqs, a), plain_number(s->total.sends, b),
		s->total.avoidable ? plain_number(s->total.avoidable, c) : "-");
}

/* Below @edge, and not below the one before. */
static void bar_heads(FILE *f)
{
	char t[16];

	for (int e = 0; e < HIST_EDGES; e++) {
		short_time(hist_edge[e], t);
		for (char *p = t; *p; p++)	/* "1.0 us" is 1us here */
			if (*p == '.')
				memmove(p, p + 3, strlen(p + 3) + 1);
		fprintf(f, " %7s%s", "<", t);
	}
	fputs("    longer\n", f);
}

static void time_line(FILE *f, const char *name, const struct hist *h, uint64_t of)
{
	char a[32], total[16], p50[16], p99[16], max[16];

	fprintf(f, "%-18s %10s %9s %8.4f%% %9s %9s %9s\n", name, plain_number(h->n, a),
		short_time(h->sum, total), of ? 100.0 * h->sum / of : 0.0,
		short_time(hist_quantile(h, 0.5), p50),
		short_time(hist_quantile(h, 0.99), p99), short_time(h->max, max));
}

/* What it cost those who ran. */
static void times(const struct summary *s, FILE *f)
{
	uint64_t of = s->duration * cpuset_count(&s->observed);

	if (!s->lost_time.n)
		return;
	fprintf(f, "\n%-18s %10s %9s %9s %9s %9s %9s\n", "TIME LOST", "TIMES", "TOTAL",
		"OF ALL", "P50", "P99", "MAX");
	for (int c = 0; c < NR_CAUSES; c++)
		if (s->lost_by_cause[c].n)
			time_line(f, cause_info(c)->title, &s->lost_by_cause[c], of);
	time_line(f, "all", &s->lost_time, of);
	fprintf(f, "\n%-18s", "HISTOGRAM");
	bar_heads(f);
	for (int c = 0; c < NR_CAUSES; c++) {
		const struct hist *h = &s->lost_by_cause[c];
		uint64_t longer = h->n;

		if (!h->n)
			continue;
		fprintf(f, "%-18s", cause_info(c)->title);
		for (int e = 0; e < HIST_EDGES; e++) {
			fprintf(f, " %9" PRIu64, h->shorter[e]);
			longer -= h->shorter[e];
		}
		fprintf(f, " %9" PRIu64 "\n", longer);
	}
}

static void frames(const struct summary *s, FILE *f, uint32_t stack)
{
	const struct blob *b = stack ? &s->stacks->item[stack] : NULL;
	uint32_t id;

	for (size_t i = 0; b && i + sizeof(id) <= b->len; i += sizeof(id)) {
		memcpy(&id, b->data + i, sizeof(id));
		fputs("      ", f);
		text_put(f, strtab_get(s->strings, id), TEXT_PLAIN);
		fputc('\n', f);
	}
}

static void sources(const struct summary *s, FILE *f, bool stacks)
{
	char a[32], b[32], each[32], lost[16], max[16], owner[OWNER_LABEL];
	const struct irq_facts *irq;
	const char *why;

	fprintf(f, "\n%10s %8s %7s %9s %8s  %-17s %-27s %-24s %-15s %s\n", "TIMES",
		"SENDS", "EACH", "LOST", "MAX", "CAUSE", "FUNCTION", "CALL SITE", "TASK",
		"FROM CPU");
	for (size_t i = 0; i < s->nrows; i++) {
		const struct source_row *r = s->row[i];
		char *from = cpulist_format(&r->senders);

		/* Requests if there are any: an interrupt may serve several. */
		if (r->t.sends && (r->t.requests || row_count(r)))
			snprintf(each, sizeof(each), "%.1f",
				 (double)(r->t.requests ? r->t.requests : row_count(r)) /
				 r->t.sends);
		else
			strcpy(each, "-");
		fprintf(f, "%10s %8s %7s %9s %8s  %-17s ", plain_number(row_count(r), a),
			r->t.sends ? plain_number(r->t.sends, b) : "-", each,
			r->lost ? short_time(r->lost->sum, lost) : "-",
			r->lost ? short_time(r->lost->max, max) : "-",
			cause_info(r->cause)->title);
		text_padded(f, row_function(s, r), 27);
		fputc(' ', f);
		text_padded(f, row_site(s, r), 24);
		fputc(' ', f);
		text_padded(f, row_task(s, r), 15);
		fprintf(f, " %s%s\n", *from ? from : "-",
			row_avoidable(r, &why) ? "  avoidable" : "");
		if (r->detail) {
			fputs("           because: ", f);
			text_put(f, strtab_get(s->strings, r->detail), TEXT_PLAIN);
			fputc('\n', f);
		}
		row_owner(s, r, owner, sizeof(owner));
		if (strcmp(owner, "-")) {
			fputs("           cgroup: ", f);
			text_put(f, owner, TEXT_PLAIN);
			fputc('\n', f);
		}
		irq = row_irq(s, r);
		if (irq) {
			char *text = irqs_text(irq);

			fputs("           device: ", f);
			text_put(f, text, TEXT_PLAIN);
			fputc('\n', f);
			free(text);
		}
		if (row_count(r)) {
			char *how = remedy(s, r);

			fputs("           remedy: ", f);
			text_padded(f, how, 0);
			fputc('\n', f);
			free(how);
		}
		if (stacks)
			frames(s, f, r->stack);
		free(from);
	}
}

static void cpus(const struct summary *s, FILE *f)
{
	char a[32], b[32];
	int cpu;

	fprintf(f, "\n%-5s %10s %10s  %s\n", "CPU", "INTERRUPTS", "AVOIDABLE",
		"BY CAUSE");
	for_each_cpu_in(cpu, &s->observed) {
		const struct cpu_row *r = s->cpu[cpu];

		fprintf(f, "%-4d%c %10s %10s%s", cpu,
			cpuset_has(&s->quiet, cpu) ? '*' : ' ',
			plain_number(r ? r->irqs : 0, a),
			r && r->avoidable ? plain_number(r->avoidable, b) : "-",
			r && r->irqs ? " " : "");
		for (int c = 0; r && c < NR_CAUSES; c++)
			if (r->by_cause[c])
				fprintf(f, " %s %" PRIu64, cause_info(c)->key,
					r->by_cause[c]);
		fputc('\n', f);
	}
	if (cpuset_count(&s->quiet))
		fputs("(* isolated or nohz_full)\n", f);
}

/* Whom it cost: those of a control group that had to wait. */
static void victims(const struct summary *s, FILE *f)
{
	char times[32], lost[16], max[16], label[OWNER_LABEL];

	if (!s->nvictims)
		return;
	fprintf(f, "\n%10s %9s %8s  %s\n", "TIMES", "LOST", "MAX", "CONTROL GROUP THAT WAITED");
	for (size_t i = 0; i < s->nvictims; i++) {
		const struct victim_row *v = &s->victim[i];

		fprintf(f, "%10s %9s %8s  ", plain_number(v->times, times),
			v->lost ? short_time(v->lost, lost) : "-",
			v->max ? short_time(v->max, max) : "-");
		text_put(f, cgroup_label(strtab_get(s->strings, v->cgroup), label, sizeof(label)),
			 TEXT_PLAIN);
		fputc('\n', f);
	}
}

static void losses(const struct summary *s, FILE *f)
{
	if (s->lost)
		fprintf(f, "LOST: %" PRIu64 " trace events; use a larger --buffer\n",
			s->lost);
	if (s->expired)
		fprintf(f, "%" PRIu64 " requests were never seen to be served\n",
			s->expired);
}

static void agreement(const struct summary *s, FILE *f)
{
	struct verdict v = summary_verdict(s);

	if (!s->nagree && !s->live && !s->duration)
		return;
	if (s->dump) {
		fprintf(f, "\n/proc/interrupts is not compared for a part; %" PRIu64 " interrupts were counted and not traced\n",
			s->unaccounted);
		losses(s, f);
		return;
	}
	fprintf(f, "\n/proc/interrupts: %u of %u counts agree exactly", v.exact,
		v.exact + v.within + v.off);
	if (v.within)
		fprintf(f, ", %u within the moment of reading", v.within);
	if (v.off)
		fprintf(f, ", %u DO NOT AGREE (%" PRIu64 " interrupts not traced)",
			v.off, v.missing);
	fputc('\n', f);
	for (size_t i = 0; i < s->nagree; i++) {
		const struct agreement *a = &s->agree[i];

		if (a->traced && agrees(a))
			continue;
		fprintf(f, "  CPU %u ", a->cpu);
		text_put(f, a->label, TEXT_PLAIN);
		fprintf(f, ": the kernel counts %" PRIu64 "%s", a->kernel,
			a->traced ? "" : " (no trace event for these)\n");
		if (a->traced)
			fprintf(f, ", the trace %" PRIu64 "\n", a->counted);
	}
	losses(s, f);
}

/* Why each avoidable cause is, by the first of its sources. */
static void reasons(const struct summary *s, FILE *f)
{
	const char *why;
	bool told[NR_CAUSES] = { false }, any = false;

	for (size_t i = 0; i < s->nrows; i++) {
		enum cause c = s->row[i]->cause;

		if (told[c] || !row_avoidable(s->row[i], &why))
			continue;
		fprintf(f, "%savoidable %s: %s (quell explain %s)\n",
			any ? "" : "\n", cause_info(c)->title, why,
			cause_info(c)->key);
		told[c] = any = true;
	}
}

static void syncs(const struct summary *s, FILE *f)
{
	for (int i = 0; i < s->nsync; i++) {
		fprintf(f, "%spt_sync ", i ? "" : "\n");
		text_put(f, s->sync[i].strategy, TEXT_PLAIN);
		fprintf(f, ": %llu syncs, %llu by receipt, %llu broadcasts, %llu CPUs interrupted\n",
			s->sync[i].syncs, s->sync[i].receipts,
			s->sync[i].broadcasts, s->sync[i].interrupted);
	}
	if (s->has_deferred)
		fprintf(f, "kernel_flush: put off %llu times, interrupted %llu times\n",
			s->flush_deferred, s->flush_interrupted);
}

void show_text(const struct summary *s, FILE *f, bool stacks)
{
	head(s, f);
	if (!s->has_csd)
		fputs("degraded: this kernel has no csd events; functions are told by the sender's stack alone\n", f);
	if (s->dump) {
		fputs("quell watch kept this: ", f);
		text_put(f, s->dump, TEXT_PLAIN);
		fputc('\n', f);
	}
	if (s->cut)
		fputs("CUT: the recording was not finished; this is what it holds\n", f);
	for (size_t i = 0; i < s->nnotes && i < ARRAY_SIZE(s->note); i++) {
		fprintf(f, "at %.3f s: ", s->note[i].ts / 1e9);
		text_put(f, s->note[i].text, TEXT_PLAIN);
		fputc('\n', f);
	}
	if (s->nnotes > ARRAY_SIZE(s->note))
		fprintf(f, "and %zu more such notes\n", s->nnotes - ARRAY_SIZE(s->note));
	if (s->skipped)
		fprintf(f, "%" PRIu64 " entries of kinds this version does not know are left out\n",
			s->skipped);
	causes(s, f);
	times(s, f);
	if (s->cause[CAUSE_TICK].irqs && !strstr(s->what ? s->what : "", "timer") &&
	    strcmp(s->what ? s->what : "", "all"))
		fputs("\n(timers are not named: record with --what timer)\n", f);
	if (s->nrows)
		sources(s, f, stacks);
	cpus(s, f);
	victims(s, f);
	reasons(s, f);
	syncs(s, f);
	agreement(s, f);
}
