/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flight.h - the last moments in bounded memory: what was sent, what was
 * received, and what was noted. Any part of them can be written as a record.
 */
#ifndef QUELL_FLIGHT_H
#define QUELL_FLIGHT_H

#include "record/recfile.h"

#define FLIGHT_MOST	(1u << 18)	/* interrupts, and sends: some 50 MB in all */
#define FLIGHT_NOTES	64u
#define FLIGHT_NOTE	120u		/* bytes of one, with its end */

struct flight;

/* Keeps @keep ns, but of interrupts and of sends no more than @most. */
struct flight *flight_new(uint64_t keep, size_t most);
void flight_send(struct flight *f, const struct send *s);
void flight_receipt(struct flight *f, const struct receipt *r);
void flight_note(struct flight *f, uint64_t ts, const char *text);
/* Who sent what stays known, but not the whole way there. */
void flight_forget_stacks(struct flight *f);
/* What was lost and unaccounted up to @ts, since the beginning. */
void flight_losses(struct flight *f, uint64_t ts, uint64_t lost, uint64_t unaccounted);

/* From when on all that came is held: later than asked for if there was too much. */
uint64_t flight_whole_since(const struct flight *f);
/* What took longest of all that was going on in [from, to); false: none was timed. */
bool flight_longest(const struct flight *f, uint64_t from, uint64_t to,
		    struct receipt *r, struct send *sender);
/* The sender of @r; false: not known, or not held any more. */
bool flight_sender(const struct flight *f, const struct receipt *r, struct send *out);
/*
 * Write what came in [from, to), with times since @from. @end gets the totals.
 * False: @w failed.
 */
bool flight_write(struct flight *f, struct rec_writer *w, uint64_t from,
		  uint64_t to, struct rec_end *end);
void flight_free(struct flight *f);

#endif
