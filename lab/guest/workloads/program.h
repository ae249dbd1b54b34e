/* SPDX-License-Identifier: GPL-2.0 */
/* BPF programs, as whoever traces or filters on a machine loads them. */
#ifndef QUELL_PROGRAM_H
#define QUELL_PROGRAM_H

#include <linux/bpf.h>

/* One that does nothing, of that type. Closing its file unloads it. */
int program_load(enum bpf_prog_type type);

#endif
