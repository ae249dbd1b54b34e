// SPDX-License-Identifier: GPL-2.0
/*
 * show_metrics.c - a summary as metrics, for Prometheus.
 *
 * Two dialects: OpenMetrics for scrapers that ask for it, and the older text
 * format that node_exporter's textfile collector reads. They differ in how a
 * counter's family is called and in the last line.
 */
#include <inttypes.h>

#include "quell.h"
#include "show/show.h"
#include "text.h"

static void value(FILE *f, const char *s)
{
	fputc('"', f);
	text_put(f, s, TEXT_LABEL);
	fputc('"', f);
}

static void family(FILE *f, const char *name, const char *type,
		   const char *help, enum metrics_format fmt)
{
	const char *suffix = "";

	if (fmt == METRICS_PROMETHEUS && *type == 'c')
		suffix = "_total";
	if (fmt == METRICS_PROMETHEUS && *type == 'i') {
		suffix = "_info";
		type = "gauge";
	}
	fprintf(f, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name,
		suffix, type);
}

static void one_cpu(FILE *f, const struct summary *s, int cpu, enum cause c,
		       bool avoidable, uint64_t n)
{
	fprintf(f, "quell_interrupts_total{cpu=\"%d\",isolated=\"%d\",cause=\"%s\",avoidable=\"%d\"} %" PRIu64 "\n",
		cpu, cpuset_has(&s->quiet, cpu), cause_info(c)->key, avoidable, n);
}

static void by_cause_and_cpu(const struct summary *s, FILE *f,
			     enum metrics_format fmt)
{
	int cpu;

	family(f, "quell_interrupts", "counter",
	       "Interrupts received by observed CPUs.", fmt);
	for_each_cpu_in(cpu, &s->observed) {
		const struct cpu_row *r = s->cpu[cpu];

		/* Every series from the start, or a first increase is lost. */
		for (int c = 0; c < NR_CAUSES; c++) {
			uint64_t n = r ? r->by_cause[c] : 0;
			uint64_t avoid = r ? r->avoidable_by_cause[c] : 0;

			if (!cause_is_irq(c))
				continue;
			one_cpu(f, s, cpu, c, false, n - avoid);
			if (c == CAUSE_PT_SYNC || c == CAUSE_TLB_KERNEL)
				one_cpu(f, s, cpu, c, true, avoid);
		}
	}
}

static void one_source(FILE *f, const struct series_set *t, const char *cause,
		       const char *name[NR_LABELS], const char *known, uint64_t n)
{
	fprintf(f, "quell_source_interrupts_total{cause=\"%s\"", cause);
	for (int i = 0; i < NR_LABELS; i++) {
		if (!(t->labels & 1u << i))
			continue;
		fprintf(f, ",%s=", series_label_name[i]);
		value(f, name[i]);
	}
	fprintf(f, ",sender_known=\"%s\"} %" PRIu64 "\n", known, n);
}

static void by_source(const struct summary *s, const struct series_set *t, FILE *f,
		      enum metrics_format fmt)
{
	const char *name[NR_LABELS];

	family(f, "quell_source_interrupts", "counter",
	       "Interrupts by what ran and who sent it from where; the busiest, and all others in one.",
	       fmt);
	for (size_t i = 0; i < t->n; i++) {
		const struct series *x = &t->item[i];

		for (int k = 0; k < NR_LABELS; k++)
			name[k] = strtab_get(s->strings, x->label[k]);
		if (x->shown)
			one_source(f, t, cause_info(x->cause)->key, name,
				   x->known ? "1" : "0", x->value);
	}
	/* No cause is called so, whatever a task is called. */
	for (int k = 0; k < NR_LABELS; k++)
		name[k] = "other";
	one_source(f, t, "other", name, "", t->other);
}

/* Every bucket from the start, so that rates are right from the first on. */
static void lost_time(const struct summary *s, FILE *f, enum metrics_format fmt)
{
	family(f, "quell_lost_seconds", "histogram",
	       "Time that interruptions took from running tasks, each without what nested in it.",
	       fmt);
	for (int c = 0; c < NR_CAUSES; c++) {
		const struct hist *h = &s->lost_by_cause[c];
		const char *key = cause_info(c)->key;
		uint64_t sum = 0;

		for (int e = 0; e < HIST_EDGES; e++) {
			sum += h->shorter[e];
			fprintf(f, "quell_lost_seconds_bucket{cause=\"%s\",le=\"%.6f\"} %" PRIu64 "\n",
				key, hist_edge[e] / 1e9, sum);
		}
		fprintf(f, "quell_lost_seconds_bucket{cause=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
			"quell_lost_seconds_sum{cause=\"%s\"} %.9f\n"
			"quell_lost_seconds_count{cause=\"%s\"} %" PRIu64 "\n",
			key, h->n, key, h->sum / 1e9, key, h->n);
	}
}

static void counter(FILE *f, enum metrics_format fmt, const char *name,
		    const char *help, uint64_t v)
{
	family(f, name, "counter", help, fmt);
	fprintf(f, "%s_total %" PRIu64 "\n", name, v);
}

void show_metrics(const struct summary *s, const struct series_set *series, FILE *f,
		  enum metrics_format fmt)
{
	family(f, "quell", "info", "The observed system.", fmt);
	fputs("quell_info{version=\"" QUELL_VERSION "\",kernel=", f);
	value(f, s->release);
	fputs(",strategy=", f);
	value(f, s->strategy);
	if (s->only) {
		fputs(",only=", f);
		value(f, s->only);
	}
	fprintf(f, ",kernel_flush=\"%d\",live_module=\"%d\",pti=\"%s\"} 1\n",
		s->facts.kernel_flush, s->live,
		!s->pti_known ? "unknown" : s->facts.pti ? "1" : "0");
	by_cause_and_cpu(s, f, fmt);
	by_source(s, series, f, fmt);
	lost_time(s, f, fmt);
	counter(f, fmt, "quell_sends", "Requests and kicks sent to observed CPUs.",
		s->total.sends);
	counter(f, fmt, "quell_avoidable_interrupts",
		"Interrupts quell would have avoided.", s->total.avoidable);
	counter(f, fmt, "quell_sender_unknown_interrupts",
		"Interrupts whose sender was not seen.", s->total.unknown);
	counter(f, fmt, "quell_lost_events",
		"Trace events lost to full buffers: the other numbers are too low.",
		s->lost);
	counter(f, fmt, "quell_unaccounted_interrupts",
		"Interrupts the kernel counted (/proc/interrupts) and the trace did not see.",
		s->unaccounted);
	if (fmt == METRICS_OPENMETRICS)
		fputs("# EOF\n", f);
}
