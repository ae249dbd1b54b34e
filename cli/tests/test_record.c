// SPDX-License-Identifier: GPL-2.0
/*
 * test_record.c - records: what is written is read back, and nothing else is
 * taken for a record; then the same data as text, JSON, SVG and metrics.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../record/crc32.h"
#include "../quell.h"
#include "../record/recfile.h"
#include "../show/show.h"
#include "tap.h"

#define SENDS	40

/* 40 syncs from CPU 0 to CPU 1 and 2, a timer each, one unknown reschedule. */
void write_sample(const char *path)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_writer *w = rec_create(path, &strings, &stacks, 0, 0);
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
	rec_meta(w, "csd", "1");
	rec_meta(w, "wall_ns", "1764075784000000000");
	rec_meta(w, "mono_ns", "5000000000");
	rec_meta(w, "sync", "auto 7 6 5 4");
	x.func = r.func = strtab_str(&strings, "tlb_remove_table_smp_sync");
	x.site = strtab_str(&strings, "collapse_huge_page");
	x.comm = strtab_str(&strings, "a \"task\" <&>\\\xff");
	frames[0] = x.site;
	frames[1] = strtab_str(&strings, "madvise_collapse");
	x.stack = strtab_put(&stacks, frames, sizeof(frames));
	for (int i = 0; i < SENDS; i++) {
		x.ts = i * 1000000ull;
		rec_send(w, &x);
		for (r.cpu = 1; r.cpu < 3; r.cpu++) {
			r.ts = x.ts + 1000;
			rec_receipt(w, &r, &x);
		}
		t.ts = x.ts + 5000;
		rec_receipt(w, &t, NULL);
	}
	/* Sent before the window: it would only explain what arrives in it. */
	x.ts = (uint64_t)-5;
	rec_send(w, &x);
	u.ts = 777;
	rec_receipt(w, &u, NULL);
	rec_note(w, 5000, "CPU 3 came online and is not observed");
	rec_sofar(w, &end);
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
	struct rec_writer *w = rec_create(path, &strings, &stacks, 0, 0);
	struct send x = { .vec = VEC_CALL, .cause = CAUSE_CALL,
			  .targets = 1, .ipis = 1, .wanted = 1, .pid = 42 };
	struct receipt r = { .vec = VEC_CALL, .cause = CAUSE_CALL, .cpu = 3,
			     .how = HOW_CSD, .ns = 1500, .served = 1 };
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
	x.cgroup = strtab_str(&strings, "/\033[2J\r\nforged.service");
	r.victim_cgroup = strtab_str(&strings, "/\xc2\x9b" "31m\nforged\xff");
	r.victim_pid = 9;
	frame = strtab_str(&strings, "\033[31m\nforged");
	x.stack = strtab_put(&stacks, &frame, sizeof(frame));
	rec_send(w, &x);
	rec_receipt(w, &r, &x);
	rec_receipt(w, &d, NULL);
	rec_note(w, 1000, "\033[2J\nforged");
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

static bool cut;		/* was what read_bytes() read last? */
static uint64_t skipped;

static const char *read_bytes(const unsigned char *data, size_t len)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_visitor v = { .strings = &strings, .stacks = &stacks };
	FILE *f = len ? fmemopen((void *)data, len, "r") : fopen("/dev/null", "re");
	const char *wrong = rec_read(f, &v);

	cut = v.cut;
	skipped = v.skipped;
	fclose(f);
	strtab_free(&strings);
	strtab_free(&stacks);
	return wrong;
}

/*
 * A file as a program would write it that means harm, or is of a later time:
 * the checksums are right. @p is behind its last byte.
 */
struct forgery { unsigned char data[4096], *p; };

static void bytes(struct forgery *f, const void *data, size_t len)
{
	memcpy(f->p, data, len);
	f->p += len;
}

static void begin_forgery(struct forgery *f)
{
	memset(f, 0, sizeof(*f));
	f->p = f->data;
	bytes(f, "QUELLREC\2\0\0", 12);
}

static void add_chunk(struct forgery *f, const char *type, const void *data,
		      size_t len)
{
	uint32_t n[2] = { len, crc32(data, len) };

	bytes(f, type, 4);
	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 4; k++)
			*f->p++ = n[i] >> (8 * k);
	bytes(f, data, len);
}

#define KINDS "1 send id:d ts:d stack:k func:s\n2 irq ts:d from:n cpu:n kind:n how:n func:s\n" \
	      "6 end duration:n sends:n irqs:n\n"

/* A file with these kinds and this data (NULL: none). */
static const char *forged(const char *kinds, const char *data, size_t len)
{
	struct forgery f;

	begin_forgery(&f);
	add_chunk(&f, "KIND", kinds, strlen(kinds));
	add_chunk(&f, "STRS", "\1\0\0\0\1\0a\1\0b", 10);
	add_chunk(&f, "STKS", "\1\0\0\0\1\0\2\0\0\0", 10);
	if (len)
		add_chunk(&f, "DATA", data, len);
	return read_bytes(f.data, f.p - f.data);
}

#define FORGED(kinds, data) forged(kinds, data, sizeof(data) - 1)
#define END	"\6\0\0\0"
#define SEND1	"\1\2\0\1\1"			/* number 1, stack 1, func 1 */
#define IRQ	"\2\0\1\0\0\0\0"		/* from the newest send */

static void test_forged(void)
{
	static const struct { const char *data; size_t len; const char *what; } bad[] = {
#define BAD(data, what) { data, sizeof(data) - 1, what }
		BAD(SEND1 "\2\0\2\0\0\0\0" END, "an interrupt of a send that is not there"),
		BAD(SEND1 "\2\0\1\0\0\0\3" END, "an interrupt with a string that is not there"),
		BAD(SEND1 "\2\0\1\377\377\3\0\0\0" END, "an interrupt on CPU 65000"),
		BAD(SEND1 "\2\0\1\0\11\0\0" END, "an interrupt of an unknown kind"),
		BAD(SEND1 "\2\0\1\0\0\11\0" END, "an interrupt of an unknown origin"),
		BAD("\1\4\0\0\0" END, "a send out of turn"),
		BAD("\1\2\0\2\0" END, "a send with a stack that is not there"),
		BAD("\5\0" END, "an entry of a kind that was not described"),
		BAD(SEND1 IRQ "\6\0\2\1", "an end with another number of sends"),
		BAD(SEND1 IRQ "\6\0\1\2", "an end with another number of interrupts"),
		BAD(SEND1 IRQ "\6\0\1\1" SEND1, "something behind its end"),
		BAD("\6\200\200\200\200\200\200\200\200\200\2\0\0", "a number that is too large"),
		BAD("\6\200", "a number without an end"),
	};
	static const char *const kinds[] = {
		"0 send id:d\n", "64 send id:d\n", "1 send id:x\n", "1 send id\n",
		"1 send id:d\n1 irq ts:d\n", "one send id:d\n",
		"1 x a:n b:n c:n d:n e:n f:n g:n h:n i:n j:n k:n l:n m:n n:n o:n p:n q:n r:n s:n t:n u:n v:n w:n x:n y:n\n",
	};

	ok(!FORGED(KINDS, SEND1 IRQ "\6\0\1\1") && !cut, "a file that is put right is read");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *wrong = forged(KINDS, bad[i].data, bad[i].len);

		ok(wrong && strstr(wrong, "corrupt"), "%s is refused", bad[i].what);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *wrong = forged(kinds[i], NULL, 0);

		ok(wrong && strstr(wrong, "corrupt"), "kinds that make no sense are refused (%zu)", i);
	}
	/* What a later version may add: a kind, and a field in the midst. */
	ok(!FORGED("9 softirq vec:n ns:n who:s\n1 send id:d later:s ts:d stack:k\n6 end sends:n\n",
		   "\11\1\200\1\2" "\1\2\2\0\1" "\6\1") && !cut && skipped == 1,
	   "kinds and fields of a later version are left out, and that is told");
}

/* The only stack of the only row for @cause, by its outer frame; NULL: it has none. */
static const char *outer_of(const struct summary *s, enum cause cause)
{
	uint32_t frame[2];

	for (size_t i = 0; i < s->nrows; i++) {
		const struct blob *b = &s->stacks->item[s->row[i]->stack];

		if (s->row[i]->cause != cause || b->len != sizeof(frame))
			continue;
		memcpy(frame, b->data, sizeof(frame));
		return strtab_get(s->strings, frame[1]);
	}
	return NULL;
}

/* A recording without end forgets its stacks; the file says so, and the rows keep theirs. */
static void test_forgotten_stacks(void)
{
	static const enum cause cause[] = { CAUSE_PT_SYNC, CAUSE_RCU, CAUSE_CALL };
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_writer *w = rec_create(path, &strings, &stacks, 0, 0);
	struct rec_end end = { .duration = 1000000 };
	struct send x = { .wanted = 1 };
	uint32_t frames[2];
	struct summary s;
	bool all = true;

	frames[0] = strtab_str(&strings, "inner");
	for (int i = 0; i < 3000; i++) {
		char name[16];

		x.ts = i;
		x.cause = cause[i / 1000];
		snprintf(name, sizeof(name), "outer%d", i / 1000);
		frames[1] = strtab_str(&strings, i % 1000 ? "another" : name);
		/* The same one after it was forgotten, and others of the same number. */
		if (i % 100 == 7)
			frames[1] = frames[0];
		x.stack = strtab_put(&stacks, frames, sizeof(frames));
		rec_send(w, &x);
		if (i % 100 == 99) {
			rec_forget_stacks(w);
			strtab_free(&stacks);
		}
	}
	rec_close(w, &end);
	strtab_free(&strings);
	strtab_free(&stacks);
	summary_init(&s, &strings, &stacks);
	summary_load(&s, path, false, NULL);
	ok(s.total.sends == 3000 && s.nrows == 3, "a record that forgot its stacks thirty times is read");
	for (size_t i = 0; i < ARRAY_SIZE(cause); i++) {
		char name[16];

		snprintf(name, sizeof(name), "outer%zu", i);
		all = all && outer_of(&s, cause[i]) && !strcmp(outer_of(&s, cause[i]), name);
	}
	ok(all && s.stacks->n <= 8, "each source has its own, and no others are kept (%zu)", s.stacks->n);
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
}

static void test_window(void)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_writer *w = rec_create(path, &strings, &stacks, 0, 0);
	struct send x = { .cause = CAUSE_PT_SYNC, .cpu = 3 }, old = { .cause = CAUSE_RCU, .cpu = 7 };
	struct receipt r = { .how = HOW_CSD };
	struct rec_end end = { .duration = 1000000 };
	struct summary s;

	rec_send(w, &old);
	for (unsigned int i = 0; i < 2 * REC_WINDOW; i++)
		rec_send(w, &x);
	r.cause = CAUSE_RCU;
	rec_receipt(w, &r, &old);
	rec_close(w, &end);
	summary_init(&s, &strings, &stacks);
	summary_load(&s, path, false, NULL);
	ok(s.total.sends == 2 * REC_WINDOW + 1 && s.total.irqs == 1 &&
	   s.cause[CAUSE_RCU].irqs == 1 && s.cause[CAUSE_RCU].sends == 1,
	   "a send that is too far back is written again, and counted once");
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
	unlink(path);
}

/* Files of at most 1 MiB: each is whole, and together they have it all. */
static void test_parts(void)
{
	struct strtab strings = { 0 }, stacks = { 0 }, st = { 0 }, sk = { 0 };
	struct rec_writer *w = rec_create(path, &strings, &stacks, 1 << 20, 3);
	struct send x = { .cause = CAUSE_PT_SYNC };
	struct receipt r = { .how = HOW_CSD, .cause = CAUSE_PT_SYNC };
	struct rec_end end = { 0 };
	unsigned int parts = 0, whole = 0, first = 0;
	uint64_t irqs = 0, sum = 0;
	struct summary s;
	char *name;

	rec_meta(w, "release", "6.12.0-parts");
	for (int i = 0; i < 310000; i++) {
		x.comm = strtab_str(&strings, i % 2 ? "one" : "two");
		x.ts = r.ts = i * 1000ull;
		rec_send(w, &x);
		rec_receipt(w, &r, &x);
		if (i % 1000 == 999) {
			end.duration = i * 1000ull;
			rec_sofar(w, &end);
		}
	}
	end.duration = 310000 * 1000ull;
	rec_close(w, &end);
	for (unsigned int i = 1; i < 40; i++) {
		name = xasprintf("%s.%u", path, i);
		if (!access(name, F_OK)) {
			first = first ? first : i;
			parts++;
			summary_init(&s, &st, &sk);
			summary_load(&s, name, false, NULL);
			whole += !s.cut && !strcmp(s.release, "6.12.0-parts") &&
				 s.nrows == 2;
			irqs = s.total.irqs;
			sum += s.duration;
			summary_free(&s);
			strtab_free(&st);
			strtab_free(&sk);
			unlink(name);
		}
		free(name);
	}
	summary_init(&s, &st, &sk);
	summary_load(&s, path, false, NULL);
	ok(parts == 3 && whole == 3 && first > 1 && irqs > 10000,
	   "of the files that were full the last three stay, each of them whole");
	ok(s.total.irqs > 0 && s.duration + sum < end.duration && s.duration > 0,
	   "and the last one goes on where they end");
	summary_free(&s);
	strtab_free(&st);
	strtab_free(&sk);
	strtab_free(&strings);
	strtab_free(&stacks);
	unlink(path);
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
	summary_load(&s, path, true, NULL);
	ok(s.total.irqs == 3 * SENDS + 1 && s.total.sends == SENDS &&
	   s.total.unknown == 1 && s.total.avoidable == 2 * SENDS,
	   "a record is read back with its totals");
	ok(s.cpu[1]->irqs == 2 * SENDS && s.cpu[2]->irqs == SENDS + 1 &&
	   s.cpu[2]->by_cause[CAUSE_PT_SYNC] == SENDS, "by CPU and cause");
	ok(s.nsync == 1 && s.sync[0].receipts == 6 && s.nagree == 1 &&
	   cpuset_has(&s.quiet, 2) && !strcmp(s.release, "6.12.0-sample"),
	   "with what was known of the system");
	ok(s.nnotes == 1 && s.note[0].ts == 5000 && strstr(s.note[0].text, "CPU 3"),
	   "with what happened meanwhile");
	ok(s.heat[1] && s.heat[1][CAUSE_PT_SYNC] == 1 && s.duration == SENDS * 1000000ull,
	   "and over time");
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);

	data = read_file(&len);
	unlink(path);
	ok(!read_bytes(data, len) && !cut, "the bytes read well");
	for (size_t at = 0; at < len; at++)
		len_ok += read_bytes(data, at) != NULL || cut;
	ok(len_ok == len, "cut anywhere (%zu places), it is said to be cut or refused", len);
	for (size_t i = 0; i < len; i++) {
		data[i] ^= 0x10;
		taken += !read_bytes(data, len) && !cut;
		data[i] ^= 0x10;
	}
	ok(!taken, "with any byte changed, it is not taken for whole (%u were)", taken);
	ok(!read_bytes(data, len - 20) && cut, "what stands before the cut is read");
	data[8] = 3;
	wrong = read_bytes(data, len);
	ok(wrong && strstr(wrong, "version"), "a newer version is called so");
	wrong = read_bytes((const unsigned char *)"PK\3\4 not ours at all", 20);
	ok(wrong && strstr(wrong, "not a record"), "another file is called so");
	data[8] = RECFILE_VERSION;
	data[len] = 'x';
	wrong = read_bytes(data, len + 1);
	ok(wrong != NULL, "something after the end is not ignored");
	free(data);
	test_forged();
	test_window();
	test_forgotten_stacks();
	test_parts();
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

	series_init(&t, SERIES_DEFAULT, DEFAULT_LABELS);
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
	summary_load(&s, path, true, NULL);
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
