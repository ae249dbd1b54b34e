/* SPDX-License-Identifier: GPL-2.0 */
/* What `isolated` has seen so far, one per CPU, in memory `measure` shares. */
#ifndef QUELL_ISOLATED_H
#define QUELL_ISOLATED_H

#include <stdatomic.h>
#include <stdint.h>

#include "cpulist.h"
#include "instrument/vcpu.h"

struct seen {
	_Atomic uint64_t running;
	_Atomic uint64_t interruptions;
	_Atomic uint64_t gaps;
	_Atomic uint64_t longest;
};

struct seen_by_all {
	struct seen cpu[MAX_CPUS];
	/* What guests count in, if there are guests. */
	union {
		_Atomic uint64_t counted;
		char page[VCPU_PAGE];
	} guest[MAX_CPUS] __attribute__((aligned(VCPU_PAGE)));
};

#endif
