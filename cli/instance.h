/* SPDX-License-Identifier: GPL-2.0 */
/*
 * instance.h - a tracefs instance of our own that never outlives us.
 */
#ifndef QUELL_INSTANCE_H
#define QUELL_INSTANCE_H

#include <tracefs.h>

/* Dies with EXIT_DENIED or EXIT_KERNEL when there is no tracing to be had. */
const char *instance_tracing_dir(void);
struct tracefs_instance *instance_create(void);
void instance_destroy(void);		/* also run at exit */
/* Remove instances of quell processes that are dead; returns how many. */
int instance_clean_stale(void);

#endif
