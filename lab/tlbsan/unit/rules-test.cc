// SPDX-License-Identifier: GPL-2.0
/*
 * Each instruction removes what it must and nothing else. A CPU holds pages,
 * paging-structure entries and trees under the PCIDs 1 (loaded) and 2, and
 * globals; after the instruction, what is left is compared as a whole.
 */
#include "unit.h"

using namespace tlbsan;

static const u64 X = 0x200000, Y = 0x201000, FAR = 0x40000000;

static void fill(Cpu &c)
{
	By by = std::make_shared<Change>();
	auto cut = std::make_shared<Cut>();

	c.cr0 = CR0_PG;
	c.cr4 = CR4_PAE | CR4_PGE | CR4_PCIDE;
	c.cr3 = 0x1000 | 1;
	for (unsigned tag : { 1u, 2u, GLOBAL }) {
		Space &s = c.held.space[tag];

		for (u64 lin : { X, Y, FAR }) {
			Translation t;
			t.lin = lin;
			s.pages[key(lin, 0)].push_back({ t, by, false });
		}
		/* The same address, once more as part of a large page. */
		Translation large;
		large.lin = X;
		large.level = 1;
		s.pages[key(X, 1)].push_back({ large, by, false });
		if (tag == GLOBAL)
			continue;
		for (u64 lin : { X, FAR })
			s.nodes[key(lin, 1)].push_back({ lin, 0x5000, 1, Rights(), by });
		c.held.pcid[tag].root = 0x1000 * tag;
		c.held.pcid[tag].older.push_back({ 0x9000, 1, by });
	}
	c.held.space[1].trees[key(X, 1)].push_back({ X, Rights(), 9, cut, by, {} });
}

static std::string left(Cpu &c)
{
	std::string s;
	auto have = [&](bool yes, const std::string &what) {
		if (yes)
			s += what + " ";
	};

	for (unsigned tag : { 1u, 2u, GLOBAL }) {
		auto i = c.held.space.find(tag);
		std::string t = tag == GLOBAL ? "g" : std::to_string(tag);

		if (i != c.held.space.end()) {
			Space &sp = i->second;
			have(sp.pages.count(key(X, 0)), t + "X");
			have(sp.pages.count(key(X, 1)), t + "L");
			have(sp.pages.count(key(Y, 0)), t + "Y");
			have(sp.pages.count(key(FAR, 0)), t + "F");
			have(sp.nodes.count(key(X, 1)), t + "nX");
			have(sp.nodes.count(key(FAR, 1)), t + "nF");
			auto tree = sp.trees.find(key(X, 1));
			if (tree != sp.trees.end()) {
				have(!tree->second[0].gone.count(key(X, 0)), t + "tX");
				have(!tree->second[0].gone.count(key(Y, 0)), t + "tY");
			}
		}
		auto p = c.held.pcid.find(tag);
		have(p != c.held.pcid.end() && !p->second.older.empty(), t + "o");
	}
	return s;
}

static const std::string one = "1X 1L 1Y 1F 1nX 1nF 1tX 1tY 1o ", two = "2X 2L 2Y 2F 2nX 2nF 2o ",
	globals = "gX gL gY gF ";

template <typename Do> static std::string after(Do what)
{
	Cpu c;
	Removal r = { 7, {} };

	fill(c);
	what(c, r);
	return left(c);
}

static std::string after_cr4(u64 was, u64 now, Vendor v = INTEL)
{
	return after([&](Cpu &c, Removal &r) { c.cr4 = was; mov_cr4(v, c, was, now, r); });
}

static void intel()
{
	const u64 base = CR4_PAE | CR4_PGE | CR4_PCIDE;

	same(after([](Cpu &, Removal &) {}), one + two + globals, "nothing removes nothing");
	same(after([](Cpu &c, Removal &r) { invlpg(INTEL, c, X, r); }), "1Y 1F 1tY 1o " + two + "gY gF ",
	      "INVLPG: the page, a global one, all paging-structure caches of the PCID");
	same(after([](Cpu &c, Removal &r) { invlpg(INTEL, c, X + 0x1fffff, r); }),
	      "1X 1Y 1F 1tX 1tY 1o " + two + "gX gY gF ", "INVLPG anywhere in a large page removes it, not the small ones beside");
	same(after([](Cpu &c, Removal &r) { invpcid(c, 0, 2, X, r); }), one + "2Y 2F 2nF 2o " + globals,
	      "INVPCID 0: what translates the address under that PCID, no globals");
	same(after([](Cpu &c, Removal &r) { invpcid(c, 1, 2, X, r); }), one + globals, "INVPCID 1: all of that PCID, no globals");
	same(after([](Cpu &c, Removal &r) { invpcid(c, 1, 1, X, r); }), two + globals, "INVPCID 1: of the PCID that is loaded");
	same(after([](Cpu &c, Removal &r) { invpcid(c, 2, 0, X, r); }), "", "INVPCID 2: everything");
	same(after([](Cpu &c, Removal &r) { invpcid(c, 3, 0, X, r); }), globals, "INVPCID 3: everything but globals");
	same(after([](Cpu &c, Removal &r) { mov_cr3(c, 0x3001, r); }), two + globals,
	      "MOV to CR3: all of the PCID that is loaded, no globals");
	same(after([](Cpu &c, Removal &r) { mov_cr3(c, 0x3001 | CR3_KEEP, r); }), one + two + globals,
	      "MOV to CR3 with bit 63: nothing");
	same(after([](Cpu &c, Removal &r) { c.cr3 = 0x3002; mov_cr3(c, 0x3002, r); }), one + globals,
	      "MOV to CR3: another PCID");
	bool gone = false;
	std::string rest = after([&](Cpu &c, Removal &r) {
		c.cr4 &= ~CR4_PCIDE;
		c.held.space[0] = c.held.space[1];
		mov_cr3(c, 0x3000 | CR3_KEEP, r);
		gone = !c.held.space.count(0);
	});
	same(rest + (gone ? "" : "0X "), one + two + globals, "MOV to CR3 without PCIDE: all of PCID 0, bit 63 is no excuse");
	same(after_cr4(base, base ^ CR4_PGE), "", "CR4.PGE cleared: everything");
	same(after_cr4(base ^ CR4_PGE, base), "", "CR4.PGE set: everything");
	same(after_cr4(base, base ^ CR4_PCIDE), "", "CR4.PCIDE cleared: everything");
	same(after_cr4(base ^ CR4_PCIDE, base), one + two + globals, "CR4.PCIDE set: nothing");
	same(after_cr4(base, base | CR4_SMEP), two + globals, "CR4.SMEP set: what the current PCID has, no globals");
	same(after_cr4(base | CR4_SMEP, base), one + two + globals, "CR4.SMEP cleared: nothing");
	same(after_cr4(base, base ^ CR4_PAE), two + globals, "CR4.PAE: what the current PCID has, no globals");
	same(after_cr4(base, base | 1 << 21), one + two + globals, "CR4.SMAP: nothing");
	same(after([](Cpu &c, Removal &r) { mov_cr0(c, CR0_PG, 0, r); }), "", "CR0.PG cleared: everything");
	same(after([](Cpu &c, Removal &r) { mov_cr0(c, 0, CR0_PG, r); }), one + two + globals, "CR0.PG set: nothing");
	same(after([](Cpu &c, Removal &r) { mov_cr0(c, CR0_PG | 1 << 16, CR0_PG, r); }), one + two + globals,
	      "CR0.WP cleared: nothing");
	same(after([](Cpu &c, Removal &r) { page_fault(c, X, r); }), "1Y 1F 1nF 1tY 1o " + two + "gY gF ",
	      "a page fault: the page, a global one, what leads to it under the current PCID");
}

static void amd()
{
	const u64 base = CR4_PAE | CR4_PGE | CR4_PCIDE;

	same(after([](Cpu &c, Removal &r) { invlpg(AMD, c, X, r); }), "1Y 1F 1tY 1o " + two + "gY gF ", "AMD: INVLPG as Intel's");
	same(after([](Cpu &c, Removal &r) { c.tce = true; invlpg(AMD, c, X, r); }), "1Y 1F 1nF 1tY 1o " + two + "gY gF ",
	      "AMD: INVLPG with EFER.TCE keeps what doesn't lead to the page");
	same(after([](Cpu &c, Removal &r) { c.tce = true; invlpg(INTEL, c, X, r); }), "1Y 1F 1tY 1o " + two + "gY gF ",
	      "Intel has no TCE");
	same(after_cr4(base, base ^ CR4_PAE, AMD), "", "AMD: CR4.PAE: everything");
	same(after_cr4(base, base | 1 << 4, AMD), "", "AMD: CR4.PSE: everything");
	same(after_cr4(base, base | 1 << 4), one + two + globals, "Intel: CR4.PSE: nothing");
}

/* What INVLPGB with these operands removes once TLBSYNC was executed. */
static std::string after_invlpgb(u64 rax, uint32_t ecx, uint32_t edx)
{
	return after([&](Cpu &c, Removal &r) {
		Tlbsync s;
		s.asked(3, invlpgb_operands(rax, ecx, edx));
		s.sync(3, { &c }, r);
	});
}

static void broadcast()
{
	const uint32_t pcid2 = 2 << 16;

	same(after_invlpgb(X | 1 | 2, 0, pcid2), one + "2Y 2F 2nF 2o " + globals, "INVLPGB: address and PCID");
	same(after_invlpgb(X | 1 | 2, 1, pcid2), one + "2F 2nF 2o " + globals, "INVLPGB: two pages");
	same(after_invlpgb(X | 1 | 2, 511u | 1u << 31, pcid2), one + "2Y 2o " + globals, "INVLPGB: 512 steps of 2 MiB");
	same(after_invlpgb(X | 1 | 2 | 16, 0, pcid2), one + "2Y 2F 2nX 2nF 2o " + globals, "INVLPGB: the final translation only");
	same(after_invlpgb(X | 1 | 8, 0, 0), "1Y 1F 1nF 1tY 1o 2Y 2F 2nF 2o gY gF ", "INVLPGB: an address, every PCID, globals");
	same(after_invlpgb(2, 0, pcid2), one + globals, "INVLPGB: all of a PCID");
	same(after_invlpgb(2 | 8, 0, pcid2), one, "INVLPGB: all of a PCID, and globals");
	same(after_invlpgb(8, 0, 0), "", "INVLPGB: everything");
	same(after_invlpgb(0, 0, 0), globals, "INVLPGB: everything but globals");
	same(after_invlpgb(4 | 8, 0, 1), one + two + globals, "INVLPGB: a guest's ASID is not the host's");
	same(after_invlpgb(4 | 8, 0, 0), "", "INVLPGB: ASID 0 is the host's");
	same(after([](Cpu &c, Removal &r) {
		Tlbsync s;
		s.asked(3, invlpgb_operands(8, 0, 0));
		s.sync(2, { &c }, r);
	}), one + two + globals, "INVLPGB: another CPU's TLBSYNC says nothing");
	same(after([](Cpu &c, Removal &r) {
		Tlbsync s;
		s.asked(3, invlpgb_operands(8, 0, 0));
		s.sync(2, { &c }, r);
		s.sync(3, { &c }, r);
	}), "", "INVLPGB: certain after the TLBSYNC of the CPU that asked");
}

int main()
{
	intel();
	amd();
	broadcast();
	return finish();
}
