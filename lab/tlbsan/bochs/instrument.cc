// SPDX-License-Identifier: GPL-2.0
/*
 * Between Bochs and the machine of machine.h. Settings come in the environment,
 * from lab/tlbsan/boot: TLBSAN_OUT, TLBSAN_JSON, TLBSAN_SYMBOLS, TLBSAN_MASK,
 * TLBSAN_SPECULATION, TLBSAN_VENDOR, TLBSAN_HAZARDS, TLBSAN_STOP,
 * TLBSAN_IGNORE.
 */
#include "bochs.h"
#include "pc_system.h"
#include "cpu/cpu.h"
#include "memory/memory-bochs.h"

#include "report.h"

using namespace tlbsan;

unsigned tlbsan_hot[64], tlbsan_pending;
Bit8u *tlbsan_frames;
Bit64u tlbsan_nframes, tlbsan_calls[2];

enum { STACK_WORDS = 512, STACK_LINES = 12, TASK_BYTES = 16384 };

static struct : Memory {
	u64 read(u64 phys) const override
	{
		bx_hostpageaddr_t h = 0;

		if (phys < end())
			h = BX_CPU(0)->getHostMemAddr(phys & ~0xfffull, BX_READ);
		return h ? *(Bit64u *)(h | (phys & 0xff8)) : 0;
	}
	u64 end() const override { return tlbsan_nframes << 12; }
} memory;

static Symbols symbols;
static Reporter *reporter;
static Machine *machine;
static Options options;
static u64 current_task, comm_offset;	/* a per-CPU symbol; 0: not known */
static unsigned resets, stop_after;
static std::vector<std::pair<u64, u64>> ignore;
static bool executing;			/* RIP is what is used, not what uses */

/* The last place in physical memory at which each CPU's current task was. */
static struct { u64 lin, phys; } task_at[MAX_CPUS];

static bool vread(unsigned c, u64 lin, u64 *to)
{
	Translation t;

	if (lin & 7 || !walk(memory, BX_CPU(c)->cr3, lin, &t))
		return false;
	*to = memory.read(t.to(lin));
	return true;
}

/*
 * The task that runs on a CPU, as per-CPU data have it. In user mode's page
 * tables they aren't; but they don't move either.
 */
static u64 task_of(unsigned c)
{
	u64 gs = BX_CPU(c)->sregs[BX_SEG_REG_GS].cache.u.segment.base, task = 0;
	Translation t;

	if (!current_task)
		return 0;
	if (!(gs >> 63))
		gs = BX_CPU(c)->msr.kernelgsbase;
	if (!(gs >> 63))
		return 0;
	u64 lin = gs + current_task;
	if (task_at[c].lin != lin) {
		if (!walk(memory, BX_CPU(c)->cr3, lin, &t))
			return 0;
		task_at[c] = { lin, t.to(lin) };
	}
	task = memory.read(task_at[c].phys);
	return task >> 63 ? task : 0;
}

/* Where a task's name is: found in the first one, which is always called the same. */
static void find_comm(unsigned c)
{
	u64 init = symbols.find("init_task"), word;
	const char name[] = "swapper";

	for (u64 at = 0; init && at < TASK_BYTES; at += 8)
		if (vread(c, init + at, &word) && !memcmp(&word, name, 7)) {
			comm_offset = at;
			return;
		}
}

static bool is_call(unsigned c, u64 to)
{
	u64 first, second;
	Bit8u code[16];
	u64 base = (to - 8) & ~7ull;

	if (!vread(c, base, &first) || !vread(c, base + 8, &second))
		return false;
	memcpy(code, &first, 8);
	memcpy(code + 8, &second, 8);
	unsigned at = to - base;
	return at >= 5 && (code[at - 5] == 0xe8 || (code[at - 2] == 0xff && (code[at - 1] & 0x38) == 0x10) ||
			   (code[at - 3] == 0xff && (code[at - 2] & 0x38) == 0x10));
}

static struct : Host {
	Where where(unsigned c, bool full) override
	{
		Where w;
		u64 sp = BX_CPU(c)->gen_reg[BX_64BIT_REG_RSP].rrx & ~7ull, word;

		w.cpu = c;
		w.time = bx_pc_system.time_ticks();
		w.rip = executing ? BX_CPU(c)->gen_reg[BX_64BIT_REG_RIP].rrx : (u64)BX_CPU(c)->prev_rip;
		w.user = BX_CPU(c)->sregs[BX_SEG_REG_CS].selector.rpl == 3;
		w.task = task_of(c);
		if (!full)
			return w;
		if (w.task && !comm_offset)
			find_comm(c);
		for (unsigned i = 0; w.task && comm_offset && i < 2; i++) {
			if (!vread(c, w.task + comm_offset + 8 * i, &word))
				break;
			for (unsigned k = 0; k < 8; k++) {
				char ch = word >> 8 * k;
				if (!ch) {
					i = 2;
					break;
				}
				w.comm += ch;
			}
		}
		for (unsigned i = 0; i < STACK_WORDS && w.stack.size() < STACK_LINES && sp >> 63; i++, sp += 8) {
			if (!vread(c, sp, &word))
				break;
			if (symbols.text(word) && is_call(c, word))
				w.stack.push_back(word);
		}
		return w;
	}
	void watch(u64 frame, bool on) override
	{
		if (frame >> 12 < tlbsan_nframes)
			tlbsan_frames[frame >> 12] += on ? 1 : -1;
	}
	bool ignored(u64 rip) override
	{
		for (auto &i : ignore)
			if (rip >= i.first && rip < i.second)
				return true;
		return false;
	}
	void report(const Finding &f) override
	{
		reporter->report(f);
		/* Enough: a broken kernel needn't run to its end. */
		if (stop_after && reporter->different() >= stop_after) {
			tlbsan_end();
			exit(0);
		}
	}
} host;

static void after(unsigned c)
{
	tlbsan_hot[c] = machine->hot(c);
	tlbsan_pending = machine->pending();
}

static void settle(void)
{
	if (!machine->pending())
		return;
	machine->settle();
	for (unsigned c = 0; c < BX_SMP_PROCESSORS; c++)
		tlbsan_hot[c] = machine->hot(c);
	tlbsan_pending = 0;
}

static Access access_of(unsigned c, u64 lin, unsigned len, unsigned rw)
{
	return { lin, (rw & 1) != 0, rw == BX_EXECUTE, BX_CPU(c)->sregs[BX_SEG_REG_CS].selector.rpl == 3, len };
}

void tlbsan_written(unsigned c, Bit64u phy, unsigned len)
{
	machine->written(c, phy, len, BX_CPU(c)->prev_rip);
	tlbsan_pending = machine->pending();
}

void tlbsan_used(unsigned c, Bit64u lin, unsigned len, unsigned rw)
{
	machine->access(c, access_of(c, lin, len, rw));
}

void tlbsan_before(unsigned c)
{
	settle();
	if (!tlbsan_hot[c])
		return;
	executing = true;
	machine->access(c, access_of(c, BX_CPU(c)->gen_reg[BX_64BIT_REG_RIP].rrx, 1, BX_EXECUTE));
	executing = false;
}

void tlbsan_left(unsigned c, bool halted)
{
	bool user = BX_CPU(c)->sregs[BX_SEG_REG_CS].selector.rpl == 3;

	if (!halted && !user)
		return;
	settle();
	machine->left(c, task_of(c), user);
}

void tlbsan_called(unsigned c, Bit64u target)
{
	settle();
	if (target == tlbsan_calls[0])
		machine->sleeps(task_of(c));
	else
		machine->dies(task_of(c));
}

void tlbsan_control(unsigned c, unsigned what, Bit64u v)
{
	settle();
	switch (what) {
	case BX_INSTR_INVLPG:
		machine->invlpg(c, v);
		break;
	case BX_INSTR_MOV_CR3:
		machine->cr3(c, v);
		break;
	case BX_INSTR_MOV_CR4:
		if (v & CR4_LA57) {
			fprintf(stderr, "tlbsan: five levels of page tables aren't supported\n");
			exit(3);
		}
		machine->cr4(c, v);
		break;
	case BX_INSTR_MOV_CR0:
		/* Paging that isn't long mode's is that of boot loaders. */
		machine->cr0(c, BX_CPU(c)->long_mode() ? v : v & ~CR0_PG);
		break;
	}
	after(c);
}

void tlbsan_invpcid(unsigned c, unsigned type, unsigned pcid, Bit64u lin)
{
	settle();
	machine->invpcid(c, type, pcid, lin);
	after(c);
}

void tlbsan_fault(unsigned c, Bit64u lin, unsigned user, unsigned rw)
{
	settle();
	if (!tlbsan_hot[c])
		return;
	Access a = access_of(c, lin, 1, rw);
	a.user = user;
	executing = rw == BX_EXECUTE;
	machine->access(c, a);
	executing = false;
	machine->fault(c, lin);
	after(c);
}

void tlbsan_fill(unsigned c, Bit64u lin, int level, bool global)
{
	if (!options.speculation)
		machine->fill(c, lin, level, global);
}

void tlbsan_reset(unsigned c, unsigned type)
{
	if (!machine) {
		tlbsan_nframes = BX_MEM(0)->get_memory_len() >> 12;
		tlbsan_frames = (Bit8u *)calloc(tlbsan_nframes, 1);
		machine = new Machine(memory, host, options);
	}
	/* The guest restarts: that is how one ends that cannot switch off. */
	if (type == BX_RESET_HARDWARE && c == 0 && resets++) {
		tlbsan_end();
		exit(0);
	}
	machine->reset(c);
	after(c);
}

void tlbsan_init(void)
{
	const char *s;
	FILE *text = stderr, *json = stderr;

	if ((s = getenv("TLBSAN_OUT")) && !(text = fopen(s, "w"))) {
		fprintf(stderr, "tlbsan: cannot write %s\n", s);
		exit(3);
	}
	if ((s = getenv("TLBSAN_JSON")) && !(json = fopen(s, "w"))) {
		fprintf(stderr, "tlbsan: cannot write %s\n", s);
		exit(3);
	}
	if ((s = getenv("TLBSAN_SYMBOLS")) && *s) {
		if (!symbols.load(s)) {
			fprintf(stderr, "tlbsan: %s is not a System.map\n", s);
			exit(3);
		}
		current_task = symbols.find("pcpu_hot");
		if (!current_task)
			current_task = symbols.find("current_task");
		tlbsan_calls[0] = symbols.find("schedule");
		tlbsan_calls[1] = symbols.find("do_task_dead");
	}
	options.speculation = !(s = getenv("TLBSAN_SPECULATION")) || strcmp(s, "off");
	if ((s = getenv("TLBSAN_VENDOR")) && !strcmp(s, "amd"))
		options.vendor = AMD;
	if ((s = getenv("TLBSAN_MASK")) && *s) {
		options.mask = !strncmp(s, "invlpg:", 7) ? Options::INVLPG : !strncmp(s, "cr3:", 4) ? Options::CR3 :
			!strncmp(s, "cr4:", 4) ? Options::CR4 : Options::INVPCID;
		options.mask_every = atoi(strchr(s, ':') + 1);
	}
	options.hazards = (s = getenv("TLBSAN_HAZARDS")) && !strcmp(s, "on");
	if ((s = getenv("TLBSAN_STOP")))
		stop_after = atoi(s);
	for (s = getenv("TLBSAN_IGNORE"); s && *s;) {
		std::string name(s, strcspn(s, ":"));
		u64 first, end;

		if (!symbols.range(name, &first, &end)) {
			fprintf(stderr, "tlbsan: no function %s\n", name.c_str());
			exit(3);
		}
		ignore.push_back({ first, end });
		s += name.size() + (s[name.size()] == ':');
	}
	reporter = new Reporter(text, json, symbols);
	atexit(tlbsan_end);
}

void tlbsan_end(void)
{
	static bool done;

	if (done || !machine)
		return;
	done = true;
	reporter->summary(machine->n, options.speculation, current_task != 0, options.vendor);
}
