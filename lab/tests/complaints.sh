#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# What a kernel complains about is found, what is known of stock kernels is
# passed over, and a list that cannot be read passes nothing over.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# verdict STATUS WHAT LINE...: of a log with these lines among others
verdict() {
	local want=$1 what=$2 got=0
	shift 2
	printf '[    0.1] %s\r\n' 'Linux version' "$@" 'Run /init' >"$log"
	lab/complaints "$log" >/dev/null 2>&1 || got=$?
	if [ "$got" = "$want" ]; then ok "$what"; else not_ok "$what" "status $got"; fi
}

verdict 0 "a quiet log"
verdict 1 "an oops" 'Oops: 0000 [#1] SMP'
verdict 1 "use after free" 'BUG: KASAN: slab-use-after-free in foo+0x1/0x2'
verdict 1 "a stall" 'rcu: INFO: rcu_preempt detected stalls'
verdict 1 "another thing RCU has to say" 'rcu: INFO: stalled'
verdict 1 "a KUnit case that failed" '    not ok 3 walk_nested'
verdict 1 "suspicious RCU usage" 'WARNING: suspicious RCU usage' 6.12 ---- 'mm/pt_sync.c:1 trust must hold'
verdict 0 "the one that PREEMPT_RT is known for" 'WARNING: suspicious RCU usage' 6.12 ---- \
	'kernel/rcu/tree_plugin.h:27 Unsafe read of RCU_NOCB offloaded state!'
verdict 1 "another one after it" 'WARNING: suspicious RCU usage' 6.12 ---- \
	'kernel/rcu/tree_plugin.h:27 Unsafe read of RCU_NOCB offloaded state!' a b c d 'WARNING: CPU: 1'
verdict 1 "one right before it" 'BUG: KASAN: use-after-free' 'WARNING: suspicious RCU usage' 6.12 ---- \
	'kernel/rcu/tree_plugin.h:27 Unsafe read of RCU_NOCB offloaded state!'
tick='sched_tick_remote+0x1a2/0x1c0'
verdict 0 "a remote tick that is late" "WARNING: CPU: 0 PID: 238 at kernel/sched/core.c:5674 $tick"
verdict 0 "in a kernel that names no files" "WARNING: CPU: 0 PID: 238 at $tick"
verdict 0 "and in a newer one" "WARNING: kernel/sched/core.c:5674 at $tick, CPU#0: kworker/u65:2/238"
verdict 1 "another warning in that worker" 'WARNING: CPU: 0 PID: 238 at pt_sync+0x1/0x2' 'Modules linked in:' \
	'CPU: 0 UID: 0 PID: 238 Comm: kworker/u65:2' 'Workqueue: events_unbound sched_tick_remote'
race='BUG: KCSAN: data-race in tick_sched_timer / tick_nohz_stop_tick'
verdict 0 "a data race of the stock kernel" =====  "$race" '' 'read' ' tick_sched_timer+0x1/0x2' =====
verdict 0 "one that a function of ours has called into" ===== "$race" '' 'read' ' foo+0x1/0x2' ' pt_sync+0x1/0x2' =====
verdict 1 "a data race with a function of ours" ===== \
	'BUG: KCSAN: data-race in kthread_use_mm / pt_walk_visible' '' 'read' =====
copy=$(mktemp -d)
trap 'rm -rf "$log" "$copy"' EXIT
mkdir "$copy/lab"
cp lab/complaints lab/lib.sh lab/options.sh "$copy/lab"
printf 'Linux version\n' >"$log"
check "without the list of known ones even a quiet log is not passed" \
	test "$("$copy/lab/complaints" "$log" >/dev/null 2>&1; echo $?)" = 1
check "a log that is not there is no quiet log" test "$(lab/complaints "$log.none" 2>/dev/null; echo $?)" != 0
finish
