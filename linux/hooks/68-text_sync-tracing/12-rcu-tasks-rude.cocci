// SPDX-License-Identifier: GPL-2.0
// Changes: kernel/rcu/tasks.h 1
@@
@@
-	schedule_on_each_cpu(rcu_tasks_be_rude);
+	schedule_on_each_cpu_in_kernel(rcu_tasks_be_rude);
