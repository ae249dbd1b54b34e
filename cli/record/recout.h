/* SPDX-License-Identifier: GPL-2.0 */
/* recout.h - the file or pipe that a record goes to, or the files in turn. */
#ifndef QUELL_RECOUT_H
#define QUELL_RECOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct rec_out;

/* Dies with one line if @path is nothing to write a record to. */
struct rec_out *rec_out_open(const char *path, uint64_t max_size,
			     unsigned int keep);
/* What is written to @f, which is the caller's. */
struct rec_out *rec_out_stream(FILE *f);
bool rec_out_write(struct rec_out *o, const void *data, size_t len);
bool rec_out_flush(struct rec_out *o);
/* Would @more bytes make it larger than it may be? */
bool rec_out_full(const struct rec_out *o, size_t more);
/* Give this one its number, begin the next; dies if that cannot be. */
void rec_out_next(struct rec_out *o);
/* Give it its name if @ok, else remove it; @o is gone either way. */
bool rec_out_close(struct rec_out *o, bool ok);

#endif
