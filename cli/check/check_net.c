// SPDX-License-Identifier: GPL-2.0
/* check_net.c - receive packet steering: packets handed on by an interrupt. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

static void queue(struct check *c, const char *device, const char *name)
{
	char *path = xasprintf("/sys/class/net/%s/queues/%s/rps_cpus", device, name);
	struct cpuset set;
	struct finding *f;
	char *on = NULL;

	if (check_read_mask(c, path, &set))
		on = check_common(&set, &c->quiet);
	if (on) {
		/* Without the quiet CPUs; no CPU at all switches it off. */
		struct cpuset left = set;
		unsigned int low;
		char *value, *file, *rule;

		cpuset_without(&left, &c->quiet);
		low = cpuset_count(&left);
		value = low ? xstrdup(c->house_mask) : xstrdup("0");
		f = check_find(c, "net.rps", SEV_MEDIUM,
			       "each batch of packets that is steered there is an interrupt and a softirq",
			       "packets of %s (%s) are steered to CPUs %s", device, name, on);
		fix_add(f, FIX_NOW, path, value);
		file = xasprintf("/etc/udev/rules.d/zz-quell-check-%s-%s.rules", device, name);
		rule = xasprintf("ACTION==\"add\", SUBSYSTEM==\"net\", KERNEL==\"%s\", ATTR{queues/%s/rps_cpus}=\"%s\"\n",
				 device, name, value);
		fix_add(f, FIX_CONF, file, rule);
		free(value);
		free(file);
		free(rule);
	}
	free(on);
	free(path);
}

void check_net(struct check *c)
{
	size_t n, m;
	char **devices = check_list(c, "/sys/class/net", &n);

	for (size_t i = 0; i < n; i++) {
		char *dir = xasprintf("/sys/class/net/%s/queues", devices[i]);
		char **queues = check_list(c, dir, &m);

		for (size_t k = 0; k < m; k++)
			if (!strncmp(queues[k], "rx-", 3))
				queue(c, devices[i], queues[k]);
		check_list_free(queues, m);
		free(dir);
	}
	check_list_free(devices, n);
}
