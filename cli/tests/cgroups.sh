#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# Whose it was: a task in one control group interrupts a task in another, on this
# machine; both are named, by unit, container and pod, wherever quell shows or counts
# something, and can be asked for. Who is gone before it is asked is not guessed.
# Takes root, two CPUs, a kernel that traces IPIs, and a hierarchy of control groups (version 2,
# and 1 if systemd's is there) that may be written to; about 20 s.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
. cli/tests/native.sh
native "control groups" 2
kernels_proc "control groups"
quell=$PWD/build/cli/quell
program group
uid=01234567-89ab-cdef-0123-456789abcdef id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
from=quell-$$.service to=quell-$$/pod$uid/$id
groups=()
put_away() {
	local g
	for g in ${groups[@]+"${groups[@]}"}; do
		# A group stays busy until its last task is reaped.
		wait_for "! { rmdir '$g/$from' '$g/$to' '$g/${to%/*}' '$g/${to%%/*}'; [ -d '$g/$from' ] || [ -d '$g/${to%%/*}' ]; } 2>/dev/null" || true
	done
	[ ! -d "$tmp/v2" ] || umount "$tmp/v2" 2>/dev/null || true
}
# prepare DIR: the two groups in it, and somebody in the second.
prepare() {
	groups+=("$1")
	mkdir -p "$1/$from" "$1/$to" 2>/dev/null || return
	background "$tmp/group" "$1/$to/cgroup.procs" victim >"$tmp/there"
	victim=$!
	wait_for "grep -q there '$tmp/there' || ! kill -0 $victim 2>/dev/null" && grep -q there "$tmp/there"
}
release() { kill "${pids[@]}" 2>/dev/null || true; wait; pids=(); }
# send DIR MS: who interrupts the victim for as long as it runs for MS.
send() { echo "$tmp/group" "$1/$from/cgroup.procs" sender "$victim" "$2"; }
# told FILE DIR COMMAND...: a record by COMMAND of what was sent from a group of DIR; who
# did lives until it is written, however slow the recorder is.
told() {
	local recorder sender
	background "${@:3}" record -q -c 1 -o "$1" -d 120s ${only[@]+"${only[@]}"}
	recorder=$!
	# Its head is written when everything is traced.
	wait_for "grep -aqs mono_ns '$1.partial'"
	# shellcheck disable=SC2046 # words are wanted
	background $(send "$2" 300) stay >"$tmp/sent"
	sender=$!
	wait_for "grep -q done '$tmp/sent'"
	kill -TERM $recorder
	wait $recorder || true
	kill $sender
}
only=()
json() { "$quell" report --json "$@"; }
mkdir "$tmp/v2"
top=$tmp/v2
mount -t cgroup2 none "$top" 2>/dev/null || top=/sys/fs/cgroup
if ! prepare "$top"; then
	skip "control groups" "nothing may be made in $top"
	finish
	exit 0
fi
rec=$tmp/x.rec
told "$rec" "$top" "$quell"
ours='.cause == "membarrier" and .task == "sender"'
check "who sent it is of its unit, and of no other" jq -en "input | [.sources[] | select($ours)] | length > 0 and any(.interrupts > 0) and all(.[]; .cgroup.unit == \"$from\" and (.cgroup.path | endswith(\"/$from\")))" <(json "$rec")
waited="[.victims[] | select(.cgroup.pod == \"$uid\" and .cgroup.container == \"$id\") | .interruptions] | add"
check "who waited is of its pod and container" jq -en "input | $waited > 0" <(json "$rec")
check "interruption by interruption too" jq -en "[inputs | select(.quell == \"event\" and .sender.task == \"sender\")] | length > 0 and all(.[]; .sender.cgroup.unit == \"$from\" and (.victim.task != \"victim\" or .victim.cgroup.pod == \"$uid\"))" <("$quell" report --events --json "$rec")
"$quell" report "$rec" >"$tmp/text"
check "in the text of a report" eval "grep -q 'cgroup: $from\$' '$tmp/text' && grep -q 'pod $uid/0123456789ab\$' '$tmp/text'"

# --- asked for, of a record and of what is going on
all=$(json "$rec" | jq .totals.interruptions)
of() { json "$@" "$rec" | jq "[.sources[] | select(.cgroup.unit == \"$from\") | .interruptions] | add // 0"; }
sent=$(of)
for name in "$from" "${from%.service}"; do
	check "by --sender $name" jq -en "input | .totals.interruptions == $sent and (.sources | length > 0) and all(.sources[]; .cgroup.unit == \"$from\")" <(json --sender "$name" "$rec")
done
for name in "$uid" "$id" "${id:0:12}" "pod$uid"; do
	check "by --victim ${name:0:20}" jq -en "input | .totals.interruptions > 0 and .totals.interruptions <= $all and (.victims | length > 0) and all(.victims[]; .cgroup.pod == \"$uid\")" <(json --victim "$name" "$rec")
done
path=$(json "$rec" | jq -r "first(.victims[] | select(.cgroup.pod == \"$uid\")).cgroup.path")
check "by path, and what is below it" test "$(json --victim "${path%/*}" "$rec" | jq .totals.interruptions)" = "$(json --victim "$uid" "$rec" | jq .totals.interruptions)"
check "not by half a name" test "$(of --sender "${from%?}"),$(of --victim "${id:0:11}"),$(of --victim "${path%?}")" = 0,0,0
both=$(of --sender "$from" --victim "$uid")
check "both at once" test $((both > 0 && both <= sent)),"$(of --sender "$uid")" = 1,0
check "events too" test "$("$quell" report --events --json --sender "$from" "$rec" | grep -c '"event"')" = "$sent"
check "a report says what it leaves out" eval "'$quell' report --sender '$from' '$rec' | grep -q '^only what was sent by $from'"
for c in top 'record -o /dev/null' 'export -l 1'; do
	# shellcheck disable=SC2086 # words are wanted
	refuses "$c of a group without a name" 'need the name' "$quell" $c --sender ''
done
only=(--victim "$uid" --sender "$from")
told "$tmp/only.rec" "$top" "$quell"
only=()
check "a record of these alone agrees with /proc/interrupts still" jq -en "input | .proc_interrupts.agree and (.only | test(\"$from\")) and .totals.interrupts > 0 and (.victims | length > 0) and all(.sources[]; .cgroup.unit == \"$from\") and all(.victims[]; .cgroup.pod == \"$uid\")" <(json "$tmp/only.rec")
# shellcheck disable=SC2046 # words are wanted
background $(send "$top" 100000)
background "$quell" top -c 1 -i 300ms --sender "$from" >"$tmp/top"
wait_for "grep -q 'membarrier.* sender ' '$tmp/top'" || true
kill "${pids[-1]}"
wait "${pids[-1]}" || true
check "top has a column" eval "grep -q 'membarrier.* sender .*$from' '$tmp/top' && ! grep -E '^ *[0-9.]+ +[0-9,]+ ' '$tmp/top' | grep -v '$from'"

# --- metrics
background "$quell" export -c 1 --textfile "$tmp/x.prom" -i 200ms --labels function,unit,container,pod,cgroup -n 5 -d 60s
wait_for "grep -qs 'unit=\"$from\"' '$tmp/x.prom'"
check "the exporter has labels" grep -q "^quell_source_interrupts_total{cause=\"membarrier\",function=\"[a-z_]*\",cgroup=\"[^\"]*/$from\",unit=\"$from\",container=\"\",pod=\"\"," "$tmp/x.prom"
check "and their number has a limit" test "$(grep -c '^quell_source_interrupts_total' "$tmp/x.prom")" -le 6
release

# --- who is gone before it could be asked
prepare "$top"
background "$quell" record -q -c 1 -o "$tmp/gone.rec" -d 60s
recorder=$!
# Its head is written when everything is traced.
wait_for "grep -aqs mono_ns '$tmp/gone.rec.partial'"
kill -STOP $recorder
"$tmp/group" "$top/$from/cgroup.procs" sender "$victim" 300 >"$tmp/sent"
kill -CONT $recorder
sleep 0.3
kill -TERM $recorder
wait $recorder || true
check "of who is gone it is said so, and nothing guessed" jq -en "input | [.sources[] | select($ours)] | length > 0 and all(.[]; .cgroup.path == null and .cgroup.unit == null and .cgroup.unknown == \"(exited)\")" <(json "$tmp/gone.rec")
check "and who is asked for may be among them" jq -en "input | .left_out_unknown > 0 and all(.sources[]; .task != \"sender\")" <(json --sender "$from" "$tmp/gone.rec")

# --- in a namespace of its own quell does not see where that begins
# shellcheck disable=SC2016 # the shell's own
if sh -c 'echo 0 >"$1" && exec unshare --cgroup true' sh "$top/$from/cgroup.procs" 2>/dev/null; then
	# shellcheck disable=SC2016
	told "$tmp/ns.rec" "$top" sh -c 'echo 0 >"$1" && shift && exec unshare --cgroup "$@"' sh "$top/$from/cgroup.procs" "$quell"
	check "paths of others are relative, and their names hold" jq -en "input | any(.victims[]; .cgroup.pod == \"$uid\" and (.cgroup.path | startswith(\"/..\")))" <(json "$tmp/ns.rec")
	check "its own begin where nobody knows" jq -en "input | [.sources[] | select($ours)] | length > 0 and all(.[]; .cgroup.path == \"(ours)/\" and .cgroup.unit == null)" <(json "$tmp/ns.rec")
else
	skip "a namespace of control groups" "none can be made here"
fi
release

# --- version 1, where systemd's hierarchy is of that
# (Where tasks are in groups of both, those of version 2 are told.)
if grep -q ' /sys/fs/cgroup/systemd cgroup ' /proc/mounts && ! grep -q '^0::/.' /proc/self/cgroup && prepare /sys/fs/cgroup/systemd; then
	told "$rec" /sys/fs/cgroup/systemd "$quell"
	check "version 1: both" jq -en "input | [.sources[] | select($ours)] | length > 0 and all(.[]; .cgroup.unit == \"$from\")" <(json "$rec")
	check "and who waited" jq -en "input | $waited > 0" <(json "$rec")
	release
else
	skip "control groups of version 1" "systemd's hierarchy is not of that here"
fi
finish
