/* SPDX-License-Identifier: GPL-2.0 */
/*
 * probes.h - kprobe events of our own, for kernels whose senders have no events.
 *
 * They are the whole kernel's, not an instance's, and outlive who made them. So each
 * belongs to the group that is called as its owner's instance, and goes with it: at
 * the end, or, if its owner was killed, when the next quell sweeps.
 */
#ifndef QUELL_PROBES_H
#define QUELL_PROBES_H

#include <stdbool.h>

/* The group of instance @name; the caller frees it. */
char *probes_group(const char *instance);
/* Make "p:GROUP/NAME WHAT". Return: NULL, or why that cannot be. */
const char *probes_add(const char *tracing, const char *group, const char *name,
		       const char *what);
/* Remove all of @group; they must not be switched on any more. */
void probes_remove(const char *tracing, const char *group);
/* Remove those whose instance is not in the directory @instances any more. */
void probes_sweep(const char *tracing, int instances);

#endif
