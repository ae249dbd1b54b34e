// SPDX-License-Identifier: GPL-2.0
/*
 * check_cmdline.c - the kernel command line: what was asked for, what the
 * kernel made of it, and what was forgotten.
 *
 * A list the kernel cannot read makes it ignore the whole parameter, with a
 * line in its log that nobody reads. So what was asked for is compared with
 * what the kernel says it does, wherever it says so.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "quell.h"

/* To the kernel, "-" and "_" in the name of a parameter are the same. */
bool check_is_parameter(const char *word, const char *key)
{
	for (; *key; word++, key++)
		if (*word != *key && !(strchr("-_", *word) && strchr("-_", *key) && *word))
			return false;
	return !*word || *word == '=';
}

const char *check_parameter(const struct check *c, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < c->nwords; i++)
		if (check_is_parameter(c->word[i], key))
			value = strchr(c->word[i], '=') ? strchr(c->word[i], '=') + 1 : "";
	return value;
}

struct flags { bool any, domain, managed, nohz; char unknown[64]; };

/* Behind the flags of isolcpus= is the list. */
static const char *isolcpus_list(const char *value, struct flags *f)
{
	size_t n;

	memset(f, 0, sizeof(*f));
	for (; isalpha((unsigned char)*value); value += n + (value[n] == ',')) {
		n = strcspn(value, ",");
		if (n == 3 && !strncmp(value, "all", 3))
			break;
		if (n == 6 && !strncmp(value, "domain", n))
			f->any = f->domain = true;
		else if (n == 11 && !strncmp(value, "managed_irq", n))
			f->any = f->managed = true;
		else if (n == 4 && !strncmp(value, "nohz", n))
			f->any = f->nohz = true;
		else if (*value != 'N')
			snprintf(f->unknown, sizeof(f->unknown), "%.*s", (int)n, value);
		else
			break;
	}
	return value;
}

static const char not_read[] =
	"the kernel ignores the whole parameter, and says so only in its log";

static char *isolcpus_value(const struct check *c)
{
	return xasprintf("managed_irq,domain,%s", c->quiet_list);
}

static void fix_list(struct check *c, struct finding *f, const char *key)
{
	char *value;

	if (!*c->quiet_list || !*c->house_list) {
		fix_hand(f, "kernel command line: %s= with a list such as 2-7, and a CPU left over", key);
		return;
	}
	value = !strcmp(key, "isolcpus") ? isolcpus_value(c) :
		xstrdup(!strcmp(key, "irqaffinity") ? c->house_list : c->quiet_list);
	fix_add(f, FIX_CMDLINE, key, value);
	free(value);
}

static void syntax(struct check *c)
{
	static const char *const lists[] = { "isolcpus", "nohz_full", "rcu_nocbs", "irqaffinity" };
	struct finding *f;
	struct cpuset set;
	struct flags flags;
	const char *value, *why;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		value = check_parameter(c, lists[i]);
		if (!value || (!*value && !strcmp(lists[i], "rcu_nocbs")))
			continue;
		if (!i) {
			value = isolcpus_list(value, &flags);
			if (*flags.unknown)
				fix_list(c, check_find(c, "cmdline.flag", SEV_MEDIUM,
						"the kernel skips a flag that it does not know",
						"isolcpus= has the flag \"%s\"; there are domain, managed_irq and nohz",
						flags.unknown), "isolcpus");
		}
		if (*value && check_kernel_list(c, value, &set, &why))
			continue;
		f = check_find(c, "cmdline.syntax", SEV_HIGH, not_read,
			       "\"%s=%s\" is no list of CPUs: %s", lists[i],
			       check_parameter(c, lists[i]),
			       *value ? why : "it is empty");
		fix_list(c, f, lists[i]);
	}
}

/* Words that are nearly the name of a parameter: the kernel hands them to init. */
static void typos(struct check *c)
{
	static const struct { const char *wrong, *right; } list[] = {
		{ "isolcpu", "isolcpus" }, { "isol_cpus", "isolcpus" },
		{ "isolated_cpus", "isolcpus" }, { "isolate_cpus", "isolcpus" },
		{ "nohzfull", "nohz_full" }, { "no_hz_full", "nohz_full" },
		{ "nohz_fulls", "nohz_full" }, { "nohz_cpus", "nohz_full" },
		{ "rcu_nocb", "rcu_nocbs" }, { "rcu_no_cbs", "rcu_nocbs" },
		{ "rcunocbs", "rcu_nocbs" }, { "rcu_nocb_cpus", "rcu_nocbs" },
		{ "irq_affinity", "irqaffinity" }, { "irqaffinities", "irqaffinity" },
	};
	struct finding *f;
	char *value;

	for (size_t i = 0; i < c->nwords; i++)
		for (size_t k = 0; k < ARRAY_SIZE(list); k++) {
			if (!check_is_parameter(c->word[i], list[k].wrong))
				continue;
			value = strchr(c->word[i], '=');
			f = check_find(c, "cmdline.typo", SEV_HIGH,
				       "the kernel does not know it and passes it to init",
				       "\"%s\" is no parameter of the kernel; %s%s is",
				       c->word[i], list[k].right, value ? value : "=");
			fix_add(f, FIX_DROP, list[k].wrong, "");
			fix_list(c, f, list[k].right);
		}
}

static void domains(struct check *c)
{
	const char *value = check_parameter(c, "isolcpus");
	char *left = check_lacks(&c->quiet, &c->isolated);
	struct finding *f = NULL;
	struct flags flags;

	isolcpus_list(value ? value : "", &flags);
	if (left && value && flags.any && !flags.domain)
		f = check_find(c, "cmdline.domain", SEV_HIGH,
			       "once a flag is given, \"domain\" is no longer the default: the scheduler goes on balancing tasks to these CPUs",
			       "isolcpus=%s lacks the flag domain; CPUs %s are not isolated", value, left);
	else if (left && value)
		f = check_find(c, "cmdline.domain", SEV_HIGH,
			       "the scheduler balances tasks to these CPUs, and interrupts them to do so",
			       "isolcpus=%s is on the command line, but the kernel does not isolate CPUs %s", value, left);
	else if (left)
		f = check_find(c, "cmdline.domain", SEV_HIGH,
			       "the scheduler balances tasks to these CPUs, and interrupts them to do so",
			       "CPUs %s are isolated neither by isolcpus= nor by a cpuset partition", left);
	if (f)
		fix_list(c, f, "isolcpus");
	else if (value && !flags.managed)
		fix_list(c, check_find(c, "cmdline.managed_irq", SEV_LOW,
				"drivers that spread interrupts over all CPUs (nvme, virtio) may use these, and nothing can move them later",
				"isolcpus=%s lacks the flag managed_irq", value), "isolcpus");
	free(left);
}

static void ticks(struct check *c)
{
	const char *value = check_parameter(c, "nohz_full");
	char *left = check_lacks(&c->quiet, &c->nohz_full);
	struct finding *f;

	if (!left)
		return;
	f = check_find(c, "cmdline.nohz_full", SEV_HIGH,
		       "the tick interrupts each of them up to 1000 times a second, and their user mode is not tracked",
		       value ? "nohz_full=%s is on the command line, but CPUs %s keep their tick" :
		       "%sCPUs %s keep their tick: nohz_full= is missing",
		       value ? value : "", left);
	if (!check_exists(c, "/sys/devices/system/cpu/nohz_full"))
		fix_hand(f, "a kernel with CONFIG_NO_HZ_FULL=y; this one cannot stop the tick");
	else
		fix_list(c, f, "nohz_full");
	free(left);
}

static void callbacks(struct check *c)
{
	const char *value = check_parameter(c, "rcu_nocbs"), *why;
	struct cpuset offloaded = c->nohz_full, listed;	/* nohz_full implies it */
	char *left;

	if (value && !*value)
		return;
	if (value && check_kernel_list(c, value, &listed, &why))
		cpuset_or(&offloaded, &listed);
	left = check_lacks(&c->quiet, &offloaded);
	if (left)
		fix_list(c, check_find(c, "cmdline.rcu_nocbs", SEV_MEDIUM,
				"RCU callbacks run there in a softirq, and RCU keeps asking these CPUs for quiescent states",
				"RCU callbacks of CPUs %s are not offloaded", left), "rcu_nocbs");
	free(left);
}

void check_cmdline(struct check *c)
{
	syntax(c);
	typos(c);
	if (!cpuset_count(&c->quiet))
		return;
	if (!cpuset_count(&c->house)) {
		fix_hand(check_find(c, "cmdline.housekeeping", SEV_HIGH,
				"the kernel's own work must run somewhere; it takes the boot CPU back",
				"no CPU is left for housekeeping: all of %s should be quiet", c->quiet_list),
			 "kernel command line: leave CPU 0, and its sibling thread, out of the lists");
		return;
	}
	domains(c);
	ticks(c);
	callbacks(c);
}
