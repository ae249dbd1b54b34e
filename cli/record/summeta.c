// SPDX-License-Identifier: GPL-2.0
/*
 * summeta.c - the facts about the recorded system, into a record and out of it.
 *
 * A record is read on another machine, perhaps years later: whatever the
 * verdicts depend on is in the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "quell.h"
#include "record/summary.h"

static void put_set(struct rec_writer *w, const char *key, const struct cpuset *set)
{
	char *list = cpulist_format(set);

	rec_meta(w, key, list);
	free(list);
}

static void put_bool(struct rec_writer *w, const char *key, bool v)
{
	rec_meta(w, key, v ? "1" : "0");
}

bool summary_sets_to_meta(const struct summary *s, struct rec_writer *w)
{
	put_set(w, "observed", &s->observed);
	put_set(w, "online", &s->online);
	return rec_flush(w);
}

void summary_to_meta(const struct summary *s, struct rec_writer *w)
{
	rec_meta(w, "quell", QUELL_VERSION);
	rec_meta(w, "release", s->release);
	rec_meta(w, "machine", s->machine);
	rec_meta(w, "host", s->host);
	if (s->processor)
		rec_meta(w, "processor", s->processor);
	rec_meta(w, "strategy", s->strategy);
	rec_meta(w, "flush", s->flush);
	if (s->started)
		rec_meta(w, "started", s->started);
	if (s->command)
		rec_meta(w, "command", s->command);
	if (s->what)
		rec_meta(w, "what", s->what);
	if (s->only)
		rec_meta(w, "only", s->only);
	if (s->isolcpus)
		rec_meta(w, "isolcpus", s->isolcpus);
	for (size_t i = 0; i < s->irqs.n; i++) {
		char *line = irqs_line(&s->irqs.item[i]);

		rec_meta(w, "irq", line);
		free(line);
	}
	put_set(w, "observed", &s->observed);
	put_set(w, "quiet", &s->quiet);
	put_set(w, "online", &s->online);
	put_bool(w, "auto", s->facts.auto_strategy);
	put_bool(w, "kernel_flush", s->facts.kernel_flush);
	put_bool(w, "pti", s->facts.pti);
	put_bool(w, "pti_known", s->pti_known);
	put_bool(w, "broadcast_hw", s->facts.broadcast_hw);
	put_bool(w, "csd", s->has_csd);
	put_bool(w, "stacks", s->has_stacks);
	put_bool(w, "live", s->live);
}

static void keep(char **where, const char *value)
{
	free(*where);
	*where = xstrdup(value);
}

static void take_sync(struct summary *s, const char *value)
{
	struct sync_row r = { 0 };

	if (s->nsync < (int)ARRAY_SIZE(s->sync) &&
	    sscanf(value, "%23s %llu %llu %llu %llu", r.strategy, &r.syncs,
		   &r.receipts, &r.broadcasts, &r.interrupted) == 5)
		s->sync[s->nsync++] = r;
}

void summary_meta(struct summary *s, const char *key, const char *value)
{
	const struct { const char *key; char **text; } texts[] = {
		{ "release", &s->release }, { "machine", &s->machine },
		{ "strategy", &s->strategy }, { "flush", &s->flush },
		{ "started", &s->started }, { "command", &s->command },
		{ "host", &s->host }, { "processor", &s->processor },
		{ "what", &s->what }, { "dump", &s->dump }, { "only", &s->only },
		{ "isolcpus", &s->isolcpus },
	};
	const struct { const char *key; bool *flag; } flags[] = {
		{ "auto", &s->facts.auto_strategy },
		{ "kernel_flush", &s->facts.kernel_flush },
		{ "pti", &s->facts.pti }, { "pti_known", &s->pti_known },
		{ "broadcast_hw", &s->facts.broadcast_hw },
		{ "csd", &s->has_csd }, { "stacks", &s->has_stacks },
		{ "live", &s->live },
	};
	const struct { const char *key; struct cpuset *set; } sets[] = {
		{ "observed", &s->observed }, { "quiet", &s->quiet },
		{ "online", &s->online },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(key, texts[i].key))
			keep(texts[i].text, value);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (!strcmp(key, flags[i].key))
			*flags[i].flag = *value == '1';
	for (i = 0; i < ARRAY_SIZE(sets); i++)
		if (!strcmp(key, sets[i].key) &&
		    !cpulist_parse(value, sets[i].set, NULL))
			cpuset_clear(sets[i].set);
	if (!strcmp(key, "irq"))
		irqs_take(&s->irqs, value);
	if (!strcmp(key, "only_unknown"))
		s->only_unknown = strtoull(value, NULL, 10);
	if (!strcmp(key, "sync"))
		take_sync(s, value);
	if (!strcmp(key, "kernel_flush"))
		s->has_deferred = sscanf(value, "%llu %llu", &s->flush_deferred,
					 &s->flush_interrupted) == 2;
}

struct loading {
	struct summary		*s;
	struct owner_filter	*only;		/* NULL: all */
};

static void on_meta(void *arg, const char *key, const char *value)
{
	summary_meta(((struct loading *)arg)->s, key, value);
}

static void on_send(void *arg, const struct send *x)
{
	struct loading *l = arg;

	if (!l->only || owner_sent(l->only, l->s->strings, x))
		summary_send(l->s, x);
}

static void on_receipt(void *arg, const struct receipt *r, const struct send *from)
{
	struct loading *l = arg;

	if (!l->only || owner_received(l->only, l->s->strings, r, from))
		summary_receipt(l->s, r, from);
}

static void on_agreement(void *arg, const struct agreement *a)
{
	summary_agreement(((struct loading *)arg)->s, a);
}

static void on_end(void *arg, const struct rec_end *e)
{
	struct summary *s = ((struct loading *)arg)->s;

	s->duration = e->duration;
	s->lost = e->lost;
	s->expired = e->expired;
	s->unaccounted = e->unaccounted;
}

static void on_note(void *arg, uint64_t ts, const char *text)
{
	summary_note(((struct loading *)arg)->s, ts, text);
}

static void on_no_stacks(void *arg)
{
	summary_keep_stacks(((struct loading *)arg)->s);
}

static void only_span(void *arg, const struct rec_end *e)
{
	*(uint64_t *)arg = e->duration ? e->duration : 1;
}

/* The first pass of a heat map: how long is the record? */
static const char *find_span(FILE *f, uint64_t *span)
{
	struct strtab strings = { 0 }, stacks = { 0 };
	struct rec_visitor v = { .strings = &strings, .stacks = &stacks,
				 .end = only_span, .arg = span };
	const char *wrong = rec_read(f, &v);

	strtab_free(&strings);
	strtab_free(&stacks);
	return wrong;
}

/* What a report was asked for, beside what its record was. */
static void tell_only(struct summary *s, struct owner_filter *only)
{
	char *text = owner_text(only), *both;

	if (!text)
		return;
	both = s->only ? xasprintf("%s; of that, %s", s->only, text) : xstrdup(text);
	keep(&s->only, both);
	free(both);
	free(text);
	s->only_unknown += only->unknown;
	owner_free(only);
}

void summary_load(struct summary *s, const char *path, bool heat,
		  struct owner_filter *only)
{
	struct loading l = { s, only };
	struct rec_visitor v = {
		.strings = s->strings, .stacks = s->stacks, .meta = on_meta,
		.send = on_send, .receipt = on_receipt,
		.agreement = on_agreement, .note = on_note, .end = on_end,
		.no_stacks = on_no_stacks, .arg = &l,
	};
	const char *wrong = NULL;
	FILE *f = fopen(path, "re");

	if (!f)
		die(EXIT_FILE, "%s: %s", path, strerror(errno));
	if (heat) {
		wrong = find_span(f, &s->heat_span);
		clearerr(f);
		if (!wrong && fseek(f, 0, SEEK_SET))
			wrong = "not a file that can be read twice";
	}
	if (!wrong)
		wrong = rec_read(f, &v);
	fclose(f);
	if (wrong)
		die(EXIT_FILE, "%s is %s", path, wrong);
	s->cut = v.cut;
	s->skipped = v.skipped;
	if (only)
		tell_only(s, only);
	if (s->cut)
		complain("%s is cut: its recording was not finished; this is what it holds, %.3f s",
			 path, s->duration / 1e9);
	if (!s->release)
		s->release = xstrdup("?");
	if (!s->machine)
		s->machine = xstrdup("?");
	if (!s->strategy)
		s->strategy = xstrdup("?");
	if (!s->flush)
		s->flush = xstrdup("?");
}
