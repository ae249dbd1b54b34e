// SPDX-License-Identifier: GPL-2.0
/*
 * remedy.c - what ends the interrupts of a row, on the system they came from:
 * the device's own file and value, the mask of work, the task to move. All of
 * it comes from the summary, so a record read elsewhere says the same.
 *
 * In the texts: %h housekeeping CPUs, %m the same as a mask, %q the CPUs to be
 * left alone, %t the task that did it, %f the one that ran.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show/functions.h"
#include "json.h"
#include "quell.h"
#include "show/remedy.h"

/* Where a cause's functions and sites say nothing more special. */
static const char *const by_cause[NR_CAUSES] = {
	[CAUSE_UNKNOWN] = "record again with a larger --buffer",
	[CAUSE_PT_SYNC] = "quell-live on, or boot quell's kernel (pt_sync=auto)",
	[CAUSE_TLB_USER] = "no munmap, mprotect or madvise in %t while its threads are on CPUs %q",
	[CAUSE_TLB_KERNEL] = "boot quell's kernel with nohz_full=%q: it defers what may wait; or stop what unmaps: %t",
	[CAUSE_MEMBARRIER] = "keep threads of %t off CPUs %q: taskset -acp %h $(pgrep -x %t)",
	[CAUSE_TEXT] = "do it before the work begins; %t switched it",
	[CAUSE_RESCHED] = "keep tasks away: isolcpus=managed_irq,domain,%q; woken by %t",
	[CAUSE_WAKEUP] = "keep tasks away: isolcpus=managed_irq,domain,%q; woken by %t",
	[CAUSE_RCU] = "kernel command line: nohz_full=%q rcupdate.rcu_normal=1",
	[CAUSE_NOHZ] = "find what started the tick (timer:tick_stop) and move it to CPUs %h",
	[CAUSE_CLOCK] = "slew the clock instead of stepping it; kernel command line: tsc=nowatchdog",
	[CAUSE_PERF] = "end %t, or let it count CPUs %h only",
	[CAUSE_MSR] = "end %t, or let it read CPUs %h only",
	[CAUSE_TRACING] = "start and stop tracing when CPUs %q may be disturbed; now %t does",
	[CAUSE_CALL] = "stop who asks: %t; move it with taskset only if it asks for its own CPU",
	[CAUSE_IRQ_WORK] = "move what queues it to CPUs %h",
	[CAUSE_TICK] = "kernel command line: nohz_full=%q, one runnable task per CPU, and no task with timers there",
	[CAUSE_DEVICE] = "kernel command line: irqaffinity=%h",
	[CAUSE_VECTOR] = "see quell explain vector",
	[CAUSE_SOFTIRQ] = "keep what raises it away: interrupts with irqaffinity=%h, the tick with nohz_full=%q",
	[CAUSE_KWORKER] = "echo %m > /sys/devices/virtual/workqueue/cpumask if it is unbound, else move who queues it (%t) to CPUs %h",
	[CAUSE_KTHREAD] = "kernel command line: kthread_cpus=%h, and for one that may move: taskset -acp %h $(pgrep -x %f)",
	[CAUSE_TASK] = "move it: taskset -acp %h $(pgrep -x %f); or isolcpus=managed_irq,domain,%q",
};

static char *fill(const char *text, const char *house, const char *mask,
		  const char *quiet, const char *task, const char *func)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		die(EXIT_FAILED, "out of memory");
	for (; *text; text++) {
		if (*text != '%') {
			putc(*text, f);
			continue;
		}
		switch (*++text) {
		case 'h':	fputs(house, f); break;
		case 'm':	fputs(mask, f); break;
		case 'q':	fputs(quiet, f); break;
		case 't':	fputs(task, f); break;
		case 'f':	fputs(func, f); break;
		default:	die(EXIT_FAILED, "a remedy asks for %%%c", *text);
		}
	}
	if (fclose(f))
		die(EXIT_FAILED, "out of memory");
	return out;
}

static bool by_func(enum cause c)
{
	return c == CAUSE_TICK || c == CAUSE_SOFTIRQ || c == CAUSE_KWORKER;
}

static bool is_task(enum cause c)
{
	return c == CAUSE_TASK || c == CAUSE_KTHREAD;
}

/*
 * It may be pasted into a shell, and a task chooses its own name. The caller
 * frees it.
 */
static char *harmless(const char *name)
{
	char *out = xstrdup(name);

	for (char *p = out; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-/:@+", *p))
			*p = '.';
	return out;
}

const struct irq_facts *row_irq(const struct summary *s, const struct source_row *r)
{
	unsigned int irq;
	int n = 0;

	if (r->cause != CAUSE_DEVICE ||
	    sscanf(strtab_get(s->strings, r->func), "%u:%n", &irq, &n) != 1 || !n)
		return NULL;
	return irqs_find(&s->irqs, irq);
}

/* A device's: its own file, if anybody may write it, and what it is now. */
static char *of_device(const struct summary *s, const struct source_row *r, unsigned int irq,
		       const struct cpuset *quiet, const char *house, const char *quiet_list)
{
	const struct irq_facts *f = row_irq(s, r);
	struct cpuset stray = f ? f->may : (struct cpuset){ { 0 } };
	char *now, *out;

	if (!f || !cpuset_count(&f->may))
		return xasprintf("echo %s > /proc/irq/%u/smp_affinity_list, and irqaffinity=%s",
				 house, irq, house);
	if (f->fixed && !strstr(s->isolcpus ? s->isolcpus : "", "managed_irq"))
		return xasprintf("the kernel places it, its file is read-only; kernel command line: isolcpus=managed_irq,domain,%s",
				 quiet_list);
	if (f->fixed)
		return xasprintf("the kernel places it, its file is read-only; start no I/O from CPUs %s, or give the driver fewer queues",
				 quiet_list);
	cpuset_and(&stray, quiet);
	now = cpulist_format(&f->may);
	if (cpuset_count(&stray))
		out = xasprintf("echo %s > /proc/irq/%u/smp_affinity_list (now %s), and irqaffinity=%s",
				house, irq, now, house);
	else
		out = xasprintf("/proc/irq/%u/smp_affinity_list is %s already, yet it arrives here: write it again, or restart the device",
				irq, now);
	free(now);
	return out;
}

char *remedy(const struct summary *s, const struct source_row *r)
{
	struct function_info room;
	const char *func = strtab_get(s->strings, r->func);
	const char *site = strtab_get(s->strings, r->site);
	const char *comm = r->comm ? strtab_get(s->strings, r->comm) : "";
	const char *text = NULL, *first, *then;
	struct cpuset house = s->online, quiet = s->quiet;
	char *house_list, *quiet_list, *mask, *task, *ran, *out;
	unsigned int irq;
	int n = 0;

	/* A row is about the CPUs that received: isolated, or else those. */
	if (!cpuset_count(&quiet))
		quiet = r->receivers;
	cpuset_without(&house, &quiet);
	if (!cpuset_count(&house))
		return xstrdup("say which CPUs are to be left alone: quell check --cpus LIST");

	house_list = cpulist_format(&house);
	quiet_list = cpulist_format(&quiet);
	mask = cpulist_mask(&house);
	/* "(interrupt)" and the like are no tasks. */
	task = *comm && *comm != '(' ? harmless(comm) : xstrdup("the sender");
	ran = harmless(func);
	/*
	 * Of an interrupt the site says more than what ran, which is the same for
	 * a whole cause; a timer, a softirq and work are what they run. What ran
	 * instead of a task is no function.
	 */
	first = by_func(r->cause) ? func : site;
	then = by_func(r->cause) ? site : func;
	if (r->cause != CAUSE_DEVICE && !is_task(r->cause) && *first)
		text = function_info(first, &room)->remedy;
	if (!text && r->cause != CAUSE_DEVICE && !is_task(r->cause) && *then)
		text = function_info(then, &room)->remedy;
	if (r->cause == CAUSE_DEVICE && sscanf(func, "%u:%n", &irq, &n) == 1 && n)
		out = of_device(s, r, irq, &quiet, house_list, quiet_list);
	else
		out = fill(text ? text : by_cause[r->cause] ? by_cause[r->cause] : "see quell explain",
			   house_list, mask, quiet_list, task, ran);
	free(house_list);
	free(quiet_list);
	free(mask);
	free(task);
	free(ran);
	return out;
}

/* " [module]", "" or, if this kernel has no such function, NULL. */
static const char *in_kernel(const char *name, char *module, size_t size)
{
	FILE *f = fopen("/proc/kallsyms", "re");
	const char *found = NULL;
	char line[512], symbol[256], plain[256], mod[128];

	while (f && !found && fgets(line, sizeof(line), f)) {
		*mod = '\0';
		if (sscanf(line, "%*s %*c %255s %127s", symbol, mod) < 1)
			continue;
		if (!strcmp(symbol, name) || !strcmp(plain_name(symbol, plain, sizeof(plain)), name)) {
			snprintf(module, size, "%s", mod);
			found = module;
		}
	}
	if (f)
		fclose(f);
	return found;
}

bool explain_function(const char *name, bool as_json)
{
	struct function_info room;
	const struct function_info *i = function_info(name, &room);
	struct json j = { .f = stdout };
	char module[128] = "", *full = NULL, *fix;

	if (!i->name) {
		const char *where = strchr(name, '[') ? "" : in_kernel(name, module, sizeof(module));

		/* A prefix alone is no function. */
		if (!where)
			return false;
		full = xasprintf("%s%s%s", name, *where ? " " : "", where);
		i = function_info(full, &room);
	}
	fix = i->remedy ? fill(i->remedy, "HOUSEKEEPING", "MASK", "ISOLATED",
				  "TASK", "TASK") : NULL;

	if (as_json) {
		json_open(&j, NULL, '{');
		json_str(&j, "quell", "explain");
		json_u64(&j, "schema", 1);
		json_str(&j, "function", name);
		json_str(&j, "subsystem", i->subsystem);
		if (i->what)
			json_str(&j, "what", i->what);
		else
			json_null(&j, "what");
		if (fix)
			json_str(&j, "avoided_by", fix);
		else
			json_null(&j, "avoided_by");
		json_close(&j, '}');
	} else {
		printf("%s\n", name);
		printf("belongs to  %s\n", i->subsystem);
		if (i->what)
			printf("what        %s\n", i->what);
		if (fix)
			printf("ended by    %s\n", fix);
	}
	free(fix);
	free(full);
	return true;
}
