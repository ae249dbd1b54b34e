// SPDX-License-Identifier: GPL-2.0
#include "tables.h"

#include <algorithm>

namespace tlbsan {

/*
 * espfix maps one table at many addresses on purpose; beyond this many a
 * table's further ones are not followed.
 */
enum { MAX_BASES = 64 };

/* Bits whose change makes what was cached differ. A, D and ignored bits don't. */
static u64 matters(u64 was, u64 now, int level)
{
	u64 bits = P | RW | US | NX | FRAME;

	if (level)
		bits |= PS;
	if (leaf(was, level) || leaf(now, level))
		bits |= PWT | PCD | PAT_SMALL | G;
	return bits;
}

const Table *Tables::find(u64 frame) const
{
	auto i = known.find(frame);

	return i == known.end() ? nullptr : i->second.get();
}

const Table *Tables::reach(u64 root, u64 lin, int level, Rights *above) const
{
	const Table *t = find(root & FRAME);

	*above = Rights();
	for (int l = ROOT; t && l > level; l--) {
		u64 e = t->value[index(lin, l)];

		if (t->level != l || !node(e, l))
			return nullptr;
		above->narrow(e);
		t = find(e & FRAME);
	}
	return t && t->level == level ? t : nullptr;
}

std::shared_ptr<const Cut> Tables::cut(u64 frame, int level) const
{
	const Table *t = find(frame);

	if (!t || t->level != level || !t->present)
		return nullptr;
	auto c = std::make_shared<Cut>();
	c->level = t->level;
	for (unsigned k = 0; k < 512; k++) {
		u64 e = t->value[k];
		Cut::Entry copy = { e, t->since[k], nullptr };

		if (!(e & P))
			continue;
		if (leaf(e, t->level)) {
			(e & G ? c->globals : c->others) = true;
		} else {
			copy.below = cut(e & FRAME, level - 1);
			if (!copy.below)
				continue;
			c->globals |= copy.below->globals;
			c->others |= copy.below->others;
		}
		c->entry.emplace(k, copy);
	}
	return c->entry.empty() ? nullptr : c;
}

void Tables::learn(u64 frame, int level, u64 parent, const std::vector<u64> &bases)
{
	if (frame >= mem.end())
		return;
	auto &slot = known[frame];

	/* Whatever it was before, it has been freed and is another table now. */
	if (slot && slot->level != level) {
		if (slot->busy)
			return; /* a table that leads to itself */
		for (u64 p : std::set<u64>(slot->parents))
			forget(frame, p);
		return learn(frame, level, parent, bases);
	}
	bool isnew = !slot;
	if (isnew) {
		slot = std::make_unique<Table>();
		slot->frame = frame;
		slot->level = level;
		to.watch(frame, true);
	}
	Table &t = *slot;
	std::vector<u64> added;
	t.parents.insert(parent);
	for (u64 b : bases) {
		if (t.bases.size() >= MAX_BASES)
			break;
		if (std::find(t.bases.begin(), t.bases.end(), b) == t.bases.end()) {
			t.bases.push_back(b);
			added.push_back(b);
		}
	}
	if (!isnew && added.empty())
		return;
	t.busy++;
	for (unsigned k = 0; k < 512; k++) {
		if (isnew) {
			t.value[k] = mem.read(frame + 8 * k);
			t.since[k] = event;
			t.present += t.value[k] & P;
		}
		if (!node(t.value[k], level))
			continue;
		std::vector<u64> below;
		for (u64 b : added)
			below.push_back(b + ((u64)k << shift(level)));
		learn(t.value[k] & FRAME, level - 1, frame + 8 * k, below);
	}
	t.busy--;
}

void Tables::forget(u64 frame, u64 parent)
{
	auto i = known.find(frame);

	if (i == known.end() || !i->second->parents.erase(parent) || !i->second->parents.empty() || i->second->busy)
		return;
	std::unique_ptr<Table> t = std::move(i->second);
	known.erase(i);
	to.watch(frame, false);
	for (unsigned k = 0; k < 512; k++)
		if (node(t->value[k], t->level))
			forget(t->value[k] & FRAME, frame + 8 * k);
}

/*
 * Does any CPU walk this table now? Where none does, somebody may have freed it,
 * and what is written there may be anything.
 */
bool Tables::alive(const Table &t) const
{
	if (t.level == ROOT) {
		auto r = roots.find(t.frame);

		return r != roots.end() && r->second.loaded;
	}
	for (u64 p : t.parents) {
		const Table *up = find(p & FRAME);

		if (up && up->level == t.level + 1 && alive(*up))
			return true;
	}
	return false;
}

void Tables::entry(Table &t, unsigned k)
{
	u64 was = t.value[k], now = mem.read(t.frame + 8 * k);
	bool link = node(now, t.level);

	if (was == now || (!(was & P) && !(now & P))) {
		t.value[k] = now;
		return;
	}
	if ((was ^ now) & matters(was, now, t.level)) {
		/* The kernel's half of a live root only grows. */
		if (t.level == ROOT && k >= 256 && was & P && !alive(t))
			return to.died(t.frame);
		t.busy++;
		if (was & P)
			for (u64 b : std::vector<u64>(t.bases))
				to.changed(t, k, now, canonical(b + ((u64)k << shift(t.level))));
		if (node(was, t.level) && (!link || (was ^ now) & FRAME))
			forget(was & FRAME, t.frame + 8 * k);
		t.busy--;
		t.since[k] = tick();
		t.present += (now & P) - (was & P);
	}
	t.value[k] = now;
	if (!link || (node(was, t.level) && !((was ^ now) & FRAME)))
		return;
	if (!alive(t)) {
		for (auto &r : roots)
			r.second.behind |= !r.second.loaded;
		return;
	}
	std::vector<u64> below;
	for (u64 b : t.bases)
		below.push_back(b + ((u64)k << shift(t.level)));
	t.busy++;
	learn(now & FRAME, t.level - 1, t.frame + 8 * k, below);
	t.busy--;
}

void Tables::written(u64 frame, unsigned first, unsigned last)
{
	for (unsigned k = first; k <= last; k++) {
		auto i = known.find(frame);

		if (i == known.end())
			return;
		entry(*i->second, k);
	}
}

void Tables::take(u64 root)
{
	if (!roots[root].taken++)
		learn(root, ROOT, 1, { 0 });
}

void Tables::put(u64 root)
{
	auto r = roots.find(root);

	if (r == roots.end() || --r->second.taken)
		return;
	roots.erase(r);
	forget(root, 1);
}

void Tables::load(u64 root)
{
	Root &r = roots[root];

	r.loaded++;
	if (!r.behind)
		return;
	r.behind = false;
	/* Links that were set while nobody walked it. */
	std::vector<u64> todo = { root };
	while (!todo.empty()) {
		u64 frame = todo.back();
		todo.pop_back();
		const Table *t = find(frame);
		for (unsigned k = 0; t && k < 512; k++) {
			u64 e = t->value[k];

			if (!node(e, t->level))
				continue;
			const Table *child = find(e & FRAME);
			if (!child || child->level != t->level - 1 || !child->parents.count(frame + 8 * k)) {
				std::vector<u64> below;
				for (u64 b : t->bases)
					below.push_back(b + ((u64)k << shift(t->level)));
				learn(e & FRAME, t->level - 1, frame + 8 * k, below);
				continue;
			}
			/* The kernel's half is everybody's and never behind. */
			if (t->level < ROOT || k < 256)
				todo.push_back(e & FRAME);
		}
	}
}

void Tables::unload(u64 root)
{
	auto r = roots.find(root);

	if (r != roots.end() && r->second.loaded)
		r->second.loaded--;
}

} // namespace tlbsan
