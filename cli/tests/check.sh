#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# quell check, on trees of files that look like machines: every finding is made
# where it should be, not where it should not, and where the script of --fix can
# end it, it is gone after the script and another boot.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
. cli/tests/check-tree.sh
need_packages cli test
out=${OUT:-$PWD/build/cli}
mkdir -p "$out/unit"
flock "$out/unit" make -s -C cli OUT="$out/unit" CC=gcc "$out/unit/check" >&2
quell=$out/unit/check
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/scripts"
healthy "$tmp/healthy"

run() { status=0; "$quell" check --root "$tree" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?; }
look() { run --json; got=$(jq -r '.findings[].id' "$tmp/out" | sort -u | paste -sd' '); }
fresh() { rm -rf "$tmp/tree"; cp -a "$tmp/healthy" "$tmp/tree"; tree=$tmp/tree; }

# As grub-mkconfig reads its files, the kernel its command line, and
# interrupts arrive where they may.
boot() {
	local words=$tree/etc/default/grub.d/zz-quell-check.cfg irq
	for irq in "$tree"/proc/irq/*/; do
		[ "$(stat -c %a "$irq/smp_affinity_list")" = 444 ] || cp "$irq/smp_affinity_list" "$irq/effective_affinity_list"
	done
	[ ! -e "$words" ] || boots_with "$(
		GRUB_CMDLINE_LINUX=$(cat "$tree/proc/cmdline") GRUB_CMDLINE_LINUX_DEFAULT=quiet
		# shellcheck disable=SC1090 # what the script wrote
		. "$words"
		echo "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT")"
}

tried=' '
# found IDS FIX WHAT COMMAND...: the command makes the healthy tree an unhealthy
# one, of which check says exactly IDS, and FIX is among the lines to change.
# FIX "hand" or "now": it is no matter of the script alone.
found() {
	local ids=$1 fix=$2 what=$3
	shift 3
	fresh
	"$@"
	tried+="$ids "
	look
	if [ "$got" != "$ids" ] || [ "$status" != 1 ]; then
		not_ok "$what" "wanted: $ids" "got $status: $(jq -c '[.findings[].id]' "$tmp/out")" "$(cat "$tmp/err")"
		return
	fi
	if ! jq -en --arg fix "${fix#*:}" 'input | [.findings[].fix | contains($fix)] | any' "$tmp/out" >/dev/null; then
		not_ok "$what" "no such fix: $fix" "$(jq -r '.findings[].fix' "$tmp/out")"
		return
	fi
	run --fix
	cp "$tmp/out" "$tmp/fix.sh"
	cp "$tmp/out" "$tmp/scripts/$tests.sh"
	case $fix in
	hand:* | now:*) ;;
	*)
		if ! QUELL_ROOT=$tree sh "$tmp/fix.sh" 2>"$tmp/said"; then
			not_ok "$what" "the script failed" "$(cat "$tmp/said")"
			return
		fi
		boot
		look
		if [ -n "$got" ] || [ "$status" != 0 ]; then
			not_ok "$what" "after the script and another boot there is still: $got" "$(cat "$tree/proc/cmdline")"
			return
		fi ;;
	esac
	ok "$what: $ids"
}

# quiet WHAT COMMAND...: a tree that looks nearly as bad, of which it says nothing.
quiet() {
	local what=$1
	shift
	fresh
	"$@"
	look
	if [ -z "$got" ] && [ "$status" = 0 ]; then ok "nothing: $what"
	else not_ok "nothing: $what" "$(jq -c '[.findings[] | .id, .what]' "$tmp/out")" "$(cat "$tmp/err")"; fi
}
cmdline() { boots_with "root=/dev/sda1 $*"; }
rest='rcu_nocbs=4-7 irqaffinity=0-3'
both="nohz_full=4-7 $rest"
# thread_of PID TID CPUS: one more thread of it.
thread_of() {
	mkdir -p "$tree/proc/$1/task/$2"
	sed "s/^Cpus_allowed_list:.*/Cpus_allowed_list:\t$3/" "$tree/proc/$1/status" >"$tree/proc/$1/task/$2/status"
}

quiet "a healthy system" true

# The command line.
nothing() { w /proc/cmdline quiet; w /sys/devices/system/cpu/isolated ''; w /sys/devices/system/cpu/nohz_full '(null)'; }
found isolation.none 'hand:quell check --cpus LIST' "no CPU is isolated" nothing
dead_list() { cmdline "isolcpus=managed_irq,domain,4-7 $both nohz_full=$1"; w /sys/devices/system/cpu/nohz_full ''; }
found 'cmdline.nohz_full cmdline.syntax' nohz_full=4-7 "a list that ends before its end" dead_list 4-
found 'cmdline.nohz_full cmdline.syntax' nohz_full=4-7 "a list that runs backwards" dead_list 7-4
found 'cmdline.nohz_full cmdline.syntax' nohz_full=4-7 "a CPU that cannot be" dead_list 4-9
not_taken() { cmdline "isolcpus=managed_irq,domain,4-7 nohz_full=4-N $rest"; w /sys/devices/system/cpu/nohz_full ''; }
found cmdline.nohz_full nohz_full=4-7 "4-N, which the kernel did not take" not_taken
taken() { not_taken; w /sys/devices/system/cpu/nohz_full 4-7; }
quiet "4-N, which the kernel took" taken
found cmdline.syntax irqaffinity=0-3 "irqaffinity= is no list" cmdline "isolcpus=managed_irq,domain,4-7 nohz_full=4-7 rcu_nocbs=4-7 irqaffinity=0-3,"
quiet "rcu_nocbs without a list: all of them" cmdline "isolcpus=managed_irq,domain,4-7 nohz_full=4-7 rcu_nocbs irqaffinity=0-3"
found cmdline.flag isolcpus=managed_irq,domain,4-7 "an unknown flag" cmdline "isolcpus=manged_irq,managed_irq,domain,4-7 $both"
found cmdline.typo nohz_full=4-7 "nohzfull=" cmdline "isolcpus=managed_irq,domain,4-7 nohzfull=4-7 $both"
quiet "nohz-full=: the kernel takes that" cmdline "isolcpus=managed_irq,domain,4-7 nohz-full=4-7 $both"
quiet "what follows -- is not the kernel's" cmdline "isolcpus=managed_irq,domain,4-7 $both -- nohzfull=4"
found cmdline.domain isolcpus=managed_irq,domain,4-7 "a flag, and no domain" cmdline "isolcpus=managed_irq,4-7 $both"
found cmdline.domain isolcpus=managed_irq,domain,4-7 "no isolcpus= at all" cmdline "$both"
partition() { cmdline "$both"; w /sys/fs/cgroup/cpuset.cpus.isolated 4-7; }
quiet "a partition instead of isolcpus=" partition
found cmdline.managed_irq isolcpus=managed_irq,domain,4-7 "no managed_irq" cmdline "isolcpus=domain,4-7 $both"
found cmdline.nohz_full nohz_full=4-7 "no nohz_full=" cmdline "isolcpus=managed_irq,domain,4-7 $rest"
found cmdline.nohz_full nohz_full=4-7 "nohz_full= for some" cmdline "isolcpus=managed_irq,domain,4-7 nohz_full=4-5 $rest"
no_rcu() { nothing; cmdline "isolcpus=managed_irq,domain,4-7 irqaffinity=0-3"; }
found 'cmdline.nohz_full cmdline.rcu_nocbs' rcu_nocbs=4-7 "no rcu_nocbs= either" no_rcu
quiet "nohz_full= implies rcu_nocbs=" cmdline "isolcpus=managed_irq,domain,4-7 nohz_full=4-7 irqaffinity=0-3"
found cmdline.housekeeping hand:'leave CPU 0' "no CPU is left" cmdline "isolcpus=managed_irq,domain,0-7 nohz_full=0-7"

# Interrupts.
found irq.effective 'echo 0-3 > /proc/irq/24/smp_affinity_list' "a device interrupts" irq 24 nvme0q0 0-7 5
found irq.affinity 'echo 0-3 > /proc/irq/24/smp_affinity_list' "a device may interrupt" irq 24 nvme0q0 0-7 2
managed() { irq 25 nvme0q1 4-5 4; chmod 444 "$tree/proc/irq/25/smp_affinity_list"; }
found irq.managed 'hand:start no I/O from CPUs 4' "the kernel has put it there" managed
unmanaged() { managed; cmdline "isolcpus=domain,4-7 $both"; }
found 'cmdline.managed_irq irq.managed' now:isolcpus=managed_irq,domain,4-7 "and might not have" unmanaged
nofix() { irq 0 timer 0-7 3; chmod 444 "$tree/proc/irq/0/smp_affinity_list"; }
quiet "an interrupt that nobody can move, elsewhere" nofix
found irq.default 'echo f > /proc/irq/default_smp_affinity' "new interrupts" w /proc/irq/default_smp_affinity ff
balances() { thread 700 irqbalance 4194560 0-3; w /etc/default/irqbalance "$1"; }
found irqbalance.banned IRQBALANCE_BANNED_CPULIST=4-7 "irqbalance has a list of its own" balances 'IRQBALANCE_BANNED_CPULIST=6-7'
found irqbalance.syntax IRQBALANCE_BANNED_CPULIST=4-7 "irqbalance has none" balances 'IRQBALANCE_BANNED_CPULIST="4-N"'
quiet "irqbalance without a list: it knows the isolated CPUs" balances '#IRQBALANCE_BANNED_CPULIST='
quiet "irqbalance with the right list" balances 'IRQBALANCE_BANNED_CPULIST="4-7" # ours'
idle_list() { w /etc/default/irqbalance 'IRQBALANCE_BANNED_CPULIST=6-7'; }
quiet "irqbalance does not run" idle_list

# Work, partitions, services.
found workqueue.unbound 'echo f > /sys/devices/virtual/workqueue/cpumask' "unbound work" w /sys/devices/virtual/workqueue/cpumask ff
broken() { w /sys/fs/cgroup/work.slice/cpuset.cpus.partition 'isolated invalid (Cpu list in cpuset.cpus not exclusive)'; }
found cpuset.invalid 'hand:echo isolated > /sys/fs/cgroup/work.slice/cpuset.cpus.partition' "a partition that is none" broken
conf() { w "/etc/systemd/$1" "[Manager]"$'\n'"$2"; }
found systemd.affinity 'CPUAffinity=0-3' "systemd's CPUAffinity=" conf system.conf 'CPUAffinity=0-7'
found systemd.affinity 'CPUAffinity=0-3' "systemd's CPUAffinity=, in a drop-in" conf system.conf.d/10.conf 'CPUAffinity=0 1 2 3 4'
reset() { conf system.conf 'CPUAffinity=0-7'; conf system.conf.d/10.conf $'CPUAffinity=\nCPUAffinity=0-3'; }
quiet "a drop-in that takes it back" reset
elsewhere() { w /etc/systemd/system.conf $'[Other]\nCPUAffinity=0-7'; }
quiet "CPUAffinity= of another section" elsewhere
found systemd.syntax 'CPUAffinity=0-3' "4-N is nothing to systemd" conf system.conf $'CPUAffinity=4-N'
inherits() { thread 1 systemd 4194560 0-7 /init.scope; }
found systemd.affinity now:'CPUAffinity=0-3' "systemd itself is everywhere" inherits

# Settings.
set_to() { w "$1" "$2"; }
found vm.stat_interval vm.stat_interval=10 "vm.stat_interval" set_to /proc/sys/vm/stat_interval 1
quiet "vm.stat_interval, larger" set_to /proc/sys/vm/stat_interval 3600
found vm.compaction vm.compaction_proactiveness=0 "compaction" set_to /proc/sys/vm/compaction_proactiveness 20
found numa.balancing kernel.numa_balancing=0 "NUMA balancing" set_to /proc/sys/kernel/numa_balancing 1
found timer.migration kernel.timer_migration=1 "timers that stay" set_to /proc/sys/kernel/timer_migration 0
found ksm 'echo 0 > /sys/kernel/mm/ksm/run' "KSM" set_to /sys/kernel/mm/ksm/run 1
found rcu.expedited 'echo 0 > /sys/kernel/rcu_expedited' "expedited RCU" set_to /sys/kernel/rcu_expedited 1
found machine_check.poll check_interval "machine check polls" set_to /sys/devices/system/machinecheck/machinecheck0/check_interval 12c
found watchdog kernel.watchdog_cpumask=0-3 "the watchdogs" set_to /proc/sys/kernel/watchdog_cpumask 0-7
no_dogs() { w /proc/sys/kernel/watchdog_cpumask 0-7; w /proc/sys/kernel/watchdog 0; }
quiet "watchdogs that are off" no_dogs
found thp 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' "huge pages for all" \
	set_to /sys/kernel/mm/transparent_hugepage/enabled '[always] madvise never'
quelled() { w /sys/kernel/mm/transparent_hugepage/enabled '[always] madvise never'; w /sys/kernel/livepatch/quell_live/enabled 1; }
quiet "huge pages for all, with quell's live module" quelled
found sched.rt_throttling kernel.sched_rt_runtime_us=-1 "real-time throttling" set_to /proc/sys/kernel/sched_rt_runtime_us 950000
server() { w /proc/sys/kernel/sched_rt_runtime_us 950000; w /sys/kernel/debug/sched/fair_server/cpu4/runtime "$1"; }
found sched.fair_server 'echo 0 > /sys/kernel/debug/sched/fair_server/cpu4/runtime' "the fair server" server 50000000
quiet "no fair server: then the throttling is nothing" server 0

# Clocks, power, network.
clock=/sys/devices/system/clocksource/clocksource0/current_clocksource
found clock.watchdog tsc=nowatchdog "a TSC that is watched" set_to /proc/cpuinfo $'flags\t\t: fpu constant_tsc nonstop_tsc'
trusted() { w /proc/cpuinfo 'flags : fpu'; cmdline "isolcpus=managed_irq,domain,4-7 $both tsc=reliable"; }
quiet "a TSC that is not watched" trusted
found clock.slow now:clocksource=tsc "a slow clock" set_to $clock hpet
quiet "the clock of KVM" set_to $clock kvm-clock
found power.idle 'echo 1 > /sys/devices/system/cpu/cpu5/cpuidle/state3/disable' "deep sleep" \
	set_to /sys/devices/system/cpu/cpu5/cpuidle/state3/disable 0
quiet "deep sleep of others" set_to /sys/devices/system/cpu/cpu0/cpuidle/state3/disable 0
found power.frequency 'echo performance > /sys/devices/system/cpu/cpu6/cpufreq/scaling_governor' "a governor" \
	set_to /sys/devices/system/cpu/cpu6/cpufreq/scaling_governor schedutil
found net.rps 'echo f > /sys/class/net/eth0/queues/rx-1/rps_cpus' "steered packets" set_to /sys/class/net/eth0/queues/rx-1/rps_cpus 33
found net.rps 'echo 0 > /sys/class/net/eth0/queues/rx-0/rps_cpus' "packets steered there only" set_to /sys/class/net/eth0/queues/rx-0/rps_cpus f0

# Threads.
found thread.affinity 'now:/etc/systemd/system/node-agent.service.d/zz-quell-check.conf: [Service] CPUAffinity= CPUAffinity=0-3' \
	"an agent that may be anywhere" thread 810 node-agent 4194560 0-7
pod=/kubepods.slice/kubepods-pod01234567_89ab_cdef_0123_456789abcdef.slice/cri-containerd-$(printf '%064d' 7).scope
found thread.affinity 'hand:give pod 01234567-89ab-cdef-0123-456789abcdef/000000000000 a cpuset' "a container that may be" \
	thread 811 agent 4194560 0-7 "$pod"
second() { thread 812 app 4194560 0-3; thread_of 812 813 3-4; }
found thread.affinity 'now:taskset -acp 0-3 812' "one thread of many" second
found thread.kernel "now:taskset -acp 0-3 \$(pgrep -x 'kswapd0')" "a kernel thread" thread 40 kswapd0 2129984 0-7 /
quiet "a kernel thread that cannot be moved" thread 41 cpuhp/6 69238848 6 /
found thread.reader 'hand:turbostat --cpu 0-3' "turbostat" thread 820 turbostat 4194560 0-3

# quell's own kernel.
ours() { w /sys/kernel/debug/pt_sync/strategy "$1"; w /sys/kernel/debug/pt_sync/kernel_flush "$2"; }
active=$'active 1\ndeferring 1\ndeferred 7\ninterrupted 0'
quiet "quell's kernel as it should be" ours '[auto] broadcast' "$active"
found quell.strategy 'echo auto > /sys/kernel/debug/pt_sync/strategy' "another strategy" ours 'auto [broadcast]' "$active"
found quell.kernel_flush 'now:echo on > /sys/kernel/debug/pt_sync/kernel_flush' "deferral switched off" ours '[auto]' $'active 1\ndeferring 0'
found quell.kernel_flush 'hand:end what the kernel names: no CPU' "no deferral for another reason" ours '[auto]' $'# inactive: no CPU in nohz_full\nactive 0'
live() { ours '[live]' $'active 0'; w /sys/kernel/livepatch/quell_live/enabled 1; }
quiet "the live module has no deferral" live

check "the scripts are clean" shellcheck "$tmp"/scripts/*.sh
# Every finding of the sources was tried.
for id in $(grep -hoE '(check_find\(c, |^	\{ )"[a-z_]+(\.[a-z_]+)?", SEV_' cli/check/*.c | grep -oE '"[^"]+"' | tr -d '"' | sort -u); do
	case $tried in *" $id "*) ;; *) not_ok "$id has a tree in which it is found" ;; esac
done

# What is there but may not be read is said.
if [ "$(id -u)" = 0 ]; then
	fresh
	chmod 755 "$tmp" && cp "$quell" "$tmp/quell" && chmod 600 "$tree/sys/kernel/mm/ksm/run"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/quell" check --root "$tree" >"$tmp/out"
	check "what could not be read is named" grep -qx 'not looked at: /sys/kernel/mm/ksm/run (permission denied)' "$tmp/out"
else
	skip "what could not be read is named" "root reads everything"
fi

# Forms.
fresh
irq 24 nvme0q0 0-7 5
run
check "text says what, why and how" grep -q 'fix: echo 0-3 > /proc/irq/24/smp_affinity_list' "$tmp/out"
run --tuned
check "tuned gets it, too" grep -qx '/proc/irq/24/smp_affinity_list=0-3' "$tmp/out"
run --cpus 5-6 --json
check "--cpus says which" jq -en 'input | .cpus == "5,6" and .housekeeping == "0-4,7"' "$tmp/out"
for wrong in '--cpus 3-' '--cpus 77' '--fix --json' '--root /nonexistent' '--frobnicate'; do
	# shellcheck disable=SC2086 # words
	run $wrong
	check "trouble with $wrong is 2, and one line" test "$status:$(wc -l <"$tmp/err")" = 2:1
done
fresh
run --fix
check "the script for a healthy system does nothing" grep -q '^# Nothing was found' "$tmp/out"
finish
