/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a CPU could still hold although the page tables say otherwise by now,
 * by PCID; GLOBAL is the pseudo-PCID of translations with G. What agrees with
 * the tables is not kept: it can do no harm.
 */
#ifndef TLBSAN_HELD_H
#define TLBSAN_HELD_H

#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tables.h"

namespace tlbsan {

struct Change;	/* who changed the table: writers.h */
using By = std::shared_ptr<const Change>;

struct Page {				/* a TLB entry */
	Translation t;
	By by;
	bool harmless;			/* the tables allow the same and more */
};

struct Node {				/* an entry of a paging-structure cache */
	u64 lin, table;
	int level;			/* of the entry that led to the table */
	Rights above;
	By by;
};

struct Tree {				/* TLB entries of what a table gave that is gone */
	u64 lin;
	Rights above;
	u64 until;			/* could be filled up to then */
	std::shared_ptr<const Cut> was;
	By by;
	std::unordered_set<u64> gone;	/* pages that were flushed since */
};

struct Space {
	std::unordered_map<u64, std::vector<Page>> pages;
	std::unordered_map<u64, std::vector<Node>> nodes;
	std::unordered_map<u64, std::vector<Tree>> trees;

	bool empty() const { return pages.empty() && nodes.empty() && trees.empty(); }
	size_t count() const { return pages.size() + nodes.size() + trees.size(); }
};

/* Another table tree that a PCID had before, and was not flushed since. */
struct Older { u64 root, until; By by; };

struct Pcid {
	u64 root = 0;		/* 0: was never loaded */
	u64 unloaded = 0;	/* when, for the last time */
	u64 flushed = 0;	/* completely, but for globals */
	std::vector<Older> older;
};

struct Held {
	std::map<unsigned, Space> space;
	std::map<unsigned, Pcid> pcid;
	u64 globals_flushed = 0;
	/* Without speculation: pages really walked, by PCID or GLOBAL. */
	std::map<unsigned, std::unordered_set<u64>> filled;

	/* Primitives; rules.cc says which instruction does which. */
	void drop_page(unsigned tag, u64 lin);
	void drop_nodes(unsigned tag);
	void drop_nodes_of(unsigned tag, u64 lin);
	void drop_pcid(unsigned tag, u64 now, std::vector<u64> *roots);
	void drop_globals(u64 now);

	unsigned hot(unsigned tag) const;
};

} // namespace tlbsan
#endif
