/* SPDX-License-Identifier: GPL-2.0 */
/* TAP for the unit tests, and a guest that is nothing but page tables. */
#ifndef TLBSAN_UNIT_H
#define TLBSAN_UNIT_H

#include <cstdio>
#include <string>
#include <vector>

#include "../machine.h"

namespace tlbsan {

inline int tests, failures;

inline void check(bool good, const std::string &what)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tests, what.c_str());
	failures += !good;
}

inline void same(const std::string &got, const std::string &want, const std::string &what)
{
	check(got == want, what);
	if (got != want)
		printf("#  got: %s\n# want: %s\n", got.c_str(), want.c_str());
}

inline int finish()
{
	printf("1..%d\n", tests);
	return failures != 0;
}

/* 16 MiB; tables are handed out from the first page on. */
struct Guest : Memory, Host {
	std::vector<u64> word = std::vector<u64>(16 << 17);
	std::vector<Finding> found;
	std::vector<u64> task = std::vector<u64>(MAX_CPUS);
	std::vector<int> watched = std::vector<int>(16 << 8);
	u64 next = 0x1000, time = 0;
	bool ignoring = false;
	Machine m;

	explicit Guest(const Options &o = Options()) : m(*this, *this, o) {}

	u64 read(u64 phys) const override { return phys / 8 < word.size() ? word[phys / 8] : 0; }
	u64 end() const override { return word.size() * 8; }
	Where where(unsigned cpu, bool) override
	{
		Where w;

		w.cpu = cpu;
		w.task = task[cpu];
		w.time = ++time;
		w.rip = time; /* every use is at another place */
		return w;
	}
	void watch(u64 frame, bool on) override { watched.at(frame >> 12) += on ? 1 : -1; }
	void report(const Finding &f) override { found.push_back(f); }
	bool ignored(u64) override { return ignoring; }

	u64 page() { return next += 0x1000; }
	/* A CPU's write: seen by the sanitizer only if the frame is watched. */
	void set(unsigned cpu, u64 phys, u64 value)
	{
		word[phys / 8] = value;
		if (watched[phys >> 12])
			m.written(cpu, phys, 8, 0);
		m.settle();
	}
	/* The address of the entry for lin at a level, with tables down to it. */
	u64 entry(unsigned cpu, u64 root, u64 lin, int level)
	{
		u64 table = root;

		for (int l = ROOT; l > level; l--) {
			u64 at = table + 8 * index(lin, l);

			if (!(read(at) & P))
				set(cpu, at, page() | P | RW | US);
			table = read(at) & FRAME;
		}
		return table + 8 * index(lin, level);
	}
	void map(unsigned cpu, u64 root, u64 lin, u64 frame, u64 bits, int level = 0)
	{
		set(cpu, entry(cpu, root, lin, level), frame | bits | P | (level ? PS : 0));
	}
	/* A CPU in long mode with a root under a PCID. */
	void start(unsigned cpu, u64 root, unsigned pcid = 0)
	{
		m.reset(cpu);
		m.cr4(cpu, CR4_PAE | CR4_PGE | CR4_PCIDE);
		m.cr3(cpu, root | pcid);
		m.cr0(cpu, CR0_PG);
	}
	/* The writer's CPU leaves the kernel: now its flushes are due. */
	void leave(unsigned cpu) { m.left(cpu, task[cpu], true); }
	/* The kinds of errors that an access makes, as letters. */
	std::string use(unsigned cpu, u64 lin, bool write = false, bool exec = false, bool user = false)
	{
		found.clear();
		m.access(cpu, { lin, write, exec, user, 8 });
		return said();
	}
	std::string said() const
	{
		std::string s;

		for (const Finding &f : found)
			s += "ufrtTFpm"[f.kind];
		return s;
	}
};

} // namespace tlbsan
#endif
