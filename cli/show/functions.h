/* SPDX-License-Identifier: GPL-2.0 */
/*
 * functions.h - what is known of functions of the kernel that rows of top and
 * report can show: timers, work, function calls, call sites.
 */
#ifndef QUELL_FUNCTIONS_H
#define QUELL_FUNCTIONS_H

#include <stddef.h>

struct function_info {
	const char	*name;		/* NULL: known by its prefix only */
	const char	*subsystem;
	const char	*what;		/* NULL likewise */
	const char	*remedy;	/* may hold %h %m %q %t, see remedy.c; or NULL */
};

/*
 * What is known of @name, which may have a suffix of the compiler's ("x.isra.0")
 * or a module's ("x [nvme]"). Always something: at least the subsystem, if only
 * "the kernel" or the module's name. @room takes what is put together.
 */
const struct function_info *function_info(const char *name, struct function_info *room);

#endif
