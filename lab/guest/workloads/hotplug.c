// SPDX-License-Identifier: GPL-2.0
/*
 * hotplug: takes CPUs away and brings them back while others work. Only the
 * upper half of the housekeeping CPUs, so that the lower half can be relied
 * upon by whoever pins threads. Afterwards all that were online are again.
 */
#define _GNU_SOURCE
#include "workload.h"

#include <errno.h>
#include <stdio.h>

#define CPU_ONLINE "/sys/devices/system/cpu/cpu%d/online"

static void set_online(int cpu, bool online)
{
	char path[64];

	snprintf(path, sizeof(path), CPU_ONLINE, cpu);
	must_write(path, online ? "1" : "0");
	if (read_number(path, -1) != online)
		die("CPU %d is not %s", cpu, online ? "online" : "offline");
}

int main(int argc, char **argv)
{
	long ms = 1000, every = 50;
	const struct number numbers[] = {
		{ "ms", &ms, "how long" },
		{ "every", &every, "milliseconds a CPU stays away" },
		{ NULL, NULL, NULL },
	};
	unsigned int count, half;
	unsigned long cycles = 0;
	uint64_t start, end;
	struct cpus set;

	parse_numbers(argc, argv, "Takes CPUs offline and online under load.",
		      numbers);
	housekeeping(&set);
	count = cpus_count(&set);
	half = (count + 1) / 2;
	if (half == count)
		unavailable("too-few-CPUs");
	start = now_ns();
	end = start + (uint64_t)ms * 1000000;
	while (now_ns() < end) {
		int cpu = cpus_nth(&set, half +
				   (unsigned int)(cycles % (count - half)));

		set_online(cpu, false);
		sleep_ms((unsigned int)every);
		set_online(cpu, true);
		cycles++;
	}
	report(cycles, now_ns() - start, NULL);
	return 0;
}
