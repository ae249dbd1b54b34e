// SPDX-License-Identifier: GPL-2.0
/* check_workqueues.c - where work that is bound to no CPU may run. */
#include <stdlib.h>

#include "check/check.h"

void check_workqueues(struct check *c)
{
	static const char path[] = "/sys/devices/virtual/workqueue/cpumask";
	struct cpuset set;
	struct finding *f;
	char *on;

	if (!check_read_mask(c, path, &set))
		return;
	on = check_common(&set, &c->quiet);
	if (on) {
		f = check_find(c, "workqueue.unbound", SEV_HIGH,
			       "a kworker that runs there preempts the task, after an interrupt that wakes it",
			       "work that is bound to no CPU may run on CPUs %s", on);
		fix_add(f, FIX_FILE, path, c->house_mask);
	}
	free(on);
}
