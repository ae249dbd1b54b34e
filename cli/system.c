// SPDX-License-Identifier: GPL-2.0
/*
 * system.c - what this kernel and machine are, as far as interrupts go.
 *
 * Every fact comes from where the kernel itself states it. What cannot be read
 * (no root, no debugfs) stays unknown and is shown as unknown.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "quell.h"
#include "system.h"

#define PT_SYNC		"/sys/kernel/debug/pt_sync"
#define LIVEPATCH	"/sys/kernel/livepatch/quell_live"

static void read_set(const char *path, struct cpuset *set)
{
	char *text = slurp(path);

	cpuset_clear(set);
	/* An empty nohz_full reads as "(null)" on some kernels. */
	if (text && !cpulist_parse(text, set, NULL))
		cpuset_clear(set);
	free(text);
}

/* The bracketed word of "always [madvise] never"; the caller frees it. */
static char *choice(const char *path)
{
	char *text = slurp(path), *open, *close;

	if (!text)
		return NULL;
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		memmove(text, open + 1, close - open);
	}
	return text;
}

/* The value of the last "key<ws>: value" line of /proc/cpuinfo. */
static char *cpuinfo(const char *key)
{
	char *text = slurp("/proc/cpuinfo"), *line, *save = NULL, *out = NULL;
	size_t len = strlen(key);

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !out;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, key, len) || !strchr(line, ':') ||
		    (line[len] != '\t' && line[len] != ' ' && line[len] != ':'))
			continue;
		line = strchr(line, ':') + 1;
		out = xstrdup(line + strspn(line, " "));
	}
	free(text);
	return out;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *p;

	for (p = text; p && (p = strstr(p, word)); p += len)
		if ((p == text || p[-1] == ' ') && (!p[len] || p[len] == ' '))
			return true;
	return false;
}

/* Who carries out remote TLB flushes. */
static enum flush_backend flush_backend(const struct system *s, const char *flags)
{
	char *kvm_features, *type;
	enum flush_backend b = FLUSH_NATIVE;

	if (!strcmp(s->machine, "aarch64"))
		return FLUSH_ARM64;
	if (strcmp(s->machine, "x86_64"))
		return FLUSH_OTHER;
	/* Kernels that cannot use it do not show it. */
	if (has_word(flags, "invlpgb"))
		return FLUSH_INVLPGB;
	type = slurp("/sys/hypervisor/type");
	if (type && !strcmp(type, "xen"))
		b = FLUSH_XEN;
	free(type);
	if (has_word(flags, "hypervisor")) {
		/* The guest side of these is only there if the host offers it. */
		kvm_features = slurp("/sys/devices/system/clocksource/clocksource0/available_clocksource");
		if (kvm_features && strstr(kvm_features, "hyperv_clocksource"))
			b = FLUSH_HYPERV;
		else if (kvm_features && strstr(kvm_features, "kvm-clock"))
			b = FLUSH_KVM;
		free(kvm_features);
	}
	return b;
}

const char *flush_name(enum flush_backend b)
{
	switch (b) {
	case FLUSH_NATIVE:	return "native (an interrupt to each CPU)";
	case FLUSH_KVM:		return "KVM guest (preempted vCPUs may be left out)";
	case FLUSH_XEN:		return "Xen";
	case FLUSH_HYPERV:	return "Hyper-V";
	case FLUSH_INVLPGB:	return "INVLPGB (hardware broadcast)";
	case FLUSH_ARM64:	return "hardware broadcast (arm64)";
	case FLUSH_OTHER:	return "as this architecture does it";
	default:		return "unknown";
	}
}

static int pti_state(const char *machine, const char *flags)
{
	char *text;
	int on;

	if (strcmp(machine, "x86_64"))
		return 0;
	text = slurp("/sys/devices/system/cpu/vulnerabilities/meltdown");
	if (text) {
		/* "Not affected" may still be forced on; the flag "pti" tells. */
		on = strstr(text, "PTI") || has_word(flags, "pti");
		free(text);
		return on;
	}
	return flags ? has_word(flags, "pti") : -1;
}

/* Columns are found by the names in the header, so more may be added. */
static void parse_stats(struct system *s, char *text)
{
	static const char *const names[] = { "strategy", "syncs", "receipts",
					     "broadcasts", "cpus_interrupted" };
	int column[ARRAY_SIZE(names)], n;
	char *line, *save = NULL, *word, *in;
	struct pt_sync_row *r;
	size_t k;

	line = strtok_r(text, "\n", &save);
	if (!line || *line++ != '#')
		return;
	for (k = 0; k < ARRAY_SIZE(names); k++)
		column[k] = -1;
	for (n = 0, word = strtok_r(line, " \t", &in); word;
	     word = strtok_r(NULL, " \t", &in), n++)
		for (k = 0; k < ARRAY_SIZE(names); k++)
			if (!strcmp(word, names[k]))
				column[k] = n;
	while ((line = strtok_r(NULL, "\n", &save)) &&
	       s->nrows < (int)ARRAY_SIZE(s->row)) {
		r = &s->row[s->nrows++];
		for (n = 0, word = strtok_r(line, " \t", &in); word;
		     word = strtok_r(NULL, " \t", &in), n++) {
			if (n == column[0])
				snprintf(r->strategy, sizeof(r->strategy), "%s", word);
			else if (n == column[1])
				r->syncs = strtoull(word, NULL, 10);
			else if (n == column[2])
				r->receipts = strtoull(word, NULL, 10);
			else if (n == column[3])
				r->broadcasts = strtoull(word, NULL, 10);
			else if (n == column[4])
				r->interrupted = strtoull(word, NULL, 10);
		}
	}
}

/* "name value" lines, and "# inactive: ..." if the kernel does not defer. */
static void read_kernel_flush(struct system *s)
{
	char *text = slurp(PT_SYNC "/kernel_flush"), *line, *save = NULL;
	bool active = false, deferring = true;
	unsigned long long n;
	char name[32];

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "# inactive: ", 12))
			snprintf(s->no_kernel_flush, sizeof(s->no_kernel_flush), "%s",
				 line + 12);
		if (sscanf(line, "%31s %llu", name, &n) != 2)
			continue;
		if (!strcmp(name, "active"))
			active = n;
		else if (!strcmp(name, "deferring"))
			deferring = n;
		else if (!strcmp(name, "deferred"))
			s->flush_deferred = n;
		else if (!strcmp(name, "interrupted"))
			s->flush_interrupted = n;
	}
	s->kernel_flush = active && deferring;
	if (active && !deferring)
		snprintf(s->no_kernel_flush, sizeof(s->no_kernel_flush), "switched off");
	free(text);
}

static void read_quell(struct system *s)
{
	char *text;
	int fd;

	/* Tried, not asked for: capabilities do without a user id of 0. */
	fd = open("/sys/kernel/debug", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->debugfs = fd >= 0;
	if (fd >= 0)
		close(fd);
	snprintf(s->strategy, sizeof(s->strategy), "stock");
	text = slurp(LIVEPATCH "/enabled");
	s->live_module = text && *text == '1';
	free(text);
	text = slurp(LIVEPATCH "/transition");
	s->live_transition = text && *text == '1';
	free(text);
	/* The module has the same directory, with "live" as its only strategy. */
	text = choice(PT_SYNC "/strategy");
	s->quell_kernel = text && strcmp(text, "live");
	if (s->quell_kernel || (text && s->live_module))
		snprintf(s->strategy, sizeof(s->strategy), "%.*s",
			 (int)strcspn(text, " "), text);
	free(text);
	text = slurp(PT_SYNC "/stats");
	if (text)
		parse_stats(s, text);
	free(text);
	read_kernel_flush(s);
}

void system_read(struct system *s)
{
	struct utsname u;
	char *flags, *text;

	memset(s, 0, sizeof(*s));
	uname(&u);
	s->release = xstrdup(u.release);
	s->machine = xstrdup(u.machine);
	s->host = xstrdup(u.nodename);
	s->processor = cpuinfo("model name");
	read_set("/sys/devices/system/cpu/online", &s->online);
	read_set("/sys/devices/system/cpu/isolated", &s->isolated);
	read_set("/sys/devices/system/cpu/nohz_full", &s->nohz_full);
	s->quiet = s->isolated;
	cpuset_or(&s->quiet, &s->nohz_full);
	flags = cpuinfo("flags");
	s->flush = flush_backend(s, flags);
	s->pti = pti_state(s->machine, flags);
	free(flags);
	s->thp = choice("/sys/kernel/mm/transparent_hugepage/enabled");
	s->khugepaged = slurp("/sys/kernel/mm/transparent_hugepage/khugepaged/full_scans");
	text = slurp("/proc/sys/vm/nr_hugepages");
	s->hugetlb_pages = text ? atol(text) : -1;
	free(text);
	read_quell(s);
}

void system_free(struct system *s)
{
	free(s->release);
	free(s->machine);
	free(s->host);
	free(s->processor);
	free(s->thp);
	free(s->khugepaged);
}

void system_facts(const struct system *s, struct avoid_facts *f)
{
	f->auto_strategy = !strcmp(s->strategy, "auto") || s->live_module;
	f->kernel_flush = s->kernel_flush;
	f->pti = s->pti == 1;
	f->broadcast_hw = s->flush == FLUSH_INVLPGB || s->flush == FLUSH_ARM64;
}
