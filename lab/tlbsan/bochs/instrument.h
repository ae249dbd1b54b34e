// SPDX-License-Identifier: GPL-2.0
/*
 * What Bochs calls. Its own callbacks come first; those that it lacks are put
 * into its source by the anchored edits in edits/. Everything that runs for
 * each instruction or access is decided here, inline, by two words.
 */
#if BX_INSTRUMENTATION
class bxInstruction_c;

extern unsigned tlbsan_hot[64];		/* stale things that this CPU could use now */
extern unsigned tlbsan_pending;		/* table writes not yet looked at */
extern Bit8u *tlbsan_frames;		/* one per page frame: is it watched? */
extern Bit64u tlbsan_nframes;
extern Bit64u tlbsan_calls[2];		/* functions whose calls are looked at */

void tlbsan_init(void);
void tlbsan_end(void);
void tlbsan_reset(unsigned cpu, unsigned type);
void tlbsan_written(unsigned cpu, Bit64u phy, unsigned len);
void tlbsan_used(unsigned cpu, Bit64u lin, unsigned len, unsigned rw);
void tlbsan_before(unsigned cpu);
void tlbsan_left(unsigned cpu, bool halted);
void tlbsan_called(unsigned cpu, Bit64u target);
void tlbsan_control(unsigned cpu, unsigned what, Bit64u value);
void tlbsan_invpcid(unsigned cpu, unsigned type, unsigned pcid, Bit64u lin);
void tlbsan_fault(unsigned cpu, Bit64u lin, unsigned user, unsigned rw);
void tlbsan_fill(unsigned cpu, Bit64u lin, int leaf, bool global);

static inline void tlbsan_lin(unsigned cpu, Bit64u lin, Bit64u phy, unsigned len, unsigned rw)
{
	if ((rw & 1) && (phy >> 12) < tlbsan_nframes && tlbsan_frames[phy >> 12])
		tlbsan_written(cpu, phy, len);
	if (tlbsan_hot[cpu])
		tlbsan_used(cpu, lin, len, rw);
}

static inline void tlbsan_branch(unsigned cpu, Bit64u target)
{
	if (target && (target == tlbsan_calls[0] || target == tlbsan_calls[1]))
		tlbsan_called(cpu, target);
}

#define BX_INSTR_INIT_ENV() tlbsan_init()
#define BX_INSTR_EXIT_ENV() tlbsan_end()
#define BX_INSTR_RESET(c, type) tlbsan_reset(c, type)
#define BX_INSTR_HLT(c) tlbsan_left(c, true)
#define BX_INSTR_MWAIT(c, addr, len, flags) tlbsan_left(c, true)
#define BX_INSTR_FAR_BRANCH(c, what, pcs, pip, ncs, nip) tlbsan_left(c, false)
#define BX_INSTR_UCNEAR_BRANCH(c, what, from, to) tlbsan_branch(c, to)
#define BX_INSTR_TLB_CNTRL(c, what, v) tlbsan_control(c, what, v)
#define BX_INSTR_LIN_ACCESS(c, l, p, len, mt, rw) tlbsan_lin(c, l, p, len, rw)
#define BX_INSTR_BEFORE_EXECUTION(c, i) do { if (tlbsan_pending | tlbsan_hot[c]) tlbsan_before(c); } while (0)

/* Put in by the edits. */
#define BX_INSTR_TLBSAN_CR3(c, v) tlbsan_control(c, BX_INSTR_MOV_CR3, v)
#define BX_INSTR_TLBSAN_INVPCID(c, t, p, l) tlbsan_invpcid(c, t, p, l)
#define BX_INSTR_TLBSAN_FAULT(c, l, u, rw) tlbsan_fault(c, l, u, rw)
#define BX_INSTR_TLBSAN_FILL(c, l, leaf, g) tlbsan_fill(c, l, leaf, g)
#define BX_INSTR_TLBSAN_STRING(c, l, ppf, rw) tlbsan_lin(c, (l) & ~0xfffULL, ppf, 4096, rw)

#define BX_INSTR_INITIALIZE(c)
#define BX_INSTR_EXIT(c)
#define BX_INSTR_DEBUG_PROMPT()
#define BX_INSTR_DEBUG_CMD(cmd)
#define BX_INSTR_CNEAR_BRANCH_TAKEN(c, from, to)
#define BX_INSTR_CNEAR_BRANCH_NOT_TAKEN(c, from)
#define BX_INSTR_OPCODE(c, i, opcode, len, is32, is64)
#define BX_INSTR_EXCEPTION(c, vector, error_code)
#define BX_INSTR_INTERRUPT(c, vector)
#define BX_INSTR_HWINTERRUPT(c, vector, cs, eip)
#define BX_INSTR_CLFLUSH(c, lin, phy)
#define BX_INSTR_CACHE_CNTRL(c, what)
#define BX_INSTR_PREFETCH_HINT(c, what, seg, offset)
#define BX_INSTR_AFTER_EXECUTION(c, i)
#define BX_INSTR_REPEAT_ITERATION(c, i)
#define BX_INSTR_PHY_ACCESS(c, phy, len, mt, rw)
#define BX_INSTR_INP(addr, len)
#define BX_INSTR_INP2(addr, len, val)
#define BX_INSTR_OUTP(addr, len, val)
#define BX_INSTR_WRMSR(c, addr, value)
#define BX_INSTR_VMEXIT(c, reason, qualification)
#else
#error "tlbsan wants BX_INSTRUMENTATION"
#endif
