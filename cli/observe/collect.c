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

#include "observe/collect_state.h"
#include "observe/instance.h"
#include "quell.h"

#define LAG_NS	20000000ull	/* an event is committed within this */
#define BUSY	2000		/* events in a poll; a buffer holds 40,000 */
#define PAGES	16		/* of a buffer, read at a time */

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

static void take_loss(struct source *s, uint64_t ts)
{
	s->q = grow(s->q, &s->room, s->n + 1, sizeof(*s->q));
	s->q[s->n++] = (struct event){ .ts = ts, .cpu = s->cpu, .type = EV_LOST };
}

/*
 * Read some of what is there, if all that was read before is fed. Until there is no
 * more that is older than @before, nothing behind the last one read may be fed.
 */
static void read_source(struct collect *c, struct source *s, uint64_t before)
{
	unsigned long long ts;
	void *rec;

	for (int pages = 0; !s->n || (pages && pages < PAGES); pages++) {
		if (!s->tcpu || tracefs_cpu_read(s->tcpu, c->page, true) <= 0) {
			s->more = false;
			return;
		}
		kbuffer_load_subbuffer(c->kbuf, c->page);
		rec = kbuffer_read_event(c->kbuf, &ts);
		if (rec && kbuffer_missed_events(c->kbuf))
			take_loss(s, ts);
		for (; rec;
		     rec = kbuffer_next_event(c->kbuf, &ts))
			collect_take(c, s, rec, kbuffer_event_size(c->kbuf), ts);
	}
	s->more = s->q[s->n - 1].ts < before;
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

/* Feed what is older than @before, and not younger than @known. */
static void feed(struct collect *c, struct join *j, uint64_t before, uint64_t known)
{
	struct source *s;
	struct event *e;

	while ((s = earliest(c)) && s->q[s->head].ts < before &&
	       s->q[s->head].ts <= known) {
		e = &s->q[s->head++];
		join_event(j, e);
		free(e->words);
		c->taken++;
	}
	for (size_t i = 0; i < c->nsrc; i++) {
		s = &c->src[i];
		s->n -= s->head;
		if (s->n && s->head)
			memmove(s->q, s->q + s->head, s->n * sizeof(*s->q));
		s->head = 0;
	}
}

/*
 * In rounds: however much has piled up while somebody else had our CPU, only a few
 * pages of each buffer are in memory, and what is read is fed while it is in the cache.
 */
uint64_t collect_poll(struct collect *c, struct join *j, bool all)
{
	uint64_t before = all ? UINT64_MAX : now_ns() - LAG_NS, known;

	c->taken = 0;
	for (size_t i = 0; i < c->nsrc; i++)
		c->src[i].more = true;
	do {
		known = UINT64_MAX;
		for (size_t i = 0; i < c->nsrc; i++) {
			struct source *s = &c->src[i];

			if (s->more)
				read_source(c, s, before);
			if (s->more && s->q[s->n - 1].ts < known)
				known = s->q[s->n - 1].ts;
		}
		feed(c, j, before, known);
		if (known > before)
			known = before;
		if (known != UINT64_MAX)
			join_advance(j, known);
	} while (known != before);
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
