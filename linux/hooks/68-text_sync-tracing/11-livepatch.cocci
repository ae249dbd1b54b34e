// SPDX-License-Identifier: GPL-2.0
// Changes: kernel/livepatch/transition.c 1
@@
@@
-	schedule_on_each_cpu(klp_sync);
+	schedule_on_each_cpu_in_kernel(klp_sync);
