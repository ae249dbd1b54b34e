#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# The acceptance test of a node: its exit status, what it says in three forms, and
# that what was not seen is no pass. Takes root and a kernel that traces IPIs; 20 s.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
. cli/tests/native.sh
make -s -C cli >&2
quell=$PWD/build/cli/quell tracing=/sys/kernel/tracing

refuses "no limit" 'needs --max' "$quell" test
refuses "a cause that is none, and the known ones are named" 'membarier" is no cause: all, .*membarrier, .*device' "$quell" test --max 'pt_sync=0,membarier=0'
refuses "what is no limit" 'is no limit: CAUSE=N' "$quell" test --max pt_sync
refuses "what is no number" 'is no number' "$quell" test --max pt_sync=few
refuses "what cannot be measured" 'nothing to measure' "$quell" test --max tick.colour=3us

native "with tracing" 2
refuses "a limit that needs more than is traced" 'need --what all' "$quell" test --what ipi --max softirq=0
refuses "a file that cannot be written" 'cannot be written' "$quell" test --max pt_sync=0 --junit "$tmp/no/such"
program culprit

instance() { find $tracing/instances -maxdepth 1 -name "quell.$pid.*"; }
observes() { [ "$(cat "$(instance)/tracing_on" 2>/dev/null)" = 1 ]; }
# begin LIMITS OPTIONS...: in the background, until it observes.
begin() {
	"$quell" test -c all --max "$@" >"$tmp/out" 2>"$tmp/err" & pid=$!
	pids=("$pid")
	wait_for observes
	sleep 0.5
}
ended() { status=0; wait "$pid" || status=$?; }

# Room enough that no other load makes it lose events.
begin membarrier=1000000,membarrier/s=1000000 -d 2s --buffer 16384 --junit "$tmp/junit.xml"
ended
check "within its limits: 0" test "$status,$(tail -n 1 "$tmp/out")" = "0,verdict: pass"
check "JUnit has a case for each, and one for having seen it all" test "$(grep -c '<testcase' "$tmp/junit.xml"),$(grep -c 'failures="0" errors="0"' "$tmp/junit.xml")" = 3,1

begin membarrier=150,membarrier=1000000 -d 4s --buffer 16384 --json --junit "$tmp/junit.xml"
"$tmp/culprit" 200 culprit true
ended
check "over a limit: 1" test $status = 1
check "which, where, how often and whose doing" jq -en 'input | .verdict == "fail" and .limits[0].answer == "fail" and .limits[0].worst >= 200 and .limits[0].worst_cpu == 1 and .limits[1].answer == "pass" and .doubt == null' "$tmp/out"
check "JUnit says so" grep -q '<testcase classname="quell" name="membarrier=150"><failure message="[0-9]* on CPU 1' "$tmp/junit.xml"

begin membarrier=1000000 -d 60s --junit -
kill -TERM "$pid"
ended
check "one that was ended is no pass: 7" eval "[ $status = 7 ] && grep -q '<error message=\"it ended after' '$tmp/out'"

begin membarrier=1000000 -d 5s
echo 0 >"$(instance)/tracing_on"
ended
check "nor is one that somebody else stopped" eval "[ $status = 7 ] && grep -q '^in doubt: ' '$tmp/out' && tail -n 1 '$tmp/out' | grep -q 'no pass'"

begin membarrier=1000000 -d 3s --buffer 8
for _ in 1 2 3 4 5; do "$tmp/culprit" 20000 culprit true; done
ended
check "nor one that lost events" eval "[ $status = 7 ] && grep -q '^in doubt: .* lost' '$tmp/out'"
check "no trace is left" test -z "$(instance)"
finish
