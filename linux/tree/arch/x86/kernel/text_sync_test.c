// SPDX-License-Identifier: GPL-2.0
/*
 * A detector of stale text for the deferred synchronisation of patched text.
 *
 * Functions that are patched all the time - a static key, a static call, a
 * kprobe, ftrace - return which version of them runs, and are executed on every
 * kind of kernel entry and exit.  A breakpoint that nobody owns any more needs
 * no counter: the kernel dies of it.
 *
 * Emulators execute new text at once.  So each CPU has a model of what a
 * processor could still have fetched: one entry, the number of the last step of
 * a batch that was written when it was filled.  It is filled where hardware may
 * fetch, emptied where a serialising instruction was executed, and nowhere else;
 * executing it is stale if a later step is known to be synchronised.  The
 * patching, the hooks, the word and the senders are the real ones.
 */
#include <linux/cpuhotplug.h>
#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/ftrace.h>
#include <linux/init.h>
#include <linux/kernel_flush.h>
#include <linux/kprobes.h>
#include <linux/mutex.h>
#include <linux/nmi.h>
#include <linux/seq_file.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include <asm/text_sync_test.h>
#include <trace/events/context_tracking.h>

/**
 * struct model_text - what a CPU could have fetched
 * @entry: the step's number in the upper half, @serials at the time of the
 *	   fetch in the lower half: the entry is gone once they differ
 * @serials: how often this CPU has serialised
 * @executions: how often it executed text that may be patched
 * @kept: those in which it had fetched it before
 * @stale: those in which it should have serialised since
 * @early: executions before the word was taken, or after it was given back
 */
struct model_text {
	u64		entry;
	u32		serials;
	unsigned long	executions;
	unsigned long	kept;
	unsigned long	stale;
	unsigned long	early;
};

static DEFINE_PER_CPU(struct model_text, model_text) = {
	.serials = 1,
};

/* Steps written so far, and up to which every CPU has serialised or owes it. */
static u32 written;
static u32 synced;
/* The same for batches that everybody is interrupted for. */
static u32 synced_early;

static u32 broken;

bool noinstr text_sync_test_broken(enum text_sync_broken what)
{
	return READ_ONCE(broken) == what && what;
}

/* Under text_mutex, like all patching. */
void text_sync_test_written(bool early)
{
	WRITE_ONCE(written, written + 1);
}

void text_sync_test_synced(bool early)
{
	/* After the CPUs were interrupted; pairs with execute(). */
	smp_store_release(&synced, written);
	if (early) {
		/* The same. */
		smp_store_release(&synced_early, written);
	}
}

void noinstr text_sync_test_serialised(void)
{
	struct model_text *text = raw_cpu_ptr(&model_text);

	WRITE_ONCE(text->serials, text->serials + 1);
}

static __always_inline u32 fetch(struct model_text *text, bool *kept)
{
	u32 serials = READ_ONCE(text->serials);
	u64 entry = READ_ONCE(text->entry);
	u32 step;

	barrier();
	*kept = (u32)entry == serials;
	if (*kept)
		return entry >> 32;
	step = READ_ONCE(written);
	WRITE_ONCE(text->entry, (u64)step << 32 | serials);
	return step;
}

static __always_inline void execute(struct model_text *text, u32 *since)
{
	u32 least, step;
	bool kept;

	/* Before the fetch; pairs with text_sync_test_synced(). */
	least = smp_load_acquire(since);
	step = fetch(text, &kept);
	text->executions++;
	text->kept += kept;
	if (step < least) {
		text->stale++;
		/* Once per loss. */
		WRITE_ONCE(text->entry, 0);
	}
}

/* What is really patched; each returns whether it is switched on. */

enum kind { KEY, CALL, EARLY, PROBE, TRACE, KINDS };

/**
 * struct patched - the versions of one of them
 * @started: the version that was last begun; odd is on
 * @finished: the version that was last completed
 * @runs: how often it ran
 * @wrong: how often it was not the version it had to be
 */
struct patched {
	u32		started;
	u32		finished;
	atomic_long_t	runs;
	atomic_long_t	wrong;
};

static struct patched patched[KINDS];
static const char *const names[KINDS] = {
	"static_key", "static_call", "early_key", "kprobe", "ftrace",
};

static DEFINE_STATIC_KEY_FALSE(test_key);
static DEFINE_STATIC_KEY_FALSE(early_key);

static notrace int call_off(void) { return 0; }
static notrace int call_on(void) { return 1; }
DEFINE_STATIC_CALL(text_sync_test_call, call_off);

static DEFINE_PER_CPU(bool, probe_hit);
static DEFINE_PER_CPU(bool, trace_hit);

static noinline notrace int run_key(void)
{
	return static_branch_unlikely(&test_key);
}

static noinline notrace int run_call(void)
{
	return static_call(text_sync_test_call)();
}

static noinline notrace void probed(void)
{
	asm volatile("nopl 0(%rax,%rax,1)\n\tnopl 0(%rax,%rax,1)");
}

static noinline void traced(void)
{
	barrier();
}

static int on_probe(struct kprobe *p, struct pt_regs *regs)
{
	__this_cpu_write(probe_hit, true);
	return 0;
}

NOKPROBE_SYMBOL(on_probe);

static struct kprobe probe = {
	.pre_handler = on_probe,
	.flags = KPROBE_FLAG_DISABLED,
};

static void notrace on_trace(unsigned long ip, unsigned long parent_ip,
			     struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	__this_cpu_write(trace_hit, true);
}

static struct ftrace_ops trace_ops = { .func = on_trace };

/* An NMI in between puts the flag back as it found it. */
static notrace int run_probe(void)
{
	bool was = __this_cpu_read(probe_hit), hit;
	unsigned long missed = READ_ONCE(probe.nmissed);

	__this_cpu_write(probe_hit, false);
	probed();
	hit = __this_cpu_read(probe_hit);
	__this_cpu_write(probe_hit, was);
	/* One within another, as in an NMI, is not told. */
	return missed == READ_ONCE(probe.nmissed) ? hit : -1;
}

static notrace int run_trace(void)
{
	bool was = __this_cpu_read(trace_hit), hit;

	__this_cpu_write(trace_hit, false);
	traced();
	hit = __this_cpu_read(trace_hit);
	__this_cpu_write(trace_hit, was);
	return hit;
}

static __always_inline u32 judge_begin(enum kind kind)
{
	/* Before it runs; pairs with patch(). */
	return smp_load_acquire(&patched[kind].finished);
}

static __always_inline void judge_end(enum kind kind, u32 finished, int on)
{
	struct patched *it = &patched[kind];

	raw_atomic_long_inc(&it->runs);
	/* It ran before a next version was begun; pairs with patch(). */
	smp_rmb();
	if (READ_ONCE(it->started) == finished && on >= 0 && on != (finished & 1))
		raw_atomic_long_inc(&it->wrong);
}

/* Without RCU: before it watches this CPU, and in NMIs. */
static noinstr void run_anywhere(void)
{
	u32 finished;

	instrumentation_begin();
	finished = judge_begin(KEY);
	judge_end(KEY, finished, run_key());
	finished = judge_begin(CALL);
	judge_end(CALL, finished, run_call());
	instrumentation_end();
}

static void run_traced(void)
{
	u32 finished;

	finished = judge_begin(PROBE);
	judge_end(PROBE, finished, run_probe());
	finished = judge_begin(TRACE);
	judge_end(TRACE, finished, run_trace());
}

static noinstr void run_early(void)
{
	u32 finished = judge_begin(EARLY);

	judge_end(EARLY, finished, static_branch_unlikely(&early_key));
}

noinstr void text_sync_test_point(int point)
{
	struct model_text *text = raw_cpu_ptr(&model_text);
	bool kept;

	switch (point) {
	case KERNEL_FLUSH_ENTERING:
	case KERNEL_FLUSH_LEFT:
		text->early++;
		execute(text, &synced_early);
		run_early();
		break;
	case KERNEL_FLUSH_TAKEN:
		fetch(text, &kept);
		break;
	case KERNEL_FLUSH_ENTERED:
	case KERNEL_FLUSH_NMI:
	case KERNEL_FLUSH_LEAVING:
		execute(text, &synced);
		run_anywhere();
		break;
	}
}

/* Right after each entry of an isolated CPU from user mode. */
static void on_user_exit(void *unused, int dummy)
{
	run_traced();
}

/* A CPU that comes up has fetched nothing yet. */
static int come_up(unsigned int cpu)
{
	text_sync_test_serialised();
	return 0;
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	execute(this_cpu_ptr(&model_text), &synced);
	run_anywhere();
	run_traced();
	return NMI_DONE;
}

static DEFINE_MUTEX(patch_lock);

static int switch_it(enum kind kind, bool on)
{
	switch (kind) {
	case KEY:
		on ? static_branch_enable(&test_key) : static_branch_disable(&test_key);
		return 0;
	case EARLY:
		on ? static_branch_enable(&early_key) : static_branch_disable(&early_key);
		return 0;
	case CALL:
		static_call_update(text_sync_test_call, on ? call_on : call_off);
		return 0;
	case PROBE:
		return on ? enable_kprobe(&probe) : disable_kprobe(&probe);
	case TRACE:
		return on ? register_ftrace_function(&trace_ops) :
			    unregister_ftrace_function(&trace_ops);
	default:
		return -EINVAL;
	}
}

static int patch(enum kind kind)
{
	struct patched *it = &patched[kind];
	u32 version = it->finished + 1;
	int err;

	WRITE_ONCE(it->started, version);
	/* Pairs with judge_end(). */
	smp_mb();
	err = switch_it(kind, version & 1);
	/* Pairs with judge_begin(). */
	smp_store_release(&it->finished, version);
	return err;
}

/* "patch N": each of them N times. */
static int patch_all(u32 rounds)
{
	enum kind kind;
	int err = 0;

	guard(mutex)(&patch_lock);
	while (rounds-- && !err) {
		for (kind = 0; kind < KINDS && !err; kind++)
			err = patch(kind);
		if (signal_pending(current))
			err = -EINTR;
	}
	return err;
}

static int set_broken(u32 what)
{
	WRITE_ONCE(broken, what);
	return 0;
}

static int reset(u32 unused)
{
	struct model_text *text;
	int cpu, kind;

	for_each_possible_cpu(cpu) {
		text = per_cpu_ptr(&model_text, cpu);
		WRITE_ONCE(text->executions, 0);
		WRITE_ONCE(text->kept, 0);
		WRITE_ONCE(text->stale, 0);
		WRITE_ONCE(text->early, 0);
	}
	for (kind = 0; kind < KINDS; kind++) {
		atomic_long_set(&patched[kind].runs, 0);
		atomic_long_set(&patched[kind].wrong, 0);
	}
	return 0;
}

static const struct {
	const char *name;
	int (*run)(u32 arg);
} commands[] = {
	{ "patch", patch_all },
	{ "broken", set_broken },
	{ "reset", reset },
};

/* /sys/kernel/debug/pt_sync/text_sync_test: "COMMAND NUMBER". */
static ssize_t test_write(struct file *file, const char __user *ubuf,
			  size_t count, loff_t *pos)
{
	char buf[32] = "", name[32];
	u32 arg = 0;
	int err, i;

	if (count >= sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, ubuf, count))
		return -EFAULT;
	if (sscanf(buf, "%31s %u", name, &arg) < 1)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(name, commands[i].name))
			continue;
		err = commands[i].run(arg);
		return err ?: count;
	}
	return -EINVAL;
}

static int test_show(struct seq_file *m, void *unused)
{
	struct model_text sum = { };
	struct model_text *text;
	int cpu, kind;

	for_each_possible_cpu(cpu) {
		text = per_cpu_ptr(&model_text, cpu);
		sum.executions += READ_ONCE(text->executions);
		sum.kept += READ_ONCE(text->kept);
		sum.stale += READ_ONCE(text->stale);
		sum.early += READ_ONCE(text->early);
	}
	seq_printf(m, "steps %u\n", READ_ONCE(written));
	seq_printf(m, "executions %lu\n", sum.executions);
	seq_printf(m, "kept %lu\n", sum.kept);
	seq_printf(m, "stale %lu\n", sum.stale);
	seq_printf(m, "early %lu\n", sum.early);
	for (kind = 0; kind < KINDS; kind++) {
		seq_printf(m, "%s_patched %u\n", names[kind],
			   READ_ONCE(patched[kind].finished));
		seq_printf(m, "%s_run %ld\n", names[kind],
			   atomic_long_read(&patched[kind].runs));
		seq_printf(m, "%s_wrong %ld\n", names[kind],
			   atomic_long_read(&patched[kind].wrong));
	}
	return 0;
}

DEFINE_SHOW_STORE_ATTRIBUTE(test);

static int __init text_sync_test_init(void)
{
	struct dentry *dir;
	int err;

	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "x86/text_sync_test:online",
					come_up, NULL);
	if (err < 0)
		return err;
	probe.addr = (kprobe_opcode_t *)probed;
	err = register_kprobe(&probe);
	if (err)
		return err;
	err = ftrace_set_filter_ip(&trace_ops, (unsigned long)traced, 0, 0);
	if (err)
		return err;
	err = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "text_sync_test");
	if (err)
		return err;
	err = register_trace_user_exit(on_user_exit, NULL);
	if (err)
		return err;
	dir = debugfs_lookup("pt_sync", NULL);
	debugfs_create_file("text_sync_test", 0600, dir, NULL, &test_fops);
	dput(dir);
	return 0;
}
late_initcall_sync(text_sync_test_init);
