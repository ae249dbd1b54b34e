/* SPDX-License-Identifier: GPL-2.0 */
/* Where the snapshots of counters.h come from on a running kernel. */
#ifndef QUELL_TRACE_H
#define QUELL_TRACE_H

#include "instrument/counters.h"

/*
 * Arms the histogram triggers; what this kernel does not offer stays absent
 * in the snapshots. trace_stop() takes them away again.
 */
void trace_start(void);
void trace_stop(void);

/* Once the machine is at rest, or after a while with stable = false. */
void snapshot_take(struct snapshot *to, const struct cpus *isolated);

#endif
