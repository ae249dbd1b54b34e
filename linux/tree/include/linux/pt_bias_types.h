/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_BIAS_TYPES_H
#define _LINUX_PT_BIAS_TYPES_H

#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct pt_bias - whether walkers of an mm publish themselves
 * @publish: they do; the only member that walkers read
 * @trust: removers may rely on @publish once @since is over
 * @sticky: one of @users is pt_bias_get_sticky()
 * @leaving: the work that turns @publish off is under way
 * @users: how many removers want the walkers published
 * @since: grace period after which every walker knows of @publish
 * @until: grace period after which no remover trusts any more
 * @work: the work of @leaving
 *
 * See <linux/pt_walk.h> for the states that these make up.
 */
struct pt_bias {
	bool			publish;
	bool			trust;
	bool			sticky;
	bool			leaving;
	unsigned int		users;
	unsigned long		since;
	unsigned long		until;
	struct rcu_work		work;
};

#endif /* _LINUX_PT_BIAS_TYPES_H */
