/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The machine: what its CPUs do goes in, errors come out. Turns changes of page
 * tables into what each CPU could still hold, and asks at each access whether
 * something held would have answered otherwise than the page tables do.
 */
#ifndef TLBSAN_MACHINE_H
#define TLBSAN_MACHINE_H

#include "rules.h"
#include "tables.h"
#include "writers.h"

namespace tlbsan {

enum Kind {
	UNMAPPED,		/* nothing is mapped there any more */
	OTHER_FRAME,		/* something else is mapped there by now */
	LOST_RIGHTS,		/* the access isn't allowed any more */
	OTHER_TYPE,		/* the memory type is another */
	THROUGH_TABLE,		/* by way of a table that was unlinked */
	FREED_TABLE,		/* an unlinked table was reused, a CPU can walk it */
	REUSED_PCID,		/* by what the PCID had from another root */
	MIXED_SIZES,		/* two sizes of page could be held at once */
	KINDS
};

struct Finding {
	Kind kind;
	unsigned cpu, tag;	/* the PCID, or GLOBAL */
	Access access;
	bool accessed;		/* FREED_TABLE, hazards: no */
	Translation held;
	u64 table = 0;		/* where it is by way of a table */
	bool mapped = false;
	Translation now;
	By by;
	Where user;
};

/* What surrounds the machine. */
struct Host {
	virtual ~Host() = default;
	virtual Where where(unsigned cpu, bool full) = 0;
	virtual void watch(u64 frame, bool on) = 0;
	virtual void report(const Finding &f) = 0;
	/* An access from there is meant to be what it is. */
	virtual bool ignored(u64 rip) { return (void)rip, false; }
};

struct Options {
	Vendor vendor = INTEL;
	bool speculation = true;
	/* Every n-th of a kind of flush is taken as if it hadn't happened. */
	enum Mask { NONE, INVLPG, CR3, CR4, INVPCID } mask = NONE;
	unsigned mask_every = 0;
	/* What speculation alone can do harm with, without any access. */
	bool hazards = false;
};

struct Statistics {
	u64 changes, held, windows, same, reports, masked, ignored;
	u64 invlpg, invpcid[4], cr3_flush, cr3_keep, cr4_flush, freed_checked;
};

class Machine : private Changes {
public:
	Machine(const Memory &mem, Host &host, const Options &o) : mem(mem), host(host), o(o), tables(mem, *this) {}

	/* A CPU is there, with registers as after reset. */
	void reset(unsigned cpu);
	void cr0(unsigned cpu, u64 value);
	void cr3(unsigned cpu, u64 value);
	void cr4(unsigned cpu, u64 value);
	void invlpg(unsigned cpu, u64 lin);
	void invpcid(unsigned cpu, unsigned type, unsigned pcid, u64 lin);
	void fault(unsigned cpu, u64 lin);
	void fill(unsigned cpu, u64 lin, int level, bool global);

	/* A write into a watched frame, and, before anybody goes on, what came of it. */
	void written(unsigned cpu, u64 phys, unsigned len, u64 rip);
	void settle();
	void access(unsigned cpu, const Access &a);

	/* cpu leaves the kernel, task sleeps or dies: its flushes are due. */
	void left(unsigned cpu, u64 task, bool to_user) { writers.left(cpu, task, to_user); hazards(); }
	void sleeps(u64 task) { writers.sleeps(task); hazards(); }
	void dies(u64 task) { writers.dies(task); hazards(); }

	unsigned hot(unsigned cpu) const { return cpus[cpu].held.hot(cpus[cpu].tag()); }
	unsigned pending() const { return todo.size(); }
	u64 root(unsigned cpu) const { return cpus[cpu].cr3 & FRAME; }
	size_t tables_known() const { return tables.size(); }

	Statistics n = {};

private:
	struct Write { unsigned cpu; u64 phys; unsigned len; u64 rip; };
	/*
	 * A page of another size or type than the tables have: a hazard, once
	 * it's due. away: the CPU had another PCID loaded by then.
	 */
	struct Suspect { unsigned cpu, tag; u64 key; By by; bool away; };
	/* Pages for which nothing at all is held, until something new is. */
	struct Clean { u64 page, epoch; };

	void changed(const Table &t, unsigned k, u64 now, u64 lin) override;
	void watch(u64 frame, bool on) override { host.watch(frame, on); }
	void died(u64 root) override;

	By because(u64 was, u64 now, int level, u64 lin);
	void hold_page(unsigned cpu, unsigned tag, const Translation &t, u64 was, u64 now, const Rights &above);
	void hold_node(Cpu &c, unsigned tag, u64 until, const Node &n, const std::shared_ptr<const Cut> &cut);
	void rebase(Space &s, u64 lin, int level, u64 was, u64 now, const Rights &above);
	void enter(unsigned cpu);
	void leave(unsigned cpu);
	void reused(const Write &w);
	void hazards();
	bool hazard(Suspect &s);
	bool masked(Options::Mask what);
	void release(const Removal &r);
	Removal removal() { return { tables.tick(), {} }; }

	struct Look;
	void look(Look &l, u64 lin);
	void judge(Look &l, Kind kind, unsigned tag, const Translation &t, u64 table, const By &by);

	const Memory &mem;
	Host &host;
	const Options o;
	Writers writers;
	Tables tables;
	Cpu cpus[MAX_CPUS];
	unsigned ncpus = 0, acting = 0;
	std::vector<Write> todo;
	std::vector<Suspect> suspects;
	bool pge_masked[MAX_CPUS] = {};
	const Write *cause = nullptr;
	By cause_by;
	std::unordered_map<u64, unsigned> unlinked;	/* frames of nodes held */
	std::set<std::pair<By, u64>> told;		/* pins what it compares */
	u64 epoch = 1, mask_count = 0;
	Clean clean[MAX_CPUS][256] = {};
};

} // namespace tlbsan
#endif
