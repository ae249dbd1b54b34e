/* SPDX-License-Identifier: GPL-2.0 */
/* Settings of the kernel a workload borrows and gives back at exit. */
#ifndef QUELL_KNOBS_H
#define QUELL_KNOBS_H

#include <stdbool.h>

/*
 * Writes @value to @path; what was there is written back at exit, in reverse
 * order. Of a choice ("always [madvise] never") the bracketed word counts.
 * False if the kernel has no such setting.
 */
bool borrow_knob(const char *path, const char *value);

#endif
