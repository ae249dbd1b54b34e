/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _QUELL_TORTURE_STOCK_H
#define _QUELL_TORTURE_STOCK_H

/*
 * A stock kernel has no bias. The one place where the torture looks into an mm
 * for it is there for faults that only quell's kernel can have, so any word of
 * the mm will do.
 */
#define pt_bias mm_users
#define publish counter

#endif /* _QUELL_TORTURE_STOCK_H */
