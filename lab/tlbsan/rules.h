/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What removes a translation, by vendor: Intel's SDM, volume 3, "Invalidation
 * of TLBs and Paging-Structure Caches", and AMD's APM, volume 2, "TLB
 * Management". A processor may remove more at any time; only what it must
 * remove counts here.
 */
#ifndef TLBSAN_RULES_H
#define TLBSAN_RULES_H

#include <vector>

#include "held.h"

namespace tlbsan {

enum Vendor { INTEL, AMD };

struct Cpu {
	Held held;
	u64 cr0 = 0, cr3 = 0, cr4 = 0;
	bool tce = false;		/* AMD's EFER.TCE */

	unsigned tag() const { return cr4 & CR4_PCIDE ? cr3 & CR3_PCID : 0; }
};

/* When it happened, and roots that no PCID of this CPU refers to any more. */
struct Removal {
	u64 now;
	std::vector<u64> roots;
};

void invlpg(Vendor v, Cpu &c, u64 lin, Removal &r);
void invpcid(Cpu &c, unsigned type, unsigned pcid, u64 lin, Removal &r);
/* After the value was written; true if what the PCID had is gone. */
bool mov_cr3(Cpu &c, u64 value, Removal &r);
void mov_cr4(Vendor v, Cpu &c, u64 was, u64 now, Removal &r);
void mov_cr0(Cpu &c, u64 was, u64 now, Removal &r);
void page_fault(Cpu &c, u64 lin, Removal &r);

/*
 * INVLPGB, of AMD: asks every CPU; certain only after TLBSYNC on the CPU that
 * asked. ASIDs are those of guests, the host's is 0.
 */
struct Invlpgb {
	bool va, pcid, asid, global, final_only;
	u64 lin;
	unsigned count;			/* pages, of 2 MiB if stride */
	bool stride;
	unsigned pcid_value, asid_value;
};

Invlpgb invlpgb_operands(u64 rax, uint32_t ecx, uint32_t edx);
void invlpgb(Cpu &c, const Invlpgb &what, Removal &r);

class Tlbsync {
public:
	void asked(unsigned cpu, const Invlpgb &what) { open.push_back({ cpu, what }); }
	/* For all CPUs; what others have asked stays open. */
	void sync(unsigned cpu, std::vector<Cpu *> cpus, Removal &r);

private:
	struct Open { unsigned cpu; Invlpgb what; };
	std::vector<Open> open;
};

} // namespace tlbsan
#endif
