/* SPDX-License-Identifier: GPL-2.0 */
/*
 * irqs.h - the interrupts of devices: whose driver's, where they may go, where they
 * arrive, and whether anybody but the kernel can change that.
 */
#ifndef QUELL_IRQS_H
#define QUELL_IRQS_H

#include <stdbool.h>
#include <stddef.h>

#include "cpulist.h"

struct irq_facts {
	unsigned int	irq;
	bool		fixed;		/* the kernel places it: its file cannot be written */
	struct cpuset	may, does;	/* affinity, effective affinity; empty: not told */
	char		*driver;	/* "nvme 0000:00:04.0"; "": not known */
};

struct irq_table {
	struct irq_facts	*item;
	size_t			n, room;
};

/* Those of the system below @root ("" for this one) that may go to @cpus or arrive there. */
void irqs_read(struct irq_table *t, const char *root, const struct cpuset *cpus);
/* NULL: nothing is known of it. */
const struct irq_facts *irqs_find(const struct irq_table *t, unsigned int irq);
/* Between a table and the lines of a record; the caller frees it. */
char *irqs_line(const struct irq_facts *f);
void irqs_take(struct irq_table *t, const char *line);
/* "driver nvme 0000:00:04.0, may go to CPUs 0-7, arrives on 5"; the caller frees it. */
char *irqs_text(const struct irq_facts *f);
void irqs_free(struct irq_table *t);

#endif
