/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recfile.h - the file quell record writes and quell report and diff read.
 *
 * "QUELLREC", a version (u32), then chunks: a four-letter type, the length of
 * the payload (u32), its CRC-32 (u32), the payload. Numbers of fixed size are
 * little endian.
 *
 *   META  "key=value\n" lines; a later line replaces an earlier one of its key
 *   KIND  "NUMBER NAME FIELD:TYPE...\n" lines: what entries of a kind hold
 *   STRS  u32 number of the first; then u16 length and bytes, per string
 *   STKS  u32 number of the first; then u16 count and u32 string numbers
 *   DATA  entries: the number of its kind, then a value for each field of it
 *
 * Every number in an entry is a varint: seven bits a byte, the lowest first,
 * the top bit says that more follow. A field's TYPE is n, a number; d, the
 * difference to that field of the kind's entry before in the same chunk, times
 * two, minus one if negative; s, a string's number; k, a stack's. So a reader
 * skips fields and kinds that it does not know, and one that does not find a
 * field takes 0: kinds and fields are added without another version.
 *
 * Whatever an entry refers to stands before it. Times are ns since the window
 * opened; a send may lie a little before (negative). A send is referred to by
 * its distance to the newest one, which is less than REC_WINDOW: an older one
 * is written again ("again"), so a reader need not keep them all.
 *
 * A file is whole if its last entry is of kind "end". Otherwise it was cut, and
 * holds what it holds up to the last "sofar".
 *
 * A "part" has the fields of an "irq". It is what no interrupt is but took the CPU
 * as well (RECEIPT_PART); a reader that does not know it still has all interrupts.
 *
 * META has what the verdicts depend on, and when the window opened: boot_ns
 * (CLOCK_BOOTTIME), mono_ns (CLOCK_MONOTONIC), wall_ns (CLOCK_REALTIME).
 */
#ifndef QUELL_RECFILE_H
#define QUELL_RECFILE_H

#include <stdio.h>

#include "join/counters.h"
#include "join/join.h"
#include "strtab.h"

#define RECFILE_VERSION	2
#define REC_WINDOW	65536u		/* sends a reader has to keep */
#define REC_FIELDS	24		/* of a kind, at most */

/* The kinds of entries this version writes. */
enum rec_kind {
	REC_SEND, REC_IRQ, REC_AGREE, REC_NOTE, REC_SOFAR, REC_ENDS, REC_PART,
	/* Of a snapshot only: sums instead of what they are of; see snapshot.h. */
	REC_TALLY, REC_ROW, REC_CPU, REC_SHARE, REC_HIST, REC_BUCKET,
	REC_VICTIM,
	NR_REC_KINDS
};

/* Fields in the order of the table in recwrite.c. */
enum { SEND_ID, SEND_TS, SEND_AGAIN, SEND_FUNC, SEND_CALLSITE, SEND_SITE,
       SEND_COMM, SEND_STACK, SEND_TARGETS, SEND_IPIS, SEND_WANTED, SEND_PID,
       SEND_CPU, SEND_CTX, SEND_VEC, SEND_CAUSE, SEND_DEFERRABLE, SEND_CGROUP };
enum { IRQ_TS, IRQ_FROM, IRQ_NS, IRQ_FUNC, IRQ_NAME, IRQ_SERVED, IRQ_CPU,
       IRQ_KIND, IRQ_VEC, IRQ_CAUSE, IRQ_HOW, IRQ_IDLE, IRQ_SPAN, IRQ_PID,
       IRQ_VICTIM, IRQ_CGROUP };
enum { AGREE_LABEL, AGREE_CPU, AGREE_TRACED, AGREE_KERNEL, AGREE_COUNTED,
       AGREE_SLACK };
enum { NOTE_TS, NOTE_TEXT };
enum { SOFAR_TS, SOFAR_LOST, SOFAR_UNACCOUNTED };
enum { END_DURATION, END_SENDS, END_IRQS, END_LOST, END_EXPIRED,
       END_UNACCOUNTED, END_PARTS };
/* Of one cause, or of all if that is the empty string. */
enum { TALLY_CAUSE, TALLY_IRQS, TALLY_RIDES, TALLY_POLLED, TALLY_PARTS,
       TALLY_UNKNOWN, TALLY_AVOIDABLE, TALLY_SENDS, TALLY_IPIS, TALLY_REQUESTS,
       TALLY_NS, NR_TALLY };
/* As a tally, and then: */
enum { ROW_FUNC = NR_TALLY, ROW_SITE, ROW_COMM, ROW_KNOWN, ROW_DETAIL, ROW_WHY,
       ROW_SENDERS, ROW_RECEIVERS, ROW_TIMED, ROW_LOST, ROW_MAX,
       ROW_CGROUP };
enum { CPU_NR, CPU_IRQS, CPU_AVOIDABLE, CPU_LOST };
enum { SHARE_CPU, SHARE_CAUSE, SHARE_IRQS, SHARE_AVOIDABLE };
/* Times lost to one cause, or to all; its buckets follow it. */
enum { HIST_CAUSE, HIST_N, HIST_SUM, HIST_MAX };
enum { BUCKET_EDGE, BUCKET_AT, BUCKET_N };
enum { VICTIM_CGROUP, VICTIM_TIMES, VICTIM_LOST, VICTIM_MAX };

struct rec_layout {
	const char	*name, *fields;
};
extern const struct rec_layout rec_layout[NR_REC_KINDS];

struct rec_end {
	uint64_t	duration, sends, receipts, lost, expired, unaccounted, parts;
};

struct rec_writer;

/*
 * @path may be "-" or a pipe, which is written to at once. A regular file is
 * written as @path.partial until it is complete. With @max_size, a file that
 * reaches it is completed as @path.1, @path.2, ..., of which @keep stay.
 * All writers return false once anything went wrong (disk full).
 */
struct rec_writer *rec_create(const char *path, struct strtab *strings,
			      struct strtab *stacks, uint64_t max_size,
			      unsigned int keep);
/* To @f, which stays open. */
struct rec_writer *rec_create_stream(FILE *f, struct strtab *strings,
				     struct strtab *stacks);
/* An entry of any kind: a value for each field of it. */
bool rec_entry(struct rec_writer *w, enum rec_kind kind, const uint64_t *v);
bool rec_meta(struct rec_writer *w, const char *key, const char *value);
/* @s gets the number it has in this file. */
bool rec_send(struct rec_writer *w, struct send *s);
/* @r comes from @from, which is written again if it is too far back. */
bool rec_receipt(struct rec_writer *w, const struct receipt *r,
		 struct send *from);
bool rec_agreement(struct rec_writer *w, const struct agreement *a);
bool rec_note(struct rec_writer *w, uint64_t ts, const char *text);
bool rec_flush(struct rec_writer *w);
/* The table of stacks will be emptied. */
bool rec_forget_stacks(struct rec_writer *w);
/* Up to @end->duration all is written: put it on the disk, or begin a part. */
bool rec_sofar(struct rec_writer *w, const struct rec_end *end);
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
	void (*note)(void *arg, uint64_t ts, const char *text);
	/* Keep of @stacks what is needed: other numbers follow. NULL: nothing is. */
	void (*no_stacks)(void *arg);
	/* An entry of a kind that only snapshots have: the fields as they are. */
	void (*snapshot)(void *arg, enum rec_kind kind, const uint64_t *v);
	/* Of a file that was cut: as far as it goes. */
	void (*end)(void *arg, const struct rec_end *e);
	void		*arg;
	bool		cut;		/* set: it has no end */
	uint64_t	skipped;	/* entries of kinds this version has not */
};

/* NULL if all is well, else what is wrong with the file. */
const char *rec_read(FILE *f, struct rec_visitor *v);

#endif
