// SPDX-License-Identifier: GPL-2.0
/* See ktext.h. The kernel needs CONFIG_COALESCE_TEXT_SYNC_TEST. */
#define _GNU_SOURCE
#include "checks/ktext.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "checks/kflush.h"
#include "workload.h"

#define KTEXT "/sys/kernel/debug/pt_sync/text_sync"
#define KTEXT_TEST KTEXT "_test"

static const char *const kinds[] = {
	"static_key", "static_call", "early_key", "kprobe", "ftrace",
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void command(const char *name, long number)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %ld", name, number);
	must_write(KTEXT_TEST, text);
}

void ktext_start(const struct ktext *asked)
{
	if (!asked->on)
		return;
	must_write(KTEXT, "reset");
	command("reset", 0);
	command("broken", asked->broken);
}

void *ktext_patch(void *enough)
{
	stay_on_housekeeping();
	while (!atomic_load((atomic_bool *)enough))
		command("patch", 2);
	return NULL;
}

bool ktext_stop(const struct ktext *asked, bool broken)
{
	static const char *const counted[] = {
		"batches", "batches_for_everybody", "requested", "interrupted",
		"deferred", "synced_at_entry",
	};
	static const char *const seen[] = {
		"executions", "early", "kept", "stale",
	};
	long stale = kflush_value(KTEXT_TEST, "stale");
	bool good = kflush_value(KTEXT, "deferred") && kflush_value(KTEXT_TEST, "kept") &&
		    kflush_value(KTEXT, "synced_at_entry");

	command("broken", 0);
	good = good && (broken ? stale > 0 : stale == 0);
	json_begin();
	json_text("test", "text");
	json_number("broken", asked->broken);
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		json_number(counted[i], kflush_value(KTEXT, counted[i]));
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
		json_number(seen[i], kflush_value(KTEXT_TEST, seen[i]));
	for (size_t i = 0; i < KINDS; i++) {
		static const char *const what[] = { "patched", "run", "wrong" };

		for (size_t j = 0; j < 3; j++) {
			char name[64];
			long value;

			snprintf(name, sizeof(name), "%s_%s", kinds[i], what[j]);
			value = kflush_value(KTEXT_TEST, name);
			json_number(name, value);
			/* Each was patched and ran, and none in a wrong version. */
			good = good && (j == 2 ? broken || !value : value > 0);
		}
	}
	json_bool("good", good);
	json_end();
	return good;
}
