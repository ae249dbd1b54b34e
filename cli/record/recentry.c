// SPDX-License-Identifier: GPL-2.0
/*
 * recentry.c - what the entries of a record say: each number is checked before it is
 * believed. Numbers of strings and stacks are good already.
 */
#include <string.h>

#include "quell.h"
#include "record/recread.h"

static uint8_t *cached(uint8_t **table, size_t *room, uint32_t id)
{
	size_t had = *room;

	*table = grow(*table, room, id + 1, 1);
	if (*room > had)
		memset(*table + had, 0, *room - had);
	return &(*table)[id];
}

static enum cause cause_of(struct reader *r, uint32_t id)
{
	uint8_t *c = cached(&r->cause, &r->causes, id);

	if (!*c)
		*c = cause_by_key(strtab_get(r->v->strings, id)) + 1;
	return *c - 1;
}

static enum vec vec_of(struct reader *r, uint32_t id)
{
	uint8_t *c = cached(&r->vec, &r->vecs, id);

	for (int v = 0; !*c && v < NR_VECS; v++)
		if (v == NR_VECS - 1 ||
		    !strcmp(strtab_get(r->v->strings, id), vec_key(v)))
			*c = v + 1;
	return *c - 1;
}

static void saw(struct reader *r, uint64_t ts)
{
	if ((int64_t)ts >= 0 && ts >= r->sofar.duration)
		r->sofar.duration = ts + 1;
}

static bool take_send(struct reader *r, const uint64_t *v)
{
	struct send s = {
		.id = v[SEND_ID], .ts = v[SEND_TS], .func = v[SEND_FUNC],
		.callsite = v[SEND_CALLSITE], .site = v[SEND_SITE],
		.comm = v[SEND_COMM], .stack = v[SEND_STACK],
		.targets = v[SEND_TARGETS], .ipis = v[SEND_IPIS],
		.wanted = v[SEND_WANTED], .pid = (int32_t)v[SEND_PID],
		.cpu = v[SEND_CPU], .ctx = v[SEND_CTX],
		.vec = vec_of(r, v[SEND_VEC]), .cause = cause_of(r, v[SEND_CAUSE]),
		.deferrable = v[SEND_DEFERRABLE], .cgroup = v[SEND_CGROUP],
	};

	s.fixed = s.vec == VEC_TIMER || s.vec == VEC_SOFTIRQ || s.vec == VEC_WORK ||
		  s.vec == VEC_WAKE;

	if (s.id != r->nsends + 1 || v[SEND_CPU] >= MAX_CPUS ||
	    v[SEND_CTX] >= NR_CTX || v[SEND_DEFERRABLE] > 1 || v[SEND_AGAIN] > 1)
		return false;
	if (r->room < REC_WINDOW)
		r->send = grow(r->send, &r->room, r->nsends + 1, sizeof(s));
	r->send[r->nsends++ % REC_WINDOW] = s;
	if (r->v->send && !v[SEND_AGAIN])
		r->v->send(r->v->arg, &s);
	return true;
}

static bool take_irq(struct reader *r, const uint64_t *v, bool part)
{
	struct send *from = NULL;
	struct receipt x = {
		.ts = v[IRQ_TS], .ns = v[IRQ_NS], .func = v[IRQ_FUNC],
		.name = v[IRQ_NAME], .served = v[IRQ_SERVED], .cpu = v[IRQ_CPU],
		.kind = v[IRQ_KIND], .vec = vec_of(r, v[IRQ_VEC]),
		.cause = cause_of(r, v[IRQ_CAUSE]), .how = v[IRQ_HOW],
		.idle = v[IRQ_IDLE], .span = v[IRQ_SPAN],
		.victim_pid = (int32_t)v[IRQ_PID], .victim = v[IRQ_VICTIM],
		.victim_cgroup = v[IRQ_CGROUP],
	};

	if (v[IRQ_CPU] >= MAX_CPUS || v[IRQ_KIND] >= NR_RECEIPTS ||
	    part != (v[IRQ_KIND] == RECEIPT_PART) || v[IRQ_SPAN] > UINT32_MAX ||
	    v[IRQ_HOW] >= NR_HOWS || v[IRQ_IDLE] > 1 || v[IRQ_NS] > UINT32_MAX ||
	    v[IRQ_FROM] > r->nsends || v[IRQ_FROM] > REC_WINDOW)
		return false;
	if (v[IRQ_FROM]) {
		x.send = r->nsends + 1 - v[IRQ_FROM];
		from = &r->send[(x.send - 1) % REC_WINDOW];
	}
	r->nreceipts += !part;
	r->nparts += part;
	saw(r, x.ts);
	if (r->v->receipt)
		r->v->receipt(r->v->arg, &x, from);
	return true;
}

static bool take_agreement(struct reader *r, const uint64_t *v)
{
	struct agreement a = {
		.cpu = v[AGREE_CPU], .traced = v[AGREE_TRACED],
		.kernel = v[AGREE_KERNEL], .counted = v[AGREE_COUNTED],
		.slack = v[AGREE_SLACK],
	};

	if (v[AGREE_CPU] >= MAX_CPUS || v[AGREE_TRACED] > 1)
		return false;
	snprintf(a.label, sizeof(a.label), "%s",
		 strtab_get(r->v->strings, v[AGREE_LABEL]));
	if (r->v->agreement)
		r->v->agreement(r->v->arg, &a);
	return true;
}

static bool take_end(struct reader *r, const uint64_t *v)
{
	struct rec_end e = {
		.duration = v[END_DURATION], .sends = v[END_SENDS],
		.receipts = v[END_IRQS], .lost = v[END_LOST],
		.expired = v[END_EXPIRED], .unaccounted = v[END_UNACCOUNTED],
		.parts = v[END_PARTS],
	};

	if (e.sends != r->nsends || e.receipts != r->nreceipts ||
	    e.parts != r->nparts)
		return false;
	r->ended = true;
	if (r->v->end)
		r->v->end(r->v->arg, &e);
	return true;
}

bool rec_take_entry(struct reader *r, int known, const uint64_t *v)
{
	switch (known) {
	case REC_SEND:
		return take_send(r, v);
	case REC_IRQ:
	case REC_PART:
		return take_irq(r, v, known == REC_PART);
	case REC_AGREE:
		return take_agreement(r, v);
	case REC_NOTE:
		if (r->v->note)
			r->v->note(r->v->arg, v[NOTE_TS],
				   strtab_get(r->v->strings, v[NOTE_TEXT]));
		return true;
	case REC_SOFAR:
		if (v[SOFAR_TS] > r->sofar.duration)
			r->sofar.duration = v[SOFAR_TS];
		r->sofar.lost = v[SOFAR_LOST];
		r->sofar.unaccounted = v[SOFAR_UNACCOUNTED];
		return true;
	case REC_ENDS:
		return take_end(r, v);
	}
	if (known >= REC_TALLY && r->v->snapshot)
		r->v->snapshot(r->v->arg, known, v);
	else
		r->v->skipped++;
	return true;
}
