/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the page tables are, and were. A copy of every table that can be reached
 * from a root that some PCID of some CPU has, and since when each entry is what
 * it is: what a CPU could have walked speculatively is answered from these.
 */
#ifndef TLBSAN_TABLES_H
#define TLBSAN_TABLES_H

#include <memory>
#include <set>
#include <unordered_map>
#include <vector>

#include "arch.h"

namespace tlbsan {

/* Part of a tree of tables as it was when it was cut off. */
struct Cut {
	struct Entry {
		u64 value, since;
		std::shared_ptr<const Cut> below;
	};
	int level;
	bool globals = false, others = false;	/* leaves with G, without */
	std::unordered_map<unsigned, Entry> entry;
};

struct Table {
	u64 frame = 0;
	int level = 0;
	std::set<u64> parents;		/* addresses of entries that point here; 1: a root */
	std::vector<u64> bases;		/* addresses from which it translates */
	unsigned present = 0, busy = 0;	/* busy: on the stack */
	u64 value[512] = {}, since[512] = {};
};

/* Told of each change to a present entry, before it's in the copy. */
struct Changes {
	virtual ~Changes() = default;
	virtual void changed(const Table &t, unsigned k, u64 now, u64 lin) = 0;
	virtual void watch(u64 frame, bool on) = 0;
	/* A root that nobody walks has lost part of the kernel: it has been freed. */
	virtual void died(u64 root) = 0;
};

class Tables {
public:
	Tables(const Memory &mem, Changes &to) : mem(mem), to(to) {}

	/* A PCID has this root from now on, one less has it. */
	void take(u64 root);
	void put(u64 root);
	/* A CPU walks it, or one less does. What nobody walks may be freed. */
	void load(u64 root);
	void unload(u64 root);

	/* Something was written into a watched frame. */
	void written(u64 frame, unsigned first, unsigned last);

	const Table *find(u64 frame) const;
	std::shared_ptr<const Cut> cut(u64 frame, int level) const;
	/* The entry at this level that translates lin below root; rights of those above. */
	const Table *reach(u64 root, u64 lin, int level, Rights *above) const;

	u64 tick() { return ++event; }
	u64 now() const { return event; }
	size_t size() const { return known.size(); }

private:
	struct Root { unsigned taken = 0, loaded = 0; bool behind = false; };

	void learn(u64 frame, int level, u64 parent, const std::vector<u64> &bases);
	void forget(u64 frame, u64 parent);
	void entry(Table &t, unsigned k);
	bool alive(const Table &t) const;

	const Memory &mem;
	Changes &to;
	u64 event = 1;
	std::unordered_map<u64, std::unique_ptr<Table>> known;
	std::unordered_map<u64, Root> roots;
};

} // namespace tlbsan
#endif
