/* SPDX-License-Identifier: GPL-2.0 */
/*
 * recread.h - shared by recread.c (the parts of a record) and recentry.c (what is
 * in them). Nobody else includes this.
 */
#ifndef QUELL_RECREAD_H
#define QUELL_RECREAD_H

#include "record/recfile.h"

#define MAX_KINDS	64

struct kind {				/* as this file has it */
	bool	there;
	int	known;			/* enum rec_kind, -1: not ours */
	int	n;
	char	type[REC_FIELDS];
	int	field[REC_FIELDS];	/* ours, -1: not ours */
	uint64_t prev[REC_FIELDS];
};

struct reader {
	struct rec_visitor	*v;
	struct kind		kind[MAX_KINDS];
	struct send		*send;		/* a ring of the last ones */
	size_t			room;
	uint64_t		nsends, nreceipts, nparts, text, stack_text;
	uint32_t		*stack;		/* the file's numbers to those of @v */
	size_t			nstacks, stack_room;
	/* Causes and vectors are strings: each is looked up once. */
	uint8_t			*cause, *vec;	/* + 1; 0: not yet */
	size_t			causes, vecs;
	struct rec_end		sofar;
	bool			ended;
};

/* Take in an entry of our kind @known, -1: not ours. Return: does it make sense? */
bool rec_take_entry(struct reader *r, int known, const uint64_t *v);

#endif
