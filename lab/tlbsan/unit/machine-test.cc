// SPDX-License-Identifier: GPL-2.0
/*
 * From a change of a table to an error, or to none. CPU 0 writes, CPU 1 uses;
 * letters are kinds of errors: unmapped, frame, rights, type, through a Table,
 * Freed table, reused PCID, mixed sizes.
 */
#include "unit.h"

using namespace tlbsan;

static const u64 X = 0xffffc90000000000, LOW = 0x7f0000000000, A = 0x800000, B = 0xa00000;
static const u64 ROOT1 = 0x400000, ROOT2 = 0x401000;

/* Two CPUs with one root under PCID 1, X mapped to A. */
static Guest *two(const Options &o = Options(), u64 bits = RW, u64 at = X)
{
	Guest *g = new Guest(o);

	g->map(0, ROOT1, at, A, bits);
	g->start(0, ROOT1, 1);
	g->start(1, ROOT1, 1);
	return g;
}

static void uses()
{
	std::unique_ptr<Guest> g(two());

	same(g->use(1, X), "", "what the tables say is no error");
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	same(g->use(1, X), "", "unmapped, and the writer has yet to flush");
	g->leave(1);
	same(g->use(1, X), "", "that another CPU leaves the kernel is not the writer's");
	g->leave(0);
	same(g->use(1, X), "u", "the flush is overdue: use after unmap");
	same(g->use(0, X), "u", "the writer's own CPU as well");
	g->m.invlpg(0, X);
	same(g->use(0, X) + "/" + g->use(1, X), "/u", "a flush is for the CPU that makes it");
	g->m.invlpg(1, X);
	same(g->use(1, X), "", "flushed");

	g.reset(two());
	g->map(0, ROOT1, X, B, RW);
	g->leave(0);
	same(g->use(1, X), "f", "another frame");
	g->map(0, ROOT1, X, A, RW);
	g->leave(0);
	same(g->use(1, X), "f", "put back: what it was in between could be held as well");
	g.reset(two());
	g->map(0, ROOT1, X, A, 0);
	g->leave(0);
	same(g->use(1, X) + "/" + g->use(1, X, true), "/r", "write protected: reads are fine");
	g.reset(two());
	g->map(0, ROOT1, X, A, RW | NX);
	g->leave(0);
	same(g->use(1, X, true) + "/" + g->use(1, X, false, true), "/r", "no longer executable");
	g.reset(two({}, RW | US));
	g->map(0, ROOT1, X, A, RW);
	g->leave(0);
	same(g->use(1, X) + "/" + g->use(1, X, false, false, true), "/r", "no longer user mode's");
	g.reset(two());
	g->map(0, ROOT1, X, A, RW | PCD);
	g->leave(0);
	same(g->use(1, X), "t", "another memory type");
	g.reset(two({}, 0));
	g->map(0, ROOT1, X, A, RW);
	g->leave(0);
	same(g->use(1, X, true), "", "more rights need no flush");
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	same(g->use(1, X), "", "a newer change is not due because an older one was");
	g->leave(0);
	same(g->use(1, X), "uu", "until it is, for both that could be held");
	g.reset(two());
	g->set(0, g->entry(0, ROOT1, X, 0), A | P | RW | 0x60);
	g->leave(0);
	same(g->use(1, X, true), "", "accessed and dirty are not the software's");
	g.reset(two());
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	Access wide = { X - 4, false, false, false, 8 };
	g->found.clear();
	g->m.access(1, wide);
	check(g->found.size() == 1, "an access that reaches into the page");
	g.reset(two());
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	g->m.fault(1, X);
	same(g->use(1, X), "", "a page fault has removed it");
}

static void tags()
{
	std::unique_ptr<Guest> g(two());

	g->m.cr3(1, ROOT2 | 2);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	same(g->use(1, X), "", "it is held under another PCID");
	g->m.cr3(1, ROOT1 | 1 | CR3_KEEP);
	same(g->use(1, X), "u", "and used when that one is loaded again");
	g->m.cr3(1, ROOT2 | 2);
	g->m.invpcid(1, 0, 1, X);
	g->m.cr3(1, ROOT1 | 1 | CR3_KEEP);
	same(g->use(1, X), "", "INVPCID reaches it meanwhile");

	g.reset(two());
	g->m.cr3(1, ROOT2 | 2);
	g->m.invpcid(1, 1, 1, 0);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	g->m.cr3(1, ROOT1 | 1 | CR3_KEEP);
	same(g->use(1, X), "", "a PCID that is not loaded can be flushed ahead of the change");
	g.reset(two());
	g->m.invpcid(1, 1, 1, 0);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	same(g->use(1, X), "u", "one that is loaded can not: it is filled again");
	g.reset(two());
	g->m.cr3(1, ROOT2 | 2);
	g->map(0, ROOT1, X + 0x1000, B, RW);
	g->set(0, g->entry(0, ROOT1, X + 0x1000, 0), 0);
	g->leave(0);
	g->m.cr3(1, ROOT1 | 1 | CR3_KEEP);
	same(g->use(1, X + 0x1000), "", "what was there only while the PCID was not loaded is not held");
	g->m.cr3(1, ROOT2 | 2);
	g->map(0, ROOT1, LOW, B, RW);
	g->m.cr3(0, ROOT2 | 2);
	g->map(0, ROOT1, LOW + (1ull << 30), A, RW);
	g->m.cr3(0, ROOT1 | 1 | CR3_KEEP);
	g->set(0, g->entry(0, ROOT1, LOW + (1ull << 30), 0), 0);
	g->leave(0);
	same(g->use(0, LOW + (1ull << 30)), "u", "tables that were linked while nobody walked are found when somebody does");

	g.reset(two({}, RW | G));
	g->m.cr3(1, ROOT2 | 2);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	same(g->use(1, X), "u", "a global one is used under every PCID");
	g->m.cr3(1, ROOT2 | 2);
	same(g->use(1, X), "u", "and survives a load of CR3");
	g->m.invpcid(1, 3, 0, 0);
	same(g->use(1, X), "u", "and INVPCID 3");
	g->m.cr4(1, CR4_PAE | CR4_PCIDE);
	same(g->use(1, X), "", "but not CR4.PGE");

	g.reset(two());
	g->m.cr3(1, ROOT2 | 2);
	g->m.cr3(1, ROOT2 | 1 | CR3_KEEP);
	g->leave(1);
	same(g->use(1, X), "p", "a PCID that goes to another root without a flush");
	g->m.cr3(1, ROOT2 | 1);
	same(g->use(1, X), "", "with one");
}

static void tables()
{
	std::unique_ptr<Guest> g(two());
	u64 pmd = g->entry(0, ROOT1, X, 1), pte = g->entry(0, ROOT1, X, 0), table = g->read(pmd) & FRAME;

	g->set(0, pmd, 0);
	g->leave(0);
	same(g->use(1, X), "Tu", "unlinked: by way of the table, and what it gave");
	g->set(0, pte, 0);
	same(g->use(1, X), "u", "what it gave stays when the table is emptied");
	g->word[pte / 8] = B | P;
	same(g->use(1, X), "Tu", "and the table is walked as it is now");
	g->m.invpcid(1, 0, 1, X + 0x1000);
	g->word[pte / 8] = B | P;
	same(g->use(1, X), "u", "INVPCID 0 elsewhere below removes the way, not the translation");
	g->m.invlpg(1, X);
	same(g->use(1, X), "", "INVLPG both");

	for (bool lazy : { false, true }) {
		g.reset(two());
		g->set(0, pte, 0);
		g->set(0, pmd, 0);
		if (!lazy)
			g->m.invlpg(1, X);
		g->m.invlpg(0, X);
		g->found.clear();
		g->set(0, table, 5);
		check(g->found.empty(), "an entry in an unlinked table is not yet something else");
		for (unsigned k = 0; k < 512; k++)
			g->word[table / 8 + k] = 0;
		g->m.written(0, table, 4096, 0);
		g->m.settle();
		check(g->found.size() == lazy, lazy ? "cleared as a page while a CPU can walk it: freed too early" :
		      "cleared as a page after both have flushed: fine");
		check(!lazy || (g->found[0].kind == FREED_TABLE && g->found[0].cpu == 1), "and whose CPU's it is");
	}

	/* A large page in pieces, and back. */
	g.reset(two());
	u64 large = X + 0x40000000;
	g->map(0, ROOT1, large, A, RW, 1);
	u64 split = g->page();
	for (unsigned k = 0; k < 512; k++)
		g->set(0, split + 8 * k, (A + 0x1000 * k) | P | RW);
	g->set(0, g->entry(0, ROOT1, large, 1), split | P | RW | US);
	g->leave(0);
	same(g->use(1, large + 0x3000, true), "", "split into the same: no error");
	g->set(0, split + 8 * 3, 0);
	same(g->use(1, large + 0x3000), "", "a piece is unmapped, not yet due");
	g->leave(0);
	same(g->use(1, large + 0x3000).substr(0, 1) + g->use(1, large + 0x4000), "u", "a piece unmapped: the large page is stale there only");
	g->map(0, ROOT1, large, B, RW, 1);
	g->leave(0);
	same(g->use(1, large + 0x4000), "fTf", "joined elsewhere: the large page, the pieces, the table of the pieces");

	/* A root that is freed: what is written there is no page table. */
	g.reset(two());
	g->m.cr3(1, ROOT2 | 2);
	g->m.cr3(0, ROOT2 | 2);
	size_t known = g->m.tables_known();
	g->set(0, ROOT1 + 8 * index(X, ROOT), 0x123456789);
	for (unsigned k = 0; k < 8; k++)
		g->set(0, ROOT1 + 8 * k, (A + 0x1000 * k) | P | RW | US);
	check(g->m.tables_known() < known, "a freed root is forgotten, garbage in it is not followed");
	/* A table that leads to itself. */
	g.reset(two());
	g->set(0, ROOT1, ROOT1 | P | RW | US);
	same(g->use(0, X), "", "a root that leads to itself");
	g->set(0, ROOT1, 0);

	/* Rights in the middle. */
	g.reset(two({}, RW));
	g->set(0, pmd, g->read(pmd) & ~RW);
	g->leave(0);
	check(g->use(1, X, true).find('r') != std::string::npos && g->use(1, X).empty(), "write protected one level up");

	/* Shared by two roots. */
	g.reset(two());
	g->m.cr3(1, ROOT2 | 2);
	g->set(1, ROOT2 + 8 * index(X, ROOT), g->read(ROOT1 + 8 * index(X, ROOT)));
	g->set(0, pte, 0);
	g->leave(0);
	same(g->use(1, X), "u", "a table that several roots share");
}

static void writers()
{
	std::unique_ptr<Guest> g(two());

	g->task[0] = 100;
	g->task[1] = 200;
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->task[0] = 300;
	g->leave(0);
	same(g->use(1, X), "", "the writer was preempted: another task leaves the kernel");
	g->task[1] = 100;
	g->leave(1);
	same(g->use(1, X), "u", "the writer leaves it, on another CPU");
	g.reset(two());
	g->task[0] = 100;
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->m.sleeps(100);
	same(g->use(1, X), "u", "a kernel thread sleeps");
	g.reset(two());
	g->task[0] = 100;
	g->leave(0);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->m.sleeps(100);
	same(g->use(1, X), "", "a task with a user mode may sleep before it flushes");
	g->m.dies(100);
	same(g->use(1, X), "u", "but not die");
}

static void options()
{
	Options o;

	o.speculation = false;
	std::unique_ptr<Guest> g(two(o));
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	same(g->use(1, X), "", "without speculation: never walked, not held");
	g.reset(two(o));
	g->m.fill(1, X, 0, false);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	same(g->use(1, X), "u", "without speculation: walked");
	g.reset(two(o));
	g->m.fill(1, X, 0, false);
	g->m.invlpg(1, X);
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	same(g->use(1, X), "", "without speculation: walked, flushed");

	g.reset(two());
	g->set(0, g->entry(0, ROOT1, X, 0), 0);
	g->leave(0);
	g->ignoring = true;
	same(g->use(1, X), "", "a use that is meant so");
	check(g->m.n.ignored == 1 && !g->m.n.reports, "is counted as such");
	g->ignoring = false;
	same(g->use(1, X), "u", "and another is not");

	for (int what : { 0, 1, 2, 3 }) {
		const char *name[] = { "INVLPG", "INVPCID", "MOV to CR3", "CR4.PGE" };
		Options m;
		m.mask = what == 0 ? Options::INVLPG : what == 1 ? Options::INVPCID : what == 2 ? Options::CR3 : Options::CR4;
		m.mask_every = 1;
		g.reset(two(m));
		g->set(0, g->entry(0, ROOT1, X, 0), 0);
		g->leave(0);
		u64 before = g->m.n.masked;
		for (int i : { 0, 1, 2, 3 })
			if (i == what)
				i == 0 ? g->m.invlpg(1, X) : i == 1 ? g->m.invpcid(1, 0, 1, X) :
				i == 2 ? g->m.cr3(1, ROOT1 | 1) :
				(g->m.cr4(1, CR4_PAE | CR4_PCIDE), g->m.cr4(1, CR4_PAE | CR4_PGE | CR4_PCIDE));
		same(g->use(1, X), "u", std::string("taken as if it hadn't happened: ") + name[what]);
		check(g->m.n.masked == before + 1, "and counted");
		what == 0 ? g->m.cr3(1, ROOT1 | 1) : g->m.invlpg(1, X);
		same(g->use(1, X), "", "but not the others");
	}
}

static std::string told(Guest &g, unsigned cpu)
{
	g.found.clear();
	g.leave(cpu);
	return g.said();
}

/* What is said when a CPU loads a root. */
static std::string loads(Guest &g, unsigned cpu, u64 cr3)
{
	g.found.clear();
	g.m.cr3(cpu, cr3);
	return g.said();
}

/* CPU 1 has another PCID loaded while CPU 0 puts small pages where a large one was. */
static void hazards_away()
{
	const u64 large = X + 0x40000000, same_page = 0, next_page = 0x1000;
	Options o;

	o.hazards = true;
	for (u64 differ : { same_page, next_page, u64(PCD) })
		for (bool gone : { false, true })
			for (bool kept : { false, true }) {
				std::unique_ptr<Guest> g(two(o));
				std::string what = differ == same_page ? "other rights" : differ == PCD ? "another type" : "another frame";

				g->map(0, ROOT1, large, A, RW, 1);
				g->m.cr3(1, ROOT2 | 2);
				u64 pages = g->page();
				for (unsigned k = 0; k < 512; k++)
					g->set(0, pages + 8 * k, (A + 0x1000 * k + (k == 511 ? differ : 0)) | P);
				if (gone)
					g->set(0, g->entry(0, ROOT1, large, 1), 0);
				g->set(0, g->entry(0, ROOT1, large, 1), pages | P | RW | US);
				g->m.invlpg(0, large);
				same(told(*g, 0), "", what + ", but another PCID is loaded");
				same(loads(*g, 1, ROOT1 | 1 | (kept ? CR3_KEEP : 0)), differ != same_page && kept ? "m" : "",
				     what + ", PCID loaded" + (kept ? "" : " and flushed") + (gone ? ", unmapped between" : ""));
				same(told(*g, 1) + told(*g, 0), "", "and nothing later");
			}
}

/* The CPU in question does nothing at all. */
static void hazards()
{
	const u64 large = X + 0x40000000;
	Options o;

	for (bool on : { false, true })
		for (bool flushed : { false, true }) {
			o.hazards = on;
			std::unique_ptr<Guest> g(two(o));
			g->map(0, ROOT1, large, A, RW, 1);
			u64 split = g->page();
			for (unsigned k = 0; k < 512; k++)
				g->set(0, split + 8 * k, (A + 0x1000 * k) | P | RW);
			g->set(0, g->entry(0, ROOT1, large, 1), split | P | RW | US);
			same(told(*g, 1), "", "split, not yet due");
			for (unsigned cpu = 0; flushed && cpu < 2; cpu++)
				g->m.invlpg(cpu, large);
			same(told(*g, 0), on && !flushed ? "mm" : "", std::string("split, both sizes on both CPUs") +
			     (flushed ? ", flushed" : "") + (on ? "" : ", not asked for"));
			same(told(*g, 0), "", "and told once");
		}

	std::unique_ptr<Guest> g(two(o));
	g->map(0, ROOT1, large, A, RW, 1);
	g->set(0, g->entry(0, ROOT1, large, 1), 0);
	same(told(*g, 0), "", "a large page that is gone meets nothing");
	g->entry(0, ROOT1, large + 0x5000, 0);
	same(told(*g, 0), "", "nor in an empty table");
	g->map(0, ROOT1, large + 0x5000, B, RW);
	same(told(*g, 0), "mm", "until a small one takes its place");
	g.reset(two(o));
	g->m.cr3(1, ROOT2 | 2);
	g->map(0, ROOT1, X, A, RW | PCD);
	g->set(1, ROOT2 + 8 * index(X, ROOT), g->read(ROOT1 + 8 * index(X, ROOT)));
	same(told(*g, 0), "t", "a memory type: not by a CPU that has another PCID loaded");
	same(loads(*g, 1, ROOT1 | 1 | CR3_KEEP), "t", "until it loads that one");
	g.reset(two(o));
	g->map(0, ROOT1, X, A, 0);
	same(told(*g, 0), "", "rights are no hazard");
	g.reset(two(o, RW | US, LOW));
	g->map(0, ROOT1, LOW, A, RW | US | PCD);
	same(told(*g, 0), "", "nor user mode's addresses, where CPUs in lazy TLB mode may have both");
}

int main()
{
	uses();
	tags();
	tables();
	writers();
	options();
	hazards();
	hazards_away();
	return finish();
}
