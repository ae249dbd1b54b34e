// SPDX-License-Identifier: GPL-2.0
/*
 * check_clock.c - the clock source of x86. One that is watched has a timer that
 * visits each CPU in turn, isolated ones too; a slow one takes programs out of
 * user mode whenever they ask what time it is.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

static bool word_in(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *p;

	for (p = text; p && (p = strstr(p, word)); p += len)
		if ((p == text || strchr(" \t:,", p[-1])) && (!p[len] || strchr(" \n,", p[len])))
			return true;
	return false;
}

/* With these, and few sockets, the kernel trusts the TSC by itself (5.16). */
static bool trusted(const char *cpuinfo)
{
	return word_in(cpuinfo, "constant_tsc") && word_in(cpuinfo, "nonstop_tsc") &&
	       word_in(cpuinfo, "tsc_adjust");
}

void check_clock(struct check *c)
{
	static const char dir[] = "/sys/devices/system/clocksource/clocksource0";
	char *now = check_slurp(c, "%s/current_clocksource", dir);
	char *all = check_slurp(c, "%s/available_clocksource", dir);
	char *cpuinfo = check_slurp(c, "/proc/cpuinfo");
	const char *tsc = check_parameter(c, "tsc");
	struct finding *f;

	if (now && !strcmp(now, "tsc")) {
		if (!word_in(tsc, "reliable") && !word_in(tsc, "nowatchdog") && !trusted(cpuinfo))
			fix_add(check_find(c, "clock.watchdog", SEV_MEDIUM,
				"twice a second a timer compares the clocks, each time on the next CPU, isolated ones too",
				"the kernel does not trust this machine's TSC and watches it"),
				FIX_CMDLINE, "tsc", "nowatchdog");
	} else if (now && (!strcmp(now, "hpet") || !strcmp(now, "acpi_pm") ||
			   !strcmp(now, "jiffies") || !strcmp(now, "refined-jiffies"))) {
		f = check_find(c, "clock.slow", SEV_MEDIUM,
			       "each look at the clock is a system call that reads a device, and programs cannot stay in user mode",
			       "the clock source is %s", now);
		if (word_in(all, "tsc"))
			fix_add(f, FIX_CMDLINE, "clocksource", "tsc");
		fix_add(f, FIX_CMDLINE, "tsc", "reliable");
	}
	free(now);
	free(all);
	free(cpuinfo);
}
