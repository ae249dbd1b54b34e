// SPDX-License-Identifier: GPL-2.0
/*
 * collect.c - the trace events of the observed interrupts, in time order.
 *
 * The observed CPUs must not be interrupted by being observed:
 *  - the ring buffers are read with plain non-blocking reads, never with poll
 *    or splice: a waiting reader makes the writer raise an irq_work interrupt
 *    on its own CPU;
 *  - events are switched on before recording starts and off after it stopped,
 *    because switching patches kernel text, which interrupts every CPU;
 *  - the buffers keep the size they were made with unless the user asks,
 *    because a resize runs a kernel worker on every CPU.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <event-parse.h>
#include <kbuffer.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect.h"
#include "counters.h"
#include "instance.h"
#include "quell.h"

#define LAG_NS	20000000ull	/* an event is committed within this */

/* common_flags of every event (enum trace_flag_type in the kernel). */
#define FLAG_HARDIRQ	0x08
#define FLAG_SOFTIRQ	0x10
#define FLAG_NMI	0x40

struct field {
	int	offset, size;
	bool	dynamic;
};

enum decode {
	DEC_NONE, DEC_QUEUE, DEC_FUNC, DEC_SEND_CPU, DEC_SEND_MASK, DEC_STACK,
	DEC_VECTOR_ENTRY, DEC_VECTOR_EXIT, DEC_IRQ_ENTRY,
	DEC_IPI_ENTRY, DEC_IPI_EXIT,
};

struct decoder {
	uint8_t		how, vec;
	uint32_t	name;
	struct field	a, b, c, d;
};

struct source {				/* one CPU's buffer */
	struct tracefs_cpu	*tcpu;
	struct event		*q;	/* read, not yet fed */
	size_t			head, n, room;
	int			cpu;
};

struct reason { uint64_t addr; uint32_t name; uint8_t vec; };

struct collect {
	struct tracefs_instance	*instance;
	struct tep_handle	*tep;
	struct kbuffer		*kbuf;
	struct strtab		*strings;
	struct source		*src;
	size_t			nsrc, nreasons;
	struct decoder		*dec[65536];
	struct reason		reason[32];
	void			*page;
	int			long_size;
	bool			has_csd, has_stacks, one_vector;
};

static uint64_t number_at(const void *p, int size)
{
	uint64_t v8;
	uint32_t v4;
	uint16_t v2;

	switch (size) {
	case 8:
		memcpy(&v8, p, 8);
		return v8;
	case 4:
		memcpy(&v4, p, 4);
		return v4;
	case 2:
		memcpy(&v2, p, 2);
		return v2;
	default:
		return *(const uint8_t *)p;
	}
}

static uint64_t value(const struct field *f, const void *rec, int len)
{
	if (!f->size || f->offset + f->size > len)
		return 0;
	return number_at((const char *)rec + f->offset, f->size);
}

/* The bytes of a field whose place is told inside the record. */
static const void *dynamic(const struct field *f, const void *rec, int len,
			   int *size)
{
	uint32_t loc = value(f, rec, len);
	int at = loc & 0xffff, n = loc >> 16;

	if (!f->dynamic || at + n > len)
		n = 0;
	*size = n;
	return (const char *)rec + at;
}

static bool field(struct tep_event *ev, const char *name, struct field *out)
{
	struct tep_format_field *f = tep_find_field(ev, name);

	if (!f)
		return false;
	out->offset = f->offset;
	out->size = f->size;
	out->dynamic = f->flags & TEP_FIELD_IS_DYNAMIC;
	return true;
}

/* ---- which events ------------------------------------------------------- */

/*
 * "cpu >= 2 && cpu <= 5 || cpu == 8": only what concerns observed CPUs costs
 * buffer space. NULL if the set is too ragged for a filter; then all comes.
 */
static char *cpu_filter(const char *name, const struct cpuset *set)
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

static struct decoder *enable(struct collect *c, const char *system,
			      const char *name, int how, bool must,
			      const char *filter)
{
	struct tep_event *ev = tep_find_event_by_name(c->tep, system, name);
	struct decoder *d;
	char *file;

	if (!ev || ev->id < 0 || ev->id >= (int)ARRAY_SIZE(c->dec)) {
		if (must)
			die(EXIT_KERNEL, "this kernel has no event %s:%s (Linux 6.4 or later is needed)",
			    system, name);
		return NULL;
	}
	if (filter && *filter) {
		file = xasprintf("events/%s/%s/filter", system, name);
		/* A kernel that refuses it sends more than asked; join copes. */
		tracefs_instance_file_write(c->instance, file, filter);
		free(file);
	}
	if (tracefs_event_enable(c->instance, system, name))
		die(EXIT_KERNEL, "event %s:%s cannot be enabled: %s", system,
		    name, strerror(errno));
	d = xcalloc(1, sizeof(*d));
	d->how = how;
	c->dec[ev->id] = d;
	return d;
}

static struct tep_event *event_of(struct collect *c, const char *system,
				  const char *name)
{
	return tep_find_event_by_name(c->tep, system, name);
}

static void want_stack(struct collect *c, const char *name, const char *filter)
{
	char *file = xasprintf("events/ipi/%s/trigger", name);
	char *with = xasprintf("stacktrace if %s", filter && *filter ? filter : "1");

	if ((!filter || !*filter ||
	     tracefs_instance_file_append(c->instance, file, with) < 0) &&
	    tracefs_instance_file_append(c->instance, file, "stacktrace") < 0)
		c->has_stacks = false;
	free(with);
	free(file);
}

static void want_senders(struct collect *c, const char *filter)
{
	struct decoder *d;

	d = enable(c, "ipi", "ipi_send_cpu", DEC_SEND_CPU, true, filter);
	field(event_of(c, "ipi", "ipi_send_cpu"), "cpu", &d->a);
	field(event_of(c, "ipi", "ipi_send_cpu"), "callsite", &d->b);
	field(event_of(c, "ipi", "ipi_send_cpu"), "callback", &d->c);
	d = enable(c, "ipi", "ipi_send_cpumask", DEC_SEND_MASK, true, NULL);
	field(event_of(c, "ipi", "ipi_send_cpumask"), "cpumask", &d->a);
	field(event_of(c, "ipi", "ipi_send_cpumask"), "callsite", &d->b);
	field(event_of(c, "ipi", "ipi_send_cpumask"), "callback", &d->c);
	c->has_stacks = true;
	want_stack(c, "ipi_send_cpu", filter);
	want_stack(c, "ipi_send_cpumask", NULL);

	/* 6.4 has the IPIs but not yet the requests. */
	d = enable(c, "csd", "csd_queue_cpu", DEC_QUEUE, false, filter);
	if (!d)
		return;
	field(event_of(c, "csd", "csd_queue_cpu"), "cpu", &d->a);
	field(event_of(c, "csd", "csd_queue_cpu"), "callsite", &d->b);
	field(event_of(c, "csd", "csd_queue_cpu"), "func", &d->c);
	field(event_of(c, "csd", "csd_queue_cpu"), "csd", &d->d);
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
 * x86. Every event that is switched patches kernel text in several steps, and
 * every step interrupts every CPU once, so none is switched without need: the
 * end of a handler only where the requests it ran are to be told from those it
 * did not, and rare vectors only where they have been seen since boot.
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

static bool want_vectors(struct collect *c, const char *filter)
{
	struct counters seen;
	struct decoder *d;
	char *event;

	if (!event_of(c, "irq_vectors", "call_function_entry"))
		return false;
	if (!counters_read(&seen))
		die(EXIT_KERNEL, "/proc/interrupts cannot be read");
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		if (vectors[i].row && !ever_seen(&seen, vectors[i].row))
			continue;
		event = xasprintf("%s_entry", vectors[i].name);
		d = enable(c, "irq_vectors", event, DEC_VECTOR_ENTRY,
			   !vectors[i].row, filter);
		free(event);
		if (!d)
			continue;	/* not built in, so it cannot happen */
		d->vec = vector_kind(vectors[i].name);
		if (d->vec == VEC_OTHER)
			d->name = strtab_str(c->strings, vectors[i].name);
		if (!vectors[i].end)
			continue;
		event = xasprintf("%s_exit", vectors[i].name);
		d = enable(c, "irq_vectors", event, DEC_VECTOR_EXIT, true, filter);
		d->vec = vector_kind(vectors[i].name);
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

static void want_receipts(struct collect *c, const char *filter)
{
	struct decoder *d;

	if (!want_vectors(c, filter)) {
		d = enable(c, "ipi", "ipi_entry", DEC_IPI_ENTRY, true, filter);
		field(event_of(c, "ipi", "ipi_entry"), "reason", &d->a);
		d = enable(c, "ipi", "ipi_exit", DEC_IPI_EXIT, true, filter);
		field(event_of(c, "ipi", "ipi_exit"), "reason", &d->a);
		c->one_vector = true;
		load_reasons(c);
	}
	d = enable(c, "irq", "irq_handler_entry", DEC_IRQ_ENTRY, true, filter);
	field(event_of(c, "irq", "irq_handler_entry"), "irq", &d->a);
	field(event_of(c, "irq", "irq_handler_entry"), "name", &d->b);
	d = enable(c, "csd", "csd_function_entry", DEC_FUNC, false, filter);
	if (d) {
		field(event_of(c, "csd", "csd_function_entry"), "func", &d->a);
		field(event_of(c, "csd", "csd_function_entry"), "csd", &d->b);
	}
}

static void know_stacks(struct collect *c)
{
	struct tep_event *ev = event_of(c, "ftrace", "kernel_stack");
	struct decoder *d;

	if (!ev || ev->id >= (int)ARRAY_SIZE(c->dec)) {
		c->has_stacks = false;
		return;
	}
	d = xcalloc(1, sizeof(*d));
	d->how = DEC_STACK;
	field(ev, "size", &d->a);
	field(ev, "caller", &d->b);
	c->dec[ev->id] = d;
}

/* ---- setting up --------------------------------------------------------- */

/* An open buffer keeps the instance; die() must still leave nothing behind. */
static struct collect *current;

static void close_sources(void)
{
	for (size_t i = 0; current && i < current->nsrc; i++) {
		if (current->src[i].tcpu)
			tracefs_cpu_close(current->src[i].tcpu);
		current->src[i].tcpu = NULL;
	}
}

static void open_sources(struct collect *c)
{
	int ncpus = sysconf(_SC_NPROCESSORS_CONF);
	struct source *s;

	current = c;
	atexit(close_sources);	/* runs before the instance's own handler */
	c->src = xcalloc(ncpus, sizeof(*c->src));
	for (int cpu = 0; cpu < ncpus; cpu++) {
		s = &c->src[c->nsrc];
		s->tcpu = tracefs_cpu_open(c->instance, cpu, true);
		if (!s->tcpu)
			continue;	/* possible, but not there */
		s->cpu = cpu;
		c->nsrc++;
		if (!c->page)
			c->page = xcalloc(1, tracefs_cpu_read_size(s->tcpu));
	}
	if (!c->nsrc)
		die(EXIT_KERNEL, "no trace buffer can be opened: %s",
		    strerror(errno));
}

struct collect *collect_new(const struct cpuset *observed, size_t buffer_kb,
			    struct strtab *strings)
{
	static const char *const systems[] = { "ipi", "csd", "irq_vectors",
					       "irq", "ftrace", NULL };
	struct collect *c = xcalloc(1, sizeof(*c));
	char *by_target, *by_cpu;
	const char *dir;

	dir = instance_tracing_dir();
	c->strings = strings;
	c->tep = tracefs_local_events_system(dir, systems);
	if (!c->tep)
		die(EXIT_KERNEL, "the event formats in %s cannot be read", dir);
	c->instance = instance_create();
	tracefs_trace_off(c->instance);
	/* One clock for all CPUs, or a receipt could precede its sending. */
	if (tracefs_instance_file_write(c->instance, "trace_clock", "mono") < 0)
		die(EXIT_KERNEL, "this kernel has no trace clock \"mono\"");
	if (buffer_kb &&
	    tracefs_instance_set_buffer_size(c->instance, buffer_kb, -1))
		die(EXIT_FAILED, "the trace buffers cannot be made %zu KiB: %s",
		    buffer_kb, strerror(errno));

	by_target = cpu_filter("cpu", observed);
	by_cpu = cpu_filter("CPU", observed);
	want_senders(c, by_target);
	want_receipts(c, by_cpu);
	know_stacks(c);
	free(by_target);
	free(by_cpu);

	c->long_size = tep_get_header_page_size(c->tep);
	if (c->long_size != 4 && c->long_size != 8)
		c->long_size = sizeof(long);
	c->kbuf = kbuffer_alloc(c->long_size == 8 ? KBUFFER_LSIZE_8 : KBUFFER_LSIZE_4,
				tep_is_bigendian() ? KBUFFER_ENDIAN_BIG :
						     KBUFFER_ENDIAN_LITTLE);
	if (!c->kbuf)
		die(EXIT_FAILED, "out of memory");
	open_sources(c);
	return c;
}

void collect_start(struct collect *c)
{
	if (tracefs_trace_on(c->instance))
		die(EXIT_KERNEL, "tracing cannot be switched on: %s",
		    strerror(errno));
}

void collect_stop(struct collect *c)
{
	tracefs_trace_off(c->instance);
}

/* ---- reading ------------------------------------------------------------ */

static uint8_t context_of(unsigned int flags)
{
	if (flags & FLAG_NMI)
		return CTX_NMI;
	if (flags & FLAG_HARDIRQ)
		return CTX_HARDIRQ;
	return flags & FLAG_SOFTIRQ ? CTX_SOFTIRQ : CTX_TASK;
}

static void take_words(struct event *e, const void *p, int bytes, int size)
{
	int n = bytes / size;

	e->words = xcalloc(n, sizeof(*e->words));
	e->nwords = n;
	for (int i = 0; i < n; i++)
		e->words[i] = number_at((const char *)p + i * size, size);
}

static bool decode_ipi(struct collect *c, const struct decoder *d,
		       const void *rec, int len, struct event *e)
{
	uint64_t addr = value(&d->a, rec, len);

	e->type = d->how == DEC_IPI_ENTRY ? EV_IRQ_ENTRY : EV_IRQ_EXIT;
	e->vec = VEC_OTHER;
	for (size_t i = 0; i < c->nreasons; i++) {
		if (c->reason[i].addr != addr)
			continue;
		e->vec = c->reason[i].vec;
		if (e->vec == VEC_OTHER)
			e->name = c->reason[i].name;
	}
	return true;
}

static bool decode(struct collect *c, const struct decoder *d, const void *rec,
		   int len, struct event *e)
{
	const void *p;
	char name[80];
	int n;

	switch (d->how) {
	case DEC_QUEUE:
		e->type = EV_QUEUE;
		e->target = value(&d->a, rec, len);
		e->callsite = value(&d->b, rec, len);
		e->func = value(&d->c, rec, len);
		e->csd = value(&d->d, rec, len);
		return true;
	case DEC_FUNC:
		e->type = EV_FUNC;
		e->func = value(&d->a, rec, len);
		e->csd = value(&d->b, rec, len);
		return true;
	case DEC_SEND_CPU:
	case DEC_SEND_MASK:
		e->type = EV_SEND;
		e->callsite = value(&d->b, rec, len);
		e->func = value(&d->c, rec, len);
		if (d->how == DEC_SEND_CPU) {
			e->target = value(&d->a, rec, len);
			return true;
		}
		p = dynamic(&d->a, rec, len, &n);
		take_words(e, p, n, c->long_size);
		return n >= c->long_size;
	case DEC_STACK:
		e->type = EV_STACK;
		n = value(&d->a, rec, len);
		if (n > (len - d->b.offset) / c->long_size)
			n = (len - d->b.offset) / c->long_size;
		if (n <= 0)
			return false;
		take_words(e, (const char *)rec + d->b.offset,
			   n * c->long_size, c->long_size);
		return true;
	case DEC_VECTOR_ENTRY:
	case DEC_VECTOR_EXIT:
		e->type = d->how == DEC_VECTOR_ENTRY ? EV_IRQ_ENTRY : EV_IRQ_EXIT;
		e->vec = d->vec;
		e->name = d->name;
		return true;
	case DEC_IPI_ENTRY:
	case DEC_IPI_EXIT:
		return decode_ipi(c, d, rec, len, e);
	case DEC_IRQ_ENTRY:
		p = dynamic(&d->b, rec, len, &n);
		e->irq = value(&d->a, rec, len);
		snprintf(name, sizeof(name), "%u:%.*s", e->irq, n, (const char *)p);
		e->name = strtab_str(c->strings, name);
		e->type = EV_IRQ_ENTRY;
		e->vec = VEC_DEVICE;
		return true;
	}
	return false;
}

static void take_record(struct collect *c, struct source *s, void *rec, int len,
			uint64_t ts)
{
	struct decoder *d;
	struct event *e;

	if (len < 8)	/* type, flags, preempt count, pid */
		return;
	d = c->dec[number_at(rec, 2)];
	if (!d)
		return;
	s->q = grow(s->q, &s->room, s->n + 1, sizeof(*s->q));
	e = &s->q[s->n];
	*e = (struct event){
		.ts = ts, .cpu = s->cpu,
		.ctx = context_of(*((uint8_t *)rec + 2)),
		.pid = (int32_t)number_at((char *)rec + 4, 4),
	};
	if (decode(c, d, rec, len, e))
		s->n++;
	else
		free(e->words);
}

static void read_source(struct collect *c, struct source *s)
{
	unsigned long long ts;
	void *rec;

	while (tracefs_cpu_read(s->tcpu, c->page, true) > 0) {
		kbuffer_load_subbuffer(c->kbuf, c->page);
		for (rec = kbuffer_read_event(c->kbuf, &ts); rec;
		     rec = kbuffer_next_event(c->kbuf, &ts))
			take_record(c, s, rec, kbuffer_event_size(c->kbuf), ts);
	}
}

/* The source whose next event is the earliest of all; NULL: all are empty. */
static struct source *earliest(struct collect *c)
{
	struct source *best = NULL, *s;

	for (size_t i = 0; i < c->nsrc; i++) {
		s = &c->src[i];
		if (s->head < s->n && (!best ||
		    s->q[s->head].ts < best->q[best->head].ts))
			best = s;
	}
	return best;
}

void collect_poll(struct collect *c, struct join *j, bool all)
{
	uint64_t before = all ? UINT64_MAX : now_ns() - LAG_NS;
	struct source *s;
	struct event *e;

	for (size_t i = 0; i < c->nsrc; i++)
		read_source(c, &c->src[i]);
	while ((s = earliest(c)) && s->q[s->head].ts < before) {
		e = &s->q[s->head++];
		join_event(j, e);
		free(e->words);
	}
	for (size_t i = 0; i < c->nsrc; i++) {
		s = &c->src[i];
		s->n -= s->head;
		if (s->n)
			memmove(s->q, s->q + s->head, s->n * sizeof(*s->q));
		s->head = 0;
	}
	if (!all)
		join_advance(j, before);
}

uint64_t collect_lost(struct collect *c)
{
	static const char *const keys[] = { "\noverrun: ", "\ncommit overrun: ",
					    "\ndropped events: " };
	uint64_t lost = 0;
	char *file, *text, *at;

	for (size_t i = 0; i < c->nsrc; i++) {
		file = xasprintf("per_cpu/cpu%d/stats", c->src[i].cpu);
		text = tracefs_instance_file_read(c->instance, file, NULL);
		for (size_t k = 0; text && k < ARRAY_SIZE(keys); k++) {
			at = strstr(text, keys[k]);
			if (at)
				lost += strtoull(at + strlen(keys[k]), NULL, 10);
		}
		free(text);
		free(file);
	}
	return lost;
}

bool collect_has_csd(const struct collect *c)
{
	return c->has_csd;
}

bool collect_has_stacks(const struct collect *c)
{
	return c->has_stacks;
}

bool collect_one_call_vector(const struct collect *c)
{
	return c->one_vector;
}

void collect_free(struct collect *c)
{
	close_sources();
	current = NULL;
	for (size_t i = 0; i < c->nsrc; i++) {
		for (size_t k = c->src[i].head; k < c->src[i].n; k++)
			free(c->src[i].q[k].words);
		free(c->src[i].q);
	}
	for (size_t i = 0; i < ARRAY_SIZE(c->dec); i++)
		free(c->dec[i]);
	free(c->src);
	free(c->page);
	kbuffer_free(c->kbuf);
	tep_free(c->tep);
	free(c);
	/* Open buffers would keep the instance: it goes last. */
	instance_destroy();
}
