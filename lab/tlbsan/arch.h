/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the architecture says of page-table entries: four levels, numbered from
 * the last (0: PTE, 1: PDE, 2: PDPTE, 3: PML4E).
 */
#ifndef TLBSAN_ARCH_H
#define TLBSAN_ARCH_H

#include <cstdint>

namespace tlbsan {

using u64 = uint64_t;

constexpr int LEVELS = 4, ROOT = 3;
/* Not a PCID: what translations with G are filed under. */
constexpr unsigned GLOBAL = 4096, MAX_CPUS = 64;

constexpr u64 P = 1, RW = 2, US = 4, PWT = 8, PCD = 16, PS = 1 << 7, G = 1 << 8;
constexpr u64 PAT_SMALL = 1 << 7, PAT_LARGE = 1 << 12, NX = 1ull << 63;
constexpr u64 FRAME = 0x000ffffffffff000;

constexpr u64 CR0_PG = 1ull << 31;
constexpr u64 CR4_PAE = 1 << 5, CR4_PGE = 1 << 7, CR4_LA57 = 1 << 12;
constexpr u64 CR4_PCIDE = 1 << 17, CR4_SMEP = 1 << 20;
constexpr u64 CR3_KEEP = 1ull << 63, CR3_PCID = 0xfff;

constexpr unsigned shift(int level) { return 12 + 9 * level; }
constexpr u64 size(int level) { return 1ull << shift(level); }
constexpr unsigned index(u64 lin, int level) { return lin >> shift(level) & 511; }
constexpr bool leaf(u64 e, int level) { return level == 0 || (level < ROOT && (e & PS)); }
constexpr bool node(u64 e, int level) { return (e & P) && !leaf(e, level); }
/* Addresses have 48 bits, the upper ones repeat the last. */
constexpr u64 canonical(u64 lin) { return lin & 1ull << 47 ? lin | ~0ull << 48 : lin & ((1ull << 48) - 1); }
/* One number for what a level's entry translates. */
constexpr u64 key(u64 lin, int level) { return lin >> shift(level) << 3 | level; }

/* Memory type as an index into the PAT: PAT, PCD, PWT. */
constexpr unsigned type(u64 e, int level)
{
	return (e & (level ? PAT_LARGE : PAT_SMALL) ? 4 : 0) | (e >> 3 & 3);
}

/* The frame of a leaf, without the bits that say something else. */
constexpr u64 frame(u64 e, int level) { return e & FRAME & ~(size(level) - 1); }

/* What all entries of a walk allow together. */
struct Rights {
	bool w = true, u = true, nx = false;

	void narrow(u64 e)
	{
		w = w && (e & RW);
		u = u && (e & US);
		nx = nx || (e & NX);
	}
};

/* A translation: all of the 4 KiB, 2 MiB or 1 GiB around lin. */
struct Translation {
	u64 lin = 0, frame = 0;
	int level = 0;
	Rights r;
	unsigned type = 0;
	bool global = false;

	u64 to(u64 address) const { return frame + (address & (size(level) - 1)); }
};

struct Access {
	u64 lin;
	bool write, exec, user;
	unsigned len;
};

/* Would a CPU that has this translation make this access by it? */
constexpr bool allows(const Rights &r, const Access &a)
{
	if (a.write && !r.w)
		return false;
	if (a.user && !r.u)
		return false;
	/* SMEP: the kernel doesn't run what user mode may. */
	return !a.exec || (!r.nx && (a.user || !r.u));
}

/* Physical memory, by naturally aligned words; 0 where there is none. */
struct Memory {
	virtual ~Memory() = default;
	virtual u64 read(u64 phys) const = 0;
	virtual u64 end() const = 0;
};

/* The translation that the tables in memory give; false if none. */
inline bool walk(const Memory &mem, u64 root, u64 lin, Translation *t)
{
	u64 table = root & FRAME;

	t->r = Rights();
	for (int level = ROOT; level >= 0; level--) {
		u64 e = mem.read(table + 8 * index(lin, level));

		if (!(e & P))
			return false;
		t->r.narrow(e);
		if (leaf(e, level)) {
			t->level = level;
			t->lin = lin & ~(size(level) - 1);
			t->frame = frame(e, level);
			t->type = type(e, level);
			t->global = e & G;
			return true;
		}
		table = e & FRAME;
	}
	return false;
}

} // namespace tlbsan
#endif
