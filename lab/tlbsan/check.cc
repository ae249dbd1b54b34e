// SPDX-License-Identifier: GPL-2.0
/*
 * An access: would anything that the CPU could still hold have answered it
 * otherwise than the page tables do, although the flush was due?
 */
#include "machine.h"

namespace tlbsan {

struct Machine::Look {
	unsigned cpu;
	Access a;
	u64 lin;
	int walked;
	Translation now;
	bool any;
};

void Machine::judge(Look &l, Kind kind, unsigned tag, const Translation &t, u64 table, const By &by)
{
	l.any = true;
	if (!allows(t.r, l.a))
		return;
	if (l.walked < 0)
		l.walked = walk(mem, cpus[l.cpu].cr3, l.lin, &l.now);
	bool same = l.walked && l.now.to(l.lin) == t.to(l.lin);
	if (same && allows(l.now.r, l.a) && l.now.type == t.type) {
		n.same++;
		return;
	}
	if (!writers.due(*by)) {
		n.windows++;
		return;
	}
	u64 rip = host.where(l.cpu, false).rip;
	if (host.ignored(rip)) {
		n.ignored++;
		return;
	}
	n.reports++;
	/* The same change, used at the same place: told once. A loop does this often. */
	if (!told.insert({ by, rip }).second)
		return;
	Finding f = {};
	f.kind = kind != KINDS ? kind : !l.walked ? UNMAPPED : !same ? OTHER_FRAME :
		!allows(l.now.r, l.a) ? LOST_RIGHTS : OTHER_TYPE;
	f.cpu = l.cpu;
	f.tag = tag;
	f.access = l.a;
	f.access.lin = l.lin;
	f.accessed = true;
	f.held = t;
	f.table = table;
	f.mapped = l.walked;
	f.now = l.now;
	f.by = by;
	f.user = host.where(l.cpu, true);
	host.report(f);
}

/* A translation by way of a table that isn't linked any more, as it is now. */
static bool walk_on(const Memory &mem, const Node &n, u64 lin, Translation *t)
{
	u64 table = n.table;

	t->r = n.above;
	for (int level = n.level - 1; level >= 0; level--) {
		u64 e = mem.read(table + 8 * index(lin, level));

		if (!(e & P))
			return false;
		t->r.narrow(e);
		if (leaf(e, level)) {
			t->level = level;
			t->lin = lin & ~(size(level) - 1);
			t->frame = frame(e, level);
			t->type = type(e, level);
			return true;
		}
		table = e & FRAME;
	}
	return false;
}

/* The same as it was when it was cut off, if it was there long enough. */
static bool walk_cut(const Tree &tree, u64 lin, bool global, Translation *t)
{
	const Cut *c = tree.was.get();

	t->r = tree.above;
	while (c) {
		auto e = c->entry.find(index(lin, c->level));

		if (e == c->entry.end() || e->second.since >= tree.until)
			return false;
		t->r.narrow(e->second.value);
		if (leaf(e->second.value, c->level)) {
			t->level = c->level;
			t->lin = lin & ~(size(c->level) - 1);
			t->frame = frame(e->second.value, c->level);
			t->type = type(e->second.value, c->level);
			t->global = e->second.value & G;
			return t->global == global && !tree.gone.count(key(lin, c->level));
		}
		c = e->second.below.get();
	}
	return false;
}

void Machine::look(Look &l, u64 lin)
{
	Cpu &c = cpus[l.cpu];
	Translation t;

	l.lin = lin;
	l.walked = -1;
	l.any = false;
	for (unsigned tag : { c.tag(), GLOBAL }) {
		auto s = c.held.space.find(tag);

		if (s == c.held.space.end())
			continue;
		for (int level = 0; level < ROOT && !s->second.pages.empty(); level++) {
			auto i = s->second.pages.find(key(lin, level));
			if (i != s->second.pages.end())
				for (const Page &p : i->second)
					judge(l, KINDS, tag, p.t, 0, p.by);
		}
		for (int level = 1; level <= ROOT && !s->second.nodes.empty(); level++) {
			auto i = s->second.nodes.find(key(lin, level));
			if (i != s->second.nodes.end())
				for (const Node &x : i->second) {
					l.any = true;
					if (walk_on(mem, x, lin, &t))
						judge(l, THROUGH_TABLE, tag, t, x.table, x.by);
				}
		}
		for (int level = 1; level <= ROOT && !s->second.trees.empty(); level++) {
			auto i = s->second.trees.find(key(lin, level));
			if (i != s->second.trees.end())
				for (const Tree &x : i->second) {
					l.any = true;
					if (walk_cut(x, lin, tag == GLOBAL, &t))
						judge(l, KINDS, tag, t, 0, x.by);
				}
		}
	}
	auto p = c.held.pcid.find(c.tag());
	if (p == c.held.pcid.end())
		return;
	for (const Older &old : p->second.older) {
		Rights r;

		for (int level = 0; level < ROOT; level++) {
			const Table *x = tables.reach(old.root, lin, level, &r);
			u64 e = x ? x->value[index(lin, level)] : 0;

			if (!(e & P) || !leaf(e, level) || e & G || x->since[index(lin, level)] >= old.until)
				continue;
			r.narrow(e);
			t.r = r;
			t.level = level;
			t.lin = lin & ~(size(level) - 1);
			t.frame = frame(e, level);
			t.type = type(e, level);
			judge(l, REUSED_PCID, c.tag(), t, 0, old.by);
		}
	}
}

/* Do the tables below give any part of a large page another frame or type? */
static bool elsewhere(const Tables &tables, const Table &t, const Translation &page, u64 lin)
{
	for (unsigned k = 0; k < 512; k++, lin += size(t.level)) {
		u64 e = t.value[k];

		if (!(e & P))
			continue;
		if (leaf(e, t.level)) {
			if (frame(e, t.level) != page.to(lin) || type(e, t.level) != page.type)
				return true;
			continue;
		}
		const Table *below = tables.find(e & FRAME);
		if (below && elsewhere(tables, *below, page, lin))
			return true;
	}
	return false;
}

/*
 * Not an access: a CPU has the PCID loaded, or it's global, and could hold the
 * page when its flush was due, while the tables have another size or type
 * there. Its speculation may use both at once. A CPU that had another PCID
 * loaded then may be about to flush when it loads this one: until it does it
 * may meet other rights, not another frame or type. Returns if that's decided.
 */
bool Machine::hazard(Suspect &s)
{
	Cpu &c = cpus[s.cpu];
	auto sp = c.held.space.find(s.tag);
	Rights above;

	if (sp == c.held.space.end())
		return true;
	auto i = sp->second.pages.find(s.key);
	if (i == sp->second.pages.end())
		return true;
	if (!writers.due(*s.by))
		return false;
	if (s.tag != GLOBAL && s.tag != c.tag()) {
		s.away = true;
		return false;
	}
	for (const Page &p : i->second) {
		int level = p.t.level;
		const Table *t = tables.reach(c.cr3 & FRAME, p.t.lin, level, &above);
		u64 now = t ? t->value[index(p.t.lin, level)] : 0;
		const Table *below = node(now, level) ? tables.find(now & FRAME) : nullptr;
		bool mixed = below && below->present;

		if (mixed && s.away && !elsewhere(tables, *below, p.t, p.t.lin))
			continue;
		if (!mixed && !(now & P && leaf(now, level) && type(now, level) != p.t.type))
			continue;
		Finding f = {};
		f.kind = mixed ? MIXED_SIZES : OTHER_TYPE;
		f.cpu = s.cpu;
		f.tag = s.tag;
		f.access.lin = p.t.lin;
		f.held = p.t;
		f.mapped = walk(mem, c.cr3, p.t.lin, &f.now);
		f.by = p.by;
		f.user = host.where(s.cpu, true);
		n.reports++;
		host.report(f);
		return true;
	}
	return false;
}

void Machine::hazards()
{
	for (size_t i = 0; i < suspects.size();)
		if (hazard(suspects[i])) {
			suspects[i] = suspects.back();
			suspects.pop_back();
		} else {
			i++;
		}
}

void Machine::access(unsigned cpu, const Access &a)
{
	u64 last = a.lin + (a.len ? a.len - 1 : 0);

	if (!(cpus[cpu].cr0 & CR0_PG))
		return;
	for (u64 page = a.lin >> 12; page <= last >> 12; page++) {
		Clean &seen = clean[cpu][page & 255];

		if (seen.page == page && seen.epoch == epoch)
			continue;
		Look l = { cpu, a, 0, -1, {}, false };
		look(l, page == a.lin >> 12 ? a.lin : page << 12);
		if (!l.any)
			seen = { page, epoch };
	}
}

} // namespace tlbsan
