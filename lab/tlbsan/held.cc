// SPDX-License-Identifier: GPL-2.0
#include "held.h"

namespace tlbsan {

void Held::drop_page(unsigned tag, u64 lin)
{
	auto s = space.find(tag);
	auto f = filled.find(tag);

	for (int level = 0; level < ROOT; level++) {
		if (f != filled.end())
			f->second.erase(key(lin, level));
		if (s != space.end())
			s->second.pages.erase(key(lin, level));
	}
	if (s == space.end())
		return;
	for (int level = 1; level <= ROOT; level++) {
		auto t = s->second.trees.find(key(lin, level));

		if (t == s->second.trees.end())
			continue;
		/* All of the page, which may be a large one. */
		for (Tree &tree : t->second)
			for (int l = 0; l < level; l++)
				tree.gone.insert(key(lin, l));
	}
	if (s->second.empty())
		space.erase(s);
}

void Held::drop_nodes(unsigned tag)
{
	auto s = space.find(tag);

	if (s == space.end())
		return;
	s->second.nodes.clear();
	if (s->second.empty())
		space.erase(s);
}

void Held::drop_nodes_of(unsigned tag, u64 lin)
{
	auto s = space.find(tag);

	if (s == space.end())
		return;
	for (int level = 1; level <= ROOT; level++)
		s->second.nodes.erase(key(lin, level));
	if (s->second.empty())
		space.erase(s);
}

void Held::drop_pcid(unsigned tag, u64 now, std::vector<u64> *roots)
{
	Pcid &p = pcid[tag];

	p.flushed = now;
	for (const Older &o : p.older)
		roots->push_back(o.root);
	p.older.clear();
	space.erase(tag);
	filled.erase(tag);
}

void Held::drop_globals(u64 now)
{
	globals_flushed = now;
	space.erase(GLOBAL);
	filled.erase(GLOBAL);
}

unsigned Held::hot(unsigned tag) const
{
	unsigned n = 0;

	for (unsigned t : { tag, GLOBAL }) {
		auto s = space.find(t);

		if (s != space.end())
			n += s->second.count();
	}
	auto p = pcid.find(tag);
	return p == pcid.end() ? n : n + p->second.older.size();
}

} // namespace tlbsan
