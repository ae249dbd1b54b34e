// SPDX-License-Identifier: GPL-2.0
/*
 * What must interrupt isolated CPUs in user mode, and what must not, one kind
 * of change after the other. Where the rule is quell's own code, the kernel is
 * then told to break it, and the same count must fail: a test that can't fail
 * shows nothing.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json.h"
#include "checks/kernel-flush.h"
#include "workload.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* enum kernel_flush_broken */
enum {
	NOTHING = 0, PRESENT = 6, TYPE, FORCED, SPLIT, LARGE, SETTLE, HUGE, EVENT,
	HOLE,
};

/* BPF maps of 64 pages each; a table for so many files is too large for kmalloc(). */
enum { MAPS = 96, FILES = 1048576 };

static void change_ldt(void)
{
	struct user_desc desc = {
		.limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1,
	};

	if (syscall(SYS_modify_ldt, 0x11, &desc, sizeof(desc)))
		die("cannot change the LDT");
}

/* The first touch of a page takes it out of the direct map. */
static void take_secret_page(void)
{
	int file = (int)syscall(SYS_memfd_secret, 0);
	char *page;

	if (file < 0 || ftruncate(file, 4096))
		die("cannot get secret memory");
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (page == MAP_FAILED)
		die("cannot map secret memory");
	*(volatile char *)page = 1;
	munmap(page, 4096);
	close(file);
}

enum when { ALWAYS, WITH_PTI, WITHOUT_PTI };

/*
 * @what is a command of the kernel's test, unless there is a function @doit.
 * @each: interrupts of each isolated CPU for each time, at least; 0: none at
 * all. @broken: the fault with which that must not be so, and @when that is.
 */
static const struct rule {
	const char *what;
	void (*doit)(void);
	unsigned int each;
	enum when when;
	int broken;
	enum when broken_when;
	bool snp;
} rules[] = {
	{ .what = "permission" },
	{ .what = "split", .when = WITH_PTI },
	{ .what = "large", .when = WITH_PTI },
	{ .what = "split", .each = 1, .when = WITHOUT_PTI, .broken = SPLIT },
	{ .what = "large", .each = 2, .when = WITHOUT_PTI, .broken = LARGE },
	{ .what = "split", .each = 1, .snp = true, .broken = SPLIT },
	{ .what = "lend", .when = WITH_PTI },
	{ .what = "lend", .each = 1, .when = WITHOUT_PTI, .broken = SPLIT },
	{ .what = "lend", .each = 1, .snp = true, .broken = SPLIT },
	{ .what = "hide", .each = 2, .when = WITH_PTI, .broken = PRESENT },
	{ .what = "hide", .each = 3, .when = WITHOUT_PTI, .broken = PRESENT },
	{ .what = "forced", .each = 1, .broken = FORCED, .broken_when = WITH_PTI },
	{ .what = "absent", .each = 2, .broken = PRESENT },
	{ .what = "poison", .each = 2, .broken = PRESENT },
	{ .what = "type", .each = 2, .broken = TYPE },
	{ .what = "owed", .each = 3, .broken = SETTLE, .broken_when = WITH_PTI },
	{ .what = "lent", .each = 3, .broken = SETTLE, .broken_when = WITH_PTI },
	{ .what = "huge", .when = WITH_PTI },
	{ .what = "huge", .each = 1, .when = WITHOUT_PTI, .broken = HUGE },
	{ .what = "reuse", .each = 1, .when = WITH_PTI, .broken = HOLE },
	{ .what = "reuse", .each = 1, .when = WITHOUT_PTI, .broken = HUGE },
	{ .what = "area", .each = 1, .when = WITH_PTI, .broken = SPLIT },
	{ .what = "tables", .each = 1 },
	{ .what = "ldt", .doit = change_ldt, .each = 1 },
	{ .what = "secret", .doit = take_secret_page, .each = 1 },
};

static bool applies(enum when when)
{
	return when == ALWAYS || (when == WITH_PTI) == kernel_flush_isolation();
}

static struct kernel_flush_calls count(const struct cpus *isolated,
				       const struct rule *rule, long times)
{
	static struct interrupts before;
	pthread_t thread[MAX_CPUS];
	struct kernel_flush_calls calls;

	kernel_flush_command("prepare", 0);
	kernel_flush_command("snp", rule->snp);
	kernel_flush_occupy(isolated, thread);
	must_write(KERNEL_FLUSH, "reset");
	kernel_flush_read_interrupts(&before);
	for (long i = 0; i < times; i++) {
		if (rule->doit)
			rule->doit();
		else
			kernel_flush_command(rule->what, 0);
	}
	calls = kernel_flush_calls_since(isolated, &before);
	kernel_flush_leave(isolated, thread);
	kernel_flush_command("snp", 0);
	return calls;
}

static bool as_it_must(const struct rule *rule, long times,
		       const struct kernel_flush_calls *calls)
{
	return rule->each ? calls->least >= (uint64_t)times * rule->each :
			    calls->sum == 0;
}

static bool check(const struct cpus *isolated, const struct rule *rule,
		  long times)
{
	struct kernel_flush_calls calls = count(isolated, rule, times);
	bool good = as_it_must(rule, times, &calls);

	json_begin();
	json_text("test", "rules");
	json_text("what", rule->what);
	json_bool("pti", kernel_flush_isolation());
	json_bool("snp", rule->snp);
	json_number("times", times);
	json_number("must_be_each", rule->each);
	json_number("ipis_per_cpu_least", (int64_t)calls.least);
	json_number("ipis_per_cpu_most", (int64_t)calls.most);
	if (rule->broken && applies(rule->broken_when)) {
		bool red;

		kernel_flush_command("broken", rule->broken);
		calls = count(isolated, rule, times);
		kernel_flush_command("broken", NOTHING);
		red = !as_it_must(rule, times, &calls);
		json_number("broken", rule->broken);
		json_number("broken_ipis_per_cpu_least", (int64_t)calls.least);
		json_bool("red_when_broken", red);
		good = good && red;
	}
	json_bool("good", good);
	json_end();
	kernel_flush_command("release", 0);
	return good;
}

/* Small pages become a large one, which interrupts by its own call. */
static bool check_collapse(const struct cpus *isolated, long times)
{
	static const struct rule rule = { .what = "collapse", .each = 1 };
	char *text = must_read("/proc/vmstat");
	bool possible = strstr(text, "direct_map_level2_collapses");

	free(text);
	return !possible || check(isolated, &rule, times);
}

static long vmstat(const char *name)
{
	return kernel_flush_value("/proc/vmstat", name);
}

/* The kernel's own count of what was flush_tlb_all(). */
static bool check_event(long times)
{
	long right = vmstat("nr_tlb_remote_flush"), wrong;
	bool good;

	kernel_flush_command("everywhere", times);
	right = vmstat("nr_tlb_remote_flush") - right;
	kernel_flush_command("broken", EVENT);
	wrong = vmstat("nr_tlb_remote_flush");
	kernel_flush_command("everywhere", times);
	wrong = vmstat("nr_tlb_remote_flush") - wrong;
	kernel_flush_command("broken", NOTHING);
	good = right >= times && wrong < times;
	json_begin();
	json_text("test", "rules");
	json_text("what", "event");
	json_number("times", times);
	json_number("events", right);
	json_number("broken_events", wrong);
	json_bool("good", good);
	json_end();
	return good;
}

/*
 * A process whose table of files is vmalloc space in a huge leaf. CPUs that go
 * to user mode after this may have it in the TLB, with page table isolation as
 * well.
 */
static pid_t start_holder(void)
{
	const struct rlimit limit = { FILES, FILES };
	pid_t holder = fork();
	int status;

	if (holder < 0)
		die("cannot start a process");
	if (!holder) {
		if (setrlimit(RLIMIT_NOFILE, &limit) || dup2(0, FILES - 1) < 0)
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(holder, &status, WUNTRACED) != holder || !WIFSTOPPED(status))
		die("a process cannot have %d files", FILES);
	return holder;
}

static void end_holder(pid_t holder)
{
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

/*
 * Small pages in vmalloc space, which gives the lowest free address first: so
 * they come, among others, where a huge leaf was.
 */
static void take_small_pages(int *map)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 256 * 1024;
	attr.max_entries = 1;
	for (int i = 0; i < MAPS; i++) {
		map[i] = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
		if (map[i] < 0)
			die("cannot make a BPF map");
	}
}

int kernel_flush_change(const struct cpus *isolated, const char *what,
			long broken)
{
	bool refill = !strcmp(what, "refill");
	pthread_t thread[MAX_CPUS];
	pid_t holder = 0;
	int map[MAPS];

	kernel_flush_command("prepare", 0);
	if (refill)
		holder = start_holder();
	kernel_flush_command("broken", broken);
	kernel_flush_occupy(isolated, thread);
	/* The tick of a CPU that has got a task stops after a few: each pays. */
	sleep_ms(200);
	if (refill)
		end_holder(holder);
	kernel_flush_command(refill ? "huge" : what, 0);
	if (refill)
		take_small_pages(map);
	/* Back in user mode, and a while there. */
	sleep_ms(2);
	kernel_flush_leave(isolated, thread);
	kernel_flush_command("broken", NOTHING);
	for (int i = 0; refill && i < MAPS; i++)
		close(map[i]);
	kernel_flush_command("release", 0);
	json_begin();
	json_text("test", "change");
	json_text("what", what);
	json_number("broken", broken);
	json_end();
	return 0;
}

int kernel_flush_rules(const struct cpus *isolated, long times,
		       const char *only)
{
	bool good = true;

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (only && strcmp(only, rules[i].what))
			continue;
		if (applies(rules[i].when) && !check(isolated, &rules[i], times))
			good = false;
	}
	if ((!only || !strcmp(only, "collapse")) &&
	    !check_collapse(isolated, times))
		good = false;
	if ((!only || !strcmp(only, "event")) && !check_event(times * 20))
		good = false;
	return !good;
}
