// SPDX-License-Identifier: GPL-2.0
// Nobody calls it any more.
// Changes: include/linux/pgtable.h 2
@@
@@
-#define pmdp_get_lockless_sync() tlb_remove_table_sync_one()

@@
@@
-static inline void pmdp_get_lockless_sync(void)
-{
-}
