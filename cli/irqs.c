// SPDX-License-Identifier: GPL-2.0
/*
 * irqs.c - the interrupts of devices, from /proc/irq and sysfs.
 *
 * What the kernel spreads over CPUs by itself ("managed", the queues of disks and
 * network cards) has a file that nobody may write; that is how it is told. Drivers
 * are known of PCI devices, whose directories list their interrupts.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "irqs.h"
#include "quell.h"

#define MOST_IRQS	4096	/* of a record, which may be anybody's */

static struct irq_facts *entry(struct irq_table *t, unsigned int irq)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->item[i].irq == irq)
			return &t->item[i];
	return NULL;
}

const struct irq_facts *irqs_find(const struct irq_table *t, unsigned int irq)
{
	return entry((struct irq_table *)t, irq);
}

static struct irq_facts *add(struct irq_table *t, unsigned int irq)
{
	struct irq_facts *f = entry(t, irq);

	if (f || t->n >= MOST_IRQS)
		return f;
	t->item = grow(t->item, &t->room, t->n + 1, sizeof(*t->item));
	f = &t->item[t->n++];
	*f = (struct irq_facts){ .irq = irq, .driver = xstrdup("") };
	return f;
}

static void read_list(const char *dir, const char *name, struct cpuset *out)
{
	char *path = xasprintf("%s/%s", dir, name), *text = slurp(path);

	if (!text || !cpulist_parse(text, out, NULL))
		cpuset_clear(out);
	free(text);
	free(path);
}

static bool meets(const struct cpuset *a, const struct cpuset *b)
{
	struct cpuset both = *a;

	cpuset_and(&both, b);
	return cpuset_count(&both);
}

static void read_one(struct irq_table *t, const char *dir, unsigned int irq,
		     const struct cpuset *cpus)
{
	char *path = xasprintf("%s/smp_affinity_list", dir);
	struct cpuset may, does;
	struct irq_facts *f;
	struct stat st;

	read_list(dir, "smp_affinity_list", &may);
	read_list(dir, "effective_affinity_list", &does);
	if ((meets(&may, cpus) || meets(&does, cpus)) && !stat(path, &st)) {
		f = add(t, irq);
		if (f) {
			f->may = may;
			f->does = does;
			f->fixed = !(st.st_mode & 0222);
		}
	}
	free(path);
}

/* Calls @each with every name in @dir that is a number. */
static void for_numbers(const char *dir, void (*each)(void *arg, const char *dir, unsigned int n),
			void *arg)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char *sub;

	while (d && (e = readdir(d))) {
		if (strspn(e->d_name, "0123456789") != strlen(e->d_name))
			continue;
		sub = xasprintf("%s/%s", dir, e->d_name);
		each(arg, sub, strtoul(e->d_name, NULL, 10));
		free(sub);
	}
	if (d)
		closedir(d);
}

struct reading {
	struct irq_table	*t;
	const struct cpuset	*cpus;
	const char		*driver;
};

static void on_irq(void *arg, const char *dir, unsigned int irq)
{
	struct reading *r = arg;

	read_one(r->t, dir, irq, r->cpus);
}

static void on_msi(void *arg, const char *dir, unsigned int irq)
{
	struct reading *r = arg;
	struct irq_facts *f = entry(r->t, irq);

	(void)dir;
	if (!f)
		return;
	free(f->driver);
	f->driver = xstrdup(r->driver);
}

/* The last part of what the link @path leads to; the caller frees it. */
static char *leads_to(const char *path)
{
	char to[512];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	to[n > 0 ? n : 0] = '\0';
	return xstrdup(strrchr(to, '/') ? strrchr(to, '/') + 1 : to);
}

static void pci_device(struct reading *r, const char *dir, const char *address)
{
	char *link = xasprintf("%s/driver", dir), *driver = leads_to(link), *text;
	char *msi = xasprintf("%s/msi_irqs", dir), *line = xasprintf("%s/irq", dir);

	text = xasprintf("%s %s", driver, address);
	r->driver = text;
	if (*driver) {
		char *wired = slurp(line);

		if (wired && strtoul(wired, NULL, 10))
			on_msi(r, dir, strtoul(wired, NULL, 10));
		free(wired);
		for_numbers(msi, on_msi, r);
	}
	free(text);
	free(driver);
	free(link);
	free(msi);
	free(line);
}

void irqs_read(struct irq_table *t, const char *root, const struct cpuset *cpus)
{
	struct reading r = { .t = t, .cpus = cpus };
	char *irqs = xasprintf("%s/proc/irq", root), *dir;
	char *pci = xasprintf("%s/sys/bus/pci/devices", root);
	struct dirent *e;
	DIR *d;

	for_numbers(irqs, on_irq, &r);
	d = opendir(pci);
	while (d && (e = readdir(d))) {
		if (*e->d_name == '.')
			continue;
		dir = xasprintf("%s/%s", pci, e->d_name);
		pci_device(&r, dir, e->d_name);
		free(dir);
	}
	if (d)
		closedir(d);
	free(irqs);
	free(pci);
}

char *irqs_line(const struct irq_facts *f)
{
	char *may = cpulist_format(&f->may), *does = cpulist_format(&f->does), *line;

	line = xasprintf("%u %s %s %s %s", f->irq, f->fixed ? "fixed" : "free",
			 *may ? may : "-", *does ? does : "-", f->driver);
	free(may);
	free(does);
	return line;
}

void irqs_take(struct irq_table *t, const char *line)
{
	char *text = xstrdup(line), *save = NULL, *word[4] = { NULL };
	struct cpuset may, does;
	struct irq_facts *f;
	unsigned long irq;
	char *end;

	for (int i = 0; i < 4; i++)
		word[i] = strtok_r(i ? NULL : text, " ", &save);
	irq = word[0] ? strtoul(word[0], &end, 10) : 0;
	cpuset_clear(&may);
	cpuset_clear(&does);
	if (!word[3] || *end || irq > UINT32_MAX ||
	    (strcmp(word[2], "-") && !cpulist_parse(word[2], &may, NULL)) ||
	    (strcmp(word[3], "-") && !cpulist_parse(word[3], &does, NULL)))
		goto out;
	f = add(t, irq);
	if (f) {
		f->fixed = !strcmp(word[1], "fixed");
		f->may = may;
		f->does = does;
		free(f->driver);
		f->driver = xstrdup(save ? save : "");
	}
out:
	free(text);
}

char *irqs_text(const struct irq_facts *f)
{
	char *may = cpulist_format(&f->may), *does = cpulist_format(&f->does), *text;

	text = xasprintf("%s%s%s%s%s%s", *f->driver ? "driver " : "", f->driver,
			 *f->driver ? ", " : "", f->fixed ? "placed by the kernel, " : "",
			 *may ? "may go to CPUs " : "its CPUs are not told", may);
	if (*does) {
		char *more = xasprintf("%s, arrives on %s", text, does);

		free(text);
		text = more;
	}
	free(may);
	free(does);
	return text;
}

void irqs_free(struct irq_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->item[i].driver);
	free(t->item);
	*t = (struct irq_table){ 0 };
}
