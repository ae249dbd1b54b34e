/* SPDX-License-Identifier: GPL-2.0 */
/*
 * instance.h - a tracefs instance of our own that never outlives us.
 */
#ifndef QUELL_INSTANCE_H
#define QUELL_INSTANCE_H

#include <tracefs.h>

/*
 * Where tracefs is mounted. Dies with EXIT_DENIED or EXIT_KERNEL when there is
 * no tracing to be had; mounts nothing by itself.
 */
const char *instance_tracing_dir(void);
struct tracefs_instance *instance_create(void);
void instance_destroy(void);		/* also run at exit */

/*
 * The names of instances whose quell is dead, blank-separated; NULL: none, or
 * it cannot be told. They go on tracing until the next quell sweeps them up.
 */
char *instance_leftovers(void);

#endif
