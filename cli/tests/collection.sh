#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# What quell observes is true: the right culprit, no silence when somebody else
# stops the trace, no instance swept that is in use, none left unmentioned.
# Takes root and a kernel that traces IPIs; about 40 s.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
. cli/tests/native.sh
native "what quell observes is true"
quell=${OUT:-$PWD/build/cli}/quell tracing=/sys/kernel/tracing
program culprit

# answer FILE JQ: does it hold for the record's report?
answer() { "$quell" report --json "$1" 2>/dev/null | jq -en "input | $2" >/dev/null; }
# In a PID namespace of its own each is process 1.
ones() { find $tracing/instances -maxdepth 1 -name 'quell.1.*' | wc -l; }
instance_of() { find $tracing/instances -maxdepth 1 -name "quell.$1.*"; }

# 1. Whose membarrier was it?
if [ "$(nproc)" -gt 1 ]; then
	mine='[.sources[] | select(.cause == "membarrier" and .interrupts > 0 and (.task | test("culprit|sleep")))] |
		length == 1 and .[0].task == "culprit" and .[0].interrupts'
	"$quell" record -q -o "$tmp/exec.rec" -c all -- "$tmp/culprit" 200 culprit sleep 0.3 || true
	check "200 membarriers, then another program: blamed on who called them" answer "$tmp/exec.rec" "$mine == 200"
	unshare -pf --mount-proc "$quell" record -q -o "$tmp/ns.rec" -c all -- "$tmp/culprit" 200 culprit sleep 0.3 || true
	check "the same seen from another PID namespace" answer "$tmp/ns.rec" "$mine == 200"
fi

# 2. Somebody else stops the trace. An idle machine has nothing to miss: make it.
load() { while :; do "$tmp/culprit" 100 load; sleep 0.1; done; }
background load
load=$!
status=0
"$quell" record -o "$tmp/off.rec" -c all -d 6s >"$tmp/off.out" 2>"$tmp/off.err" & pid=$!
wait_for "[ -n \"\$(instance_of $pid)\" ]"
sleep 2
echo 0 >"$(instance_of $pid)/tracing_on"
wait_for "grep -q 'observing anew' '$tmp/off.err'" || true
while kill -0 $pid 2>/dev/null; do "$tmp/culprit" 100 afterwards; done
wait $pid || status=$?
check "a record with a hole says so and ends with 7" eval "[ $status = 7 ] && grep -q 'switched the trace off' '$tmp/off.err' && grep -q 'does not agree' '$tmp/off.err'"
check "it went on with a trace of its own" answer "$tmp/off.rec" '[.sources[] | select(.task == "afterwards") | .interrupts] | add >= 100'

"$quell" export -t "$tmp/x.prom" -i 500ms -c all -d 9s 2>"$tmp/export.err" & pid=$!
wait_for "[ -n \"\$(instance_of $pid)\" ]"
sleep 2
echo 0 >"$(instance_of $pid)/events/enable"
wait_for "grep -Eq '^quell_unaccounted_interrupts_total [1-9]' '$tmp/x.prom'" || true
check "export counts what it could not see" grep -Eq '^quell_unaccounted_interrupts_total [1-9]' "$tmp/x.prom"
total() { awk '/^quell_interrupts_total/ { n += $NF } END { print n + 0 }' "$tmp/x.prom"; }
first=$(total)
sleep 1
check "and counts on" eval "[ $(total) -gt $first ]"
kill $pid 2>/dev/null || true
wait $pid || true
kill $load
wait $load 2>/dev/null || true

# 3. Two at once, both process 1 of their namespace.
for i in 1 2; do
	unshare -pf --mount-proc "$quell" record -q -o "$tmp/two$i.rec" -c all -d 10s 2>"$tmp/two$i.err" & eval "p$i=$!"
done
wait_for "[ \$(ones) = 2 ]" || true
check "two containers have two instances" [ "$(ones)" = 2 ]
"$quell" record -q -o "$tmp/three.rec" -c all -d 100ms || true
check "a third one sweeps neither" [ "$(ones)" = 2 ]
bad=0
# shellcheck disable=SC2154 # set by eval
{ wait "$p1" || bad=1; wait "$p2" || bad=1; }
check "and both records are whole" eval "[ $bad = 0 ] && answer '$tmp/two1.rec' .proc_interrupts.agree && answer '$tmp/two2.rec' .proc_interrupts.agree"

# 4. One that is killed.
"$quell" record -q -o "$tmp/killed.rec" -c all -d 30s & pid=$!
wait_for "[ -n \"\$(instance_of $pid)\" ]"
check "status is silent about an instance in use" eval "! '$quell' status | grep -q 'left its trace running'"
kill -KILL $pid
wait $pid 2>/dev/null || true
check "status mentions the instance of one that was killed" eval "'$quell' status | grep -q 'left its trace running'"
"$quell" record -q -o "$tmp/next.rec" -c all -d 100ms || true
check "the next one sweeps it up" [ -z "$(instance_of $pid)" ]

# 5. A kernel without csd events: the callers that remain on the stack tell. How many
# of 32 collapses find a huge page is up to the machine's memory; khugepaged may
# come first, and sends the same interrupt then.
cat >"$tmp/collapse.c" <<-END
	#include <stdio.h>
	#include <string.h>
	#include <sys/mman.h>
	int main(void)
	{
		size_t huge = 2 << 20, len = 32 * huge;
		int done = 0;
		char *p = mmap(0, len + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		p += -(unsigned long)p & (huge - 1);
		madvise(p, len, MADV_NOHUGEPAGE);
		memset(p, 1, len);
		madvise(p, len, MADV_HUGEPAGE);
		for (int i = 0; i < 32; i++)
			done += madvise(p + i * huge, huge, 25) == 0;
		printf("%d\n", done);
		return 0;
	}
END
${CC:-cc} -O2 -w -o "$tmp/collapse" "$tmp/collapse.c"
if [ "$(nproc)" -gt 1 ]; then
	unshare -m sh -c "mount -t tmpfs none $tracing/events/csd && '$quell' record -q -o '$tmp/nocsd.rec' -c all -- '$tmp/collapse' >'$tmp/done'" 2>"$tmp/nocsd.err" || true
	check "degraded is said" eval "grep -q '^quell: degraded' '$tmp/nocsd.err' && answer '$tmp/nocsd.rec' .system.degraded"
	collapsed=$(cat "$tmp/done")
	if [ "$collapsed" = 0 ]; then
		skip "a collapse's sync is a sync, and avoidable" "no huge page to be had"
	else
		check "the syncs of $collapsed collapses are syncs, and avoidable" answer "$tmp/nocsd.rec" \
			'[.sources[] | select(.cause == "pt_sync" and (.task == "collapse" or .task == "khugepaged"))] |
				length > 0 and (map(.sends) | add) >= '"$collapsed"' and all(.quell_avoids)'
	fi
fi

# 6. Ends, rights, mounts.
status=0
"$quell" record -q -o "$tmp/false.rec" -- false || status=$?
check "the status of the command is the status of the record" [ $status = 1 ]
check "the record of a command that failed is whole" answer "$tmp/false.rec" .totals
caps='+dac_override,+syslog'
chmod 711 "$tmp" && cp "$quell" "$tmp/q" && install -d -m 777 "$tmp/open"
check "CAP_DAC_OVERRIDE and CAP_SYSLOG do without root" \
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps "$caps" --ambient-caps "$caps" \
	"$tmp/q" record -q -o "$tmp/open/x.rec" -c all -d 100ms
status=0
unshare -m sh -c "while umount -l $tracing 2>/dev/null; do :; done; umount -l /sys/kernel/debug 2>/dev/null
	'$quell' record -q -o '$tmp/x.rec' -d 100ms 2>'$tmp/err'; s=\$?
	mountpoint -q $tracing && exit 99; exit \$s" || status=$?
check "tracefs that is not mounted is asked for, not mounted" eval "[ $status = 4 ] && grep -q 'mount -t tracefs' '$tmp/err'"
finish
