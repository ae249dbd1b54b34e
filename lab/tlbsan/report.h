/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the reader gets: one report for each pair of user and writer, in the
 * manner of KASAN's, the same as JSON, and a summary.
 */
#ifndef TLBSAN_REPORT_H
#define TLBSAN_REPORT_H

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "machine.h"

namespace tlbsan {

/* A System.map. Without one, addresses stand for themselves. */
class Symbols {
public:
	bool load(const char *path);
	u64 find(const std::string &name) const;
	bool text(u64 address) const { return address >= text_first && address < text_last; }
	/* The addresses of a function; false if there is none of that name. */
	bool range(const std::string &name, u64 *first, u64 *end) const;
	std::string function(u64 address) const;
	std::string name(u64 address) const;

private:
	const std::pair<const u64, std::string> *before(u64 address) const;

	std::map<u64, std::string> code;
	std::map<std::string, u64> names;
	u64 text_first = ~0ull, text_last = 0;
};

class Reporter {
public:
	Reporter(FILE *text, FILE *json, const Symbols &symbols) : text(text), json(json), symbols(symbols) {}

	void report(const Finding &f);
	/* Last, and always: without it, the run died on the way. */
	void summary(const Statistics &n, bool speculation, bool tasks, Vendor vendor);
	size_t different() const { return seen.size(); }

private:
	void as_text(const Finding &f);
	void as_json(const Finding &f);
	void stack(const Where &w);

	FILE *text, *json;
	const Symbols &symbols;
	std::map<std::string, u64> seen;
};

} // namespace tlbsan
#endif
