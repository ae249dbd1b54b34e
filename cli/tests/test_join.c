// SPDX-License-Identifier: GPL-2.0
/*
 * test_join.c - the join engine, fed by hand with what kernel/smp.c does: who
 * sent what, what rode along, what came in between or was lost.
 */
#include <string.h>

#include "join_scene.h"
#include "tap.h"

static void test_broadcast(void)
{
	bool all = true;

	begin("0-3");
	for (int cpu = 1; cpu < 4; cpu++)
		queue(0, CTX_TASK, cpu, MANY, SYNC, 0x100 + cpu);
	send_mask(0, 0xe);
	stack(0, SYNC_ONE, COLLAPSE);
	for (int cpu = 1; cpu < 4; cpu++) {
		entry(cpu, VEC_CALL);
		run(cpu, SYNC, 0x100 + cpu);
		leave(cpu, VEC_CALL);
	}
	join_finish(s.j);
	for (int i = 0; i < 3; i++)
		all &= got(i, RECEIPT_IRQ, i + 1, HOW_CSD, 0, CAUSE_PT_SYNC) &&
		       s.out[i].ns == 2000 && s.out[i].served == 1;
	ok(all && s.n == 3, "broadcast: three interrupts, each joined by its request");
	ok(s.nsends == 1 && s.sends[0].targets == 3 && s.sends[0].ipis == 3,
	   "and one send of three");
	ok(!strcmp(strtab_get(&s.strings, s.sends[0].site), "collapse_huge_page"),
	   "from collapse_huge_page, not from the code on the way");
	end();
}

/* The table of stacks is emptied while a send waits to be told. */
static void test_stacks_forgotten(void)
{
	begin("0-3");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x101);
	send_one(0, CTX_TASK, 1, GENERIC);
	stack(0, SYNC_ONE, COLLAPSE);
	join_forget_stacks(s.j);
	strtab_free(&s.stacks);
	queue(2, CTX_TASK, 3, MANY, SYNC, 0x103);
	send_one(2, CTX_TASK, 3, GENERIC);
	stack(2, MANY, SINGLE);
	entry(1, VEC_CALL_SINGLE);
	run(1, SYNC, 0x101);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.nsends == 2 && s.sends[0].cause == CAUSE_PT_SYNC && !s.sends[0].stack &&
	   !strcmp(strtab_get(&s.strings, s.sends[0].site), "collapse_huge_page"),
	   "a send keeps its reason when stacks are forgotten");
	ok(s.sends[1].stack == 1 && strcmp(strtab_get(&s.strings, s.sends[1].site), "collapse_huge_page"),
	   "and the next one has its own");
	end();
}

static void test_calls(void)
{
	begin("1-2");
	for (int call = 0; call < 2; call++)
		for (int cpu = 1; cpu < 3; cpu++)	/* nobody's queue is empty */
			queue(0, CTX_TASK, cpu, MANY, SYNC, 0x100 + 16 * call + cpu);
	for (int cpu = 1; cpu < 3; cpu++)
		for (int call = 0; call < 2; call++)
			run(cpu, SYNC, 0x100 + 16 * call + cpu);
	join_finish(s.j);
	ok(s.n == 4 && s.nsends == 2 && s.sends[0].targets == 2 &&
	   s.sends[1].targets == 2 && s.out[0].send == 1 && s.out[1].send == 2,
	   "a second call begins where the CPUs begin again");
	end();
}

static void test_rider(void)
{
	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	queue(2, CTX_TASK, 1, MANY, FLUSH, 0x20);	/* finds it not empty */
	entry(1, VEC_CALL_SINGLE);
	run(1, SYNC, 0x10);
	run(1, FLUSH, 0x20);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_RIDE, 1, HOW_CSD, 2, CAUSE_TLB_USER) &&
	   got(1, RECEIPT_IRQ, 1, HOW_CSD, 0, CAUSE_PT_SYNC) && s.out[1].served == 2,
	   "one interrupt serves two senders: the opener caused it, the other rode");
	end();

	begin("1");
	queue(0, CTX_TASK, 1, MANY, FLUSH, 0x10);	/* waits: runs first */
	queue(2, CTX_TASK, 1, MANY, SYNC, 0x20);
	send_one(2, CTX_TASK, 1, GENERIC);		/* but this one opened */
	entry(1, VEC_CALL_SINGLE);
	run(1, FLUSH, 0x10);
	run(1, SYNC, 0x20);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_RIDE, 1, HOW_CSD, 0, CAUSE_TLB_USER) &&
	   got(1, RECEIPT_IRQ, 1, HOW_CSD, 2, CAUSE_PT_SYNC),
	   "who opened the queue counts, not whose function ran first");
	end();
}

static void test_unknown(void)
{
	begin("1");
	entry(1, VEC_CALL);
	leave(1, VEC_CALL);
	entry(1, VEC_CALL);
	run(1, SYNC, 0x99);
	leave(1, VEC_CALL);
	entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.n == 3 && got(0, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_UNKNOWN) &&
	   got(2, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_RESCHED),
	   "no sender seen: counted, and unknown");
	ok(got(1, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_PT_SYNC),
	   "what ran is known even then");
	end();

	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	entry(1, VEC_CALL_SINGLE);
	run(1, FLUSH, 0x77);			/* not what was sent */
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 1 && got(0, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_TLB_USER),
	   "a sender whose request still waits is not blamed");
	end();
}

static void test_nested(void)
{
	begin("1");
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);
	/* An interrupt on the sender, before it added its request. */
	queue(0, CTX_HARDIRQ, 1, SINGLE, FLUSH, 0x20);
	send_one(0, CTX_HARDIRQ, 1, GENERIC);
	entry(1, VEC_CALL_SINGLE);
	run(1, SYNC, 0x10);
	run(1, FLUSH, 0x20);
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_RIDE, 1, HOW_CSD, 0, CAUSE_PT_SYNC) &&
	   got(1, RECEIPT_IRQ, 1, HOW_CSD, 0, CAUSE_TLB_USER) &&
	   s.from[1].ctx == CTX_HARDIRQ &&
	   !strcmp(strtab_get(&s.strings, s.from[1].comm), "(interrupt)"),
	   "an interrupt on the sender does not take the task's place, nor its name");
	end();
}

static void test_merged(void)
{
	begin("1");
	send_one(0, CTX_TASK, 1, 0);
	send_one(2, CTX_TASK, 1, 0);
	entry(1, VEC_RESCHED);
	s.now += 200000000;
	send_one(0, CTX_TASK, 1, 0);
	entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.n == 3 && got(0, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_RESCHED) &&
	   got(1, RECEIPT_RIDE, 1, HOW_IPI, 2, CAUSE_RESCHED) &&
	   got(2, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_RESCHED),
	   "two kicks, one interrupt: the first one set the bit, the other rode");
	end();

	begin("1");
	send_one(0, CTX_TASK, 1, 0);
	send_one(2, CTX_TASK, 1, 0);		/* traced, not yet sent */
	entry(1, VEC_RESCHED);
	entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_RESCHED) &&
	   got(1, RECEIPT_IRQ, 1, HOW_IPI, 2, CAUSE_RESCHED),
	   "two kicks, two interrupts, the first while the second was under way");
	end();

	begin("1");
	send_one(0, CTX_TASK, 1, 0);
	entry(1, VEC_RESCHED);
	entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_RESCHED) &&
	   got(1, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_RESCHED),
	   "one send explains one interrupt, not two");
	end();

	/* At a high rate those that merged are too many to be asked each time. */
	begin("1");
	for (int i = 0; i < 1000; i++) {
		send_one(0, CTX_TASK, 1, 0);
		send_one(2, CTX_TASK, 1, 0);
		entry(1, VEC_RESCHED);
	}
	for (int i = 0; i < 1000; i++)
		entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.interrupts == 2000 && s.unknown >= 900 && s.riders >= 900 &&
	   s.unknown == s.riders,
	   "an IPI that 64 interrupts have passed has merged, however short that took");
	end();
}

static void test_irq_work(void)
{
	begin("1");
	send_one(1, CTX_TASK, 1, WORK);
	entry(1, VEC_IRQ_WORK);
	queue(0, CTX_TASK, 1, WORK_ON, WORK, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	entry(1, VEC_CALL_SINGLE);		/* running it leaves no event */
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_IRQ, 1, HOW_IPI, 1, CAUSE_IRQ_WORK),
	   "irq_work on one's own CPU");
	ok(got(1, RECEIPT_IRQ, 1, HOW_CSD, 0, CAUSE_IRQ_WORK) && s.out[1].served == 1,
	   "irq_work on another CPU, by the function that queued it");
	end();
}

static void test_wakeups(void)
{
	begin("1");
	queue(0, CTX_TASK, 1, WAKE, TTWU, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	queue(2, CTX_TASK, 1, WAKE, TTWU, 0x20);
	entry(1, VEC_CALL_SINGLE);
	run(1, TTWU, 0x10);			/* one run for the whole batch */
	leave(1, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_RIDE, 1, HOW_CSD, 2, CAUSE_WAKEUP) &&
	   got(1, RECEIPT_IRQ, 1, HOW_CSD, 0, CAUSE_WAKEUP),
	   "wake-ups of a batch are done by the first one's function");
	end();
}

static void test_bounds(void)
{
	begin("1");
	queue(0, CTX_TASK, 2, MANY, SYNC, 0x10);
	send_one(0, CTX_TASK, 2, GENERIC);
	entry(2, VEC_CALL_SINGLE);
	run(2, SYNC, 0x10);
	leave(2, VEC_CALL_SINGLE);
	join_finish(s.j);
	ok(!s.n && !s.nsends, "CPUs that are not observed are not reported");
	end();

	begin("1");
	join_window(s.j, 1003000, 1005000);
	for (int i = 0; i < 6; i++)
		entry(1, VEC_TIMER);		/* at 1001000, 1002000, ... */
	join_finish(s.j);
	ok(s.n == 2 && s.out[0].ts == 1003000 && s.out[1].ts == 1004000 &&
	   s.out[0].how == HOW_SOURCE, "a window holds its beginning, not its end");
	end();

	begin("1");
	entry(1, VEC_CALL);
	entry(1, VEC_CALL);			/* the first one's end was lost */
	leave(1, VEC_CALL);
	join_finish(s.j);
	ok(s.n == 2, "an end that was lost does not lose the interrupt");
	end();

	begin("1");
	for (int i = 0; i < 2; i++) {
		feed((struct event){ .type = EV_IRQ_ENTRY, .cpu = 1, .vec = VEC_DEVICE,
			.irq = 9, .name = strtab_str(&s.strings, "9:acpi") });
		feed((struct event){ .type = EV_IRQ_ENTRY, .cpu = 1, .vec = VEC_DEVICE,
			.irq = 9, .name = strtab_str(&s.strings, "9:shared") });
	}
	join_finish(s.j);
	ok(s.n == 2, "two handlers on a shared line are one interrupt");
	end();
}

/* "61 us for 0.8": the end of one and the beginning of the next were lost. */
static void test_lost(void)
{
	begin("1");
	entry(1, VEC_CALL);			/* its end is lost */
	s.now += 61000;
	feed((struct event){ .type = EV_LOST, .cpu = 1 });
	leave(1, VEC_CALL);			/* the end of another one */
	join_finish(s.j);
	ok(s.n == 1 && !s.out[0].ns, "an interrupt whose end was lost has no time");
	end();

	begin("1");
	send_one(0, CTX_TASK, 1, 0);		/* it arrived unseen */
	feed((struct event){ .type = EV_LOST, .cpu = 1 });
	entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.n == 1 && got(0, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_RESCHED),
	   "nobody is blamed for what may have come while events were lost");
	end();

	begin("1");
	send_one(0, CTX_TASK, 1, 0);
	join_gap(s.j);				/* the trace was begun anew */
	entry(1, VEC_RESCHED);
	join_finish(s.j);
	ok(s.n == 1 && got(0, RECEIPT_IRQ, 1, HOW_UNKNOWN, -1, CAUSE_RESCHED),
	   "nor for what may have come in a gap");
	end();

	begin("1");
	join_observe(s.j, 2);			/* it came online */
	entry(2, VEC_TIMER);
	join_finish(s.j);
	ok(s.n == 1 && s.out[0].cpu == 2, "a CPU that comes online is observed from then on");
	end();
}

/* As Debian's kernels show it: the sync and the flush jump, and leave no frame. */
static void test_tail_calls(void)
{
	static const struct { const char *frame[6]; enum cause cause; const char *what; } c[] = {
		{ { "smp_call_function_many_cond", "smp_call_function", "collapse_huge_page",
		    "hpage_collapse_scan_pmd", "madvise_collapse" }, CAUSE_PT_SYNC,
		  "a sync of collapse_huge_page()" },
		{ { "smp_call_function_many_cond", "smp_call_function", "tlb_remove_table",
		    "free_pgd_range" }, CAUSE_PT_SYNC, "a sync of a table freed alone" },
		{ { "smp_call_function_many_cond", "on_each_cpu_cond_mask", "flush_tlb_mm_range",
		    "pmdp_collapse_flush", "collapse_huge_page" }, CAUSE_TLB_USER,
		  "a flush on the way through collapse_huge_page() is none" },
		{ { "smp_call_function_many_cond", "on_each_cpu_cond_mask", "__purge_vmap_area_lazy" },
		  CAUSE_TLB_KERNEL, "a kernel flush of vmalloc" },
		{ { "smp_call_function_many_cond", "smp_call_function", "drain_all_pages" },
		  CAUSE_CALL, "another call to everybody stays a call" },
		{ { "smp_call_function_single_async", "update_process_times", "asm_sysvec_apic_timer_interrupt",
		    "smp_call_function", "tlb_flush_unshared_tables" }, CAUSE_CALL,
		  "what an interrupt sends in the middle of a sync is none" },
		{ { "native_send_call_func_single_ipi", "ttwu_queue_wakelist", "try_to_wake_up" },
		  CAUSE_WAKEUP, "a remote wakeup" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(c); i++) {
		size_t n = 0;

		while (n < 6 && c[i].frame[n])
			n++;
		ok(classify_stack(c[i].frame, n) == c[i].cause, "without csd events: %s", c[i].what);
	}
}

static void test_other_kernels(void)
{
	begin("0-1");
	join_one_call_vector(s.j);
	queue(0, CTX_TASK, 1, MANY, SYNC, 0x10);
	send_one(0, CTX_TASK, 1, GENERIC);
	entry(1, VEC_CALL);
	run(1, SYNC, 0x10);
	leave(1, VEC_CALL);
	join_finish(s.j);
	ok(s.n == 1 && got(0, RECEIPT_IRQ, 1, HOW_CSD, 0, CAUSE_PT_SYNC),
	   "arm64: one vector for calls to one and to many");
	end();

	begin("1-2");
	send_mask(0, 0x6);
	stack(0, SYNC_ONE, COLLAPSE);
	for (int cpu = 1; cpu < 3; cpu++) {
		entry(cpu, VEC_CALL);
		leave(cpu, VEC_CALL);
	}
	join_finish(s.j);
	ok(s.n == 2 && got(0, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_PT_SYNC) &&
	   got(1, RECEIPT_IRQ, 2, HOW_IPI, 0, CAUSE_PT_SYNC) &&
	   s.sends[0].targets == 2,
	   "6.4, without csd events: by the IPI, and the cause by the stack");
	end();
}

/* A kprobe on what sends: it tells the vector, and neither callback nor call site. */
static void probe(int cpu, int vec, int target, uint64_t mask)
{
	feed((struct event){ .type = EV_SEND, .cpu = cpu, .pid = 100 + cpu,
		.irq = 1 + vec, .target = target, .words = mask ? &mask : NULL,
		.nwords = mask ? 1 : 0 });
}

static void test_probes(void)
{
	static const uint8_t vec[] = { VEC_CALL, VEC_CALL_SINGLE, VEC_RESCHED, VEC_IRQ_WORK };

	begin("1-2");
	probe(0, VEC_CALL, 0, 0x6);
	stack(0, SYNC_ONE, COLLAPSE);
	probe(0, VEC_CALL_SINGLE, 1, 0);
	probe(2, VEC_RESCHED, 1, 0);
	probe(1, VEC_IRQ_WORK, 1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(vec); i++) {
		entry(1, vec[i]);
		leave(1, vec[i]);
	}
	join_finish(s.j);
	ok(s.n == 4 && got(0, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_PT_SYNC) &&
	   got(1, RECEIPT_IRQ, 1, HOW_IPI, 0, CAUSE_UNKNOWN) &&
	   got(2, RECEIPT_IRQ, 1, HOW_IPI, 2, CAUSE_RESCHED) &&
	   got(3, RECEIPT_IRQ, 1, HOW_IPI, 1, CAUSE_IRQ_WORK),
	   "6.1, by kprobes: each vector's sender, and the cause by the stack");
	ok(!strcmp(strtab_get(&s.strings, s.sends[0].site), "collapse_huge_page"),
	   "and the call site too");
	end();
}

void test_join(void)
{
	test_broadcast();
	test_stacks_forgotten();
	test_calls();
	test_rider();
	test_unknown();
	test_nested();
	test_merged();
	test_irq_work();
	test_wakeups();
	test_bounds();
	test_lost();
	test_tail_calls();
	test_other_kernels();
	test_probes();
}
