// SPDX-License-Identifier: GPL-2.0
#include "rules.h"

namespace tlbsan {

static void everything(Cpu &c, bool globals, Removal &r)
{
	std::vector<unsigned> tags;

	for (auto &p : c.held.pcid)
		tags.push_back(p.first);
	for (auto &s : c.held.space)
		if (s.first != GLOBAL)
			tags.push_back(s.first);
	for (unsigned t : tags)
		c.held.drop_pcid(t, r.now, &r.roots);
	if (globals)
		c.held.drop_globals(r.now);
}

/*
 * Intel: the page under this PCID, a global one whatever the PCID, and all
 * paging-structure caches of this PCID. AMD: the same, but with EFER.TCE only
 * those entries of the paging-structure caches that lead to the page.
 */
void invlpg(Vendor v, Cpu &c, u64 lin, Removal &r)
{
	(void)r;
	c.held.drop_page(c.tag(), lin);
	c.held.drop_page(GLOBAL, lin);
	if (v == AMD && c.tce)
		c.held.drop_nodes_of(c.tag(), lin);
	else
		c.held.drop_nodes(c.tag());
}

void invpcid(Cpu &c, unsigned type, unsigned pcid, u64 lin, Removal &r)
{
	switch (type) {
	case 0: /* what translates this address under this PCID, but globals */
		c.held.drop_page(pcid, lin);
		c.held.drop_nodes_of(pcid, lin);
		break;
	case 1: /* all of this PCID, but globals */
		c.held.drop_pcid(pcid, r.now, &r.roots);
		break;
	case 2: /* all of all PCIDs, and globals */
		everything(c, true, r);
		break;
	case 3: /* all of all PCIDs, but globals */
		everything(c, false, r);
		break;
	}
}

/*
 * All of the PCID that is loaded but globals; nothing if bit 63 says so. Without
 * PCIDs the bit isn't one, and PCID 0 is everybody's.
 */
bool mov_cr3(Cpu &c, u64 value, Removal &r)
{
	if (c.cr4 & CR4_PCIDE && value & CR3_KEEP)
		return false;
	c.held.drop_pcid(c.tag(), r.now, &r.roots);
	return true;
}

/*
 * Everything, globals and all PCIDs: PGE changes, PCIDE goes. What the current
 * PCID has, but globals: PAE changes, SMEP comes. AMD: PAE, PSE and PGE are all
 * of the first kind.
 */
void mov_cr4(Vendor v, Cpu &c, u64 was, u64 now, Removal &r)
{
	u64 changed = was ^ now;

	if (changed & CR4_PGE || was & ~now & CR4_PCIDE || (v == AMD && changed & (CR4_PAE | 1 << 4)))
		everything(c, true, r);
	else if (changed & CR4_PAE || now & ~was & CR4_SMEP)
		c.held.drop_pcid(c.tag(), r.now, &r.roots);
}

/* Paging switched off: everything. */
void mov_cr0(Cpu &c, u64 was, u64 now, Removal &r)
{
	if (was & ~now & CR0_PG)
		everything(c, true, r);
}

/*
 * A page fault: the faulting address's page, under this PCID and global, and
 * what leads to it, so that the access can be tried again.
 */
void page_fault(Cpu &c, u64 lin, Removal &r)
{
	(void)r;
	c.held.drop_page(c.tag(), lin);
	c.held.drop_page(GLOBAL, lin);
	c.held.drop_nodes_of(c.tag(), lin);
}

Invlpgb invlpgb_operands(u64 rax, uint32_t ecx, uint32_t edx)
{
	Invlpgb w;

	w.va = rax & 1;
	w.pcid = rax & 2;
	w.asid = rax & 4;
	w.global = rax & 8;
	w.final_only = rax & 16;
	w.lin = rax & ~0xfffull;
	w.count = (ecx & 0xffff) + 1;
	w.stride = ecx >> 31;
	w.asid_value = edx & 0xffff;
	w.pcid_value = edx >> 16 & 0xfff;
	return w;
}

void invlpgb(Cpu &c, const Invlpgb &w, Removal &r)
{
	std::vector<unsigned> tags;

	if (w.asid && w.asid_value)
		return; /* a guest's, which isn't looked at */
	for (auto &p : c.held.pcid)
		tags.push_back(p.first);
	for (auto &s : c.held.space)
		if (s.first != GLOBAL && !c.held.pcid.count(s.first))
			tags.push_back(s.first);
	for (unsigned t : tags) {
		if (w.pcid && t != w.pcid_value)
			continue;
		if (!w.va) {
			c.held.drop_pcid(t, r.now, &r.roots);
			continue;
		}
		for (unsigned i = 0; i < w.count; i++) {
			u64 lin = w.lin + i * size(w.stride ? 1 : 0);

			c.held.drop_page(t, lin);
			if (!w.final_only)
				c.held.drop_nodes_of(t, lin);
		}
	}
	if (!w.global)
		return;
	if (!w.va)
		c.held.drop_globals(r.now);
	else
		for (unsigned i = 0; i < w.count; i++)
			c.held.drop_page(GLOBAL, w.lin + i * size(w.stride ? 1 : 0));
}

void Tlbsync::sync(unsigned cpu, std::vector<Cpu *> cpus, Removal &r)
{
	std::vector<Open> rest;

	for (const Open &o : open) {
		if (o.cpu != cpu) {
			rest.push_back(o);
			continue;
		}
		for (Cpu *c : cpus)
			invlpgb(*c, o.what, r);
	}
	open.swap(rest);
}

} // namespace tlbsan
