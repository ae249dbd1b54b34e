/* SPDX-License-Identifier: GPL-2.0 */
/* system.h - what this kernel and machine are, as far as interrupts go. */
#ifndef QUELL_SYSTEM_H
#define QUELL_SYSTEM_H

#include <stdbool.h>

#include "classify.h"
#include "cpulist.h"

enum flush_backend {
	FLUSH_UNKNOWN, FLUSH_NATIVE, FLUSH_KVM, FLUSH_XEN, FLUSH_HYPERV,
	FLUSH_INVLPGB, FLUSH_ARM64, FLUSH_OTHER,
};

struct pt_sync_row {		/* a line of debugfs pt_sync/stats */
	char			strategy[24];
	unsigned long long	syncs, receipts, broadcasts, interrupted;
};

struct system {
	char			*release, *machine, *host;
	char			*processor;	/* NULL: not told */
	struct cpuset		online, isolated, nohz_full;
	struct cpuset		quiet;		/* isolated or nohz_full */
	enum flush_backend	flush;
	int			pti;		/* 1, 0, -1: not known */
	char			*thp, *khugepaged;
	long			hugetlb_pages;
	bool			debugfs;	/* it could be looked into */
	bool			quell_kernel;
	char			strategy[24];	/* "stock" without quell */
	bool			kernel_flush;
	char			no_kernel_flush[80];	/* why not, as the kernel says */
	unsigned long long	flush_deferred, flush_interrupted;	/* CPUs */
	bool			live_module, live_transition;
	struct pt_sync_row	row[16];
	int			nrows;
};

void system_read(struct system *s);
void system_free(struct system *s);
void system_facts(const struct system *s, struct avoid_facts *f);
const char *flush_name(enum flush_backend b);

#endif
