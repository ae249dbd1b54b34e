// SPDX-License-Identifier: GPL-2.0
/*
 * snapshot.c - a summary as it is at one moment; see snapshot.h.
 *
 * Whoever reads one takes nobody's word: recread.c checks the file, and here every
 * number that names something is checked before it is used.
 */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "quell.h"
#include "record/snapshot.h"

/* ---- write ---------------------------------------------------------------- */

struct writing {
	struct rec_writer	*w;
	struct strtab		strings;	/* only those of this snapshot */
	const struct summary	*s;
};

static uint64_t text(struct writing *x, const char *string)
{
	return string ? strtab_str(&x->strings, string) : 0;
}

/* Of the summary's strings, one that this snapshot has as well. */
static uint64_t name(struct writing *x, uint32_t id)
{
	return text(x, strtab_get(x->s->strings, id));
}

static uint64_t cpus(struct writing *x, const struct cpuset *set)
{
	char *list = cpulist_format(set);
	uint64_t id = text(x, list);

	free(list);
	return id;
}

static void put_tally(uint64_t *v, const struct tally *t)
{
	v[TALLY_IRQS] = t->irqs;
	v[TALLY_RIDES] = t->rides;
	v[TALLY_POLLED] = t->polled;
	v[TALLY_PARTS] = t->parts;
	v[TALLY_UNKNOWN] = t->unknown;
	v[TALLY_AVOIDABLE] = t->avoidable;
	v[TALLY_SENDS] = t->sends;
	v[TALLY_IPIS] = t->ipis;
	v[TALLY_REQUESTS] = t->requests;
	v[TALLY_NS] = t->ns;
}

static void write_tally(struct writing *x, const char *cause, const struct tally *t)
{
	uint64_t v[REC_FIELDS] = { [TALLY_CAUSE] = text(x, cause) };

	put_tally(v, t);
	rec_entry(x->w, REC_TALLY, v);
}

static void write_hist(struct writing *x, const char *cause, const struct hist *h)
{
	if (!h->n)
		return;
	rec_entry(x->w, REC_HIST, (uint64_t[REC_FIELDS]){
		[HIST_CAUSE] = text(x, cause), [HIST_N] = h->n, [HIST_SUM] = h->sum,
		[HIST_MAX] = h->max });
	for (int i = 0; i < HIST_SLOTS; i++)
		if (h->slot[i])
			rec_entry(x->w, REC_BUCKET, (uint64_t[REC_FIELDS]){
				[BUCKET_AT] = i, [BUCKET_N] = h->slot[i] });
	for (int i = 0; i < HIST_EDGES; i++)
		if (h->shorter[i])
			rec_entry(x->w, REC_BUCKET, (uint64_t[REC_FIELDS]){
				[BUCKET_EDGE] = 1, [BUCKET_AT] = i,
				[BUCKET_N] = h->shorter[i] });
}

static void write_row(struct writing *x, const struct source_row *r)
{
	uint64_t v[REC_FIELDS] = {
		[TALLY_CAUSE] = text(x, cause_info(r->cause)->key),
		[ROW_FUNC] = name(x, r->func), [ROW_SITE] = name(x, r->site),
		[ROW_COMM] = name(x, r->comm), [ROW_KNOWN] = r->known,
		[ROW_DETAIL] = name(x, r->detail), [ROW_WHY] = text(x, r->why),
		[ROW_SENDERS] = cpus(x, &r->senders),
		[ROW_RECEIVERS] = cpus(x, &r->receivers),
		[ROW_CGROUP] = name(x, r->cgroup),
	};

	if (r->lost) {
		v[ROW_TIMED] = r->lost->n;
		v[ROW_LOST] = r->lost->sum;
		v[ROW_MAX] = r->lost->max;
	}
	put_tally(v, &r->t);
	rec_entry(x->w, REC_ROW, v);
}

static void write_victim(struct writing *x, const struct victim_row *v)
{
	rec_entry(x->w, REC_VICTIM, (uint64_t[REC_FIELDS]){
		[VICTIM_CGROUP] = name(x, v->cgroup), [VICTIM_TIMES] = v->times,
		[VICTIM_LOST] = v->lost, [VICTIM_MAX] = v->max });
}

static void write_cpu(struct writing *x, const struct cpu_row *r)
{
	rec_entry(x->w, REC_CPU, (uint64_t[REC_FIELDS]){
		[CPU_NR] = r->cpu, [CPU_IRQS] = r->irqs,
		[CPU_AVOIDABLE] = r->avoidable, [CPU_LOST] = r->lost });
	for (int c = 0; c < NR_CAUSES; c++)
		if (r->by_cause[c])
			rec_entry(x->w, REC_SHARE, (uint64_t[REC_FIELDS]){
				[SHARE_CPU] = r->cpu,
				[SHARE_CAUSE] = text(x, cause_info(c)->key),
				[SHARE_IRQS] = r->by_cause[c],
				[SHARE_AVOIDABLE] = r->avoidable_by_cause[c] });
}

bool snapshot_write(const struct summary *s, const struct snapshot *about, FILE *f)
{
	struct strtab stacks = { 0 };
	struct writing x = { .s = s };
	struct rec_end end = { .duration = about->age, .lost = s->lost,
			       .expired = s->expired, .unaccounted = s->unaccounted };
	bool ok;

	x.w = rec_create_stream(f, &x.strings, &stacks);
	summary_to_meta(s, x.w);
	rec_meta(x.w, "snapshot", about->id);
	rec_flush(x.w);
	if (about->noticed)
		rec_note(x.w, about->noticed, about->notice);
	write_tally(&x, "", &s->total);
	write_hist(&x, "", &s->lost_time);
	for (int c = 0; c < NR_CAUSES; c++) {
		write_tally(&x, cause_info(c)->key, &s->cause[c]);
		write_hist(&x, cause_info(c)->key, &s->lost_by_cause[c]);
	}
	for (size_t i = 0; i < s->nrows; i++)
		write_row(&x, s->row[i]);
	for (size_t i = 0; i < s->nvictims; i++)
		write_victim(&x, &s->victim[i]);
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (s->cpu[cpu])
			write_cpu(&x, s->cpu[cpu]);
	ok = rec_close(x.w, &end);
	strtab_free(&x.strings);
	strtab_free(&stacks);
	return ok;
}

/* ---- read ----------------------------------------------------------------- */

struct reading {
	struct summary	*s;
	struct snapshot	*about;
	struct strtab	strings;	/* as the snapshot numbers them */
	struct hist	*hist;		/* whose buckets follow */
};

static const char *string(const struct reading *x, uint64_t id)
{
	return strtab_get(&x->strings, id);
}

static uint32_t kept(struct reading *x, uint64_t id)
{
	return strtab_str(x->s->strings, string(x, id));
}

/* 0: it is none, nor what stands for one. */
static uint32_t kept_cgroup(struct reading *x, uint64_t id)
{
	return cgroup_fit(string(x, id)) ? kept(x, id) : 0;
}

static void take_tally(struct tally *t, const uint64_t *v)
{
	*t = (struct tally){
		.irqs = v[TALLY_IRQS], .rides = v[TALLY_RIDES],
		.polled = v[TALLY_POLLED], .parts = v[TALLY_PARTS],
		.unknown = v[TALLY_UNKNOWN], .avoidable = v[TALLY_AVOIDABLE],
		.sends = v[TALLY_SENDS], .ipis = v[TALLY_IPIS],
		.requests = v[TALLY_REQUESTS], .ns = v[TALLY_NS],
	};
}

static void take_row(struct reading *x, const uint64_t *v)
{
	struct source_row *r;

	r = summary_row(x->s, cause_by_key(string(x, v[TALLY_CAUSE])),
			kept(x, v[ROW_FUNC]), kept(x, v[ROW_SITE]),
			kept(x, v[ROW_COMM]), kept_cgroup(x, v[ROW_CGROUP]),
			v[ROW_KNOWN] & 1);
	take_tally(&r->t, v);
	r->detail = kept(x, v[ROW_DETAIL]);
	if (v[ROW_WHY])
		r->why = strtab_get(x->s->strings, kept(x, v[ROW_WHY]));
	if (!cpulist_parse(string(x, v[ROW_SENDERS]), &r->senders, NULL))
		cpuset_clear(&r->senders);
	if (!cpulist_parse(string(x, v[ROW_RECEIVERS]), &r->receivers, NULL))
		cpuset_clear(&r->receivers);
	if (!v[ROW_TIMED])
		return;
	if (!r->lost)
		r->lost = xcalloc(1, sizeof(*r->lost));
	r->lost->n = v[ROW_TIMED];
	r->lost->sum = v[ROW_LOST];
	r->lost->max = v[ROW_MAX];
	r->max_ns = v[ROW_MAX];
}

static void take_victim(struct reading *x, const uint64_t *v)
{
	uint32_t cgroup = kept_cgroup(x, v[VICTIM_CGROUP]);
	struct victim_row *r;

	if (!cgroup || v[VICTIM_MAX] > UINT32_MAX)
		return;
	r = summary_victim(x->s, cgroup);
	r->times = v[VICTIM_TIMES];
	r->lost = v[VICTIM_LOST];
	r->max = v[VICTIM_MAX];
}

static void take_cpu(struct reading *x, const uint64_t *v)
{
	struct cpu_row *r;

	if (v[CPU_NR] >= MAX_CPUS)
		return;
	r = summary_cpu(x->s, v[CPU_NR]);
	r->irqs = v[CPU_IRQS];
	r->avoidable = v[CPU_AVOIDABLE];
	r->lost = v[CPU_LOST];
}

static void take_share(struct reading *x, const uint64_t *v)
{
	struct cpu_row *r;
	enum cause c;

	if (v[SHARE_CPU] >= MAX_CPUS)
		return;
	r = summary_cpu(x->s, v[SHARE_CPU]);
	c = cause_by_key(string(x, v[SHARE_CAUSE]));
	/* Two causes that this version does not know are one here. */
	r->by_cause[c] += v[SHARE_IRQS];
	r->avoidable_by_cause[c] += v[SHARE_AVOIDABLE];
}

static void take_bucket(struct reading *x, const uint64_t *v)
{
	if (!x->hist)
		return;
	if (v[BUCKET_EDGE] && v[BUCKET_AT] < HIST_EDGES)
		x->hist->shorter[v[BUCKET_AT]] = v[BUCKET_N];
	else if (!v[BUCKET_EDGE] && v[BUCKET_AT] < HIST_SLOTS)
		x->hist->slot[v[BUCKET_AT]] = v[BUCKET_N];
}

static void on_entry(void *arg, enum rec_kind kind, const uint64_t *v)
{
	struct reading *x = arg;
	struct summary *s = x->s;
	bool all = !v[0];		/* where the first field is a cause */

	switch (kind) {
	case REC_TALLY:
		take_tally(all ? &s->total : &s->cause[cause_by_key(string(x, v[0]))], v);
		break;
	case REC_ROW:
		take_row(x, v);
		break;
	case REC_CPU:
		take_cpu(x, v);
		break;
	case REC_SHARE:
		take_share(x, v);
		break;
	case REC_HIST:
		x->hist = all ? &s->lost_time :
			&s->lost_by_cause[cause_by_key(string(x, v[0]))];
		x->hist->n = v[HIST_N];
		x->hist->sum = v[HIST_SUM];
		x->hist->max = v[HIST_MAX];
		break;
	case REC_VICTIM:
		take_victim(x, v);
		break;
	case REC_BUCKET:
		take_bucket(x, v);
		break;
	default:
		break;
	}
}

static void on_meta(void *arg, const char *key, const char *value)
{
	struct reading *x = arg;

	if (!strcmp(key, "snapshot"))
		snprintf(x->about->id, sizeof(x->about->id), "%s", value);
	summary_meta(x->s, key, value);
}

static void on_note(void *arg, uint64_t ts, const char *words)
{
	struct reading *x = arg;

	x->about->noticed = ts;
	snprintf(x->about->notice, sizeof(x->about->notice), "%s", words);
}

static void on_end(void *arg, const struct rec_end *e)
{
	struct reading *x = arg;

	x->about->age = e->duration;
	x->s->lost = e->lost;
	x->s->expired = e->expired;
	x->s->unaccounted = e->unaccounted;
}

const char *snapshot_read(struct summary *s, struct snapshot *about, FILE *f)
{
	struct strtab stacks = { 0 };
	struct reading x = { .s = s, .about = about };
	struct rec_visitor v = {
		.strings = &x.strings, .stacks = &stacks, .meta = on_meta,
		.note = on_note, .snapshot = on_entry, .end = on_end, .arg = &x,
	};
	const char *wrong;

	memset(about, 0, sizeof(*about));
	wrong = rec_read(f, &v);
	if (!wrong && v.cut)
		wrong = "truncated";
	if (!wrong && (!*about->id || !s->release || !s->machine || !s->strategy || !s->flush))
		wrong = "no snapshot";
	strtab_free(&x.strings);
	strtab_free(&stacks);
	return wrong;
}

void snapshot_inherit(struct summary *s, const struct summary *old)
{
	for (size_t i = 0; i < old->nrows; i++) {
		const struct source_row *was = old->row[i];
		struct source_row *r = summary_find(s, was->cause, was->func,
						    was->site, was->comm, was->cgroup,
						    was->known);

		/* Less than before: it was dropped and has come again. */
		if (!r || row_count(r) < was->last || r->t.irqs < was->exported)
			continue;
		r->last = was->last;
		r->exported = was->exported;
	}
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (s->cpu[cpu] && old->cpu[cpu] && s->cpu[cpu]->irqs >= old->cpu[cpu]->last)
			s->cpu[cpu]->last = old->cpu[cpu]->last;
}
