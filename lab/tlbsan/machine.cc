// SPDX-License-Identifier: GPL-2.0
#include "machine.h"

namespace tlbsan {

/* More different stale translations of one page than these aren't kept. */
enum { MAX_OF_ONE = 8 };

bool Machine::masked(Options::Mask what)
{
	if (o.mask != what || !o.mask_every || ++mask_count % o.mask_every)
		return false;
	n.masked++;
	return true;
}

void Machine::release(const Removal &r)
{
	for (u64 root : r.roots)
		tables.put(root);
}

/* From now on, this CPU walks the tables of its CR3 under its PCID. */
void Machine::enter(unsigned cpu)
{
	Cpu &c = cpus[cpu];
	u64 root = c.cr3 & FRAME;
	Pcid &p = c.held.pcid[c.tag()];

	acting = cpu;
	cause_by = nullptr;
	if (p.root != root) {
		tables.take(root);
		if (p.root && p.unloaded > p.flushed && o.speculation && p.older.size() < MAX_OF_ONE)
			p.older.push_back({ p.root, p.unloaded, because(p.root, root, LEVELS, 0) });
		else if (p.root)
			tables.put(p.root);
		p.root = root;
	}
	tables.load(root);
	epoch++;
}

void Machine::leave(unsigned cpu)
{
	Cpu &c = cpus[cpu];
	Pcid &p = c.held.pcid[c.tag()];

	p.unloaded = tables.tick();
	tables.unload(p.root);
}

void Machine::reset(unsigned cpu)
{
	Removal r = removal();
	Cpu &c = cpus[cpu];

	if (cpu >= ncpus)
		ncpus = cpu + 1;
	if (c.cr0 & CR0_PG)
		leave(cpu);
	for (auto &p : c.held.pcid) {
		for (const Older &old : p.second.older)
			r.roots.push_back(old.root);
		if (p.second.root)
			r.roots.push_back(p.second.root);
	}
	c = Cpu();
	release(r);
}

void Machine::cr0(unsigned cpu, u64 value)
{
	Cpu &c = cpus[cpu];
	u64 was = c.cr0;

	if (was & ~value & CR0_PG)
		leave(cpu);
	Removal r = removal();
	mov_cr0(c, was, value, r);
	release(r);
	c.cr0 = value;
	if (value & ~was & CR0_PG)
		enter(cpu);
}

void Machine::cr4(unsigned cpu, u64 value)
{
	Cpu &c = cpus[cpu];
	bool other = (c.cr4 ^ value) & CR4_PCIDE && c.cr0 & CR0_PG;

	if (other)
		leave(cpu);
	Removal r = removal();
	/* A flush by PGE is that it goes and comes back: both or none. */
	if (c.cr4 & ~value & CR4_PGE)
		pge_masked[cpu] = masked(Options::CR4);
	if (!((c.cr4 ^ value) & CR4_PGE) || !pge_masked[cpu])
		mov_cr4(o.vendor, c, c.cr4, value, r);
	release(r);
	n.cr4_flush += ((c.cr4 ^ value) & CR4_PGE) != 0;
	c.cr4 = value;
	if (other)
		enter(cpu);
}

void Machine::cr3(unsigned cpu, u64 value)
{
	Cpu &c = cpus[cpu];
	bool on = c.cr0 & CR0_PG;

	if (on)
		leave(cpu);
	c.cr3 = value & ~CR3_KEEP;
	(value & CR3_KEEP ? n.cr3_keep : n.cr3_flush)++;
	Removal r = removal();
	if (value & CR3_KEEP || !masked(Options::CR3))
		mov_cr3(c, value, r);
	release(r);
	if (on)
		enter(cpu);
	hazards();
}

void Machine::invlpg(unsigned cpu, u64 lin)
{
	Removal r = removal();

	n.invlpg++;
	if (!masked(Options::INVLPG))
		tlbsan::invlpg(o.vendor, cpus[cpu], lin, r);
	release(r);
}

void Machine::invpcid(unsigned cpu, unsigned type, unsigned pcid, u64 lin)
{
	Removal r = removal();

	n.invpcid[type & 3]++;
	if (!masked(Options::INVPCID))
		tlbsan::invpcid(cpus[cpu], type, pcid, lin, r);
	release(r);
}

void Machine::fault(unsigned cpu, u64 lin)
{
	Removal r = removal();

	page_fault(cpus[cpu], lin, r);
	release(r);
}

void Machine::fill(unsigned cpu, u64 lin, int level, bool global)
{
	if (!o.speculation)
		cpus[cpu].held.filled[global ? GLOBAL : cpus[cpu].tag()].insert(key(lin, level));
}

void Machine::written(unsigned cpu, u64 phys, unsigned len, u64 rip)
{
	if (!todo.empty() && todo.back().phys == phys && todo.back().len == len && todo.back().cpu == cpu)
		return;
	todo.push_back({ cpu, phys, len, rip });
}

void Machine::settle()
{
	std::vector<Write> now;

	now.swap(todo);
	for (const Write &w : now) {
		unsigned first = (w.phys & 0xfff) >> 3, last = ((w.phys & 0xfff) + w.len - 1) >> 3;

		cause = &w;
		cause_by = nullptr;
		if (unlinked.count(w.phys & FRAME))
			reused(w);
		tables.written(w.phys & FRAME, first, last > 511 ? 511 : last);
	}
	cause = nullptr;
	cause_by = nullptr;
}

/* --- a change of a table -> what could be held ----------------------------- */

By Machine::because(u64 was, u64 now, int level, u64 lin)
{
	if (cause_by)
		return cause_by;
	auto c = std::make_shared<Change>();

	c->by = host.where(cause ? cause->cpu : acting, true);
	if (cause)
		c->by.rip = cause->rip;
	c->seen = writers.now();
	c->was = was;
	c->now = now;
	c->level = level;
	c->lin = lin;
	cause_by = c;
	return c;
}

/* Does the entry give all that was given, and the same? */
static bool agrees(const Translation &t, u64 e, int level, Rights r)
{
	r.narrow(e);
	return e & P && leaf(e, level) && level == t.level && frame(e, level) == t.frame && type(e, level) == t.type &&
		(r.w || !t.r.w) && (r.u || !t.r.u) && (!r.nx || t.r.nx);
}

/*
 * Things held that the tables agreed with until now: if they're wrong from now
 * on, it's by this change and not by an older one.
 */
void Machine::rebase(Space &s, u64 lin, int level, u64 was, u64 now, const Rights &above)
{
	for (int l = level; l < ROOT; l++) {
		auto i = s.pages.find(key(lin, l));

		if (i == s.pages.end())
			continue;
		for (Page &p : i->second) {
			if (!p.harmless && !(l == level && agrees(p.t, was, level, above)))
				continue;
			p.harmless = l == level && agrees(p.t, now, level, above);
			p.by = because(was, now, level, lin);
		}
	}
	if (!node(was, level))
		return;
	for (auto &i : s.pages)
		for (Page &p : i.second)
			if (p.harmless && p.t.level < level && key(p.t.lin, level) == key(lin, level)) {
				p.harmless = false;
				p.by = because(was, now, level, lin);
			}
}

void Machine::hold_page(unsigned cpu, unsigned tag, const Translation &t, u64 was, u64 now, const Rights &above)
{
	Held &h = cpus[cpu].held;

	if (!o.speculation) {
		auto f = h.filled.find(tag);
		if (f == h.filled.end() || !f->second.count(key(t.lin, t.level)))
			return;
	}
	auto &v = h.space[tag].pages[key(t.lin, t.level)];
	for (Page &p : v)
		if (p.t.frame == t.frame && p.t.type == t.type && p.t.r.w == t.r.w && p.t.r.u == t.r.u && p.t.r.nx == t.r.nx)
			return;
	if (v.size() >= MAX_OF_ONE)
		return;
	/* A large page that was split is taken as the same, in pieces. */
	bool harmless = agrees(t, now, t.level, above) || node(now, t.level);
	v.push_back({ t, because(was, now, t.level, t.lin), harmless });
	n.held++;
	/*
	 * A large page that is gone may get small ones in its place. Of user
	 * mode's addresses CPUs in lazy TLB mode may have both for a while.
	 */
	if (o.hazards && t.lin >> 63 && (t.level || (now & P && type(now, t.level) != t.type)))
		suspects.push_back({ cpu, tag, key(t.lin, t.level), v.back().by, false });
}

void Machine::hold_node(Cpu &c, unsigned tag, u64 until, const Node &node, const std::shared_ptr<const Cut> &cut)
{
	Pcid &p = c.held.pcid[tag];

	if (until > p.flushed) {
		auto &v = c.held.space[tag].nodes[key(node.lin, node.level)];
		bool have = false;
		for (Node &x : v)
			have |= x.table == node.table;
		if (!have && v.size() < MAX_OF_ONE) {
			v.push_back(node);
			if (!unlinked[node.table]++)
				host.watch(node.table, true);
			n.held++;
		}
	}
	if (!cut)
		return;
	Tree t = { node.lin, node.above, until == ~0ull ? tables.now() + 1 : until, cut, node.by, {} };
	for (bool global : { false, true }) {
		if (!(global ? cut->globals : cut->others) || until <= (global ? c.held.globals_flushed : p.flushed))
			continue;
		auto &v = c.held.space[global ? GLOBAL : tag].trees[key(node.lin, node.level)];
		if (v.size() >= MAX_OF_ONE || (global && !v.empty() && v.back().was == cut))
			continue;
		v.push_back(t);
		n.held++;
	}
}

void Machine::changed(const Table &t, unsigned k, u64 now, u64 lin)
{
	const u64 was = t.value[k];
	const int level = t.level;
	bool is_leaf = leaf(was, level), added = false;
	std::shared_ptr<const Cut> cut;
	bool have_cut = false;

	n.changes++;
	for (unsigned i = 0; i < ncpus; i++) {
		Cpu &c = cpus[i];

		if (!(c.cr0 & CR0_PG))
			continue;
		bool global = is_leaf && was & G && c.cr4 & CR4_PGE;
		std::vector<std::pair<unsigned, u64>> tags;
		for (auto &p : c.held.pcid)
			tags.push_back({ p.first, p.second.root });
		for (auto &pcid : tags) {
			unsigned tag = pcid.first;
			Pcid &p = c.held.pcid[tag];
			Rights above;

			std::vector<Older> roots = { { p.root, tag == c.tag() ? ~0ull : p.unloaded, nullptr } };
			roots.insert(roots.end(), p.older.begin(), p.older.end());
			for (const Older &r : roots) {
				if (!r.root || r.until <= t.since[k])
					continue;
				if (tables.reach(r.root, lin, level, &above) != &t)
					continue;
				unsigned to = global ? GLOBAL : tag;
				auto s = c.held.space.find(to);
				if (s != c.held.space.end())
					rebase(s->second, lin, level, was, now, above);
				if (is_leaf) {
					if (r.until <= (global ? c.held.globals_flushed : p.flushed))
						continue;
					Translation tr;
					tr.lin = lin;
					tr.level = level;
					tr.frame = frame(was, level);
					tr.r = above;
					tr.r.narrow(was);
					tr.type = type(was, level);
					tr.global = global;
					hold_page(i, to, tr, was, now, above);
					added = true;
				} else if (o.speculation) {
					Rights with = above;
					with.narrow(was);
					if (node(now, level) && !((was ^ now) & (FRAME | RW | US | NX)))
						continue;
					if (!have_cut) {
						have_cut = true;
						cut = tables.cut(was & FRAME, level - 1);
					}
					hold_node(c, tag, r.until, { lin, was & FRAME, level, with,
						because(was, now, level, lin) }, cut);
					added = true;
				}
			}
		}
	}
	epoch += added;
}

/* What was held from it before stays held; nothing new is. */
void Machine::died(u64 root)
{
	unsigned times = 0;

	for (unsigned i = 0; i < ncpus; i++)
		for (auto &p : cpus[i].held.pcid) {
			std::vector<Older> rest;

			if (p.second.root == root) {
				p.second.root = 0;
				times++;
			}
			for (const Older &o : p.second.older)
				if (o.root != root)
					rest.push_back(o);
			times += p.second.older.size() - rest.size();
			p.second.older.swap(rest);
		}
	while (times--)
		tables.put(root);
}

/*
 * A table that was unlinked is written to as no table is: as a whole, by a
 * string instruction, or not by entries. Then it has been freed and is something
 * else by now. A CPU that could still walk into it has not been told in time;
 * whether it does is up to its speculation, so this is an error at once.
 */
void Machine::reused(const Write &w)
{
	u64 frame = w.phys & FRAME;
	bool held = false, as_data = w.len > 8 || w.phys % w.len;

	if (tables.find(frame))
		return;
	n.freed_checked += as_data;
	for (unsigned i = 0; i < ncpus; i++) {
		Cpu &c = cpus[i];

		for (auto &sp : c.held.space)
			for (auto &v : sp.second.nodes)
				for (auto x = v.second.begin(); x != v.second.end();) {
					if (x->table != frame) {
						++x;
						continue;
					}
					held = true;
					if (!as_data || sp.first != c.tag() || !(c.cr0 & CR0_PG)) {
						++x;
						continue;
					}
					Finding f = {};
					f.kind = FREED_TABLE;
					f.cpu = i;
					f.tag = sp.first;
					f.access.lin = x->lin;
					f.held.lin = x->lin;
					f.held.level = x->level;
					f.table = frame;
					f.by = x->by;
					f.user = host.where(w.cpu, true);
					f.user.rip = w.rip;
					n.reports++;
					host.report(f);
					x = v.second.erase(x);
				}
	}
	if (!held) {
		unlinked.erase(frame);
		host.watch(frame, false);
	}
}

} // namespace tlbsan
