// SPDX-License-Identifier: GPL-2.0
// A bias that is engaged again keeps the cookie of the last time.
// Changes: mm/pt_walk.c 2
@@
@@
 #include "pt_sync.h"
+#include "pt_sync_fault.h"

@@
identifier bias;
@@
 pt_bias_get_locked(...)
 {
 	<...
-	WRITE_ONCE(bias->since, start_poll_synchronize_rcu());
+	if (!pt_fault(PT_FAULT_OLD_COOKIE) || !bias->since)
+		WRITE_ONCE(bias->since, start_poll_synchronize_rcu());
 	...>
 }
