// SPDX-License-Identifier: GPL-2.0
/*
 * join_base.c - what all files of the join engine stand on: the state of a CPU,
 * names, and what a target has coming.
 */
#include <stdlib.h>
#include <string.h>

#include "join/join_state.h"
#include "quell.h"

struct cpu_state *join_cpu(struct join *j, unsigned int cpu)
{
	struct cpu_state *c = j->cpu[cpu];

	if (!c) {
		c = j->cpu[cpu] = xcalloc(1, sizeof(*c));
		c->req_tail = &c->req;
		c->ipi_tail = &c->ipi;
	}
	return c;
}

uint32_t join_symbol_id(struct join *j, uint64_t addr)
{
	size_t i = (addr ^ addr >> 12) % ARRAY_SIZE(j->symbols);
	char hex[24];
	const char *name;

	if (!addr)
		return 0;
	if (j->symbols[i].addr != addr) {
		name = j->ops.symbol ? j->ops.symbol(j->arg, addr) : NULL;
		if (!name) {
			snprintf(hex, sizeof(hex), "0x%llx",
				 (unsigned long long)addr);
			name = hex;
		}
		j->symbols[i].addr = addr;
		j->symbols[i].id = strtab_str(j->strings, name);
	}
	return j->symbols[i].id;
}

const char *join_symbol(struct join *j, uint64_t addr)
{
	return strtab_get(j->strings, join_symbol_id(j, addr));
}

enum cause join_task_cause(struct join *j, int32_t pid, uint32_t *name)
{
	const char *comm, *slash;
	char plain[64];

	*name = j->ops.comm ? j->ops.comm(j->arg, pid) : 0;
	comm = strtab_get(j->strings, *name);
	if (!strncmp(comm, "kworker", 7))
		return CAUSE_KWORKER;
	if (!j->ops.kthread || !j->ops.kthread(j->arg, pid))
		return CAUSE_TASK;
	/* "migration/3": one row for all CPUs. Not "irq/36-nvme0q1". */
	slash = strrchr(comm, '/');
	if (slash && slash[1] && !slash[1 + strspn(slash + 1, "0123456789")]) {
		snprintf(plain, sizeof(plain), "%.*s", (int)(slash - comm), comm);
		*name = strtab_str(j->strings, plain);
	}
	return CAUSE_KTHREAD;
}

uint32_t join_cgroup(struct join *j, int32_t pid)
{
	return j->ops.cgroup && pid > 0 ? j->ops.cgroup(j->arg, pid) : 0;
}

void join_drop_ipi(struct cpu_state *t, struct ipi **p)
{
	struct ipi *i = *p;

	*p = i->next;
	if (!*p)
		t->ipi_tail = p;
	send_put(i->send);
	free(i);
}

void join_drop_request(struct cpu_state *t, struct request **p)
{
	struct request *r = *p;
	struct ipi *i;

	for (i = t->ipi; i; i = i->next)
		if (i->req == r)
			i->req = NULL;
	*p = r->next;
	if (!*p)
		t->req_tail = p;
	t->nreq--;
	send_put(r->send);
	free(r);
}
