// SPDX-License-Identifier: GPL-2.0
/*
 * check_kernel_flush.c - on quell's own kernel: is what it was installed for in
 * force? Stock kernels have nothing of it, and nothing is missed there.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

#define DIR_ "/sys/kernel/debug/pt_sync"

static void strategy(struct check *c, const char *text)
{
	const char *open = strchr(text, '[');
	struct finding *f;

	if (!open || !strncmp(open, "[auto]", 6))
		return;
	f = check_find(c, "quell.strategy", SEV_HIGH,
		       "it interrupts CPUs that auto leaves alone",
		       "quell's kernel syncs page tables by \"%.*s\"",
		       (int)strcspn(open + 1, "]"), open + 1);
	fix_add(f, FIX_NOW, DIR_ "/strategy", "auto");
	fix_add(f, FIX_CMDLINE, "pt_sync", "auto");
}

static void kernel_flush(struct check *c, char *text)
{
	char *line, *save = NULL, name[32], why[128] = "";
	long active = 0, deferring = 1, v;
	struct finding *f;

	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "# inactive: ", 12))
			snprintf(why, sizeof(why), "%s", line + 12);
		if (sscanf(line, "%31s %ld", name, &v) != 2)
			continue;
		if (!strcmp(name, "active"))
			active = v;
		else if (!strcmp(name, "deferring"))
			deferring = v;
	}
	if (active && deferring)
		return;
	f = check_find(c, "quell.kernel_flush", SEV_HIGH,
		       "each kernel mapping that goes away interrupts these CPUs at once",
		       "kernel TLB flushes are not deferred: %s",
		       active ? "switched off" : *why ? why : "the kernel does not say why");
	if (active)
		fix_add(f, FIX_FILE, DIR_ "/kernel_flush", "on");
	else
		fix_hand(f, "end what the kernel names: %s", *why ? why : "see its log");
}

void check_kernel_flush(struct check *c)
{
	char *text = check_slurp(c, DIR_ "/strategy");

	/* The live module has "live" there, and defers nothing. */
	if (text && strcmp(text, "[live]") && strcmp(text, "live")) {
		char *flush = check_slurp(c, DIR_ "/kernel_flush");

		strategy(c, text);
		if (flush)
			kernel_flush(c, flush);
		free(flush);
	}
	free(text);
}
