// SPDX-License-Identifier: GPL-2.0
/*
 * functions.c - what is known of functions of the kernel: by name those that
 * interrupt CPUs often, by prefix which subsystem the others belong to. Names
 * are those of Linux 6.1 to 7.3.
 */
#include <stdio.h>
#include <string.h>

#include "classify.h"
#include "show/functions.h"
#include "quell.h"

#define TICK	"the tick"
#define SLEEP	"timers of tasks"
#define SCHED	"the scheduler"
#define WORK	"workqueues"
#define MEM	"memory management"
#define NET	"networking"
#define BLOCK	"block devices"
#define FS	"file systems"
#define PERF	"perf"
#define RCU	"RCU"
#define CLOCK	"clocks"
#define TEXT	"patching of kernel code"

#define MOVE_TASK	"taskset -acp %h $(pgrep -x %t)"
#define WQ_MASK		"echo %m > /sys/devices/virtual/workqueue/cpumask"

static const struct function_info known[] = {
	/* Timers. */
	{ "tick_sched_timer", TICK, "the tick itself", "kernel command line: nohz_full=%q, and one runnable task per CPU" },
	{ "tick_nohz_handler", TICK, "the tick itself", "kernel command line: nohz_full=%q, and one runnable task per CPU" },
	{ "tick_sched_handle", TICK, "the tick itself", "kernel command line: nohz_full=%q, and one runnable task per CPU" },
	{ "hrtimer_wakeup", SLEEP, "a task that slept (nanosleep, futex, poll with a timeout) is due", MOVE_TASK },
	{ "it_real_fn", SLEEP, "setitimer(ITIMER_REAL) or alarm() of a process expired", MOVE_TASK },
	{ "posix_timer_fn", SLEEP, "a timer of timer_create(2) expired", MOVE_TASK },
	{ "timerfd_tmrproc", SLEEP, "a timerfd expired", MOVE_TASK },
	{ "alarmtimer_fired", SLEEP, "an alarm timer expired", MOVE_TASK },
	{ "process_timeout", SLEEP, "a task waited in the kernel with a timeout", MOVE_TASK },
	{ "apic_timer_fn", "KVM", "the timer of a guest's CPU", NULL },
	{ "watchdog_timer_fn", "the lockup detector", "looks for CPUs that are stuck, every few seconds", "sysctl kernel.watchdog_cpumask=%h" },
	{ "softlockup_fn", "the lockup detector", "the work that shows a CPU still schedules", "sysctl kernel.watchdog_cpumask=%h" },
	{ "clocksource_watchdog", CLOCK, "compares the clocks, each time on the next CPU", "kernel command line: tsc=nowatchdog" },
	{ "clocksource_watchdog_work", CLOCK, "a clock was found to be wrong", "kernel command line: tsc=nowatchdog, if the TSC is right" },
	{ "mce_timer_fn", "machine checks", "polls for corrected errors", "echo 0 > /sys/devices/system/machinecheck/machinecheck0/check_interval" },
	{ "sched_rt_period_timer", SCHED, "refills what real-time tasks may run", "sysctl kernel.sched_rt_runtime_us=-1" },
	{ "dl_task_timer", SCHED, "a deadline task, or the fair server, gets its time again", "echo 0 > /sys/kernel/debug/sched/fair_server/cpuN/runtime, for CPUs %q" },
	{ "inactive_task_timer", SCHED, "a deadline task, or the fair server, gives its time back", "echo 0 > /sys/kernel/debug/sched/fair_server/cpuN/runtime, for CPUs %q" },
	{ "sched_cfs_period_timer", SCHED, "a control group with cpu.max gets its time again", "no cpu.max for groups whose tasks run on CPUs %q" },
	{ "sched_cfs_slack_timer", SCHED, "a control group with cpu.max gives time back", "no cpu.max for groups whose tasks run on CPUs %q" },
	{ "hrtick", SCHED, "the end of a time slice", "one runnable task per CPU" },
	{ "perf_mux_hrtimer_handler", PERF, "more events than counters: they take turns", "end perf on CPUs %q, or open fewer events" },
	{ "perf_swevent_hrtimer", PERF, "a sampling timer of perf", "end perf on CPUs %q (perf --cpu %h)" },
	{ "delayed_work_timer_fn", WORK, "delayed work is due and is queued here", WQ_MASK },
	{ "wq_watchdog_timer_fn", WORK, "looks for workqueues that are stuck", "kernel command line: workqueue.watchdog_thresh=0" },
	{ "idle_worker_timeout", WORK, "an idle kworker may go", NULL },
	{ "pool_mayday_timeout", WORK, "work waits for memory", NULL },
	{ "tcp_write_timer", NET, "a TCP connection sends again", "move the program that owns the connection: " MOVE_TASK },
	{ "tcp_delack_timer", NET, "a TCP connection sends its acknowledgement", "move the program that owns the connection: " MOVE_TASK },
	{ "tcp_keepalive_timer", NET, "a TCP connection asks whether the other end lives", "move the program that owns the connection: " MOVE_TASK },
	{ "tw_timer_handler", NET, "a closed TCP connection is forgotten", "move the program that owned the connection: " MOVE_TASK },
	{ "neigh_timer_handler", NET, "an address is checked (ARP, ND)", "sysctl kernel.timer_migration=1" },
	{ "dev_watchdog", NET, "looks for network devices that are stuck", "sysctl kernel.timer_migration=1" },
	{ "napi_watchdog", NET, "a network device is polled", "move the device's interrupt: /proc/irq/N/smp_affinity_list" },
	{ "blk_rq_timed_out_timer", BLOCK, "looks for requests that are overdue", "start no I/O from CPUs %q" },
	{ "commit_timeout", FS, "ext4's journal is to be written", "sysctl kernel.timer_migration=1" },
	{ "mix_interrupt_randomness", "random numbers", "interrupts of this CPU are stirred into the pool", "no interrupts there: irqaffinity=%h" },
	{ "entropy_timer", "random numbers", "waits for entropy at boot", NULL },
	{ "poll_spurious_irqs", "interrupts", "polls interrupts that were switched off as spurious", NULL },

	/* Work. */
	{ "vmstat_update", MEM, "folds this CPU's counters of memory", "sysctl vm.stat_interval=10; Linux 6.5 and later spare isolated CPUs" },
	{ "vmstat_shepherd", MEM, "looks which CPUs have counters to fold", "sysctl vm.stat_interval=10" },
	{ "lru_add_drain_per_cpu", MEM, "every CPU gives back pages it has kept (migration, mlockall, memory offline)", "stop who asks: %t" },
	{ "drain_local_pages_wq", MEM, "every CPU gives back free pages it has kept", "stop who asks: %t" },
	{ "drain_local_memcg_stock", MEM, "every CPU gives back what it has charged ahead to a control group", "stop who asks: %t" },
	{ "drain_vmap_area_work", MEM, "kernel mappings are purged, with a TLB flush of every CPU", "quell's kernel defers the flush" },
	{ "cache_reap", MEM, "slab gives memory back", NULL },
	{ "kfree_rcu_work", RCU, "memory is freed after a grace period", WQ_MASK },
	{ "kfree_rcu_monitor", RCU, "memory waits for a grace period", WQ_MASK },
	{ "wait_rcu_exp_gp", RCU, "an expedited grace period", "kernel command line: rcupdate.rcu_normal=1" },
	{ "sync_rcu_exp_select_node_cpus", RCU, "an expedited grace period asks CPUs", "kernel command line: rcupdate.rcu_normal=1" },
	{ "process_srcu", RCU, "a grace period of SRCU", WQ_MASK },
	{ "srcu_invoke_callbacks", RCU, "callbacks of SRCU, on the CPU that queued them", "keep who queued them away: " MOVE_TASK },
	{ "wb_workfn", FS, "dirty pages are written", WQ_MASK },
	{ "blk_mq_run_work_fn", BLOCK, "requests are handed to the device, on the CPU that made them", "start no I/O from CPUs %q" },
	{ "blk_mq_requeue_work", BLOCK, "requests are tried again", "start no I/O from CPUs %q" },
	{ "blk_mq_timeout_work", BLOCK, "looks for requests that are overdue", "start no I/O from CPUs %q" },
	{ "flush_to_ldisc", "terminals", "what a terminal has received is passed on", WQ_MASK },
	{ "console_callback", "terminals", "the console is drawn", WQ_MASK },
	{ "psi_avgs_work", SCHED, "averages of pressure (PSI)", "kernel command line: psi=0" },
	{ "bpf_prog_free_deferred", "BPF", "a BPF program is freed, with its mapping", "load and unload BPF programs when CPUs %q may be disturbed" },
	{ "delayed_fput", FS, "files are closed for good", WQ_MASK },
	{ "css_free_rwork_fn", "control groups", "a control group is freed", WQ_MASK },
	{ "wq_barrier_func", WORK, "somebody waits for the work before it", WQ_MASK },
	{ "irq_affinity_notify", "interrupts", "a driver is told that its interrupt has moved", NULL },
	{ "cpuset_migrate_mm_workfn", "control groups", "memory follows its cpuset", WQ_MASK },

	/* Softirqs, by the names of their vectors. */
	{ "HI", "softirqs", "tasklets of high priority", "move the device's interrupt: /proc/irq/N/smp_affinity_list" },
	{ "TIMER", "softirqs", "timers of this CPU expired; the timer's own function says more", "sysctl kernel.timer_migration=1" },
	{ "NET_TX", "softirqs", "packets were sent from here", "keep programs that send away: " MOVE_TASK },
	{ "NET_RX", "softirqs", "packets arrived here, or were steered here", "move the device's interrupt, and echo 0 > /sys/class/net/*/queues/rx-*/rps_cpus" },
	{ "BLOCK", "softirqs", "requests of a disk are complete", "start no I/O from CPUs %q; isolcpus=managed_irq,domain,%q" },
	{ "IRQ_POLL", "softirqs", "a disk is polled", "start no I/O from CPUs %q" },
	{ "TASKLET", "softirqs", "tasklets of a driver", "move the device's interrupt: /proc/irq/N/smp_affinity_list" },
	{ "SCHED", "softirqs", "the scheduler balances its load", "kernel command line: isolcpus=managed_irq,domain,%q" },
	{ "HRTIMER", "softirqs", "high-resolution timers of this CPU expired", "sysctl kernel.timer_migration=1" },
	{ "RCU", "softirqs", "callbacks of RCU", "kernel command line: rcu_nocbs=%q" },

	/* Call sites: who asked for the interrupt. */
	{ "collapse_huge_page", MEM, "memory is collapsed into a huge page (khugepaged, MADV_COLLAPSE)", "quell-live on; or: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled" },
	{ "collapse_single_pmd", MEM, "memory is collapsed into a huge page (khugepaged, MADV_COLLAPSE)", "quell-live on; or: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled" },
	{ "__purge_vmap_area_lazy", MEM, "kernel mappings (vmalloc, vmap) are purged", NULL },
	{ "change_page_attr_set_clr", MEM, "permissions or the type of kernel memory change (modules, BPF, set_memory)", NULL },
	{ "do_membarrier", "membarrier", "a program called membarrier(2)", NULL },
	{ "__jump_label_update", TEXT, "a static key was switched", "do what switches it (tracing, perf, network features) before the work begins" },
	{ "static_key_slow_inc", TEXT, "a static key was switched on", "do what switches it (tracing, perf, network features) before the work begins" },
	{ "tracepoint_probe_register", TEXT, "a tracepoint was switched on", "start tracing before the work begins" },
	{ "arm_kprobe", TEXT, "a kprobe was set", "start tracing before the work begins" },
	{ "kprobe_optimizer", TEXT, "kprobes are made fast, some time after they were set", "sysctl debug.kprobes-optimization=0" },
	{ "ftrace_modify_all_code", TEXT, "functions are traced, or no longer", "start tracing before the work begins" },
	{ "arch_ftrace_update_code", TEXT, "functions are traced, or no longer", "start tracing before the work begins" },
	{ "do_init_module", TEXT, "a module is loaded", "load modules before the work begins" },
	{ "free_module", TEXT, "a module is unloaded", "unload modules when CPUs %q may be disturbed" },
	{ "perf_event_open", PERF, "somebody counts on this CPU", "end perf on CPUs %q (perf --cpu %h)" },
	{ "show_cpuinfo", "cpufreq", "somebody reads /proc/cpuinfo, which asks each CPU for its frequency", "keep %t from reading /proc/cpuinfo" },
	{ "synchronize_rcu_expedited", RCU, "an expedited grace period", "kernel command line: rcupdate.rcu_normal=1" },
	{ "rcu_barrier", RCU, "somebody waits for all callbacks (unmounting, unloading a module)", "do it when CPUs %q may be disturbed" },
	{ "clock_was_set", CLOCK, "the wall clock was stepped", "slew the clock: chronyd without makestep" },
	{ "tick_nohz_full_kick_cpu", TICK, "a CPU without a tick is asked to look whether it needs one", NULL },
	{ "cpu_stop_queue_work", SCHED, "the stopper thread has something to do there", NULL },
	{ "stop_one_cpu", SCHED, "the stopper thread moves a task", NULL },
	{ "sched_setaffinity", SCHED, "a task is moved", NULL },
};

/* The longest that fits is taken. */
static const struct { const char *prefix, *subsystem; } prefixes[] = {
	{ "acpi_", "ACPI" }, { "ahci_", "SATA" }, { "amd_", "drivers of AMD's" }, { "apic_", "the local APIC" },
	{ "arch_", "the architecture" }, { "ata_", "SATA" }, { "audit_", "auditing" },
	{ "blk_", BLOCK }, { "bdi_", FS }, { "bio_", BLOCK }, { "bpf_", "BPF" }, { "__bpf_", "BPF" }, { "br_", "bridges" }, { "btrfs_", "btrfs" },
	{ "cgroup_", "control groups" }, { "clockevents_", CLOCK }, { "clocksource_", CLOCK },
	{ "collapse_", MEM }, { "compact", MEM }, { "console_", "terminals" }, { "cppc_", "cpufreq" },
	{ "cpu_stop_", SCHED }, { "cpufreq_", "cpufreq" }, { "cpuhp_", "CPU hotplug" }, { "cpuidle_", "cpuidle" },
	{ "cpuset_", "control groups" }, { "crng_", "random numbers" }, { "css_", "control groups" },
	{ "dev_", NET }, { "dl_", SCHED }, { "dm_", "device mapper" }, { "drm_", "graphics" },
	{ "e1000", NET }, { "ena_", NET }, { "enqueue_", SCHED }, { "ext4_", "ext4" },
	{ "fib_", NET }, { "flush_tlb", MEM }, { "free_", MEM }, { "ftrace_", "ftrace" }, { "futex_", "futexes" },
	{ "hpet_", CLOCK }, { "hrtimer_", "high-resolution timers" }, { "hugetlb", "hugetlbfs" }, { "hv_", "Hyper-V" },
	{ "i915_", "graphics" }, { "ice_", NET }, { "igb_", NET }, { "inet_", NET }, { "intel_", "drivers of Intel's" },
	{ "io_", "io_uring" }, { "iommu_", "the IOMMU" }, { "ip6_", NET }, { "ip_", NET }, { "ipi_", "membarrier" },
	{ "irq_", "interrupts" }, { "iwl_", NET }, { "ixgbe_", NET },
	{ "jbd2_", FS }, { "jump_label_", TEXT }, { "__jump_label", TEXT },
	{ "kcompactd", MEM }, { "kfree_rcu", RCU }, { "khugepaged", MEM }, { "klp_", "livepatch" }, { "kprobe_", TEXT },
	{ "ksm_", "KSM" }, { "kswapd", MEM }, { "kvm_", "KVM" },
	{ "loop_", BLOCK }, { "lru_", MEM }, { "madvise_", MEM }, { "mce_", "machine checks" }, { "md_", "software RAID" },
	{ "mem_cgroup_", MEM }, { "memcg_", MEM }, { "migrate_", MEM }, { "mlx", NET }, { "mmc_", "SD cards" },
	{ "module_", "modules" }, { "munmap", MEM }, { "__munmap", MEM },
	{ "napi_", NET }, { "neigh_", NET }, { "net_", NET }, { "netif_", NET }, { "netdev_", NET }, { "nf_", "netfilter" }, { "nfs", "NFS" },
	{ "nft_", "netfilter" }, { "numa_", MEM }, { "nvme_", "NVMe" }, { "output_poll_", "graphics" },
	{ "page_", MEM }, { "pci_", "PCI" }, { "pcie_", "PCI" }, { "pcpu_", MEM }, { "perf_", PERF }, { "__perf_", PERF }, { "posix_", SLEEP },
	{ "printk_", "printk" }, { "psi_", SCHED }, { "pt_sync", "quell" }, { "ptp_", "precision time" },
	{ "queue_work", WORK }, { "r8169_", NET }, { "raid", "software RAID" }, { "rcu_", RCU }, { "__rcu_", RCU }, { "rtl", NET }, { "rt_", SCHED },
	{ "sched_", SCHED }, { "__sched_", SCHED }, { "scsi_", "SCSI" }, { "set_memory_", MEM }, { "shrink_", MEM }, { "sk_", NET }, { "skb_", NET },
	{ "slab_", MEM }, { "smp_", "calls between CPUs" }, { "snd_", "sound" }, { "sock_", NET }, { "srcu_", RCU },
	{ "static_key_", TEXT }, { "swap_", MEM }, { "synchronize_", RCU }, { "sysrq_", "SysRq" },
	{ "tcp_", NET }, { "text_poke", TEXT }, { "tg3_", NET }, { "thermal_", "thermal" }, { "tick_", TICK }, { "timekeeping_", CLOCK },
	{ "tlb_", MEM }, { "toggle_allocation_gate", "KFENCE" }, { "trace_", "tracing" }, { "tracepoint_", TEXT }, { "tracing_", "tracing" },
	{ "try_to_", MEM }, { "tsc_", CLOCK }, { "ttwu_", SCHED }, { "tty_", "terminals" }, { "udp_", NET }, { "unmap_", MEM }, { "usb_", "USB" },
	{ "vfio_", "VFIO" }, { "vhost_", "vhost" }, { "virtblk_", BLOCK }, { "virtio_", "virtio" }, { "virtnet_", NET }, { "vm_", MEM },
	{ "vmap_", MEM }, { "vmstat_", MEM }, { "vunmap", MEM }, { "wake_", SCHED }, { "watchdog_", "the lockup detector" },
	{ "wb_", FS }, { "work", WORK }, { "wq_", WORK }, { "writeback_", FS }, { "xen_", "Xen" }, { "xfs_", "XFS" }, { "xhci_", "USB" },
	{ "zone_", MEM }, { "zram_", "zram" }, { "zswap_", MEM },
};

const struct function_info *function_info(const char *name, struct function_info *room)
{
	static char module[64];
	const char *open = strchr(name, '[');
	size_t best = 0, len;
	char plain[128];

	plain_name(name, plain, sizeof(plain));
	plain[strcspn(plain, " [")] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, plain))
			return &known[i];
	*room = (struct function_info){ NULL, "the kernel", NULL, NULL };
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		len = strlen(prefixes[i].prefix);
		if (len > best && !strncmp(plain, prefixes[i].prefix, len)) {
			best = len;
			room->subsystem = prefixes[i].subsystem;
		}
	}
	if (open) {		/* the module knows better than its prefix */
		snprintf(module, sizeof(module), "the module %.*s",
			 (int)strcspn(open + 1, "]"), open + 1);
		room->subsystem = module;
	}
	return room;
}
