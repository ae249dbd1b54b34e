// SPDX-License-Identifier: GPL-2.0
/*
 * collect_setup.c - which events, filtered how, decoded how.
 *
 * Every event that is switched patches kernel text in several steps, and every
 * step interrupts every CPU once. It happens outside the window that is
 * measured, but it happens to CPUs that want to be left alone: so nothing is
 * switched that is not needed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observe/collect_state.h"
#include "join/counters.h"
#include "quell.h"

bool collect_field(struct tep_event *ev, const char *name, struct field *out)
{
	struct tep_format_field *f = tep_find_field(ev, name);

	if (!f)
		return false;
	out->offset = f->offset;
	out->size = f->size;
	out->dynamic = f->flags & TEP_FIELD_IS_DYNAMIC;
	return true;
}

/*
 * "cpu >= 2 && cpu <= 5 || cpu == 8": only what concerns observed CPUs costs
 * buffer space. NULL if the set is too ragged for a filter; then all comes.
 */
static char *range_filter(const char *name, const struct cpuset *set)
{
	char *out = xstrdup(""), *more;
	int first, last, ranges = 0;

	for (first = cpuset_next(set, -1); first >= 0;
	     first = cpuset_next(set, last)) {
		last = first;
		while (cpuset_has(set, last + 1))
			last++;
		more = xasprintf("%s%s(%s >= %d && %s <= %d)", out,
				 ranges ? " || " : "", name, first, name, last);
		free(out);
		out = more;
		if (++ranges > 16) {
			free(out);
			return NULL;
		}
	}
	return out;
}

/* Linux 6.6 and later: any set, and masks as well. */
static char *mask_filter(const char *name, const struct cpuset *set)
{
	char *list = cpulist_format(set);
	char *out = xasprintf("%s & CPUS{%s}", name, list);

	free(list);
	return out;
}

/*
 * Let only those of an event through whose field @name is about observed CPUs.
 * Return: the filter the kernel took, NULL if it took none: then it sends more
 * than was asked for, and the join engine drops it.
 */
static char *set_filter(struct collect *c, const char *system, const char *event,
			const char *name, const struct cpuset *set)
{
	char *file = xasprintf("events/%s/%s/filter", system, event);
	char *filter = mask_filter(name, set);

	if (tracefs_instance_file_write(c->instance, file, filter) < 0) {
		free(filter);
		filter = strcmp(name, "cpumask") ? range_filter(name, set) : NULL;
		if (filter &&
		    tracefs_instance_file_write(c->instance, file, filter) < 0) {
			free(filter);
			filter = NULL;
		}
	}
	free(file);
	return filter;
}

struct decoder *collect_enable(struct collect *c, const char *system,
			      const char *name, int how, bool must,
			      const char *by)
{
	struct tep_event *ev = tep_find_event_by_name(c->tep, system, name);
	struct decoder *d;

	if (!ev || ev->id < 0 || ev->id >= (int)ARRAY_SIZE(c->dec)) {
		if (must)
			die(EXIT_KERNEL, "this kernel has no event %s:%s (Linux 6.4 or later is needed)",
			    system, name);
		return NULL;
	}
	if (c->non < ARRAY_SIZE(c->on)) {
		snprintf(c->on[c->non].system, sizeof(c->on->system), "%s", system);
		snprintf(c->on[c->non].name, sizeof(c->on->name), "%s", name);
		c->on[c->non++].by = by;
	}
	if (by)
		free(set_filter(c, system, name, by, &c->observed));
	if (tracefs_event_enable(c->instance, system, name))
		die(EXIT_KERNEL, "event %s:%s cannot be enabled: %s", system,
		    name, strerror(errno));
	d = c->dec[ev->id];
	if (!d)
		d = c->dec[ev->id] = xcalloc(1, sizeof(*d));
	d->how = how;
	return d;
}

struct tep_event *collect_event(struct collect *c, const char *system,
				  const char *name)
{
	return tep_find_event_by_name(c->tep, system, name);
}

/*
 * A stack for each event that passes the filter; one that is there already
 * is replaced, by writing it with "!" first.
 */
bool collect_stack(struct collect *c, const char *system, const char *name,
		   const char *by)
{
	char *file = xasprintf("events/%s/%s/trigger", system, name);
	char *filter, *with;
	int n = -1;

	for (size_t i = 0; i < c->non; i++)
		if (!strcmp(c->on[i].system, system) && !strcmp(c->on[i].name, name))
			c->on[i].stack = true;
	tracefs_instance_file_append(c->instance, file, "!stacktrace");
	for (int form = 0; by && n < 0 && form < 2; form++) {
		if (form && !strcmp(by, "cpumask"))
			break;
		filter = form ? range_filter(by, &c->observed) :
				mask_filter(by, &c->observed);
		if (!filter)
			break;
		with = xasprintf("stacktrace if %s", filter);
		n = tracefs_instance_file_append(c->instance, file, with);
		free(with);
		free(filter);
	}
	if (n < 0)
		n = tracefs_instance_file_append(c->instance, file, "stacktrace");
	free(file);
	return n >= 0;
}

static void want_senders(struct collect *c)
{
	struct decoder *d;

	if (!collect_event(c, "ipi", "ipi_send_cpu")) {
		c->has_stacks = false;
		collect_want_probes(c);
		return;
	}
	d = collect_enable(c, "ipi", "ipi_send_cpu", DEC_SEND_CPU, true, "cpu");
	collect_field(collect_event(c, "ipi", "ipi_send_cpu"), "cpu", &d->a);
	collect_field(collect_event(c, "ipi", "ipi_send_cpu"), "callsite", &d->b);
	collect_field(collect_event(c, "ipi", "ipi_send_cpu"), "callback", &d->c);
	d = collect_enable(c, "ipi", "ipi_send_cpumask", DEC_SEND_MASK, true, "cpumask");
	collect_field(collect_event(c, "ipi", "ipi_send_cpumask"), "cpumask", &d->a);
	collect_field(collect_event(c, "ipi", "ipi_send_cpumask"), "callsite", &d->b);
	collect_field(collect_event(c, "ipi", "ipi_send_cpumask"), "callback", &d->c);
	c->has_stacks = collect_stack(c, "ipi", "ipi_send_cpu", "cpu") &&
			collect_stack(c, "ipi", "ipi_send_cpumask", "cpumask");

	/* 6.4 has the IPIs but not yet the requests. */
	d = collect_enable(c, "csd", "csd_queue_cpu", DEC_QUEUE, false, "cpu");
	if (!d)
		return;
	collect_field(collect_event(c, "csd", "csd_queue_cpu"), "cpu", &d->a);
	collect_field(collect_event(c, "csd", "csd_queue_cpu"), "callsite", &d->b);
	collect_field(collect_event(c, "csd", "csd_queue_cpu"), "func", &d->c);
	collect_field(collect_event(c, "csd", "csd_queue_cpu"), "csd", &d->d);
	c->has_csd = true;
}

static uint8_t vector_kind(const char *name)
{
	static const struct { const char *name; uint8_t vec; } known[] = {
		{ "call_function", VEC_CALL },
		{ "call_function_single", VEC_CALL_SINGLE },
		{ "reschedule", VEC_RESCHED },
		{ "irq_work", VEC_IRQ_WORK },
		{ "local_timer", VEC_TIMER },
		/* arm64 and others, where the event carries this text: */
		{ "Rescheduling interrupts", VEC_RESCHED },
		{ "Function call interrupts", VEC_CALL },
		{ "IRQ work interrupts", VEC_IRQ_WORK },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].vec;
	return VEC_OTHER;
}

/*
 * x86: the end of a handler is wanted only where the requests it ran are to be
 * told from those it did not, or where time is measured (--what), and rare vectors
 * only where they have been seen since boot.
 */
static const struct {
	const char	*name;
	const char	*row;		/* of /proc/interrupts; NULL: always */
	bool		end;
} vectors[] = {
	{ "call_function", NULL, true },
	{ "call_function_single", NULL, true },
	{ "reschedule", NULL, false },
	{ "irq_work", NULL, false },
	{ "local_timer", NULL, false },
	{ "spurious_apic", "SPU", false },
	{ "x86_platform_ipi", "PLT", false },
	{ "thermal_apic", "TRM", false },
	{ "threshold_apic", "THR", false },
	{ "deferred_error_apic", "DFR", false },
};

static bool ever_seen(const struct counters *c, const char *row)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->nrows; i++)
		for (size_t k = 0; !strcmp(c->row[i].label, row) && k < c->ncpus; k++)
			sum += c->row[i].count[k];
	return sum > 0;
}

static bool want_vectors(struct collect *c)
{
	struct counters seen;
	struct decoder *d;
	char *event;

	if (!collect_event(c, "irq_vectors", "call_function_entry"))
		return false;
	if (!counters_read(&seen))
		die(EXIT_KERNEL, "/proc/interrupts cannot be read");
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		if (vectors[i].row && !ever_seen(&seen, vectors[i].row))
			continue;
		event = xasprintf("%s_entry", vectors[i].name);
		d = collect_enable(c, "irq_vectors", event, DEC_VECTOR_ENTRY,
			   !vectors[i].row, "CPU");
		free(event);
		if (!d)
			continue;	/* not built in, so it cannot happen */
		d->vec = vector_kind(vectors[i].name);
		if (d->vec == VEC_OTHER)
			d->name = strtab_str(c->strings, vectors[i].name);
		if (!vectors[i].end && !(c->what & ~WHAT_IPI))
			continue;
		event = xasprintf("%s_exit", vectors[i].name);
		d = collect_enable(c, "irq_vectors", event, DEC_VECTOR_EXIT, true, "CPU");
		d->vec = vector_kind(vectors[i].name);
		if (d->vec == VEC_OTHER)
			d->name = strtab_str(c->strings, vectors[i].name);
		free(event);
	}
	counters_free(&seen);
	return true;
}

/* The strings that ipi_entry points to: "0xffff... : "Rescheduling ..."". */
static void load_reasons(struct collect *c)
{
	char *text = tracefs_instance_file_read(NULL, "printk_formats", NULL);
	char *line, *save = NULL, *from, *to;
	unsigned long long addr;

	for (line = text ? strtok_r(text, "\n", &save) : NULL;
	     line && c->nreasons < ARRAY_SIZE(c->reason);
	     line = strtok_r(NULL, "\n", &save)) {
		from = strchr(line, '"');
		to = strrchr(line, '"');
		if (!from || to <= from || sscanf(line, "%llx", &addr) != 1)
			continue;
		*to = '\0';
		c->reason[c->nreasons++] = (struct reason){ addr,
			strtab_str(c->strings, from + 1), vector_kind(from + 1) };
	}
	free(text);
}

static void want_receipts(struct collect *c)
{
	struct decoder *d;

	if (!want_vectors(c)) {
		d = collect_enable(c, "ipi", "ipi_entry", DEC_IPI_ENTRY, true, "CPU");
		collect_field(collect_event(c, "ipi", "ipi_entry"), "reason", &d->a);
		d = collect_enable(c, "ipi", "ipi_exit", DEC_IPI_EXIT, true, "CPU");
		collect_field(collect_event(c, "ipi", "ipi_exit"), "reason", &d->a);
		c->one_vector = true;
		load_reasons(c);
	}
	d = collect_enable(c, "irq", "irq_handler_entry", DEC_IRQ_ENTRY, true, "CPU");
	collect_field(collect_event(c, "irq", "irq_handler_entry"), "irq", &d->a);
	collect_field(collect_event(c, "irq", "irq_handler_entry"), "name", &d->b);
	if (c->what & ~WHAT_IPI) {
		d = collect_enable(c, "irq", "irq_handler_exit", DEC_IRQ_EXIT, true, "CPU");
		collect_field(collect_event(c, "irq", "irq_handler_exit"), "irq", &d->a);
	}
	d = collect_enable(c, "csd", "csd_function_entry", DEC_FUNC, false, "CPU");
	if (d) {
		collect_field(collect_event(c, "csd", "csd_function_entry"), "func", &d->a);
		collect_field(collect_event(c, "csd", "csd_function_entry"), "csd", &d->b);
	}
}

static void know_stacks(struct collect *c)
{
	struct tep_event *ev = collect_event(c, "ftrace", "kernel_stack");
	struct decoder *d;

	if (!ev || ev->id >= (int)ARRAY_SIZE(c->dec)) {
		c->has_stacks = false;
		return;
	}
	d = c->dec[ev->id];
	if (!d)
		d = c->dec[ev->id] = xcalloc(1, sizeof(*d));
	d->how = DEC_STACK;
	collect_field(ev, "size", &d->a);
	collect_field(ev, "caller", &d->b);
}

/* Who is new and who is called otherwise from now on; see names.c. */
static void want_names(struct collect *c)
{
	static const struct { const char *event, *name; } names[] = {
		{ "task_newtask", "comm" }, { "task_rename", "newcomm" },
	};
	struct decoder *d;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		d = collect_enable(c, "task", names[i].event, DEC_TASK, false, NULL);
		if (!d)
			continue;
		collect_field(collect_event(c, "task", names[i].event), "pid", &d->a);
		collect_field(collect_event(c, "task", names[i].event), names[i].name, &d->b);
	}
}

void collect_set_marks(struct collect *c)
{
	struct tep_event *ev = collect_event(c, "ftrace", "print");
	struct decoder *d;

	if (!ev || ev->id >= (int)ARRAY_SIZE(c->dec))
		return;
	d = c->dec[ev->id];
	if (!d)
		d = c->dec[ev->id] = xcalloc(1, sizeof(*d));
	if (collect_field(ev, "buf", &d->a))
		d->how = DEC_MARK;
	/* Older kernels have no such option: the instance's own marker it is then. */
	tracefs_instance_file_write(c->instance, "options/copy_trace_marker", "1");
}

void collect_want_events(struct collect *c, const struct cpuset *observed)
{
	c->observed = *observed;
	c->non = c->nreasons = 0;
	want_names(c);
	want_senders(c);
	want_receipts(c);
	know_stacks(c);
	collect_want_groups(c);
}

void collect_set_filters(struct collect *c, const struct cpuset *observed)
{
	c->observed = *observed;
	for (size_t i = 0; i < c->non; i++)
		if (c->on[i].by)
			free(set_filter(c, c->on[i].system, c->on[i].name,
					c->on[i].by, observed));
	for (size_t i = 0; i < c->non; i++)
		if (c->on[i].stack)
			collect_stack(c, c->on[i].system, c->on[i].name, c->on[i].by);
}

static char *add_file(struct collect *c, char *text, const char *file)
{
	char *content = tracefs_instance_file_read(c->instance, file, NULL);
	char *more = xasprintf("%s%s\n", text, content ? content : "?");

	free(content);
	free(text);
	return more;
}

char *collect_state(struct collect *c)
{
	static const char *const files[] = { "enable", "filter", "trigger" };
	char *text = add_file(c, xstrdup(""), "trace_clock"), *file;

	for (size_t i = 0; i < c->non; i++)
		for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
			file = xasprintf("events/%s/%s/%s", c->on[i].system,
					 c->on[i].name, files[k]);
			text = add_file(c, text, file);
			free(file);
		}
	return text;
}
