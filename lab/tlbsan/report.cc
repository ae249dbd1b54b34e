// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <cinttypes>
#include <cstring>

namespace tlbsan {

/* What is the same but for its addresses is one report; of these, so many. */
enum { MAX_REPORTS = 100 };

static const struct { const char *name, *about; } kinds[KINDS] = {
	{ "use-after-unmap", "the page tables map nothing there any more" },
	{ "stale-frame", "the page tables map another page there by now" },
	{ "stale-rights", "the page tables do not allow this access any more" },
	{ "stale-type", "the page tables give this page another memory type by now" },
	{ "through-unlinked-table", "the translation leads through a page table that is not linked any more" },
	{ "freed-table", "a page table was freed and reused while a CPU could still walk it" },
	{ "reused-pcid", "the translation is from another address space that had this PCID before" },
	{ "mixed-sizes", "the page tables have smaller pages there by now, and the CPU can use both" },
};

bool Symbols::load(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[512], name[400], type;
	unsigned long long a;

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llx %c %399s", &a, &type, name) != 3)
			continue;
		names.emplace(name, a);
		if (!strchr("tTwW", type))
			continue;
		code.emplace(a, name);
		if (a < text_first)
			text_first = a;
		if (a > text_last)
			text_last = a;
	}
	fclose(f);
	return !code.empty();
}

u64 Symbols::find(const std::string &name) const
{
	auto i = names.find(name);

	return i == names.end() ? 0 : i->second;
}

bool Symbols::range(const std::string &name, u64 *first, u64 *end) const
{
	auto i = code.upper_bound(*first = find(name));

	if (!text(*first))
		return false;
	*end = i == code.end() ? text_last : i->first;
	return true;
}

const std::pair<const u64, std::string> *Symbols::before(u64 address) const
{
	auto i = code.upper_bound(address);

	if (!text(address) || i == code.begin())
		return nullptr;
	return &*--i;
}

static std::string hex(u64 v)
{
	char b[32];

	snprintf(b, sizeof(b), "0x%" PRIx64, v);
	return b;
}

std::string Symbols::function(u64 address) const
{
	auto s = before(address);

	return s ? s->second : address >> 63 ? hex(address) : "user mode";
}

std::string Symbols::name(u64 address) const
{
	auto s = before(address);

	return s ? s->second + "+" + hex(address - s->first) : hex(address);
}

static const char *doing(const Access &a)
{
	return a.exec ? "execution" : a.write ? "write" : "read";
}

static const char *page(int level)
{
	return level == 0 ? "4 KiB" : level == 1 ? "2 MiB" : "1 GiB";
}

static std::string rights(const Rights &r)
{
	return std::string(r.w ? "rw" : "r-") + (r.nx ? "-" : "x") + (r.u ? " user" : " kernel");
}

static std::string pcid(unsigned tag)
{
	char b[32];

	if (tag == GLOBAL)
		return "global";
	snprintf(b, sizeof(b), "PCID %03x", tag);
	return b;
}

void Reporter::report(const Finding &f)
{
	std::string id = std::string(kinds[f.kind].name) + " in " + symbols.function(f.user.rip) + " after a change by " +
		symbols.function(f.by->by.rip);

	if (seen[id]++ || seen.size() > MAX_REPORTS)
		return;
	as_text(f);
	as_json(f);
}

void Reporter::stack(const Where &w)
{
	for (u64 a : w.stack)
		fprintf(text, "    %s\n", symbols.name(a).c_str());
}

void Reporter::as_text(const Finding &f)
{
	const Where &u = f.user, &by = f.by->by;

	fprintf(text, "==================================================================\n");
	fprintf(text, "BUG: TLBSAN: %s in %s\n", kinds[f.kind].name, symbols.name(u.rip).c_str());
	if (f.accessed)
		fprintf(text, "%s of %u bytes at 0x%016" PRIx64 " by CPU %u in %s mode", doing(f.access), f.access.len,
			f.access.lin, f.cpu, u.user ? "user" : "kernel");
	else if (f.kind == FREED_TABLE)
		fprintf(text, "write into a page table of CPU %u by CPU %u in %s mode", f.cpu, u.cpu, u.user ? "user" : "kernel");
	else
		fprintf(text, "no access, but what CPU %u in %s mode may do ahead of one", f.cpu, u.user ? "user" : "kernel");
	fprintf(text, ", task %s\n", u.comm.empty() ? "unknown" : u.comm.c_str());
	stack(u);
	fprintf(text, "\n%s.\n", kinds[f.kind].about);
	if (f.kind != FREED_TABLE)
		fprintf(text, "CPU %u may hold (%s): 0x%016" PRIx64 ", %s, -> frame 0x%" PRIx64 " %s type %u\n", f.cpu,
			pcid(f.tag).c_str(), f.held.lin, page(f.held.level), f.held.frame >> 12, rights(f.held.r).c_str(), f.held.type);
	if (f.table)
		fprintf(text, "CPU %u may walk (%s): the table in frame 0x%" PRIx64 ", for 0x%016" PRIx64 "\n", f.cpu,
			pcid(f.tag).c_str(), f.table >> 12, f.held.lin);
	if (f.mapped)
		fprintf(text, "The page tables say:      0x%016" PRIx64 ", %s, -> frame 0x%" PRIx64 " %s type %u\n", f.now.lin,
			page(f.now.level), f.now.frame >> 12, rights(f.now.r).c_str(), f.now.type);
	else if (f.kind != FREED_TABLE)
		fprintf(text, "The page tables say:      nothing\n");
	if (f.by->level == LEVELS)
		fprintf(text, "\nCR3 was loaded with another root, by CPU %u, task %s, %" PRIu64 " ticks ago:\n", by.cpu,
			by.comm.empty() ? "unknown" : by.comm.c_str(), u.time - by.time);
	else
		fprintf(text, "\nThe entry (level %d) for 0x%016" PRIx64 " was changed from 0x%" PRIx64 " to 0x%" PRIx64
			" by CPU %u, task %s, %" PRIu64 " ticks ago:\n", f.by->level, f.by->lin, f.by->was, f.by->now, by.cpu,
			by.comm.empty() ? "unknown" : by.comm.c_str(), u.time - by.time);
	fprintf(text, "    %s\n", symbols.name(by.rip).c_str());
	stack(by);
	if (f.by->level == LEVELS)
		fprintf(text, "\nMissing on CPU %u since then: MOV to CR3 without bit 63, or INVPCID, for %s\n", f.cpu, pcid(f.tag).c_str());
	else
		fprintf(text, "\nMissing on CPU %u since then: a flush of 0x%016" PRIx64 " (%s), of all of it, or of everything%s\n",
			f.cpu, f.access.lin, pcid(f.tag).c_str(),
			f.kind == FREED_TABLE ? ", before the table was freed" : "; it was due when that task left the kernel");
	fprintf(text, "==================================================================\n");
	fflush(text);
}

static std::string quoted(const std::string &s)
{
	std::string out = "\"";
	char b[8];

	for (unsigned char c : s) {
		if (c == '"' || c == '\\') {
			out += '\\';
			out += c;
		} else if (c < 32 || c > 126) {
			snprintf(b, sizeof(b), "\\u%04x", c);
			out += b;
		} else {
			out += c;
		}
	}
	return out + "\"";
}

void Reporter::as_json(const Finding &f)
{
	const Where &u = f.user, &by = f.by->by;
	auto place = [&](const char *name, const Where &w) {
		fprintf(json, ",\"%s\":{\"cpu\":%u,\"at\":%s,\"task\":%s,\"user_mode\":%s,\"time\":%" PRIu64 ",\"stack\":[", name,
			w.cpu, quoted(symbols.name(w.rip)).c_str(), quoted(w.comm).c_str(), w.user ? "true" : "false", w.time);
		for (size_t i = 0; i < w.stack.size(); i++)
			fprintf(json, "%s%s", i ? "," : "", quoted(symbols.name(w.stack[i])).c_str());
		fprintf(json, "]}");
	};
	auto translation = [&](const char *name, const Translation &t) {
		fprintf(json, ",\"%s\":{\"address\":\"0x%" PRIx64 "\",\"size\":%" PRIu64 ",\"frame\":\"0x%" PRIx64
			"\",\"rights\":%s,\"type\":%u}", name, t.lin, size(t.level), t.frame >> 12, quoted(rights(t.r)).c_str(), t.type);
	};

	fprintf(json, "{\"tlbsan\":\"report\",\"kind\":\"%s\",\"access\":\"%s\",\"address\":\"0x%" PRIx64
		"\",\"cpu\":%u,\"tag\":%s", kinds[f.kind].name, f.accessed ? doing(f.access) : "none", f.access.lin, f.cpu,
		quoted(pcid(f.tag)).c_str());
	if (f.kind != FREED_TABLE)
		translation("held", f.held);
	if (f.table)
		fprintf(json, ",\"table\":\"0x%" PRIx64 "\"", f.table >> 12);
	if (f.mapped)
		translation("tables", f.now);
	place("user", u);
	place("writer", by);
	fprintf(json, ",\"was\":\"0x%" PRIx64 "\",\"now\":\"0x%" PRIx64 "\",\"level\":%d}\n", f.by->was, f.by->now, f.by->level);
	fflush(json);
}

void Reporter::summary(const Statistics &n, bool speculation, bool tasks, Vendor vendor)
{
	for (auto &s : seen)
		fprintf(text, "%8" PRIu64 " places and changes: %s\n", s.second, s.first.c_str());
	fprintf(text, "tlbsan: %zu different errors, %" PRIu64 " uses in all; %" PRIu64 " changes of tables, %" PRIu64
		" stale things held; uses before a flush was due: %" PRIu64 ", uses that the tables agreed with: %" PRIu64
		"; unlinked tables that became other pages: %" PRIu64 "\n",
		seen.size(), n.reports, n.changes, n.held, n.windows, n.same, n.freed_checked);
	fprintf(text, "tlbsan: %s rules, speculation %s, tasks %s; INVLPG %" PRIu64 ", INVPCID %" PRIu64 "/%" PRIu64 "/%" PRIu64
		"/%" PRIu64 ", MOV to CR3 %" PRIu64 " and %" PRIu64 " without a flush, CR4.PGE %" PRIu64 "; flushes ignored on purpose %" PRIu64 ", uses %" PRIu64 "\n",
		vendor == AMD ? "AMD's" : "Intel's", speculation ? "on" : "off", tasks ? "tracked" : "not known (no symbols)",
		n.invlpg, n.invpcid[0], n.invpcid[1], n.invpcid[2], n.invpcid[3], n.cr3_flush, n.cr3_keep, n.cr4_flush, n.masked, n.ignored);
	fprintf(text, "tlbsan: not seen: store buffers, dirty bits, guests, five levels, %s rules, what processors do beyond their manual\n",
		vendor == AMD ? "Intel's" : "AMD's");
	fprintf(json, "{\"tlbsan\":\"summary\",\"errors\":%zu,\"uses\":%" PRIu64 ",\"changes\":%" PRIu64 ",\"held\":%" PRIu64
		",\"windows\":%" PRIu64 ",\"same\":%" PRIu64 ",\"freed\":%" PRIu64 ",\"masked\":%" PRIu64 ",\"ignored\":%" PRIu64 ",\"invlpg\":%" PRIu64 ",\"invpcid\":[%" PRIu64
		",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "],\"cr3_flush\":%" PRIu64 ",\"cr3_keep\":%" PRIu64 ",\"speculation\":%s,\"tasks\":%s,\"counts\":{",
		seen.size(), n.reports, n.changes, n.held, n.windows, n.same, n.freed_checked, n.masked, n.ignored, n.invlpg, n.invpcid[0], n.invpcid[1],
		n.invpcid[2], n.invpcid[3], n.cr3_flush, n.cr3_keep, speculation ? "true" : "false", tasks ? "true" : "false");
	bool first = true;
	for (auto &s : seen) {
		fprintf(json, "%s%s:%" PRIu64, first ? "" : ",", quoted(s.first).c_str(), s.second);
		first = false;
	}
	fprintf(json, "}}\n");
	fflush(text);
	fflush(json);
}

} // namespace tlbsan
