/* SPDX-License-Identifier: GPL-2.0 */
/* Every way user mode has into the kernel (kernel-flush-torture). */
#ifndef QUELL_KERNEL_FLUSH_WAYS_H
#define QUELL_KERNEL_FLUSH_WAYS_H

#include <stdbool.h>
#include <stddef.h>

/* In each @every-th round. */
struct way {
	const char *name;
	bool (*enter)(void);
	unsigned int every;
};

#define WAYS 15
extern const struct way ways[WAYS];

/* The program itself is what exec() starts; with this it only ends well. */
#define WAYS_PROGRAM "kernel-flush-torture"
#define WAYS_END_WELL "--end-well"

/* Handles the signals that they raise, in every thread. */
void ways_prepare(void);
/* Goes that way: true if what it leads to has happened. */
bool way_taken(size_t way);

#endif
