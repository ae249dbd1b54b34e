// SPDX-License-Identifier: GPL-2.0
/* test_remedy.c - remedies name what is on that system; owners from cgroups. */
#include <stdlib.h>
#include <string.h>

#include "../cgroup.h"
#include "../show/functions.h"
#include "../quell.h"
#include "../show/remedy.h"
#include "tap.h"

static bool is(struct summary *s, enum cause cause, const char *func, const char *site,
	       const char *comm, const char *want)
{
	struct source_row r = {
		.cause = cause,
		.func = strtab_str(s->strings, func),
		.site = strtab_str(s->strings, site),
		.comm = strtab_str(s->strings, comm),
	};
	char *text;
	bool same;

	cpuset_add(&r.receivers, 1);
	text = remedy(s, &r);
	same = !strcmp(text, want);
	if (!same)
		printf("# \"%s\", not \"%s\"\n", text, want);
	free(text);
	return same;
}

static void test_irqs(struct irq_table *t)
{
	const struct irq_facts *f = irqs_find(t, 25);
	struct irq_table other = { 0 };
	char *line, *text = irqs_text(f);

	ok(!strcmp(text, "driver e1000e 0000:00:1f.6, may go to CPUs 0-39, arrives on 5"), "in words");
	free(text);
	line = irqs_line(f);
	irqs_take(&other, line);
	text = irqs_line(&other.item[0]);
	ok(!strcmp(line, text), "into a record and out of it");
	free(text);
	free(line);
	irqs_take(&other, "30 free 5-1 0 x");
	irqs_take(&other, "31 free");
	irqs_take(&other, "");
	irqs_take(&other, "x free 0 0 x");
	irqs_take(&other, "99999999999999 free 0 0 x");
	irqs_take(&other, "32 free 0;reboot 0 x");
	ok(other.n == 1, "nonsense is left out (%zu)", other.n);
	irqs_free(&other);
}

void test_remedy(void)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct function_info room;
	struct summary s;

	summary_init(&s, &strings, &stacks);
	cpulist_parse("0-39", &s.online, NULL);
	cpulist_parse("4-7", &s.quiet, NULL);
	ok(is(&s, CAUSE_DEVICE, "24:nvme0q1", "", "",
	      "echo 0-3,8-39 > /proc/irq/24/smp_affinity_list, and irqaffinity=0-3,8-39"),
	   "a device: its own file, and the value");
	irqs_take(&s.irqs, "25 free 0-39 5 e1000e 0000:00:1f.6");
	irqs_take(&s.irqs, "26 fixed 4-7 4 nvme 0000:00:04.0");
	irqs_take(&s.irqs, "27 free 0-3 6 ");
	ok(is(&s, CAUSE_DEVICE, "25:eth0", "", "",
	      "echo 0-3,8-39 > /proc/irq/25/smp_affinity_list (now 0-39), and irqaffinity=0-3,8-39"),
	   "and what it is now");
	ok(is(&s, CAUSE_DEVICE, "26:nvme0q5", "", "",
	      "the kernel places it, its file is read-only; kernel command line: isolcpus=managed_irq,domain,4-7"),
	   "one that nobody may move");
	s.isolcpus = xstrdup("managed_irq,domain,4-7");
	ok(is(&s, CAUSE_DEVICE, "26:nvme0q5", "", "",
	      "the kernel places it, its file is read-only; start no I/O from CPUs 4-7, or give the driver fewer queues"),
	   "where the kernel was told so already");
	ok(is(&s, CAUSE_DEVICE, "27:serial", "", "",
	      "/proc/irq/27/smp_affinity_list is 0-3 already, yet it arrives here: write it again, or restart the device"),
	   "one that is somewhere else than it may be");
	test_irqs(&s.irqs);
	ok(is(&s, CAUSE_TICK, "watchdog_timer_fn", "", "", "sysctl kernel.watchdog_cpumask=0-3,8-39"),
	   "a timer: its owner's setting");
	ok(is(&s, CAUSE_CALL, "delayed_work_timer_fn", "", "kworker/4:1",
	      "echo ff,ffffff0f > /sys/devices/virtual/workqueue/cpumask"),
	   "work: the mask, in groups");
	ok(is(&s, CAUSE_PT_SYNC, "tlb_remove_table_smp_sync", "collapse_huge_page", "khugepaged",
	      "quell-live on; or: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
	   "a call site says more than what ran");
	ok(is(&s, CAUSE_MEMBARRIER, "ipi_mb", "", "app; rm -rf $(x)",
	      "keep threads of app..rm.-rf...x. off CPUs 4-7: taskset -acp 0-3,8-39 $(pgrep -x app..rm.-rf...x.)"),
	   "a task's name cannot be more than a name");
	cpuset_clear(&s.quiet);
	ok(is(&s, CAUSE_DEVICE, "9:acpi", "", "",
	      "echo 0,2-39 > /proc/irq/9/smp_affinity_list, and irqaffinity=0,2-39"),
	   "no CPU is isolated: those that were interrupted are meant");
	s.online = (struct cpuset){ { 2 } };
	ok(is(&s, CAUSE_DEVICE, "9:acpi", "", "",
	      "say which CPUs are to be left alone: quell check --cpus LIST"),
	   "no CPU is left for it");
	cpulist_parse("0-7", &s.online, NULL);
	cpulist_parse("4-7", &s.quiet, NULL);
	for (int c = 0; c < NR_CAUSES; c++) {
		struct source_row r = { .cause = c };
		char *text = remedy(&s, &r);

		ok(*text && !strchr(text, '%'), "%s has a remedy", cause_info(c)->key);
		free(text);
	}
	irqs_free(&s.irqs);
	free(s.isolcpus);
	strtab_free(&strings);
	strtab_free(&stacks);

	ok(!strcmp(function_info("vmstat_update", &room)->name, "vmstat_update") &&
	   !strcmp(function_info("tick_sched_timer.isra.0", &room)->name, "tick_sched_timer"),
	   "functions by name, whatever the compiler appends");
	ok(!strcmp(function_info("rcu_some_new_thing", &room)->subsystem, "RCU") &&
	   !strcmp(function_info("nvme_irq [nvme]", &room)->subsystem, "the module nvme") &&
	   !strcmp(function_info("vfs_read", &room)->subsystem, "the kernel"),
	   "others by prefix, by module, or not");
}

static bool owned(const char *path, const char *unit, const char *container, const char *pod,
		  const char *label)
{
	struct cgroup_owner o;
	char buf[160];

	cgroup_owner(path, &o);
	return !strcmp(o.unit, unit) && !strcmp(o.container, container) && !strcmp(o.pod, pod) &&
	       !strcmp(cgroup_label(path, buf, sizeof(buf)), label);
}

static void test_many_groups(void)
{
	struct strtab t = { 0 };
	char path[32], *long_one = xasprintf("/%01030d", 0);
	uint32_t first = 0, id, other;
	size_t n = 0;

	for (unsigned int i = 0; i < CGROUP_MOST; i++) {
		snprintf(path, sizeof(path), "/group%u", i);
		id = cgroup_number(&t, &n, path);
		first = first ? first : id;
	}
	ok(n == CGROUP_MOST && !strcmp(strtab_get(&t, id), "/group4095"), "4,096 groups have a name");
	other = cgroup_number(&t, &n, "/one more");
	ok(!strcmp(strtab_get(&t, other), CGROUP_OTHER) && !strtab_find(&t, "/one more"), "one more is another, and is not kept");
	ok(cgroup_number(&t, &n, "/group0") == first && cgroup_number(&t, &n, path) == id, "those that have a name keep it");
	ok(cgroup_number(&t, &n, long_one) == other && !strtab_find(&t, long_one), "one that is too long is another");
	free(long_one);
	strtab_free(&t);
}

void test_cgroup(void)
{
#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID "01234567-89ab-cdef-0123-456789abcdef"
	char *path;

	ok(owned("/system.slice/cron.service", "cron.service", "", "", "cron.service"), "a service");
	ok(owned("/user.slice/user-0.slice/session-1.scope", "session-1.scope", "", "", "session-1.scope"), "a session");
	ok(owned("/", "", "", "", "/") && owned("/a/b", "", "", "", "/a/b"), "nobody's");
	ok(owned("/system.slice/docker-" ID ".scope", "docker-" ID ".scope", ID, "", "container 0123456789ab"), "docker");
	ok(owned("/docker/" ID, "", ID, "", "container 0123456789ab"), "docker without systemd");
	ok(owned("/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", ID, "", "container 0123456789ab"), "podman");
	ok(owned("/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-" ID ".scope",
		 "cri-containerd-" ID ".scope", ID, UID, "pod " UID "/0123456789ab"), "a pod, by systemd");
	ok(owned("/kubepods/burstable/pod" UID "/" ID, "", ID, UID, "pod " UID "/0123456789ab"), "a pod, by cgroupfs");
	ok(owned("/x/pod" UID "x/" ID "0", "", "", "", "/x/pod" UID "x/" ID "0"), "nearly a pod");
	path = cgroup_path("12:cpu:/a\n1:name=systemd:/system.slice/b.service\n0::/\n");
	ok(path && !strcmp(path, "/system.slice/b.service"), "version 1 beside an empty version 2");
	free(path);
	path = cgroup_path("0::/system.slice/b.service\n");
	ok(path && !strcmp(path, "/system.slice/b.service"), "version 2");
	free(path);
	path = cgroup_path("4:memory:/docker/x\n1:name=systemd:/\n0::/\n");
	ok(path && !strcmp(path, "/docker/x"), "version 1 that systemd does not manage");
	free(path);
	path = cgroup_path("2:cpu:/\n1:name=systemd:/\n0::/\n");
	ok(path && !strcmp(path, "/"), "in the root of all");
	free(path);
	path = cgroup_path("0::/a (deleted)\n");
	ok(path && !strcmp(path, "/a"), "a group that was removed");
	free(path);
	path = cgroup_path("");
	ok(path && !strcmp(path, "/"), "no hierarchy is mounted: in the root, not gone");
	free(path);
	ok(!cgroup_path(NULL) && !cgroup_path("nonsense\n"), "gone, or nothing there");

	test_many_groups();
}
