// SPDX-License-Identifier: GPL-2.0
/*
 * show_svg.c - a heat map: one row per CPU, time from left to right, the
 * colour of the most frequent cause, the stronger the more interrupts.
 *
 * The file needs nothing but itself: no fonts, no scripts, no links. Pointing
 * at a cell shows its numbers.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "quell.h"
#include "show/show.h"
#include "text.h"

#define LEFT	90
#define CELL	4
#define TOP	64
#define WIDTH	(HEAT_BINS * CELL)
#define RIGHT	150
#define LENGTH_ROW	24

const char *cause_color(enum cause c)
{
	static const char *const colors[NR_CAUSES] = {
		[CAUSE_UNKNOWN]		= "#000000",
		[CAUSE_PT_SYNC]		= "#d62728",
		[CAUSE_TLB_USER]	= "#1f77b4",
		[CAUSE_TLB_KERNEL]	= "#ff7f0e",
		[CAUSE_MEMBARRIER]	= "#9467bd",
		[CAUSE_TEXT]		= "#8c564b",
		[CAUSE_RESCHED]		= "#2ca02c",
		[CAUSE_WAKEUP]		= "#17becf",
		[CAUSE_RCU]		= "#e377c2",
		[CAUSE_NOHZ]		= "#98df8a",
		[CAUSE_CLOCK]		= "#c49c94",
		[CAUSE_PERF]		= "#f7b6d2",
		[CAUSE_MSR]		= "#dbdb8d",
		[CAUSE_TRACING]		= "#9edae5",
		[CAUSE_CALL]		= "#4c5a92",
		[CAUSE_IRQ_WORK]	= "#bcbd22",
		[CAUSE_TICK]		= "#7f7f7f",
		[CAUSE_DEVICE]		= "#5b8c5a",
		[CAUSE_VECTOR]		= "#393b79",
		[CAUSE_SOFTIRQ]		= "#e6550d",
		[CAUSE_KWORKER]		= "#756bb1",
		[CAUSE_KTHREAD]		= "#31a354",
		[CAUSE_TASK]		= "#636363",
	};

	return colors[(unsigned int)c < NR_CAUSES ? c : CAUSE_UNKNOWN];
}

static int row_height(unsigned int ncpus)
{
	return ncpus <= 32 ? 18 : ncpus <= 128 ? 9 : 5;
}

static uint32_t busiest(const struct summary *s)
{
	uint32_t max = 1, sum;
	int cpu;

	for_each_cpu_in(cpu, &s->observed) {
		for (int b = 0; s->heat[cpu] && b < HEAT_BINS; b++) {
			sum = 0;
			for (int c = 0; c < NR_CAUSES; c++)
				sum += s->heat[cpu][b * NR_CAUSES + c];
			if (sum > max)
				max = sum;
		}
	}
	return max;
}

/* Logarithmic, and a single interrupt is visible already. */
static double strength(uint32_t n, uint32_t max)
{
	return max > 1 ? 0.35 + 0.65 * log(n) / log(max) : 1;
}

static void cell(FILE *f, const struct summary *s, int cpu, int bin, int y,
		 int h, uint32_t max)
{
	const uint32_t *n = &s->heat[cpu][bin * NR_CAUSES];
	double ms = s->heat_span / 1e6 / HEAT_BINS;
	uint32_t sum = 0;
	int top = 0;

	for (int c = 0; c < NR_CAUSES; c++) {
		sum += n[c];
		if (n[c] > n[top])
			top = c;
	}
	if (!sum)
		return;
	fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" fill-opacity=\"%.2f\">",
		LEFT + bin * CELL, y, CELL, h - 1, cause_color(top),
		strength(sum, max));
	fprintf(f, "<title>CPU %d, %.1f to %.1f ms:", cpu, bin * ms, (bin + 1) * ms);
	for (int c = 0; c < NR_CAUSES; c++)
		if (n[c])
			fprintf(f, " %s %" PRIu32, cause_info(c)->title, n[c]);
	fputs("</title></rect>\n", f);
}

static void cpu_line(FILE *f, const struct summary *s, int cpu, int y, int h,
		     uint32_t max)
{
	bool quiet = cpuset_has(&s->quiet, cpu);
	const struct cpu_row *r = s->cpu[cpu];

	if (h >= 9)
		fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\"%s>CPU %d%s</text>\n",
			LEFT - 6, y + h - (h > 12 ? 5 : 1),
			quiet ? " font-weight=\"bold\"" : "", cpu, quiet ? "*" : "");
	fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"/>\n",
		LEFT, y, WIDTH, h - 1, quiet ? "#eef3fa" : "#f4f4f4");
	for (int b = 0; s->heat[cpu] && b < HEAT_BINS; b++)
		cell(f, s, cpu, b, y, h, max);
	if (h >= 9)
		fprintf(f, "<text x=\"%d\" y=\"%d\">%" PRIu64 "</text>\n",
			LEFT + WIDTH + 6, y + h - (h > 12 ? 5 : 1),
			r ? r->irqs : 0);
}

/* A step of 1, 2 or 5 times a power of ten that leaves at most ten ticks. */
static double tick_step(double span)
{
	double p = pow(10, floor(log10(span / 10)));

	return span / p <= 10 ? p : span / (2 * p) <= 10 ? 2 * p :
	       span / (5 * p) <= 10 ? 5 * p : 10 * p;
}

static void axis(FILE *f, const struct summary *s, int y)
{
	bool ms = s->heat_span < 1000000000;
	double span = s->heat_span / (ms ? 1e6 : 1e9), step = tick_step(span);

	for (double t = 0; t <= span; t += step) {
		double x = LEFT + t / span * WIDTH;

		fprintf(f, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#888\"/>"
			"<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g %s</text>\n",
			x, y, x, y + 4, x, y + 17, t, ms ? "ms" : "s");
	}
}

static int legend(FILE *f, const struct summary *s, int y)
{
	int n = 0;

	for (int c = 0; c < NR_CAUSES; c++) {
		const struct tally *t = &s->cause[c];
		int x = LEFT + n % 3 * (WIDTH / 3), at = y + n / 3 * 20;

		if (!t->irqs || !cause_is_irq(c))
			continue;
		fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>"
			"<text x=\"%d\" y=\"%d\"%s>%s: %" PRIu64 "%s</text>\n",
			x, at, cause_color(c), x + 18, at + 10,
			t->avoidable ? " font-weight=\"bold\"" : "",
			cause_info(c)->title, t->irqs,
			t->avoidable == t->irqs ? " (avoidable)" :
			t->avoidable ? " (some avoidable)" : "");
		n++;
	}
	return y + (n + 2) / 3 * 20;
}

/* How much time went, and in pieces of what length: a line of bars per cause. */
static int lengths(FILE *f, const struct summary *s, int y)
{
	char name[16], total[16], p99[16], max[16];
	const int width = 44, left = LEFT + 120;

	for (int e = 0; e <= HIST_EDGES; e++)
		fprintf(f, "<text x=\"%d\" y=\"%d\" fill=\"#555\" font-size=\"9\" text-anchor=\"middle\">%s%s</text>\n",
			left + e * width + width / 2, y + 10, e < HIST_EDGES ? "&lt;" : "&gt;",
			short_time(hist_edge[e < HIST_EDGES ? e : e - 1], name));
	y += 16;
	for (int c = 0; c < NR_CAUSES; c++) {
		const struct hist *h = &s->lost_by_cause[c];
		uint64_t n = 0, longer = h->n;

		if (!h->n)
			continue;
		fprintf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left - 6, y + 16,
			cause_info(c)->title);
		for (int e = 0; e <= HIST_EDGES; e++) {
			n = e < HIST_EDGES ? h->shorter[e] : longer;
			longer -= e < HIST_EDGES ? n : 0;
			if (!n)
				continue;
			fprintf(f, "<rect x=\"%d\" y=\"%.1f\" width=\"%d\" height=\"%.1f\" fill=\"%s\"><title>%s: %" PRIu64 "</title></rect>\n",
				left + e * width + 2, y + 20 - 18 * strength(n, s->lost_time.n),
				width - 4, 18 * strength(n, s->lost_time.n), cause_color(c),
				cause_info(c)->title, n);
		}
		fprintf(f, "<text x=\"%d\" y=\"%d\">%s in all, p99 %s, max %s</text>\n",
			left + (HIST_EDGES + 1) * width + 6, y + 16, short_time(h->sum, total),
			short_time(hist_quantile(h, 0.99), p99), short_time(h->max, max));
		y += LENGTH_ROW;
	}
	return y;
}

void show_svg(const struct summary *s, FILE *f)
{
	unsigned int ncpus = cpuset_count(&s->observed), kinds = 0, timed = 0;
	int h = row_height(ncpus), y = TOP, height, cpu;
	uint32_t max = busiest(s);
	char a[32], b[32];

	for (int c = 0; c < NR_CAUSES; c++)
		kinds += s->cause[c].irqs && cause_is_irq(c);
	for (int c = 0; c < NR_CAUSES; c++)
		timed += s->lost_by_cause[c].n != 0;
	height = (timed ? 60 + timed * LENGTH_ROW : 0) + TOP + ncpus * h + 40 + (kinds + 2) / 3 * 20 + 30;
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n",
		LEFT + WIDTH + RIGHT, height, LEFT + WIDTH + RIGHT, height);
	fprintf(f, "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n");
	fprintf(f, "<text x=\"%d\" y=\"24\" font-size=\"16\">%s interrupts, %s avoidable by quell</text>\n",
		LEFT, plain_number(s->total.irqs, a),
		plain_number(s->total.avoidable, b));
	fprintf(f, "<text x=\"%d\" y=\"44\" fill=\"#555\">", LEFT);
	text_put(f, s->release, TEXT_XML);
	fputs(", strategy ", f);
	text_put(f, s->strategy, TEXT_XML);
	if (s->command) {
		fputs(", while running: ", f);
		text_put(f, s->command, TEXT_XML);
	}
	fprintf(f, "</text>\n<text x=\"%d\" y=\"%d\" fill=\"#555\">interrupts</text>\n",
		LEFT + WIDTH + 6, TOP - 6);
	/* Said in the picture: it is passed on without the file. */
	if (s->lost)
		fprintf(f, "<text x=\"%d\" y=\"%d\" fill=\"#d62728\" font-weight=\"bold\">LOST: %" PRIu64 " trace events; there were more interrupts than are shown</text>\n",
			LEFT, TOP - 6, s->lost);
	for_each_cpu_in(cpu, &s->observed) {
		cpu_line(f, s, cpu, y, h, max);
		y += h;
	}
	axis(f, s, y);
	y = legend(f, s, y + 30);
	fprintf(f, "<text x=\"%d\" y=\"%d\" fill=\"#555\">colour: most frequent cause in %.3g ms; strength: logarithm of the number, up to %" PRIu32 "%s</text>\n",
		LEFT, y + 14, s->heat_span / 1e6 / HEAT_BINS, max,
		cpuset_count(&s->quiet) ? "; * isolated" : "");
	if (timed) {
		fprintf(f, "<text x=\"%d\" y=\"%d\">time lost, by how long it took (height: logarithm of the number)</text>\n",
			LEFT, y + 42);
		lengths(f, s, y + 48);
	}
	fputs("</svg>\n", f);
}
