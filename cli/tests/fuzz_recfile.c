// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_recfile.c - any file is a record or is refused, and a record can be
 * shown in every way; and any answer of a service is a snapshot or is refused,
 * and a snapshot can be shown, and followed by another one.
 *
 * A checksum would keep the fuzzer out of everything behind it, so the
 * checksums of the chunks are put right before the file is read. What is read
 * without complaint is shown as well.
 */
#include <stdlib.h>
#include <string.h>

#include "../record/crc32.h"
#include "../record/snapshot.h"
#include "../show/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t u32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void mend(uint8_t *data, size_t size)
{
	size_t at = 12;
	uint32_t len, crc;

	while (at + 12 <= size) {
		len = u32(data + at + 4);
		if (len > size - at - 12)
			return;
		crc = crc32(data + at + 12, len);
		for (int i = 0; i < 4; i++)
			data[at + 8 + i] = crc >> (8 * i);
		at += 12 + len;
	}
}

static void on_meta(void *arg, const char *key, const char *value)
{
	summary_meta(arg, key, value);
}

static void on_send(void *arg, const struct send *x)
{
	summary_send(arg, x);
}

static void on_receipt(void *arg, const struct receipt *r, const struct send *from)
{
	summary_receipt(arg, r, from);
}

static void on_agreement(void *arg, const struct agreement *a)
{
	summary_agreement(arg, a);
}

static void on_note(void *arg, uint64_t ts, const char *text)
{
	summary_note(arg, ts, text);
}

static void show_all(struct summary *s)
{
	FILE *f = fopen("/dev/null", "w");
	struct series_set series;

	if (!s->release || !s->machine || !s->strategy || !s->flush || !f) {
		if (f)
			fclose(f);
		return;		/* summary_load() fills these in */
	}
	summary_sort(s);
	show_text(s, f, true);
	show_json(s, f);
	if (s->heat_span)	/* a record's */
		show_svg(s, f);
	series_init(&series, SERIES_DEFAULT, DEFAULT_LABELS);
	series_update(&series, s, 0);
	show_metrics(s, &series, f, METRICS_OPENMETRICS);
	series_free(&series);
	fclose(f);
}

static void as_record(FILE *f)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	static struct summary s;
	struct rec_visitor v = { .strings = &strings, .stacks = &stacks,
		.meta = on_meta, .send = on_send, .receipt = on_receipt,
		.agreement = on_agreement, .note = on_note, .arg = &s };

	summary_init(&s, &strings, &stacks);
	s.heat_span = 1000000;
	if (!rec_read(f, &v))
		show_all(&s);
	summary_free(&s);
	strtab_free(&strings);
	strtab_free(&stacks);
}

static void as_snapshot(FILE *f)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	static struct summary old, now;
	struct snapshot about;

	summary_init(&old, &strings, &stacks);
	summary_init(&now, &strings, &stacks);
	if (!snapshot_read(&old, &about, f)) {
		show_all(&old);
		rewind(f);
		if (snapshot_read(&now, &about, f))
			abort();	/* it was good a moment ago */
		snapshot_inherit(&now, &old);
		show_all(&now);
	}
	summary_free(&old);
	summary_free(&now);
	strtab_free(&strings);
	strtab_free(&stacks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	FILE *f;

	if (size < 12)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	mend(copy, size);
	f = fmemopen(copy, size, "r");
	as_record(f);
	rewind(f);
	as_snapshot(f);
	fclose(f);
	free(copy);
	return 0;
}
