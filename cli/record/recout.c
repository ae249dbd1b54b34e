// SPDX-License-Identifier: GPL-2.0
/*
 * recout.c - the file or pipe that a record goes to, or the files in turn.
 *
 * A file is written as FILE.partial and takes its name when it is complete
 * (output.c). If its writer is killed it stays, can be read as far as it goes,
 * and makes way for the next recording to the same FILE, with a line that says
 * so.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "quell.h"
#include "record/recout.h"

struct rec_out {
	FILE		*f;
	struct output	*to;		/* NULL: @f is somebody else's */
	char		*base;		/* NULL: a pipe */
	uint64_t	size, max_size;
	unsigned int	parts, keep;
	int		err;		/* of the first failure */
};

struct rec_out *rec_out_open(const char *path, uint64_t max_size,
			     unsigned int keep)
{
	struct rec_out *o = xcalloc(1, sizeof(*o));

	o->max_size = max_size;
	o->keep = keep;
	o->to = output_open(path, OUTPUT_PARTIAL);
	o->f = o->to->f;
	if (isatty(fileno(o->f)))
		die(EXIT_USAGE, "a record is nothing for a terminal: give it a file or a pipe");
	if (o->to->final)
		o->base = xstrdup(o->to->final);
	if (max_size && !o->base)
		die(EXIT_USAGE, "--max-size wants a regular file");
	return o;
}

struct rec_out *rec_out_stream(FILE *f)
{
	struct rec_out *o = xcalloc(1, sizeof(*o));

	o->f = f;
	return o;
}

static bool failed(struct rec_out *o)
{
	if (!o->err)
		o->err = errno ? errno : EIO;
	return false;
}

bool rec_out_write(struct rec_out *o, const void *data, size_t len)
{
	o->size += len;
	return fwrite(data, 1, len, o->f) == len || failed(o);
}

bool rec_out_flush(struct rec_out *o)
{
	return !fflush(o->f) || failed(o);
}

bool rec_out_full(const struct rec_out *o, size_t more)
{
	return o->max_size && o->size + more >= o->max_size;
}

void rec_out_next(struct rec_out *o)
{
	char *name;

	free(o->to->final);
	o->to->final = xasprintf("%s.%u", o->base, ++o->parts);
	if (!output_commit(o->to))
		die(EXIT_FAILED, "%s.%u cannot be written: %s", o->base, o->parts,
		    strerror(errno));
	if (o->parts > o->keep) {
		name = xasprintf("%s.%u", o->base, o->parts - o->keep);
		unlink(name);
		free(name);
	}
	o->to = output_open(o->base, OUTPUT_PARTIAL);
	o->f = o->to->f;
	o->size = 0;
}

bool rec_out_close(struct rec_out *o, bool ok)
{
	int err = o->err;

	if (!o->to) {
		ok = ok && !err;
	} else if (ok && !err) {
		ok = output_commit(o->to);
		err = errno;
	} else {
		output_abandon(o->to);
		ok = false;
	}
	free(o->base);
	free(o);
	errno = err;
	return ok;
}
