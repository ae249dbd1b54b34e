/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recfile.h - the file quell record writes and quell report and diff read.
 *
 * "QUELLREC", a version (u32), then chunks: a four-letter type, the length of
 * the payload (u32), its CRC-32 (u32), the payload. All numbers are little
 * endian. A file ends with an END chunk; one without it is truncated.
 *
 *   META  "key=value\n" lines
 *   STRS  u32 number of the first; then u16 length and bytes, per string
 *   STKS  u32 number of the first; then u16 count and u32 string numbers
 *   SEND  68 bytes each; see put_send()
 *   RCPT  48 bytes each; see put_receipt()
 *   AGRE  48 bytes each: what /proc/interrupts says of a CPU and row
 *   END   the totals, to be compared with what was read
 *
 * Whatever a chunk refers to stands before it. Times are ns since the window
 * opened; a send may lie a little before (negative).
 */
#ifndef QUELL_RECFILE_H
#define QUELL_RECFILE_H

#include <stdio.h>

#include "counters.h"
#include "join.h"
#include "strtab.h"

#define RECFILE_VERSION	1

struct rec_end {
	uint64_t	duration, sends, receipts, lost, expired;
};

struct rec_writer;

/* All writers return false once anything went wrong (disk full). */
struct rec_writer *rec_create(const char *path, struct strtab *strings,
			      struct strtab *stacks);
bool rec_meta(struct rec_writer *w, const char *key, const char *value);
bool rec_send(struct rec_writer *w, const struct send *s);
bool rec_receipt(struct rec_writer *w, const struct receipt *r);
bool rec_agreement(struct rec_writer *w, const struct agreement *a);
bool rec_flush(struct rec_writer *w);
/* Finish the file and give it its name; or, on false, remove it. */
bool rec_close(struct rec_writer *w, const struct rec_end *end);
void rec_abandon(struct rec_writer *w);

struct rec_visitor {
	struct strtab	*strings, *stacks;	/* filled while reading */
	void (*meta)(void *arg, const char *key, const char *value);
	void (*send)(void *arg, const struct send *s);
	void (*receipt)(void *arg, const struct receipt *r,
			const struct send *from);
	void (*agreement)(void *arg, const struct agreement *a);
	void (*end)(void *arg, const struct rec_end *e);
	void		*arg;
};

/* NULL if all is well, else what is wrong with the file. */
const char *rec_read(FILE *f, struct rec_visitor *v);

#endif
