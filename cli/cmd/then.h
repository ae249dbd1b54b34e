/* SPDX-License-Identifier: GPL-2.0 */
/*
 * then.h - runs a command for each dump, by a process of its own: one after
 * another, and whoever reads the trace never waits for it.
 */
#ifndef QUELL_THEN_H
#define QUELL_THEN_H

#include <stdbool.h>
#include <stddef.h>

struct then;

/*
 * Before the trace is opened: a process that inherits its buffers flushes them when
 * it ends, and that raises interrupts.
 */
struct then *then_start(const char *command);
/* It stays where the caller is, off the CPUs that are left alone. */
void then_follow(struct then *t);
/* Run it with @env ("NAME=value"); false: it is busy with so many others. */
bool then_run(struct then *t, char *const *env, size_t n);
/* Wait for what runs; after a signal not for long. */
void then_finish(struct then *t);

#endif
