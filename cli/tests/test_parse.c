// SPDX-License-Identifier: GPL-2.0
/* test_parse.c - CPU lists, durations, causes, JSON, /proc/interrupts. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../classify.h"
#include "../join/counters.h"
#include "../cpulist.h"
#include "../json.h"
#include "../quell.h"
#include "tap.h"

void test_cpulist(void)
{
	static const struct { const char *in, *out; } good[] = {
		{ "", "" }, { "0", "0" }, { "0-3", "0-3" }, { "3,1,2", "1-3" },
		{ "0,2-5,7", "0,2-5,7" }, { "0-30:2/8", "0,1,8,9,16,17,24,25" },
		{ "5-5", "5" }, { "0,0,0", "0" }, { "4,5", "4,5" },
		{ "8191", "8191" }, { "62-65", "62-65" }, { "007", "7" },
	};
	static const char *const bad[] = {
		",", "1,", ",1", "1,,2", "-1", "1-", "3-1", "a", "1a", "1 ,2",
		" 1", "1\n", "8192", "0-8192", "99999999999999999999", "1-2-3",
		"0-7:2", "0-7:/2", "0-7:0/2", "0-7:3/2", "0-7:2/", "0:1/2",
		"0x1", "+1", "1--2", "all",
	};
	struct cpuset s, again;
	uint64_t ns;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		const char *why = NULL;
		bool parsed = cpulist_parse(good[i].in, &s, &why);
		char *text = cpulist_format(&s);

		ok(parsed && !strcmp(text, good[i].out), "cpulist \"%s\" is \"%s\"",
		   good[i].in, text);
		ok(cpulist_parse(text, &again, NULL) &&
		   !memcmp(&s, &again, sizeof(s)), "and survives being written");
		free(text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const char *why = NULL;

		ok(!cpulist_parse(bad[i], &s, &why) && why,
		   "cpulist nonsense %zu is refused with a reason", i);
	}
	/* Lone CPUs, pairs ("4,5", the longest) and ranges, each with gaps. */
	for (int run = 1; run <= 3; run++) {
		cpuset_clear(&s);
		for (int cpu = 0; cpu < MAX_CPUS; cpu++)
			if (cpu % (run + 1) < run)
				cpuset_add(&s, cpu);
		char *text = cpulist_format(&s);

		ok(cpulist_parse(text, &again, NULL) &&
		   !memcmp(&s, &again, sizeof(s)),
		   "a list of every CPU in runs of %d fits", run);
		free(text);
	}

	ok(parse_duration("10", &ns) && ns == 10000000000ull, "10 is ten seconds");
	ok(parse_duration("500ms", &ns) && ns == 500000000ull, "500ms");
	ok(parse_duration("1.5m", &ns) && ns == 90000000000ull, "1.5m");
	ok(!parse_duration("", &ns) && !parse_duration("-1", &ns) &&
	   !parse_duration("0", &ns) && !parse_duration("5x", &ns) &&
	   !parse_duration("1e99", &ns) && !parse_duration("nan", &ns) &&
	   !parse_duration("inf", &ns) && !parse_duration("0x1p3", &ns),
	   "nonsense is no duration");
}

void test_classify(void)
{
	static const struct { const char *func; enum cause cause; } funcs[] = {
		{ "tlb_remove_table_smp_sync", CAUSE_PT_SYNC },
		{ "flush_tlb_func", CAUSE_TLB_USER },
		{ "flush_tlb_func.isra.0", CAUSE_TLB_USER },
		{ "flush_tlb_func_not", CAUSE_CALL },
		{ "do_flush_tlb_all", CAUSE_TLB_KERNEL },
		{ "do_kernel_range_flush", CAUSE_TLB_KERNEL },
		{ "ipi_mb", CAUSE_MEMBARRIER },
		{ "ipi_sync_core", CAUSE_MEMBARRIER },
		{ "ipi_sync_rq_state", CAUSE_MEMBARRIER },
		{ "do_sync_core", CAUSE_TEXT },
		{ "sched_ttwu_pending", CAUSE_WAKEUP },
		{ "rcu_exp_handler", CAUSE_RCU },
		{ "invalidate_bh_lru", CAUSE_CALL },
		{ "", CAUSE_UNKNOWN },
		{ "pt_sync", CAUSE_CALL },	/* a key is no function */
	};
	struct avoid_facts stock = { .pti = true }, quell = { .auto_strategy = true,
		.kernel_flush = true, .pti = true }, no_pti = { 0 };
	struct avoid_case user = { .isolated = true, .deferrable = true };
	const char *vfree[] = { "__purge_vmap_area_lazy", "vfree" };
	const char *ro[] = { "change_page_attr_set_clr", "set_memory_ro" };
	const char *uc[] = { "change_page_attr_set_clr", "_set_memory_uc" };
	const char *split[] = { "__change_page_attr_set_clr",
				"change_page_attr_set_clr", "set_memory_ro" };
	const char *frames[] = { "smp_call_function", "tlb_remove_table_sync_one",
				 "collapse_huge_page" };
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(funcs); i++)
		ok(classify_func(funcs[i].func) == funcs[i].cause,
		   "\"%s\" is %s", funcs[i].func, cause_info(funcs[i].cause)->key);
	for (int c = 0; c < NR_CAUSES; c++)
		ok(cause_by_key(cause_info(c)->key) == (enum cause)c &&
		   cause_info(c)->what && cause_info(c)->needed && cause_info(c)->avoid,
		   "cause %s is whole", cause_info(c)->key);
	ok(classify_stack(frames, 3) == CAUSE_PT_SYNC, "a sync is told by its stack");
	ok(classify_stack(frames, 0) == CAUSE_UNKNOWN, "no stack tells nothing");
	ok(is_plumbing("smp_call_function_many_cond") &&
	   is_plumbing("smp_call_function_many_cond.constprop.0") &&
	   !is_plumbing("collapse_huge_page") && !is_plumbing(""),
	   "the way into the IPI code is no call site");
	ok(avoidable(CAUSE_PT_SYNC, &(struct avoid_case){ 0 }, &stock, &why),
	   "a sync is avoidable on stock, on any CPU");
	ok(!avoidable(CAUSE_PT_SYNC, &user, &quell, &why),
	   "what quell still sends is needed");
	ok(avoidable(CAUSE_TLB_KERNEL, &user, &stock, &why),
	   "a flush of vmalloc is avoidable on an isolated CPU that runs a task");
	for (int i = 0; i < 3; i++) {
		struct avoid_case not = user;

		*(i == 0 ? &not.isolated : i == 1 ? &not.idle : &not.deferrable) ^= 1;
		ok(!avoidable(CAUSE_TLB_KERNEL, &not, &stock, &why),
		   "but not otherwise: %s", why);
	}
	ok(avoidable(CAUSE_TLB_KERNEL, &user, &no_pti, &why),
	   "without PTI, too");
	ok(!avoidable(CAUSE_TLB_KERNEL, &user, &quell, &why),
	   "not where it is deferred already");
	ok(!avoidable(CAUSE_TLB_USER, &user, &stock, &why) && why,
	   "a user flush is due");
	ok(stack_deferrable(vfree, 2) && stack_deferrable(ro, 2) &&
	   !stack_deferrable(uc, 2) && !stack_deferrable(split, 3) &&
	   !stack_deferrable(NULL, 0), "which flushes may come later");
}

void test_json(void)
{
	struct json j = { 0 };
	char *text = NULL;
	size_t len;

	j.f = open_memstream(&text, &len);
	json_open(&j, NULL, '{');
	json_str(&j, "a\"b", "c\\d\n\x01\xff\xc3\xa9\xed\xa0\x80");
	json_open(&j, "list", '[');
	json_u64(&j, NULL, UINT64_MAX);
	json_num(&j, NULL, 1.0 / 3);
	json_num(&j, NULL, 1e300 * 1e300);
	json_bool(&j, NULL, false);
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_close(&j, ']');
	json_null(&j, "n");
	json_close(&j, '}');
	fclose(j.f);
	ok(!strcmp(text, "{\"a\\\"b\":\"c\\\\\\\\d\\\\x0a\\\\x01\\\\xff\xc3\xa9\\\\xed\\\\xa0\\\\x80\","
		   "\"list\":[18446744073709551615,0.333333,null,false,{}],\"n\":null}\n"),
	   "JSON: quoting, nesting, commas, what is not UTF-8");
	free(text);
}

static const char x86[] =
	"           CPU0       CPU2       \n"
	"  1:          0          9   IO-APIC   1-edge      i8042\n"
	" 24:          5          1  PCI-MSI 24-edge eth0\n"
	"NMI:          1          2   Non-maskable interrupts\n"
	"LOC:       1000        100   Local timer interrupts\n"
	"RES:          3          4   Rescheduling interrupts\n"
	"CAL:         10         20   Function call interrupts\n"
	"TLB:          7          8   TLB shootdowns\n"
	"TRM:          0          0   Thermal event interrupts\n"
	"ERR:          0\n"
	"MIS:          0\n";
static const char x86_later[] =
	"           CPU0       CPU2       \n"
	"  1:          0          9   IO-APIC   1-edge      i8042\n"
	" 24:          5          3  PCI-MSI 24-edge eth0\n"
	"NMI:          1          4   Non-maskable interrupts\n"
	"LOC:       2000        101   Local timer interrupts\n"
	"RES:          3          4   Rescheduling interrupts\n"
	"CAL:         10        500   Function call interrupts\n"
	"TLB:          7         18   TLB shootdowns\n"
	"TRM:          0          0   Thermal event interrupts\n"
	"ERR:          1\n"
	"MIS:          0\n";
static const char arm64[] =
	"           CPU0       CPU1\n"
	" 10:       2000       2100     GICv3  27 Level     arch_timer\n"
	"IPI0:        11         12       Rescheduling interrupts\n"
	"IPI1:        21         22       Function call interrupts\n"
	"IPI5:         1          2       IRQ work interrupts\n"
	"IPI2:         0          0       CPU stop interrupts\n"
	"Err:          0\n";

void test_counters(void)
{
	struct counters a = { 0 }, b = { 0 }, c = { 0 };
	struct agreement *d;
	struct cpuset observed;
	size_t n;

	ok(counters_parse(&a, x86) && a.nrows == 10 && a.ncpus == 2 && a.cpu[1] == 2,
	   "/proc/interrupts with a CPU missing");
	ok(!strcmp(counters_label(&a, VEC_CALL, ""), "CAL") &&
	   !strcmp(counters_label(&a, VEC_CALL_SINGLE, ""), "CAL") &&
	   !strcmp(counters_label(&a, VEC_RESCHED, ""), "RES") &&
	   !strcmp(counters_label(&a, VEC_TIMER, ""), "LOC") &&
	   !strcmp(counters_label(&a, VEC_OTHER, "thermal_apic"), "TRM") &&
	   !strcmp(counters_label(&a, VEC_DEVICE, "24:eth0"), "24") &&
	   !strcmp(counters_label(&a, VEC_DEVICE, "2:cascade"), "") &&
	   !strcmp(counters_label(&a, VEC_DEVICE, "1:i8042"), "1"),
	   "x86 rows are found");
	counters_parse(&b, x86_later);
	cpulist_parse("2", &observed, NULL);
	n = counters_diff(&a, &b, &observed, &d);
	ok(n == 4, "only rows that moved on observed CPUs (%zu)", n);
	ok(n == 4 && !strcmp(d[0].label, "24") && d[0].kernel == 2 && d[0].traced &&
	   !strcmp(d[1].label, "NMI") && d[1].kernel == 2 && !d[1].traced &&
	   !strcmp(d[3].label, "CAL") && d[3].kernel == 480 && d[3].cpu == 2,
	   "with their differences, TLB left out");
	free(d);
	ok(counters_parse(&c, arm64) &&
	   !strcmp(counters_label(&c, VEC_CALL, ""), "IPI1") &&
	   !strcmp(counters_label(&c, VEC_RESCHED, ""), "IPI0") &&
	   !strcmp(counters_label(&c, VEC_IRQ_WORK, ""), "IPI5") &&
	   !strcmp(counters_label(&c, VEC_OTHER, "CPU stop interrupts"), "IPI2") &&
	   !strcmp(counters_label(&c, VEC_DEVICE, "10:arch_timer"), "10"),
	   "arm64 rows are found");
	counters_free(&a);
	counters_free(&b);
	counters_free(&c);
	ok(!counters_parse(&a, "") && !counters_parse(&b, "no such thing\n1: 2\n"),
	   "anything else is not /proc/interrupts");
	counters_free(&a);
	counters_free(&b);

	struct agreement x = { .kernel = 10, .counted = 9, .slack = 1 };

	ok(agrees(&x), "one event while reading may be one more in the kernel");
	x.slack = 0;
	ok(!agrees(&x), "without it, one off is off");
	x.counted = 11;
	ok(!agrees(&x), "in both directions");
}
