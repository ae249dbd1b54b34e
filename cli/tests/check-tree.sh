# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests of quell check: a tree of files that looks like a machine.
# healthy DIR: 8 CPUs, 4-7 left alone, and nothing to be found.

# w PATH TEXT: a file below $tree.
w() { mkdir -p "$tree$(dirname "$1")"; printf '%s\n' "$2" >"$tree$1"; }

# thread PID NAME FLAGS CPUS [CGROUP]
thread() {
	w "/proc/$1/comm" "$2"
	w "/proc/$1/stat" "$1 ($2) S 1 1 1 0 -1 $3 0 0"
	printf 'Name:\t%s\nCpus_allowed_list:\t%s\nnonvoluntary_ctxt_switches:\t1\n' "$2" "$4" >"$tree/proc/$1/status"
	mkdir -p "$tree/proc/$1/task/$1"
	cp "$tree/proc/$1/status" "$tree/proc/$1/task/$1/status"
	w "/proc/$1/cgroup" "0::${5:-/system.slice/$2.service}"
}

# irq N NAME MASK EFFECTIVE
irq() {
	w "/proc/irq/$1/smp_affinity_list" "$3"
	w "/proc/irq/$1/effective_affinity_list" "$4"
	w "/sys/kernel/irq/$1/actions" "$2"
}

# What the kernel makes of its command line.
boots_with() {
	w /proc/cmdline "$1"
	w /sys/devices/system/cpu/isolated "$(sed -n 's/.*isolcpus=\([a-z_]*,\)*domain,\([0-9-]*\).*/\2/p' <<<"$1")"
	w /sys/devices/system/cpu/nohz_full "$(sed -n 's/.*nohz_full=\([0-9-]*\).*/\1/p' <<<"$1")"
}

healthy() {
	local cpu
	tree=$1
	w /sys/devices/system/cpu/online 0-7
	w /sys/devices/system/cpu/possible 0-7
	boots_with 'root=/dev/sda1 quiet isolcpus=managed_irq,domain,4-7 nohz_full=4-7 rcu_nocbs=4-7 irqaffinity=0-3'
	w /proc/irq/default_smp_affinity 0f
	irq 4 ttyS0 0-3 1
	irq 24 'nvme0q0' 0-3 2
	irq 30 '' 0-7 5		# nobody uses it
	irq 25 nvme0q1 0-1 0
	irq 0 timer 0-7 0
	chmod 444 "$tree/proc/irq/0/smp_affinity_list"
	w /sys/devices/virtual/workqueue/cpumask 0f
	w /sys/fs/cgroup/cgroup.procs ''
	w /sys/fs/cgroup/work.slice/cgroup.procs ''
	w /sys/fs/cgroup/work.slice/cpuset.cpus 2-3
	w /sys/fs/cgroup/work.slice/cpuset.cpus.partition root
	w /etc/systemd/system.conf $'[Manager]\n#CPUAffinity=0-7\nLogLevel=info'
	w /proc/sys/vm/stat_interval 10
	w /proc/sys/vm/compaction_proactiveness 0
	w /proc/sys/kernel/numa_balancing 0
	w /proc/sys/kernel/timer_migration 1
	w /proc/sys/kernel/watchdog 1
	w /proc/sys/kernel/soft_watchdog 1
	w /proc/sys/kernel/nmi_watchdog 1
	w /proc/sys/kernel/watchdog_cpumask 0-3
	w /proc/sys/kernel/sched_rt_runtime_us -1
	w /sys/kernel/mm/ksm/run 0
	w /sys/kernel/rcu_expedited 0
	w /sys/devices/system/machinecheck/machinecheck0/check_interval 0
	w /sys/kernel/mm/transparent_hugepage/enabled 'always [madvise] never'
	w /sys/devices/system/clocksource/clocksource0/current_clocksource tsc
	w /sys/devices/system/clocksource/clocksource0/available_clocksource 'tsc hpet acpi_pm '
	w /proc/cpuinfo $'processor\t: 0\nflags\t\t: fpu constant_tsc nonstop_tsc tsc_adjust pti'
	for cpu in 0 4 5 6 7; do
		w /sys/devices/system/cpu/cpu$cpu/cpufreq/scaling_governor performance
		w /sys/devices/system/cpu/cpu$cpu/cpuidle/state1/latency 2
		w /sys/devices/system/cpu/cpu$cpu/cpuidle/state1/disable 0
		w /sys/devices/system/cpu/cpu$cpu/cpuidle/state3/latency 133
		w /sys/devices/system/cpu/cpu$cpu/cpuidle/state3/disable 1
	done
	w /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor powersave
	w /sys/class/net/eth0/queues/rx-0/rps_cpus 00
	w /sys/class/net/eth0/queues/rx-1/rps_cpus 03
	thread 1 systemd 4194560 0-3 /init.scope
	thread 2 kthreadd 2129984 0-3 /
	thread 21 ksoftirqd/5 69238848 5 /
	thread 800 cron 4194560 0-3
	thread 900 polling-app 4194560 4-7	# the work it is all for
}
