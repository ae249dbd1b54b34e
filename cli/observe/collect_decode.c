// SPDX-License-Identifier: GPL-2.0
/*
 * collect_decode.c - from the bytes of a trace record to an event, where the formats
 * that the kernel describes have each field.
 */
#include <stdlib.h>
#include <string.h>

#include "observe/collect_state.h"
#include "quell.h"

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
	case DEC_PROBE:
		e->type = EV_SEND;
		e->irq = 1 + d->vec;
		e->target = d->a.size ? value(&d->a, rec, len) : (uint64_t)e->cpu;
		n = d->name * 8;
		if (n && d->a.offset + n <= len)
			take_words(e, (const char *)rec + d->a.offset, n, 8);
		return !n || e->nwords;
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

void collect_take(struct collect *c, struct source *s, void *rec, int len,
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
