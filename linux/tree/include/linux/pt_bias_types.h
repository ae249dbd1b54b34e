/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LINUX_PT_BIAS_TYPES_H
#define _LINUX_PT_BIAS_TYPES_H

#include <linux/types.h>
#include <linux/workqueue.h>

/**
 * struct pt_bias - who wants the walkers of an mm to publish themselves
 * @trust: removers may rely on mm->pt_walk_publish once @since is over
//@50
 * @sticky: one of @users is pt_bias_get_sticky()
//@end
 * @leaving: the work that turns publishing off is under way
 * @users: how many removers want the walkers published
 * @since: grace period after which every walker knows of pt_walk_publish
 * @until: grace period after which no remover trusts any more
 * @touched: when pt_bias_touch() was last called
 * @link: in the list of touched mms, for which one of @users stands
 * @work: the work of @leaving
 *
 * See <linux/pt_walk.h> for the states that these make up.
 */
struct pt_bias {
	bool			trust;
//@50
#ifdef CONFIG_PT_SYNC_LAB
	bool			sticky;
#endif
//@end
	bool			leaving;
	unsigned int		users;
	unsigned long		since;
	unsigned long		until;
	unsigned long		touched;
	struct list_head	link;
	struct rcu_work		work;
};

#endif /* _LINUX_PT_BIAS_TYPES_H */
