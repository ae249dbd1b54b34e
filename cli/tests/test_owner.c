// SPDX-License-Identifier: GPL-2.0
/*
 * test_owner.c - whose it was: control groups into a record and out of it, in rows,
 * in series, and asked for. What is not known is no one's.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cgroup.h"
#include "../quell.h"
#include "../record/series.h"
#include "../show/show.h"
#include "tap.h"

#define DIGITS	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD	"01234567-89ab-cdef-0123-456789abcdef"
#define INSIDE	"/kubepods/burstable/pod" POD "/" DIGITS

static char path[256];

static void one(struct rec_writer *w, struct strtab *t, const char *from, const char *of)
{
	static uint64_t ts;
	struct send x = { .ts = ++ts, .vec = VEC_CALL, .cause = CAUSE_CALL, .wanted = 1,
			  .targets = 1, .ipis = 1, .pid = 42, .ctx = from ? CTX_TASK : CTX_HARDIRQ };
	struct receipt r = { .ts = ts, .vec = VEC_CALL, .cause = CAUSE_CALL, .cpu = 1,
			     .how = HOW_CSD, .ns = 1500, .victim_pid = 7 };

	x.comm = strtab_str(t, from ? "task" : "(interrupt)");
	x.cgroup = from ? strtab_str(t, from) : 0;
	r.victim = strtab_str(t, "victim");
	r.victim_cgroup = strtab_str(t, of);
	rec_send(w, &x);
	rec_receipt(w, &r, &x);
}

static void write_groups(void)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_writer *w;
	struct receipt device = { .ts = 100, .vec = VEC_DEVICE, .cause = CAUSE_DEVICE, .cpu = 1,
				  .how = HOW_SOURCE, .victim_pid = 7 };
	struct receipt idle = { .ts = 102, .vec = VEC_DEVICE, .cause = CAUSE_DEVICE, .cpu = 1,
				.how = HOW_SOURCE, .victim_pid = 7, .idle = true };
	struct receipt lost = { .ts = 101, .vec = VEC_RESCHED, .cause = CAUSE_RESCHED, .cpu = 1 };
	struct rec_end end = { .duration = 1000 };

	snprintf(path, sizeof(path), "%s/quell-owner-%d.rec", getenv("TMPDIR") ?: "/tmp", getpid());
	w = rec_create(path, &strings, &stacks, 0, 0);
	rec_meta(w, "observed", "1");
	rec_meta(w, "online", "0-1");
	one(w, &strings, "/system.slice/cron.service", INSIDE);
	one(w, &strings, "/system.slice/cron.service", INSIDE);
	one(w, &strings, INSIDE, "/system.slice/cron.service");
	one(w, &strings, CGROUP_EXITED, INSIDE);
	one(w, &strings, NULL, INSIDE);
	one(w, &strings, "", "/system.slice/cron.service");
	device.victim_cgroup = strtab_str(&strings, INSIDE);
	rec_receipt(w, &device, NULL);
	rec_receipt(w, &lost, NULL);
	idle.victim_cgroup = device.victim_cgroup;
	rec_receipt(w, &idle, NULL);
	rec_close(w, &end);
	strtab_free(&strings);
	strtab_free(&stacks);
}

static struct {
	struct summary s;
	struct strtab strings, stacks;
} g;

static void load(const char *sender, const char *victim)
{
	struct owner_filter only = { .sender = sender, .victim = victim };

	memset(&g, 0, sizeof(g));
	summary_init(&g.s, &g.strings, &g.stacks);
	summary_load(&g.s, path, false, &only);
}

static void unload(void)
{
	summary_free(&g.s);
	strtab_free(&g.strings);
	strtab_free(&g.stacks);
}

/* How many interrupts are left, and of how many nobody knows. */
static bool leaves(const char *sender, const char *victim, unsigned int n, unsigned int unknown)
{
	bool good;

	load(sender, victim);
	good = g.s.total.irqs == n && g.s.only_unknown == unknown;
	unload();
	return good;
}

static void test_filter(void)
{
	ok(leaves(NULL, NULL, 9, 0), "everything, if nothing is asked for");
	ok(leaves("cron", NULL, 2, 3), "by sender: who is gone, what was not seen and a task of no known group are counted");
	ok(leaves(POD, NULL, 1, 3), "a pod");
	ok(leaves(NULL, POD, 5, 1), "by victim, devices too, but on no idle CPU");
	ok(leaves("cron.service", DIGITS, 2, 2), "both");
	ok(leaves(CGROUP_EXITED, NULL, 1, 2), "those who are gone, if asked for");
	ok(leaves("nobody", NULL, 0, 3), "nobody");
	load("cron", "db");
	ok(g.s.only && !strcmp(g.s.only, "sent by cron and at the cost of db"), "in words");
	unload();
}

static void test_rows(void)
{
	char label[OWNER_LABEL];
	const char *owner;
	int there = 0;

	load(NULL, NULL);
	for (size_t i = 0; i < g.s.nrows; i++) {
		if (g.s.row[i]->cause != CAUSE_CALL)
			continue;
		owner = row_owner(&g.s, g.s.row[i], label, sizeof(label));
		there += !strcmp(owner, "cron.service") ? 1 : !strcmp(owner, "-") ? 10 :
			 !strcmp(owner, CGROUP_EXITED) ? 100 :
			 !strcmp(owner, "pod " POD "/0123456789ab") ? 1000 : 10000;
	}
	ok(there == 1121, "a row for each group, one for none, one for who is not known (%d)", there);
	ok(g.s.nvictims == 2, "two groups had to wait");
	summary_sort(&g.s);
	ok(g.s.victim[0].times == 5 && g.s.victim[0].lost == 6000 && g.s.victim[0].max == 1500 &&
	   !strcmp(strtab_get(&g.strings, g.s.victim[0].cgroup), INSIDE), "for how long");
	unload();
}

static void test_labels(void)
{
	struct series_set t;
	char *out = NULL;
	size_t len;
	FILE *f;

	load(NULL, NULL);
	series_init(&t, 2, LABEL_UNIT | LABEL_POD);
	series_update(&t, &g.s, 1);
	f = open_memstream(&out, &len);
	show_metrics(&g.s, &t, f, METRICS_OPENMETRICS);
	fclose(f);
	ok(strstr(out, "quell_source_interrupts_total{cause=\"call\",unit=\"cron.service\",pod=\"\",sender_known=\"1\"} 2\n"),
	   "a label for the unit");
	ok(strstr(out, "{cause=\"other\",unit=\"other\",pod=\"other\",sender_known=\"\"}"),
	   "and a limit to their number");
	free(out);
	series_free(&t);
	unload();
}

void test_owner(void)
{
	write_groups();
	test_filter();
	test_rows();
	test_labels();
	unlink(path);

	ok(cgroup_is(INSIDE, "/kubepods") && cgroup_is(INSIDE, "/kubepods/") && cgroup_is(INSIDE, "/") &&
	   cgroup_is(INSIDE, "burstable"), "below a path, by a part");
	ok(!cgroup_is(INSIDE, "/kube") && !cgroup_is(INSIDE, "burst") && !cgroup_is(INSIDE, "0123456789a") &&
	   !cgroup_is("/a.service", "a.serv"), "not by half of one");
	ok(cgroup_is("/x/db.service/y", "db") && cgroup_is("/x/db.slice", "db") && !cgroup_is("/x/db.mount", "db"),
	   "with systemd's ending or without");
	ok(cgroup_is(CGROUP_EXITED, CGROUP_EXITED) && !cgroup_is(CGROUP_EXITED, "/") &&
	   cgroup_is(CGROUP_OURS "/a", CGROUP_OURS), "what is no path");
	ok(cgroup_unknown(CGROUP_EXITED) && !cgroup_unknown(CGROUP_OURS "/a") && !cgroup_unknown("/a"),
	   "is not known, unless it is ours");
}
