// SPDX-License-Identifier: GPL-2.0
/*
 * status.c - quell status: is this system fit for quiet CPUs, what is missing,
 * and how to get it. It needs no tracing and works without root, less exactly.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/instance.h"
#include "json.h"
#include "options.h"
#include "quell.h"
#include "system.h"

static const char usage[] =
	"usage: quell status [options]\n"
	"The kernel, its isolated CPUs, how it flushes and syncs, and what is missing\n"
	"before CPUs are left alone. The last line is the verdict.\n"
	"  -j, --json             as JSON (docs/operate/cli-json.md)\n"
	"  -h, --help\n";

struct advice {
	const char	*missing;
	const char	*how;
};

static size_t advise(const struct system *s, struct advice *a)
{
	bool has_quell = s->quell_kernel || s->live_module;
	char *leftovers;
	size_t n = 0;

	if (!cpuset_count(&s->quiet))
		a[n++] = (struct advice){ "no CPU is isolated",
			"boot with isolcpus=domain,managed_irq,LIST nohz_full=LIST rcu_nocbs=LIST" };
	else if (!cpuset_count(&s->nohz_full))
		a[n++] = (struct advice){ "the isolated CPUs keep their tick",
			"boot with nohz_full=LIST as well" };
	if (!has_quell)
		a[n++] = (struct advice){ "page-table syncs interrupt every CPU",
			"boot quell's kernel, or load its live module on this one" };
	else if (s->quell_kernel && strcmp(s->strategy, "auto"))
		a[n++] = (struct advice){ "quell's kernel runs another strategy than auto",
			"echo auto > /sys/kernel/debug/pt_sync/strategy, or boot with pt_sync=auto" };
	if (s->live_transition)
		a[n++] = (struct advice){ "the live module is still in transition",
			"wait; see /sys/kernel/livepatch/quell_live/transition" };
	if (!s->kernel_flush && s->flush != FLUSH_INVLPGB && s->flush != FLUSH_ARM64) {
		if (!strcmp(s->no_kernel_flush, "switched off"))
			a[n++] = (struct advice){ "kernel TLB flushes are not deferred: it is switched off",
				"echo on > /sys/kernel/debug/pt_sync/kernel_flush" };
		else if (*s->no_kernel_flush)
			a[n++] = (struct advice){ "kernel TLB flushes are not deferred: quell's kernel says why in its log",
				"dmesg | grep kernel_flush" };
		else
			a[n++] = (struct advice){ "kernel TLB flushes interrupt isolated CPUs",
				"quell's kernel with CONFIG_KERNEL_FLUSH=y and nohz_full=" };
	}
	leftovers = instance_leftovers();
	if (leftovers)
		a[n++] = (struct advice){ "a quell that was killed left its trace running",
			"any quell top, record or export sweeps it up (/sys/kernel/tracing/instances/quell.*)" };
	free(leftovers);
	if (!access("/sys/kernel/tracing/events", X_OK) &&
	    access("/sys/kernel/tracing/events/ipi/ipi_send_cpu", F_OK))
		a[n++] = (struct advice){ "degraded: this kernel has no ipi events, so senders stay unknown",
			"Linux 6.5 or later" };
	if (!s->debugfs)
		a[n++] = (struct advice){ "debugfs could not be looked into: quell's kernel may be there unseen",
			"run quell status as root, with debugfs mounted" };
	return n;
}

static const char *verdict(const struct system *s, size_t missing)
{
	if (!cpuset_count(&s->quiet))
		return "not isolated: no CPU of this system asks to be left alone";
	if (!missing)
		return "quiet: neither page-table syncs nor kernel flushes reach isolated CPUs without need";
	if ((s->quell_kernel && !strcmp(s->strategy, "auto")) || s->live_module)
		return "nearly quiet: page-table syncs are targeted, other things are missing";
	return "noisy: every page-table sync on any CPU interrupts the isolated ones";
}

static void line(const char *what, const char *value)
{
	printf("%-18s %s\n", what, value && *value ? value : "none");
}

static void print_text(const struct system *s, const struct advice *a, size_t n)
{
	char *online = cpulist_format(&s->online);
	char *isolated = cpulist_format(&s->isolated);
	char *nohz = cpulist_format(&s->nohz_full);
	char *hugetlb = s->hugetlb_pages < 0 ? xstrdup("not available") :
		xasprintf("%ld pages reserved", s->hugetlb_pages);
	size_t i;

	printf("%-18s %s (%s)\n", "kernel", s->release, s->machine);
	line("CPUs online", online);
	line("isolated", isolated);
	line("nohz_full", nohz);
	line("PTI", s->pti < 0 ? "unknown" : s->pti ? "on" : "off");
	line("TLB flush", flush_name(s->flush));
	line("THP", s->thp ? s->thp : "not available");
	line("hugetlb", hugetlb);
	line("quell kernel", s->quell_kernel ? "yes" :
	     s->debugfs ? "no" : "unknown (debugfs not readable)");
	line("sync strategy", s->strategy);
	if (s->kernel_flush)
		printf("%-18s active: %llu times put off, %llu interrupted (since boot or reset)\n",
		       "kernel_flush", s->flush_deferred, s->flush_interrupted);
	else
		line("kernel_flush", *s->no_kernel_flush ? s->no_kernel_flush : "no");
	line("live module", !s->live_module ? "no" :
	     s->live_transition ? "loaded, in transition" : "active");
	for (int k = 0; k < s->nrows; k++)
		if (s->row[k].syncs)
			printf("%-18s %llu syncs, %llu by receipt, %llu CPUs interrupted (since boot or reset)\n",
			       s->row[k].strategy, s->row[k].syncs,
			       s->row[k].receipts, s->row[k].interrupted);
	for (i = 0; i < n; i++)
		printf("%s %s\n%18s %s\n", "missing:          ", a[i].missing,
		       "how:", a[i].how);
	printf("verdict:           %s\n", verdict(s, n));
	free(online);
	free(isolated);
	free(nohz);
	free(hugetlb);
}

static void set(struct json *j, const char *key, const struct cpuset *c)
{
	char *list = cpulist_format(c);

	json_str(j, key, list);
	free(list);
}

static void print_json(const struct system *s, const struct advice *a, size_t n)
{
	struct json j = { .f = stdout };

	json_open(&j, NULL, '{');
	json_str(&j, "quell", "status");
	json_u64(&j, "schema", 1);
	json_str(&j, "version", QUELL_VERSION);
	json_str(&j, "release", s->release);
	json_str(&j, "machine", s->machine);
	set(&j, "online", &s->online);
	set(&j, "isolated", &s->isolated);
	set(&j, "nohz_full", &s->nohz_full);
	if (s->pti < 0)
		json_null(&j, "pti");
	else
		json_bool(&j, "pti", s->pti);
	json_str(&j, "flush", flush_name(s->flush));
	if (s->thp)
		json_str(&j, "thp", s->thp);
	else
		json_null(&j, "thp");
	if (s->hugetlb_pages < 0)
		json_null(&j, "hugetlb_pages");
	else
		json_u64(&j, "hugetlb_pages", s->hugetlb_pages);
	json_bool(&j, "quell_kernel", s->quell_kernel);
	json_str(&j, "strategy", s->strategy);
	json_bool(&j, "kernel_flush", s->kernel_flush);
	json_u64(&j, "flushes_deferred", s->flush_deferred);
	json_u64(&j, "flushes_interrupting", s->flush_interrupted);
	json_bool(&j, "live_module", s->live_module);
	json_bool(&j, "live_transition", s->live_transition);
	json_bool(&j, "debugfs_readable", s->debugfs);
	json_open(&j, "missing", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(&j, NULL, '{');
		json_str(&j, "what", a[i].missing);
		json_str(&j, "how", a[i].how);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_str(&j, "verdict", verdict(s, n));
	json_close(&j, '}');
}

int cmd_status(int argc, char **argv)
{
	bool as_json = false;
	const struct option_row rows[] = {
		FLAG("json", 'j', &as_json),
	};
	struct advice a[8];
	struct system s;
	size_t n;

	options_parse(argc, argv, usage, rows, ARRAY_SIZE(rows), 0);
	system_read(&s);
	n = advise(&s, a);
	if (as_json)
		print_json(&s, a, n);
	else
		print_text(&s, a, n);
	system_free(&s);
	return EXIT_OK;
}
