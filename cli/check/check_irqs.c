// SPDX-License-Identifier: GPL-2.0
/*
 * check_irqs.c - device interrupts: where they arrive now (the effective
 * affinity), where they may be sent to (the affinity), where new ones go (the
 * default), and irqbalance, which moves them.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

static const char arrives[] =
	"each one is an interrupt, its handler, and often a softirq behind it";
static const char may[] =
	"the next change of affinities, a restart of the device or CPU hotplug can send them there";

/* What uses the interrupt; NULL if nothing does. The caller frees it. */
static char *user_of(struct check *c, const char *irq)
{
	char *dir, *text = check_slurp(c, "/sys/kernel/irq/%s/actions", irq), **names;
	size_t n;

	if (text && *text)
		return text;
	if (text) {
		free(text);
		return NULL;
	}
	/* Without sysfs: the handlers are directories beside the files. */
	dir = xasprintf("/proc/irq/%s", irq);
	names = check_list(c, dir, &n);
	for (size_t i = 0; i < n; i++) {
		char *sub = xasprintf("%s/%s/.", dir, names[i]);

		if (!text && check_exists(c, sub))
			text = xstrdup(names[i]);
		free(sub);
	}
	check_list_free(names, n);
	free(dir);
	return text;
}

/*
 * irqaffinity= is where new interrupts go; a driver may have its own idea, so
 * they are also put in their place by name: numbers may change.
 */
static void put(struct check *c, struct finding *f, const char *irq, const char *mask, const char *user)
{
	char *name = xasprintf("%.*s", (int)strcspn(user, ","), user);
	/* A PC's timer cannot be moved; it is where the command line has it. */
	bool moves = strcmp(irq, "0") || strcmp(name, "timer");

	if (moves)
		fix_add(f, FIX_NOW, mask, c->house_list);
	fix_add(f, FIX_CMDLINE, "irqaffinity", c->house_list);
	if (moves && !strchr(name, '/'))	/* that has no directory */
		fix_add(f, FIX_IRQ, name, c->house_list);
	free(name);
}

static void one(struct check *c, const char *irq, struct finding **mayf)
{
	char *mask = xasprintf("/proc/irq/%s/smp_affinity_list", irq);
	char *effective = xasprintf("/proc/irq/%s/effective_affinity_list", irq);
	struct cpuset now, allowed;
	struct finding *f;
	char *user = user_of(c, irq), *on, *to;
	/* Those that the kernel places itself cannot be written to. */
	bool ours = check_writable(c, mask);

	if (!user || !check_read_list(c, mask, &allowed))
		goto out;
	/* Not known on every architecture: then all of the mask counts. */
	if (!check_read_list(c, effective, &now) || !cpuset_count(&now))
		now = allowed;
	on = check_common(&now, &c->quiet);
	to = check_common(&allowed, &c->quiet);
	if (on && ours) {
		f = check_find(c, "irq.effective", SEV_HIGH, arrives,
			       "interrupt %s (%s) arrives on CPU %s", irq, user, on);
		put(c, f, irq, mask, user);
	} else if (on) {
		f = check_find(c, "irq.managed", SEV_MEDIUM, arrives,
			       "interrupt %s (%s) arrives on CPU %s, where the kernel has put it", irq, user, on);
		if (!strstr(check_parameter(c, "isolcpus") ?: "", "managed_irq")) {
			char *value = xasprintf("managed_irq,domain,%s", c->quiet_list);

			fix_add(f, FIX_CMDLINE, "isolcpus", value);
			free(value);
		} else {
			fix_hand(f, "start no I/O from CPUs %s, or give the driver fewer queues than there are CPUs (%s)", on, user);
		}
	} else if (to && ours) {
		if (!*mayf) {
			*mayf = check_find(c, "irq.affinity", SEV_LOW, may,
					   "interrupts may be sent to CPUs %s: %s (%s)",
					   c->quiet_list, irq, user);
		} else {
			char *longer = xasprintf("%s, %s (%s)", (*mayf)->what, irq, user);

			free((*mayf)->what);
			(*mayf)->what = longer;
		}
		put(c, *mayf, irq, mask, user);
	}
	free(on);
	free(to);
out:
	free(user);
	free(mask);
	free(effective);
}

static bool runs(struct check *c, const char *comm)
{
	size_t n;
	char **pids = check_list(c, "/proc", &n), *text;
	bool found = false;

	for (size_t i = 0; i < n && !found; i++) {
		if (!strchr("123456789", pids[i][0]))
			continue;
		text = check_slurp(c, "/proc/%s/comm", pids[i]);
		found = text && !strcmp(text, comm);
		free(text);
	}
	check_list_free(pids, n);
	return found;
}

/* The value of KEY= in a file of shell assignments; the caller frees it. */
static char *assigned(char *text, const char *key)
{
	char *line, *save = NULL, *value = NULL;
	size_t len = strlen(key);

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		line += strspn(line, " \t");
		if (strncmp(line, key, len) || line[len] != '=')
			continue;
		free(value);
		line += len + 1;
		line += strspn(line, "\"'");
		value = xasprintf("%.*s", (int)strcspn(line, "\"'# \t"), line);
	}
	return value;
}

/*
 * irqbalance leaves isolated and nohz_full CPUs alone by itself, unless it is
 * told a list of its own.
 */
static void balancer(struct check *c)
{
	static const char path[] = "/etc/default/irqbalance";
	char *text, *value, *left, *line;
	struct cpuset banned;
	const char *why;
	struct finding *f;

	if (!runs(c, "irqbalance"))
		return;
	text = check_slurp(c, path);
	value = assigned(text, "IRQBALANCE_BANNED_CPULIST");
	cpuset_clear(&banned);
	if (value && *value && !cpulist_parse(value, &banned, &why)) {
		f = check_find(c, "irqbalance.syntax", SEV_HIGH,
			       "irqbalance then bans no CPU at all",
			       "IRQBALANCE_BANNED_CPULIST=%s is no list of CPUs: %s", value, why);
	} else if (value && *value) {
		left = check_lacks(&c->quiet, &banned);
		f = left ? check_find(c, "irqbalance.banned", SEV_HIGH,
				      "a list of one's own replaces the isolated CPUs that irqbalance would leave alone",
				      "irqbalance may move interrupts to CPUs %s: its list of banned CPUs is %s",
				      left, value) : NULL;
		free(left);
	} else {
		/* It knows the CPUs of the command line, not of partitions. */
		struct cpuset known = c->nohz_full, boot;

		if (check_read_list(c, "/sys/devices/system/cpu/isolated", &boot))
			cpuset_or(&known, &boot);
		left = check_lacks(&c->quiet, &known);
		f = left ? check_find(c, "irqbalance.banned", SEV_HIGH,
				      "irqbalance leaves alone only CPUs that isolcpus= or nohz_full= name",
				      "irqbalance may move interrupts to CPUs %s", left) : NULL;
		free(left);
	}
	if (f) {
		line = xasprintf("sed -i '/^IRQBALANCE_BANNED_CPULIST=/d' \"$root\"%s && echo IRQBALANCE_BANNED_CPULIST=%s >>\"$root\"%s",
				 path, c->quiet_list, path);
		fix_add(f, FIX_COMMAND, "", line);
		free(line);
	}
	free(value);
	free(text);
}

void check_irqs(struct check *c)
{
	struct finding *mayf = NULL;
	struct cpuset set;
	size_t n;
	char **irqs, *to;

	irqs = check_list(c, "/proc/irq", &n);
	for (size_t i = 0; i < n; i++)
		if (strspn(irqs[i], "0123456789") == strlen(irqs[i]))
			one(c, irqs[i], &mayf);
	check_list_free(irqs, n);

	if (check_read_mask(c, "/proc/irq/default_smp_affinity", &set)) {
		to = check_common(&set, &c->quiet);
		if (to) {
			struct finding *f = check_find(c, "irq.default", SEV_MEDIUM,
				"a device that is found or opened later may have its interrupt there",
				"new interrupts may be sent to CPUs %s", to);

			fix_add(f, FIX_CMDLINE, "irqaffinity", c->house_list);
			fix_add(f, FIX_NOW, "/proc/irq/default_smp_affinity", c->house_mask);
		}
		free(to);
	}
	balancer(c);
}
