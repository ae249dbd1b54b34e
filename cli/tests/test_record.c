// SPDX-License-Identifier: GPL-2.0
/*
 * test_record.c - records: what is written is read back, and nothing else is
 * taken for a record; then the same data as text, JSON, SVG and metrics.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../crc32.h"
#include "../quell.h"
#include "../recfile.h"
#include "../show.h"
#include "tap.h"

#define SENDS	40

/* 40 syncs from CPU 0 to CPU 1 and 2, a timer each, one unknown reschedule. */
void write_sample(const char *path)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_writer *w = rec_create(path, &strings, &stacks);
	struct send x = { .vec = VEC_CALL, .cause = CAUSE_PT_SYNC, .targets = 2,
			  .ipis = 2, .wanted = 2, .pid = 42 };
	struct receipt r = { .vec = VEC_CALL, .cause = CAUSE_PT_SYNC,
			     .how = HOW_CSD, .ns = 1500, .served = 1 };
	struct receipt t = { .vec = VEC_TIMER, .cause = CAUSE_TICK, .cpu = 1,
			     .how = HOW_SOURCE };
	struct receipt u = { .vec = VEC_RESCHED, .cause = CAUSE_RESCHED, .cpu = 2 };
	struct agreement a = { .label = "CAL", .cpu = 1, .traced = true,
			       .kernel = SENDS, .counted = SENDS };
	struct rec_end end = { .duration = SENDS * 1000000ull, .lost = 0 };
	uint32_t frames[2];

	rec_meta(w, "release", "6.12.0-sample");
	rec_meta(w, "machine", "x86_64");
	rec_meta(w, "strategy", "stock");
	rec_meta(w, "command", "a <command> & \"more\"");
	rec_meta(w, "observed", "1-2");
	rec_meta(w, "quiet", "2");
	rec_meta(w, "pti", "1");
	rec_meta(w, "sync", "auto 7 6 5 4");
	x.func = r.func = strtab_str(&strings, "tlb_remove_table_smp_sync");
	x.site = strtab_str(&strings, "collapse_huge_page");
	x.comm = strtab_str(&strings, "a \"task\" <&>\\\xff");
	frames[0] = x.site;
	frames[1] = strtab_str(&strings, "madvise_collapse");
	x.stack = strtab_put(&stacks, frames, sizeof(frames));
	for (int i = 0; i < SENDS; i++) {
		x.id = r.send = i + 1;
		x.ts = i * 1000000ull;
		rec_send(w, &x);
		for (r.cpu = 1; r.cpu < 3; r.cpu++) {
			r.ts = x.ts + 1000;
			rec_receipt(w, &r);
		}
		t.ts = x.ts + 5000;
		rec_receipt(w, &t);
	}
	/* Sent before the window: it would only explain what arrives in it. */
	x.id = SENDS + 1;
	x.ts = (uint64_t)-5;
	rec_send(w, &x);
	u.ts = 777;
	rec_receipt(w, &u);
	rec_agreement(w, &a);
	if (!rec_close(w, &end))
		die(EXIT_FAILED, "%s cannot be written", path);
	strtab_free(&strings);
	strtab_free(&stacks);
}

/* What somebody writes who wants the reader's terminal to obey. */
void write_evil(const char *path)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_writer *w = rec_create(path, &strings, &stacks);
	struct send x = { .id = 1, .vec = VEC_CALL, .cause = CAUSE_CALL,
			  .targets = 1, .ipis = 1, .wanted = 1, .pid = 42 };
	struct receipt r = { .vec = VEC_CALL, .cause = CAUSE_CALL, .cpu = 3,
			     .how = HOW_CSD, .ns = 1500, .served = 1, .send = 1 };
	struct receipt d = { .vec = VEC_DEVICE, .cause = CAUSE_DEVICE, .cpu = 3,
			     .how = HOW_SOURCE };
	struct agreement a = { .label = "\033[2J\nforged", .cpu = 3, .traced = true,
			       .kernel = 9, .counted = 1 };
	struct rec_end end = { .duration = 80000000, .lost = 7 };
	uint32_t frame;

	rec_meta(w, "release", "\033]2;PWNED\a");
	rec_meta(w, "machine", "evil\xc2\x9b" "31m\xff");
	rec_meta(w, "strategy", "a\rforged\x7f\xe2\x80\xae");
	rec_meta(w, "command", "\033[31m</text><script>");
	rec_meta(w, "observed", "3");
	rec_meta(w, "sync", "\033[2J 7 6 5 4");
	x.func = r.func = strtab_str(&strings, "\033P\001\033\\");
	x.site = strtab_str(&strings, "\xc2\x9d" "2;PWNED\xc2\x9c");
	x.comm = strtab_str(&strings, "a\nforged\033c");
	d.name = strtab_str(&strings, "9:\033[1m\nforged");
	frame = strtab_str(&strings, "\033[31m\nforged");
	x.stack = strtab_put(&stacks, &frame, sizeof(frame));
	rec_send(w, &x);
	rec_receipt(w, &r);
	rec_receipt(w, &d);
	rec_agreement(w, &a);
	if (!rec_close(w, &end))
		die(EXIT_FAILED, "%s cannot be written", path);
	strtab_free(&strings);
	strtab_free(&stacks);
}

static char path[256];

static unsigned char *read_file(size_t *len)
{
	unsigned char *data = xcalloc(1, 1 << 20);
	FILE *f = fopen(path, "re");

	*len = f ? fread(data, 1, 1 << 20, f) : 0;
	if (f)
		fclose(f);
	return data;
}

static const char *read_bytes(const unsigned char *data, size_t len)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_visitor v = { .strings = &strings, .stacks = &stacks };
	FILE *f = len ? fmemopen((void *)data, len, "r") : fopen("/dev/null", "re");
	const char *wrong = rec_read(f, &v);

	fclose(f);
	strtab_free(&strings);
	strtab_free(&stacks);
	return wrong;
}

/*
 * A file whose checksums are right and whose content is not: @value is put
 * @at bytes into the payload of the first chunk of this @type.
 */
static const char *read_forged(const unsigned char *data, size_t len,
			       const char *type, size_t at, unsigned char value)
{
	unsigned char *copy = xcalloc(1, len), *c;
	const char *wrong = "no such chunk";
	uint32_t size, crc;

	memcpy(copy, data, len);
	for (c = copy + 12; c + 12 <= copy + len; c += 12 + size) {
		size = c[4] | c[5] << 8 | c[6] << 16 | (uint32_t)c[7] << 24;
		if (memcmp(c, type, 4))
			continue;
		c[12 + at] = value;
		crc = crc32(c + 12, size);
		for (int i = 0; i < 4; i++)
			c[8 + i] = crc >> (8 * i);
		wrong = read_bytes(copy, len);
		break;
	}
	free(copy);
	return wrong;
}

static void test_forged(const unsigned char *data, size_t len)
{
	static const struct { const char *type; size_t at; unsigned char value;
			      const char *what; } forged[] = {
		{ "RCPT", 8 + 1, 0xff, "an interrupt of a send that is not there" },
		{ "RCPT", 16 + 4, 0xee, "an interrupt with a string that is not there" },
		{ "RCPT", 32 + 1, 0xff, "an interrupt on CPU 65000" },
		{ "RCPT", 34, 200, "an interrupt of an unknown kind" },
		{ "RCPT", 36, 200, "an interrupt of an unknown cause" },
		{ "SEND", 0, 9, "a send out of turn" },
		{ "SEND", 16 + 16, 0xee, "a send with a stack that is not there" },
		{ "STRS", 0, 7, "strings with the wrong number" },
		{ "STKS", 6, 0xee, "a stack of a string that is not there" },
		{ "AGRE", 16 + 1, 0xff, "a count of CPU 65000" },
		{ "END ", 8, 99, "an end with another number of sends" },
		{ "END ", 16, 99, "an end with another number of interrupts" },
	};

	ok(!read_forged(data, len, "RCPT", 16, 0), "a file that is put right is read");
	for (size_t i = 0; i < ARRAY_SIZE(forged); i++) {
		const char *wrong = read_forged(data, len, forged[i].type,
						forged[i].at, forged[i].value);

		ok(wrong && strstr(wrong, "corrupt"), "%s is refused", forged[i].what);
	}
}

void test_record(void)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	unsigned int taken = 0, len_ok = 0;
	unsigned char *data;
	const char *wrong;
	struct summary s;
	size_t len;

	snprintf(path, sizeof(path), "%s/quell-unit-%d.rec",
		 getenv("TMPDIR") ? : "/tmp", getpid());
	write_sample(path);
	summary_init(&s, &strings, &stacks);
	summary_load(&s, path, true);
	ok(s.total.irqs == 3 * SENDS + 1 && s.total.sends == SENDS &&
	   s.total.unknown == 1 && s.total.avoidable == 2 * SENDS,
	   "a record is read back with its totals");
	ok(s.cpu[1]->irqs == 2 * SENDS && s.cpu[2]->irqs == SENDS + 1 &&
	   s.cpu[2]->by_cause[CAUSE_PT_SYNC] == SENDS, "by CPU and cause");
	ok(s.nsync == 1 && s.sync[0].receipts == 6 && s.nagree == 1 &&
	   cpuset_has(&s.quiet, 2) && !strcmp(s.release, "6.12.0-sample"),
	   "with what was known of the system");
	ok(s.heat[1] && s.heat[1][CAUSE_PT_SYNC] == 1 && s.duration == SENDS * 1000000ull,
	   "and over time");
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);

	data = read_file(&len);
	unlink(path);
	ok(!read_bytes(data, len), "the bytes read well");
	for (size_t cut = 0; cut < len; cut++)
		len_ok += read_bytes(data, cut) != NULL;
	ok(len_ok == len, "cut anywhere (%zu places), it is refused", len);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 0x10;
		taken += !read_bytes(data, len);
		data[i] ^= 0x10;
	}
	ok(!taken, "with any byte changed, it is refused (%u were taken)", taken);
	test_forged(data, len);
	data[8] = 2;
	wrong = read_bytes(data, len);
	ok(wrong && strstr(wrong, "version"), "a newer version is called so");
	wrong = read_bytes((const unsigned char *)"PK\3\4 not ours at all", 20);
	ok(wrong && strstr(wrong, "not a record"), "another file is called so");
	data[8] = 1;
	data[len] = 'x';
	wrong = read_bytes(data, len + 1);
	ok(wrong != NULL, "something after the end is not ignored");
	free(data);
}

static char *shown(void (*show)(const struct summary *s, FILE *f),
		   const struct summary *s)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	show(s, f);
	fclose(f);
	return text;
}

static void as_text(const struct summary *s, FILE *f)
{
	show_text(s, f, true);
}

static void as_metrics(const struct summary *s, FILE *f, enum metrics_format fmt)
{
	struct series_set t;

	series_init(&t, SERIES_DEFAULT, ALL_LABELS);
	for (size_t i = 0; i < s->nrows; i++)
		s->row[i]->exported = 0;
	series_update(&t, (struct summary *)s, 0);
	show_metrics(s, &t, f, fmt);
	series_free(&t);
}

static void as_openmetrics(const struct summary *s, FILE *f)
{
	as_metrics(s, f, METRICS_OPENMETRICS);
}

static void as_prometheus(const struct summary *s, FILE *f)
{
	as_metrics(s, f, METRICS_PROMETHEUS);
}

void test_show(void)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct summary s;
	char *text;

	write_sample(path);
	summary_init(&s, &strings, &stacks);
	summary_load(&s, path, true);
	unlink(path);
	summary_sort(&s);
	ok(s.row[0]->cause == CAUSE_PT_SYNC && s.row[0]->t.irqs == 2 * SENDS,
	   "the busiest source is first");

	text = shown(as_text, &s);
	ok(strstr(text, "collapse_huge_page") && strstr(text, "madvise_collapse") &&
	   strstr(text, "avoidable page-table sync") &&
	   strstr(text, "1 of 1 counts agree exactly") &&
	   strstr(text, "(sender not seen)"), "text has source, stack, reason and check");
	free(text);

	text = shown(show_json, &s);
	ok(strstr(text, "\"schema\":1") && strstr(text, "\"interrupts\":80,") &&
	   strstr(text, "a \\\"task\\\" <&>\\\\\\\\\\\\xff") &&
	   strstr(text, "\"quell_avoids\":true") &&
	   strchr(text, '\n') == text + strlen(text) - 1, "JSON is one quoted line");
	free(text);

	text = shown(show_svg, &s);
	ok(strstr(text, "a &lt;command&gt; &amp; &quot;more&quot;") &&
	   strstr(text, "CPU 2*") && strstr(text, "</svg>") &&
	   !strstr(text, "href") && !strstr(text, "<script"),
	   "SVG is escaped and needs nothing but itself");
	free(text);

	text = shown(as_openmetrics, &s);
	ok(strstr(text, "# TYPE quell_interrupts counter\n") &&
	   strstr(text, "quell_interrupts_total{cpu=\"2\",isolated=\"1\",cause=\"pt_sync\",avoidable=\"1\"} 40\n") &&
	   strstr(text, "task=\"a \\\"task\\\" <&>\\\\\\\\\\\\xff\"") &&
	   !strcmp(text + strlen(text) - 6, "# EOF\n"), "OpenMetrics");
	free(text);
	text = shown(as_prometheus, &s);
	ok(strstr(text, "# TYPE quell_interrupts_total counter\n") &&
	   !strstr(text, "# EOF"), "the older text format");
	free(text);
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
}
