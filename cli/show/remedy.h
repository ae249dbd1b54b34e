/* SPDX-License-Identifier: GPL-2.0 */
/* remedy.h - what ends the interrupts of a row, on the system they came from. */
#ifndef QUELL_REMEDY_H
#define QUELL_REMEDY_H

#include "record/summary.h"

/* One line, for a person to type or to do. The caller frees it. */
char *remedy(const struct summary *s, const struct source_row *r);

/* What is known of the device's interrupt that @r is; NULL: nothing. */
const struct irq_facts *row_irq(const struct summary *s, const struct source_row *r);

/*
 * What quell explain says of a function that is no cause's own; false if neither
 * quell nor this kernel knows it.
 */
bool explain_function(const char *name, bool as_json);

#endif
