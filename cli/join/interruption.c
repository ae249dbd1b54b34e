// SPDX-License-Identifier: GPL-2.0
/* interruption.c - what a receipt means, and in one line. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "cgroup.h"
#include "join/interruption.h"
#include "quell.h"

static enum layer layer_of(const struct receipt *r)
{
	if (r->kind == RECEIPT_IRQ)
		return LAYER_IRQ;
	switch (r->cause) {
	case CAUSE_SOFTIRQ:	return LAYER_SOFTIRQ;
	case CAUSE_KWORKER:
	case CAUSE_KTHREAD:
	case CAUSE_TASK:	return LAYER_TASK;
	case CAUSE_TICK:	return LAYER_TIMER;
	default:		return LAYER_IRQ;	/* a shared line's other device */
	}
}

bool interruption_of(const struct receipt *r, const struct send *from,
		     struct interruption *i)
{
	if (r->kind != RECEIPT_IRQ && r->kind != RECEIPT_PART)
		return false;
	*i = (struct interruption){
		.begin = r->ts, .end = r->ts + (r->span ? r->span : r->ns),
		.own = r->ns, .timed = r->ns, .cause = r->cause,
		.layer = layer_of(r), .cpu = r->cpu, .idle = r->idle,
		.victim = r->victim, .victim_pid = r->victim_pid,
		.victim_cgroup = r->victim_cgroup,
		.what = r->func ? r->func : r->name,
		.detail = r->func ? r->name : 0, .culprit = from,
	};
	return true;
}

const char *culprit_did(const struct send *from)
{
	switch (from->vec) {
	case VEC_TIMER:		return "armed";
	case VEC_SOFTIRQ:	return "raised";
	case VEC_WORK:		return "queued";
	case VEC_WAKE:		return "woken";
	default:		return "sent";
	}
}

/* The root is that of the kernel's threads, and of those who have no groups. */
static const char *of_group(const char *path, char buf[200])
{
	char label[160];

	if (!*path || !strcmp(path, "/"))
		return "";
	snprintf(buf, 200, " of %s", cgroup_label(path, label, sizeof(label)));
	return buf;
}

char *interruption_text(const struct interruption *i, const struct strtab *strings)
{
	const struct send *by = i->culprit;
	const char *what = strtab_get(strings, i->what), *site, *comm;
	char *out = NULL, pid[16] = "", group[200];
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		die(EXIT_FAILED, "out of memory");
	if (i->timed)
		fprintf(f, "%.1f us ", i->own / 1e3);
	fprintf(f, "on CPU %u: %s%s%s", i->cpu, cause_info(i->cause)->title,
		*what ? " " : "", what);
	if (i->detail)
		fprintf(f, " (%s)", strtab_get(strings, i->detail));
	if (by) {
		site = strtab_get(strings, by->site);
		comm = strtab_get(strings, by->comm);
		if (by->pid > 0)
			snprintf(pid, sizeof(pid), "/%d", by->pid);
		fprintf(f, ", %s by %s%s%s on CPU %u%s%s", culprit_did(by),
			*comm ? comm : "?", *comm == '(' ? "" : pid,
			of_group(strtab_get(strings, by->cgroup), group), by->cpu,
			*site ? " in " : "", site);
	}
	if (i->idle)
		fputs("; the CPU was idle", f);
	else if (i->victim)
		fprintf(f, "; %s/%d%s waited", strtab_get(strings, i->victim), i->victim_pid,
			of_group(strtab_get(strings, i->victim_cgroup), group));
	if (fclose(f))
		die(EXIT_FAILED, "out of memory");
	return out;
}
