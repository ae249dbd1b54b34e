// SPDX-License-Identifier: GPL-2.0
/*
 * collect_probes.c - senders on x86 kernels that have no events for them (before
 * Linux 6.4): kprobe events on the four functions through which every IPI of the
 * kernel's own goes.
 *
 * What they do not tell is which function is to be called; the sender's stack tells
 * the cause. A hypervisor's kernel may send by other functions (Xen's does), and
 * then interrupts have no known sender. It is all of the four or none: with one
 * missing, an interrupt of that kind would be blamed on whoever sent another.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/collect_state.h"
#include "observe/instance.h"
#include "observe/probes.h"
#include "quell.h"

#define MAX_WORDS	(MAX_CPUS / 64 < 64 ? MAX_CPUS / 64 : 64)

static const struct probe {
	const char	*name, *function;
	uint8_t		vec;
	enum { TO_ONE, TO_MASK, TO_ITSELF } to;
} probes[] = {
	{ "call", "native_send_call_func_ipi", VEC_CALL, TO_MASK },
	{ "call_single", "native_send_call_func_single_ipi", VEC_CALL_SINGLE, TO_ONE },
	{ "reschedule", "native_smp_send_reschedule", VEC_RESCHED, TO_ONE },
	{ "irq_work", "arch_irq_work_raise", VEC_IRQ_WORK, TO_ITSELF },
};

/* Of a mask, the words that CPUs of this machine have bits in. */
static int mask_words(void)
{
	long n = (sysconf(_SC_NPROCESSORS_CONF) + 63) / 64;

	return n < 1 ? 1 : n > MAX_WORDS ? MAX_WORDS : n;
}

static char *definition(const struct probe *p)
{
	char *text = xasprintf("%s%s", p->function, p->to == TO_ONE ? " cpu=$arg1:s32" : ""), *more;

	for (int i = 0; p->to == TO_MASK && i < mask_words(); i++) {
		more = xasprintf("%s m%d=+%d($arg1):x64", text, i, 8 * i);
		free(text);
		text = more;
	}
	return text;
}

/* Its format is new to libtraceevent. */
static bool learn(struct collect *c, const char *group, const char *name)
{
	char *file = xasprintf("events/%s/%s/format", group, name);
	int size = 0;
	char *text = tracefs_instance_file_read(NULL, file, &size);
	bool good = text && !tep_parse_event(c->tep, text, size, group);

	free(file);
	free(text);
	return good;
}

static void want(struct collect *c, const char *group, const struct probe *p)
{
	const char *by = p->to == TO_ONE ? "cpu" : p->to == TO_ITSELF ? "CPU" : NULL;
	struct tep_event *ev;
	struct decoder *d = collect_enable(c, group, p->name, DEC_PROBE, true, by);

	ev = collect_event(c, group, p->name);
	d->vec = p->vec;
	d->name = 0;
	if (p->to == TO_ONE)
		collect_field(ev, "cpu", &d->a);
	if (p->to == TO_MASK) {
		collect_field(ev, "m0", &d->a);
		d->name = mask_words();
	}
	c->has_stacks = collect_stack(c, group, p->name, by) && c->has_stacks;
}

bool collect_want_probes(struct collect *c)
{
	const char *dir = instance_tracing_dir(), *why = NULL;
	char *group = probes_group(tracefs_instance_get_name(c->instance)), *what;
	size_t i;

#ifndef __x86_64__
	why = "not on this architecture";
#endif
	for (i = 0; !why && i < ARRAY_SIZE(probes); i++) {
		what = definition(&probes[i]);
		why = probes_add(dir, group, probes[i].name, what);
		free(what);
		if (!why && !learn(c, group, probes[i].name))
			why = "their format cannot be read";
	}
	if (why) {
		probes_remove(dir, group);
		snprintf(c->degraded_text, sizeof(c->degraded_text),
			 "degraded: this kernel has no ipi events (Linux 6.4), and no kprobes do instead (%s): interrupts are counted, senders stay unknown",
			 why);
	} else {
		c->has_stacks = true;
		for (i = 0; i < ARRAY_SIZE(probes); i++)
			want(c, group, &probes[i]);
		snprintf(c->degraded_text, sizeof(c->degraded_text),
			 "degraded: this kernel has no ipi events (Linux 6.4): senders are told by kprobes, causes by the sender's stack alone");
	}
	c->degraded = c->degraded_text;
	free(group);
	return !why;
}
