// SPDX-License-Identifier: GPL-2.0
/*
 * classify.c - what kind of interrupt it was, from the function it ran.
 *
 * The function is what the receiver really executed (csd:csd_function_entry),
 * so this is a table, not a heuristic. A function that is not in it stays
 * "a function call" under its own name.
 */
#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "quell.h"

static const struct cause_info causes[NR_CAUSES] = {
	[CAUSE_UNKNOWN] = { "unknown", "unknown", NULL,
		"The interrupt was counted, but neither what it ran nor who sent it was seen.",
		"Cannot be told.",
		"If trace events were lost, a larger buffer (--buffer) will tell more." },
	[CAUSE_PT_SYNC] = { "pt_sync", "page-table sync",
		"tlb_remove_table_smp_sync",
		"After a page table was unlinked (huge-page collapse, the last sharer of a hugetlb page-table page, a table freed without a batch), the kernel interrupts every CPU so that none can still be walking it without a lock.",
		"Only for a CPU that may be inside a lockless walk of that very mm: running it, in the kernel, with interrupts off. Never for a CPU that runs another program, user code or nothing.",
		"quell's kernel (pt_sync=auto, its default) or its live module: a TLB flush that already interrupted everyone counts as proof, and otherwise only CPUs that can be walking are asked. Without quell: no THP collapse (khugepaged off, no MADV_COLLAPSE) and no hugetlb PMD sharing while the isolated CPUs matter." },
	[CAUSE_TLB_USER] = { "tlb_user", "user TLB flush",
		"flush_tlb_func",
		"A mapping of a process that runs on this CPU (or lazily keeps its page tables loaded) was changed or taken away; the CPU must forget the old translation.",
		"Whenever another thread of the same process unmaps, protects or migrates memory while this CPU has the process loaded.",
		"Not by quell: the flush is due. By the application: no munmap/mprotect/NUMA balancing in a process with threads on isolated CPUs. By hardware: INVLPGB (AMD Zen 3 and later, Linux 6.15) and arm64 do it without interrupts." },
	[CAUSE_TLB_KERNEL] = { "tlb_kernel", "kernel TLB flush",
		"do_flush_tlb_all do_kernel_range_flush kernel_flush_ipi kernel_flush_all",
		"A kernel mapping (vmalloc, vmap, module text, eBPF program) went away and every CPU must forget it.",
		"At once only on CPUs that are in the kernel. A CPU in user mode does not use the address, so it can flush when it next enters the kernel.",
		"quell's kernel defers it on isolated CPUs that are in user mode (CONFIG_KERNEL_FLUSH), if it comes from vmalloc or changes permissions; without PTI only if no large page is split, changed or unmapped. Not on idle CPUs, and not where page tables are freed or memory types change. INVLPGB hardware needs no interrupt for vmalloc's." },
	[CAUSE_MEMBARRIER] = { "membarrier", "membarrier",
		"ipi_mb ipi_sync_core ipi_sync_rq_state ipi_rseq",
		"A process called membarrier(2): every CPU that runs one of its threads must execute a memory barrier.",
		"Always, for CPUs running that process (private commands) or anything (global expedited, for registered processes).",
		"Not by quell. The application chooses: JITs and user-space RCU call it; keep their threads off isolated CPUs or use another scheme." },
	[CAUSE_TEXT] = { "text_patching", "text patching",
		"do_sync_core",
		"Kernel code was patched (static keys, tracepoints, kprobes, ftrace, BPF, module load) and every CPU must drop what it prefetched.",
		"Today always: x86 wants a serialising instruction on every CPU before the new code runs.",
		"Not by quell. Do not start tracing, load modules or BPF, or toggle static keys while isolated CPUs matter; what toggles is in the call site." },
	[CAUSE_RESCHED] = { "reschedule", "reschedule", NULL,
		"Another CPU woke a task for this CPU, or wants its running task preempted or kicked out of guest mode.",
		"When a task is meant to run here.",
		"Not by quell. Move threads, kworkers and interrupts with affinities; isolcpus=domain or cpuset partitions keep the scheduler away." },
	[CAUSE_WAKEUP] = { "wakeup", "remote wakeup",
		"sched_ttwu_pending",
		"Another CPU queued a task wake-up for this CPU to carry out.",
		"When a task is meant to run here.",
		"Not by quell. As for reschedule: affinities and isolation of the scheduler domain." },
	[CAUSE_RCU] = { "rcu", "RCU",
		"rcu_exp_handler rcu_barrier_handler rcu_iw_handler rcu_strict_gp_boundary strict_work_handler rcu_exp_need_qs",
		"RCU wants to know whether this CPU is inside a read-side critical section (expedited grace period), or entrains a callback on it (rcu_barrier()).",
		"For a CPU in the kernel. CPUs in user mode with context tracking (nohz_full) count as quiescent and are left alone.",
		"Not by quell. nohz_full= and rcu_nocbs= for the CPUs, rcupdate.rcu_normal=1 against expedited grace periods." },
	[CAUSE_NOHZ] = { "nohz", "tick dependency",
		"nohz_full_kick_func nohz_csd_func __tick_nohz_full_update_tick wake_up_idle_cpu",
		"A CPU without a tick is told to look again whether it needs one, or an idle CPU is asked to balance load.",
		"When a timer, perf event or second task came to the CPU.",
		"Not by quell. Find what set the dependency (timer:tick_stop tells) and move it." },
	[CAUSE_CLOCK] = { "clock", "clock change",
		"retrigger_next_event clock_was_set tsc_khz_changed clocksource_verify_one_cpu tick_handle_periodic",
		"The wall clock was set or the clock source checked, and CPUs with affected timers must reprogram them.",
		"On CPUs that have such timers queued.",
		"Not by quell. Slew the clock instead of stepping it; tsc=reliable against the watchdog." },
	[CAUSE_PERF] = { "perf", "perf events",
		"remote_function event_function __perf_event_read __perf_event_enable __perf_install_in_context perf_duration_warn",
		"A perf event is opened, read or closed on this CPU from another one.",
		"While somebody profiles or counts on this CPU.",
		"Not by quell. Stop perf, turbostat and their like on isolated CPUs; nmi_watchdog=0." },
	[CAUSE_MSR] = { "msr", "register access",
		"__rdmsr_on_cpu __wrmsr_on_cpu __rdmsr_safe_on_cpu __wrmsr_safe_on_cpu __rdmsrq_on_cpu __wrmsrq_on_cpu rdmsr_safe_on_cpu __rdmsr_msrs __wrmsr_safe_regs_on_cpu __rdmsr_safe_regs_on_cpu aperfmperf_snapshot_khz update_stibp_msr",
		"Another CPU reads or writes a model-specific register of this CPU: power, frequency, temperature, cache allocation.",
		"While monitoring asks for it.",
		"Not by quell. Exclude isolated CPUs from turbostat, sensors, /proc/cpuinfo readers and power daemons." },
	[CAUSE_TRACING] = { "tracing", "tracing",
		"ftrace_sync_ipi rb_ipi rb_cpu_sync enable_trace_buffered_event disable_trace_buffered_event tracing_swap_cpu_buffer klp_sync",
		"ftrace or livepatch changes its own state on every CPU.",
		"While tracing or live patching is switched on or off.",
		"Not by quell. Switch tracing only when the isolated CPUs may be disturbed." },
	[CAUSE_CALL] = { "call", "function call", NULL,
		"Another CPU had this CPU run a function; its name says which.",
		"Depends on the function: see the call site and its stack.",
		"Not by quell." },
	[CAUSE_IRQ_WORK] = { "irq_work", "irq work", NULL,
		"Work that could not be done where it arose (NMI, scheduler locks) and was put off to an interrupt on the same or another CPU.",
		"When whatever queued it runs on or targets this CPU.",
		"Not by quell. See the function and the call site." },
	[CAUSE_TICK] = { "tick", "timer", NULL,
		"The CPU's own timer: the tick, or a high-resolution timer that expired here.",
		"With more than one runnable task, or when a timer is queued on this CPU.",
		"Not by quell. nohz_full= with one task per CPU; move timers with the tasks that arm them." },
	[CAUSE_DEVICE] = { "device", "device", NULL,
		"A device raised its interrupt line or message on this CPU.",
		"When the device's interrupt is bound here.",
		"Not by quell. irqaffinity=, /proc/irq/N/smp_affinity, managed_irq isolation, no I/O submitted from this CPU." },
	[CAUSE_VECTOR] = { "vector", "other vector", NULL,
		"Another interrupt vector of this architecture; its name is shown.",
		"See the name.",
		"Not by quell." },
	[CAUSE_SOFTIRQ] = { "softirq", "softirq", NULL,
		"Work that an interrupt, or the kernel itself, put off until just after the interrupt: expired timers, network packets, RCU callbacks, balancing. It runs before the task goes on.",
		"When something on this CPU raised it; the sender is who did.",
		"Not by quell. By its vector: nohz_full= and rcu_nocbs= for TIMER, SCHED and RCU, the affinity of devices for NET_RX, BLOCK and TASKLET." },
	[CAUSE_KWORKER] = { "kworker", "kworker", NULL,
		"A kernel worker thread ran queued work here and the task waited. The function is the work's; the sender is who queued it.",
		"When work is bound to this CPU, or an unbound worker is allowed on it.",
		"Not by quell. Unbound work: /sys/devices/virtual/workqueue/cpumask. Bound work: keep who queues it away from this CPU." },
	[CAUSE_KTHREAD] = { "kthread", "kernel thread", NULL,
		"Another kernel thread ran here and the task waited: migration, ksoftirqd, rcuc, a threaded interrupt.",
		"When something woke that thread, which is bound to this CPU or allowed on it.",
		"Not by quell. kthread_cpus=, isolcpus= and taskset for threads that may move; for bound ones, end what wakes them." },
	[CAUSE_TASK] = { "task", "another task", NULL,
		"The scheduler let another task run and the one that ran waited. The function is the name of the task that took the CPU; the sender is who woke it.",
		"When more than one task may run on this CPU.",
		"Not by quell. isolcpus=domain or a cpuset partition, and affinities: one runnable task per CPU." },
};

const struct cause_info *cause_info(enum cause c)
{
	return &causes[(unsigned int)c < NR_CAUSES ? c : CAUSE_UNKNOWN];
}

enum cause cause_by_key(const char *key)
{
	for (int c = 0; c < NR_CAUSES; c++)
		if (!strcmp(causes[c].key, key))
			return c;
	return CAUSE_UNKNOWN;
}

const char *plain_name(const char *sym, char *buf, size_t size)
{
	snprintf(buf, size, "%.*s", (int)strcspn(sym, "."), sym);
	return buf;
}

/* Is @word one of the blank-separated words of @list? */
static bool listed(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	for (; *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && !memcmp(list, word, len))
			return true;
	}
	return false;
}

enum cause classify_func(const char *func)
{
	char name[128];

	if (!*func)
		return CAUSE_UNKNOWN;
	plain_name(func, name, sizeof(name));
	for (int c = 0; c < NR_CAUSES; c++)
		if (causes[c].funcs && listed(causes[c].funcs, name))
			return c;
	return CAUSE_CALL;
}

/* What is outside of this frame was interrupted, and is no reason for what is inside. */
static bool interrupts(const char *name)
{
	return !strncmp(name, "asm_sysvec_", 11) || !strcmp(name, "asm_common_interrupt") ||
	       !strcmp(name, "asm_exc_nmi") || !strncmp(name, "el1h_64_irq", 11);
}

enum cause classify_stack(const char *const *frames, size_t n)
{
	static const struct { const char *frame; enum cause cause; } tells[] = {
		{ "tlb_remove_table_sync_one", CAUSE_PT_SYNC },
		{ "tlb_remove_table_sync_mm", CAUSE_PT_SYNC },
		{ "native_flush_tlb_multi", CAUSE_TLB_USER },
		{ "flush_tlb_kernel_range", CAUSE_TLB_KERNEL },
		{ "flush_tlb_kernel_range_deferrable", CAUSE_TLB_KERNEL },
		{ "flush_tlb_on_each_cpu_deferrable", CAUSE_TLB_KERNEL },
		{ "flush_tlb_settle_splits", CAUSE_TLB_KERNEL },
		{ "flush_tlb_all", CAUSE_TLB_KERNEL },
		{ "membarrier_private_expedited", CAUSE_MEMBARRIER },
		{ "membarrier_global_expedited", CAUSE_MEMBARRIER },
		{ "text_poke_sync", CAUSE_TEXT },
		{ "smp_text_poke_sync_each_cpu", CAUSE_TEXT },
		{ "text_sync", CAUSE_TEXT },
		/* These ask for one thing only, by a call. */
		{ "ttwu_queue_wakelist", CAUSE_WAKEUP },
		{ "__ttwu_queue_wakelist", CAUSE_WAKEUP },
		{ "irq_work_queue_on", CAUSE_IRQ_WORK },
		{ "kick_ilb", CAUSE_NOHZ },
		{ "__sync_rcu_exp_select_node_cpus", CAUSE_RCU },
		{ "sync_rcu_exp_select_node_cpus", CAUSE_RCU },
		/*
		 * What calls these last of all jumps to them: they leave no
		 * frame, and their callers have to tell.
		 */
		{ "flush_tlb_mm_range", CAUSE_TLB_USER },
		{ "arch_tlbbatch_flush", CAUSE_TLB_USER },
		{ "__purge_vmap_area_lazy", CAUSE_TLB_KERNEL },
		{ "text_poke_bp_batch", CAUSE_TEXT },
		{ "smp_text_poke_batch_finish", CAUSE_TEXT },
	};
	/* Callers of tlb_remove_table_sync_one() that call nobody else so. */
	static const char syncers[] =
		"collapse_huge_page hpage_collapse_scan_pmd collapse_scan_pmd "
		"collapse_pte_mapped_thp try_collapse_pte_mapped_thp "
		"retract_page_tables tlb_remove_table tlb_remove_table_one "
		"__tlb_remove_table_one tlb_flush_unshared_tables "
		"huge_pmd_unshare";
	bool everyone = false;		/* the frame before: smp_call_function() */
	char name[128];

	for (size_t i = 0; i < n; i++) {
		plain_name(frames[i], name, sizeof(name));
		if (interrupts(name))
			break;
		if (everyone && listed(syncers, name))
			return CAUSE_PT_SYNC;
		everyone = !strcmp(name, "smp_call_function");
		for (size_t t = 0; t < ARRAY_SIZE(tells); t++)
			if (!strcmp(name, tells[t].frame))
				return tells[t].cause;
	}
	return n ? CAUSE_CALL : CAUSE_UNKNOWN;
}

enum cause classify_vec(enum vec v)
{
	switch (v) {
	case VEC_RESCHED:	return CAUSE_RESCHED;
	case VEC_IRQ_WORK:	return CAUSE_IRQ_WORK;
	case VEC_TIMER:		return CAUSE_TICK;
	case VEC_DEVICE:	return CAUSE_DEVICE;
	case VEC_OTHER:		return CAUSE_VECTOR;
	case VEC_SOFTIRQ:	return CAUSE_SOFTIRQ;
	case VEC_WORK:		return CAUSE_KWORKER;
	case VEC_WAKE:		return CAUSE_TASK;
	default:		return CAUSE_UNKNOWN;
	}
}

const char *vec_key(enum vec v)
{
	static const char *const keys[NR_VECS] = {
		[VEC_CALL]		= "call_function",
		[VEC_CALL_SINGLE]	= "call_function_single",
		[VEC_RESCHED]		= "reschedule",
		[VEC_IRQ_WORK]		= "irq_work",
		[VEC_TIMER]		= "local_timer",
		[VEC_DEVICE]		= "device",
		[VEC_SOFTIRQ]		= "softirq",
		[VEC_WORK]		= "work",
		[VEC_WAKE]		= "wake",
		[VEC_OTHER]		= "other",
	};

	return (unsigned int)v < NR_VECS ? keys[v] : "other";
}

bool stack_deferrable(const char *const *frames, size_t n)
{
	/*
	 * Leaf entries of vmalloc, and permissions. Not: freed page tables,
	 * memory types, large pages made or split. What is not listed here is
	 * not claimed to be avoidable.
	 */
	static const char sites[] =
		"vunmap_range __purge_vmap_area_lazy free_unmap_vmap_area vb_free "
		"_vm_unmap_aliases set_memory_ro set_memory_rw set_memory_x "
		"set_memory_nx";
	static const char never[] =
		"__cpa_collapse_large_pages __change_page_attr_set_clr "
		"__change_page_attr split_set_pte pmd_free_pte_page "
		"pud_free_pmd_page";
	bool found = false;
	char name[128];

	for (size_t i = 0; i < n; i++) {
		plain_name(frames[i], name, sizeof(name));
		if (listed(never, name))
			return false;
		found |= listed(sites, name);
	}
	return found;
}

static bool flush_avoidable(const struct avoid_case *x,
			    const struct avoid_facts *f, const char **why)
{
	if (f->kernel_flush)
		*why = "quell defers already: this CPU was in the kernel, or the flush must not wait";
	else if (!x->isolated)
		*why = "quell defers kernel flushes on isolated CPUs only";
	else if (x->idle)
		*why = "the CPU was idle: only CPUs in user mode can defer";
	else if (!x->deferrable)
		*why = "this kind of flush must not wait";
	else
		*why = "quell defers it if the isolated CPU is in user mode";
	return !f->kernel_flush && x->isolated && !x->idle && x->deferrable;
}

bool avoidable(enum cause c, const struct avoid_case *x,
	       const struct avoid_facts *f, const char **why)
{
	if (c == CAUSE_TLB_KERNEL)
		return flush_avoidable(x, f, why);
	if (c != CAUSE_PT_SYNC) {
		*why = "not an interrupt quell changes";
		return false;
	}
	if (f->auto_strategy) {
		*why = "quell is active: this CPU may have been walking the page table";
		return false;
	}
	*why = "quell interrupts only CPUs that can be walking that page table";
	return true;
}

bool is_plumbing(const char *func)
{
	static const char names[] =
		"smp_call_function smp_call_function_many smp_call_function_single "
		"smp_call_function_many_cond smp_call_function_any "
		"smp_call_function_single_async __smp_call_function_single "
		"__smp_call_single_queue generic_exec_single "
		"send_call_function_single_ipi send_call_function_ipi_mask "
		"call_function_single_prep_ipi on_each_cpu_cond_mask on_each_cpu "
		"on_each_cpu_mask on_each_cpu_cond kick_all_cpus_sync "
		"tlb_remove_table_sync_one tlb_remove_table_sync_mm pt_sync "
		"pmdp_collapse_flush_sync pmdp_collapse_flush_locked "
		"tlb_remove_table_sync_unshared tlb_flush_unshared_tables live_sync "
		"native_flush_tlb_multi flush_tlb_multi flush_tlb_mm_range "
		"kvm_flush_tlb_multi flush_tlb_all flush_tlb_kernel_range "
		"flush_tlb_kernel_range_deferrable flush_tlb_on_each_cpu_deferrable "
		"cpa_flush cpa_flush_permissions send "
		"arch_tlbbatch_flush flush_tlb_mm flush_tlb_page flush_tlb_range "
		"tlb_flush_mmu tlb_flush_mmu_tlbonly tlb_finish_mmu "
		"ptep_clear_flush try_to_unmap_flush "
		"native_smp_send_reschedule irq_work_queue irq_work_queue_on "
		"__irq_work_queue_local resched_curr __resched_curr "
		"wakeup_preempt check_preempt_wakeup_fair ttwu_do_activate "
		"ttwu_queue_wakelist __ttwu_queue_wakelist try_to_wake_up "
		"wake_up_process default_wake_function wake_up_q "
		"autoremove_wake_function __wake_up __wake_up_common "
		"__wake_up_common_lock __wake_up_sync_key "
		"native_send_call_func_ipi native_send_call_func_single_ipi arch_irq_work_raise "
		"ftrace_trampoline kprobe_ftrace_handler kprobe_dispatcher kprobe_trace_func "
		"__kprobe_trace_func aggr_pre_handler text_poke_sync text_sync text_sync_at "
		"smp_text_poke_sync_each_cpu smp_text_poke_batch_finish "
		"text_poke_bp_batch text_poke_finish text_poke_flush "
		"__text_poke_batch ftrace_stacktrace_count stacktrace_trigger "
		"event_triggers_post_call trace_event_buffer_commit "
		"__traceiter_ipi_send_cpu __traceiter_ipi_send_cpumask "
		"trace_event_raw_event_ipi_send_cpu "
		"trace_event_raw_event_ipi_send_cpumask "
		"__do_trace_ipi_send_cpu __do_trace_ipi_send_cpumask "
		"__trace_trigger_soft_disabled "
		/* Ways to arm, to raise, to queue, to wake. */
		"enqueue_hrtimer hrtimer_start hrtimer_start_range_ns __hrtimer_start_range_ns "
		"hrtimer_sleeper_start_expires schedule_hrtimeout "
		"schedule_hrtimeout_range schedule_hrtimeout_range_clock "
		"add_timer add_timer_on add_timer_global add_timer_local mod_timer "
		"__mod_timer mod_timer_pending timer_reduce enqueue_timer "
		"internal_add_timer schedule_timeout schedule_timeout_idle "
		"schedule_timeout_interruptible schedule_timeout_killable "
		"schedule_timeout_uninterruptible raise_softirq "
		"raise_softirq_irqoff __raise_softirq_irqoff queue_work_on "
		"__queue_work queue_work_node insert_work queue_delayed_work_on "
		"__queue_delayed_work mod_delayed_work_on delayed_work_timer_fn "
		"kick_pool wake_up_state wake_up_var wake_up_bit complete "
		"complete_all swake_up_locked __wake_up_sync __wake_up_locked_key "
		"pollwake ep_poll_callback ";
	static const char *const tracing[] = {
		"trace_event_", "__traceiter_", "__do_trace_", "event_trigger",
	};
	char name[128];

	/* Code that has no name is a tracer's trampoline. */
	if (!strncmp(func, "0x", 2))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(tracing); i++)
		if (!strncmp(func, tracing[i], strlen(tracing[i])))
			return true;
	return listed(names, plain_name(func, name, sizeof(name)));
}

const char *inlined_site(enum cause c, const char *site, bool (*has)(const char *))
{
	/*
	 * These only call collapse_huge_page() and sync nothing themselves, in
	 * every kernel from 6.4 on: if it is not a function of its own, a sync
	 * of theirs is its.
	 */
	static const char callers[] = "hpage_collapse_scan_pmd collapse_scan_pmd";
	char name[128];

	if (c == CAUSE_PT_SYNC && has && !has("collapse_huge_page") &&
	    listed(callers, plain_name(site, name, sizeof(name))))
		return "collapse_huge_page";
	return site;
}
