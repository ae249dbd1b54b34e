/* SPDX-License-Identifier: GPL-2.0 */
/*
 * names.h - what a task was called at a moment, from events in time order.
 */
#ifndef QUELL_NAMES_H
#define QUELL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMM_LEN	16

struct names;

struct names *names_new(void);
/* Who is there already: @proc is a /proc whose numbers are the kernel's own. */
void names_scan(struct names *n, const char *proc);
/* Who is in @list, lines of a number and a name, as saved_cmdlines has them. */
void names_add_list(struct names *n, const char *list);
/* Events were lost: a name may have changed unseen. */
void names_forget(struct names *n);
/* From now on @pid is called @comm (the first 15 bytes of it). */
void names_set(struct names *n, int32_t pid, const char *comm);
/* NULL: not known. @id is room for a number the caller keeps with the name. */
const char *names_get(struct names *n, int32_t pid, uint32_t **id);
/* What the caller keeps of @pid's control group until it is somebody else's number. */
struct names_cgroup { uint32_t id; uint64_t asked; };
/* NULL: nobody of that number is known. */
struct names_cgroup *names_cgroup(struct names *n, int32_t pid);
/* @pid is a new task, or executes another program: it may be elsewhere now. */
void names_moved(struct names *n, int32_t pid);
/*
 * Once a second or so: forget who has ended, so that memory does not grow with
 * the tasks there ever were. If nobody can be asked, forget who was not heard
 * of for long; those are not known then.
 */
void names_sweep(struct names *n, bool can_ask, uint64_t now);
size_t names_count(const struct names *n);
void names_free(struct names *n);

/*
 * Does this /proc count processes as the kernel's events do? Not in another
 * PID namespace.
 */
bool names_proc_is_kernels(void);

#endif
