// SPDX-License-Identifier: GPL-2.0
/* See text-sync.h. The kernel needs CONFIG_TEXT_SYNC_TEST. */
#define _GNU_SOURCE
#include "checks/text-sync.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "checks/kernel-flush.h"
#include "workload.h"

#define TEXT_SYNC "/sys/kernel/debug/pt_sync/text_sync"
#define TEXT_SYNC_TEST TEXT_SYNC "_test"

static const char *const kinds[] = {
	"static_key", "static_call", "early_key", "kprobe", "ftrace",
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void command(const char *name, long number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %ld", name, number);
	must_write(TEXT_SYNC_TEST, text);
}

void text_sync_start(const struct text_sync *asked)
{
	if (!asked->on)
		return;
	must_write(TEXT_SYNC, "reset");
	command("reset", 0);
	command("broken", asked->broken);
}

void *text_sync_patch(void *enough)
{
	stay_on_housekeeping();
	while (!atomic_load((atomic_bool *)enough))
		command("patch", 2);
	return NULL;
}

bool text_sync_stop(const struct text_sync *asked, bool broken)
{
	static const char *const counted[] = {
		"batches", "batches_for_everybody", "requested", "interrupted",
		"deferred", "synced_at_entry",
	};
	static const char *const seen[] = {
		"executions", "early", "kept", "stale",
	};
	long stale = kernel_flush_value(TEXT_SYNC_TEST, "stale");
	bool good = kernel_flush_value(TEXT_SYNC, "deferred") &&
		    kernel_flush_value(TEXT_SYNC_TEST, "kept") &&
		    kernel_flush_value(TEXT_SYNC, "synced_at_entry");

	command("broken", 0);
	good = good && (broken ? stale > 0 : stale == 0);
	json_begin();
	json_text("test", "text");
	json_number("broken", asked->broken);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		json_number(counted[i],
			    kernel_flush_value(TEXT_SYNC, counted[i]));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		json_number(seen[i],
			    kernel_flush_value(TEXT_SYNC_TEST, seen[i]));
	for (size_t i = 0; i < KINDS; i++) {
		static const char *const what[] = { "patched", "run", "wrong" };

		for (size_t j = 0; j < 3; j++) {
			char name[64];
			long value;

			snprintf(name, sizeof(name), "%s_%s", kinds[i], what[j]);
			value = kernel_flush_value(TEXT_SYNC_TEST, name);
			json_number(name, value);
			/* Each was patched and ran, and none in a wrong version. */
			good = good && (j == 2 ? broken || !value : value > 0);
		}
	}
	json_bool("good", good);
	json_end();
	return good;
}
