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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect_state.h"
#include "instance.h"
#include "quell.h"

#define LAG_NS	20000000ull	/* an event is committed within this */
#define BUSY	2000		/* events in a poll; a buffer holds 40,000 */

/* common_flags of every event (enum trace_flag_type in the kernel). */
#define FLAG_HARDIRQ	0x08
#define FLAG_SOFTIRQ	0x10
#define FLAG_NMI	0x40

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

static struct source *source_of(struct collect *c, int cpu)
{
	for (size_t i = 0; i < c->nsrc; i++)
		if (c->src[i].cpu == cpu)
			return &c->src[i];
	c->src = grow(c->src, &c->src_room, c->nsrc + 1, sizeof(*c->src));
	c->src[c->nsrc] = (struct source){ .cpu = cpu };
	return &c->src[c->nsrc++];
}

static void open_sources(struct collect *c)
{
	int ncpus = sysconf(_SC_NPROCESSORS_CONF), open = 0;
	static bool registered;
	struct source *s;

	current = c;
	if (!registered)
		atexit(close_sources);	/* runs before the instance's own handler */
	registered = true;
	for (int cpu = 0; cpu < ncpus; cpu++) {
		s = source_of(c, cpu);
		if (!s->tcpu)
			s->tcpu = tracefs_cpu_open(c->instance, cpu, true);
		if (!s->tcpu)
			continue;	/* possible, but not there */
		open++;
		if (!c->page)
			c->page = xcalloc(1, tracefs_cpu_read_size(s->tcpu));
	}
	if (!open)
		die(EXIT_KERNEL, "no trace buffer can be opened: %s",
		    strerror(errno));
}

/* Instance, clock, buffers and events; not yet switched on. */
static void set_up(struct collect *c, const struct cpuset *observed)
{
	c->instance = instance_create();
	tracefs_trace_off(c->instance);
	/* One clock for all CPUs, or a receipt could precede its sending. */
	if (tracefs_instance_file_write(c->instance, "trace_clock", "mono") < 0)
		die(EXIT_KERNEL, "this kernel has no trace clock \"mono\"");
	if (c->buffer_kb &&
	    tracefs_instance_set_buffer_size(c->instance, c->buffer_kb, -1))
		die(EXIT_FAILED, "the trace buffers cannot be made %zu KiB: %s",
		    c->buffer_kb, strerror(errno));
	collect_want_events(c, observed);
	if (c->marks)
		collect_set_marks(c);
	free(c->state);
	c->state = collect_state(c);
}

void collect_want_marks(struct collect *c)
{
	c->marks = true;
	collect_set_marks(c);
}

char *collect_marker(const struct collect *c)
{
	char *file = tracefs_instance_get_file(c->instance, "trace_marker");
	char *name = file ? xstrdup(file) : NULL;

	tracefs_put_tracing_file(file);
	return name;
}

struct collect *collect_new(const struct cpuset *observed, size_t buffer_kb,
			    unsigned int what, struct strtab *strings)
{
	static const char *const systems[] = { "ipi", "csd", "irq_vectors",
					       "irq", "task", "timer", "workqueue",
					       "sched", "ftrace", NULL };
	struct collect *c = xcalloc(1, sizeof(*c));
	const char *dir;

	dir = instance_tracing_dir();
	c->strings = strings;
	c->buffer_kb = buffer_kb;
	c->what = what;
	c->tep = tracefs_local_events_system(dir, systems);
	if (!c->tep)
		die(EXIT_KERNEL, "the event formats in %s cannot be read", dir);
	set_up(c, observed);

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

const char *collect_trouble(struct collect *c)
{
	char *state, *on;
	const char *what = NULL;

	on = tracefs_instance_file_read(c->instance, "tracing_on", NULL);
	state = collect_state(c);
	if (!on || *on != '1')
		what = "switched the trace off";
	else if (strcmp(state, c->state))
		what = "changed the events that are traced";
	free(on);
	free(state);
	return what;
}

void collect_reopen(struct collect *c, struct join *j,
		    const struct cpuset *observed)
{
	tracefs_trace_off(c->instance);
	collect_poll(c, j, true);
	join_gap(j);
	c->lost_before = collect_lost(c);
	close_sources();
	instance_destroy();
	set_up(c, observed);
	open_sources(c);
	collect_start(c);
}

void collect_observe(struct collect *c, const struct cpuset *observed)
{
	open_sources(c);
	collect_set_filters(c, observed);
	free(c->state);
	c->state = collect_state(c);
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
	case DEC_TASK:
		/* Older kernels name the task, newer ones mean the current one. */
		e->type = EV_TASK;
		e->target = d->a.size ? value(&d->a, rec, len) : (uint64_t)e->pid;
		if (d->b.size != sizeof(e->comm) || d->b.offset + d->b.size > len)
			return false;
		memcpy(e->comm, (const char *)rec + d->b.offset, sizeof(e->comm));
		return true;
	case DEC_MARK:
		n = len - d->a.offset;
		if (n <= 0)
			return false;
		e->type = EV_MARK;
		e->words = xcalloc(n / sizeof(*e->words) + 1, sizeof(*e->words));
		memcpy(e->words, (const char *)rec + d->a.offset, n);
		((char *)e->words)[strcspn((char *)e->words, "\n")] = '\0';
		return true;
	case DEC_GROUP:
		e->type = d->type;
		e->csd = value(&d->a, rec, len);
		e->func = value(&d->b, rec, len);
		e->target = value(&d->c, rec, len);
		e->irq = value(&d->d, rec, len);
		/* 0x100 says that it was preempted: it does not sleep. */
		if (e->type == EV_SWITCH)
			e->irq &= 0xff;
		return true;
	case DEC_IRQ_EXIT:
		e->type = EV_IRQ_EXIT;
		e->vec = VEC_DEVICE;
		e->irq = value(&d->a, rec, len);
		return true;
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

static void take_loss(struct source *s, uint64_t ts)
{
	s->q = grow(s->q, &s->room, s->n + 1, sizeof(*s->q));
	s->q[s->n++] = (struct event){ .ts = ts, .cpu = s->cpu, .type = EV_LOST };
}

static void read_source(struct collect *c, struct source *s)
{
	unsigned long long ts;
	void *rec;

	while (s->tcpu && tracefs_cpu_read(s->tcpu, c->page, true) > 0) {
		kbuffer_load_subbuffer(c->kbuf, c->page);
		rec = kbuffer_read_event(c->kbuf, &ts);
		if (rec && kbuffer_missed_events(c->kbuf))
			take_loss(s, ts);
		for (; rec;
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

uint64_t collect_poll(struct collect *c, struct join *j, bool all)
{
	uint64_t before = all ? UINT64_MAX : now_ns() - LAG_NS;
	struct source *s;
	struct event *e;
	size_t had;

	c->taken = 0;
	for (size_t i = 0; i < c->nsrc; i++) {
		had = c->src[i].n;
		read_source(c, &c->src[i]);
		c->taken += c->src[i].n - had;
	}
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
	return before;
}

bool collect_busy(const struct collect *c)
{
	return c->taken > BUSY;
}

uint64_t collect_lost(struct collect *c)
{
	static const char *const keys[] = { "\noverrun: ", "\ncommit overrun: ",
					    "\ndropped events: " };
	uint64_t lost = c->lost_before;
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

const char *collect_degraded(const struct collect *c)
{
	return c->degraded;
}

const char *collect_lacks(const struct collect *c)
{
	return c->lacks;
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
	free(c->state);
	free(c->page);
	kbuffer_free(c->kbuf);
	tep_free(c->tep);
	free(c);
	/* Open buffers would keep the instance: it goes last. */
	instance_destroy();
}
