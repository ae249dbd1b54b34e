#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# The flight recorder: it dumps when it is asked to and when something was long, each
# dump is a whole record with what came before, and nothing else is left behind.
# Takes root and a kernel that traces IPIs; about 25 s.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
. cli/tests/native.sh
make -s -C cli >&2
quell=$PWD/build/cli/quell tracing=/sys/kernel/tracing

refuses "a limit of nothing" 'is no time' "$quell" watch --over 0
refuses "a text of nothing" 'needs a text' "$quell" watch --marker ''
refuses "a memory of days" 'an hour at most' "$quell" watch --keep 2h
refuses "a count of nothing" 'is no number' "$quell" watch --count 0

native "with tracing"
refuses "a directory that cannot be made" 'cannot be made' "$quell" watch --dump "$tmp/no/such"
program culprit
${CC:-cc} -O2 -Wall -Wextra -Werror -o "$tmp/lap" cli/examples/lap.c
dir=$tmp/dumps

# watch OPTIONS...: in the background, until it says that it is there.
watch() {
	: >"$tmp/out"
	"$quell" watch -c all --dump "$dir" --pause 1ms --keep 10s --after 200ms "$@" >"$tmp/out" 2>"$tmp/err" & pid=$!
	pids=("$pid")
	wait_for "grep -q ^watching '$tmp/out'"
}
ended() { status=0; wait "$pid" || status=$?; }
dumps() { find "$dir" -name 'quell-*.rec' | sort; }
number() { dumps | wc -l; }
last() { dumps | tail -n 1; }
report() { "$quell" report "$@" "$(last)"; }
# Nothing but whole records, and no trace that is left running.
clean() {
	[ "$(find "$dir" -mindepth 1 | wc -l)" = "$(number)" ] &&
		for f in $(dumps); do "$quell" report "$f" >/dev/null || return; done &&
		[ -z "$(find $tracing/instances -maxdepth 1 -name "quell.$pid.*")" ]
}

# --- a marker, a signal
mkdir "$dir"
echo rubbish >"$dir/quell-20200101T000000.000000Z.rec.partial"
echo mine >"$dir/quell-mine.rec.partial"
watch --dumps 3
check "what one that was killed left half-written is gone" test ! -e "$dir/quell-20200101T000000.000000Z.rec.partial"
check "and nothing else" test -e "$dir/quell-mine.rec.partial"
rm "$dir/quell-mine.rec.partial"
"$tmp/culprit" 50 culprit sleep 0.1
echo 'a remark' >"$dir/marker"
check "an application that was late says so" timeout 60 "$tmp/lap" "$dir/marker" 20000
check "a marker dumps" wait_for "[ \$(number) = 1 ]"
check "with what the application wrote" eval "report --events --json | jq -se '[.[] | select(.quell == \"note\").text] | length == 2 and .[0] == \"a remark\" and (.[1] | test(\"^quell-dump: lap [0-9]+ took [0-9]+ ns\$\"))'"
check "what came before and after it, no more" eval "report --json | jq -en 'input | .duration_ns <= 10200000000 and .duration_ns >= 200000000 and .complete and .proc_interrupts.agree == null'"
[ "$(nproc)" -lt 2 ] || check "and who did what" test "$(report --events --json --cause membarrier --task culprit | grep -c '"event"')" = 50
check "it is announced in one line" eval "wait_for \"grep -q 'marker \\\"quell-dump: lap ' '$tmp/out'\" && [ \$(wc -l <'$tmp/out') = 2 ]"
refuses "another one for the same directory" 'another quell watch' "$quell" watch -c all --dump "$dir"
for i in 2 3; do
	kill -USR1 "$pid"
	check "a signal dumps ($i)" wait_for "[ \$(number) = $i ]"
done
first=$(dumps | head -n 1)
kill -USR1 "$pid"
check "only so many stay" eval "wait_for '[ ! -e \"$first\" ]' && [ \$(number) = 3 ]"
if [ -e $tracing/options/copy_trace_marker ]; then
	# If the whole kernel's trace is off it is an error, but it is copied all the same.
	{ echo 'quell-dump for all' >$tracing/trace_marker; } 2>/dev/null || true
	check "a line in the whole kernel's marker" wait_for "grep -q 'quell-dump for all' '$tmp/out'"
fi
kill -USR1 "$pid"
sleep 0.1
kill -TERM "$pid"
ended
check "SIGTERM ends it with 0, and what was asked for is there" test "$status,$(tail -n 1 "$tmp/out" | grep -c ': signal')" = 0,1
check "nothing else is left" clean

# --- an interruption that was too long, and a command
rm -rf "$dir"
# shellcheck disable=SC2016 # the command's own
watch --over 1us --count 1 --then 'env | grep ^QUELL_ >"'"$tmp"'/env"; exit 3'
"$tmp/culprit" 5000 culprit true
ended
check "the first one that is longer ends it after its dump" test "$status,$(number)" = 0,1
line=$(tail -n 1 "$tmp/out")
check "it names the culprit" grep -Eq '^.*\.rec: [0-9T:.-]+Z, [0-9.]+ us on CPU [0-9]+: .+' <<<"$line"
has() { grep -q "^$1" "$tmp/env"; }
check "the command knows the dump" has "QUELL_DUMP=$(last)\$"
check "and why, where, what and how long" eval 'has QUELL_REASON=longer && has "QUELL_CPU=[0-9]" && has "QUELL_CAUSE=[a-z]" && has "QUELL_NS=[0-9]"'
longest=$(sed -n 's/^QUELL_NS=//p' "$tmp/env")
check "it is in the record, and none is longer" eval "report --events --json | jq -se '[.[] | .handler_ns // empty] | max >= $longest and (index($longest) != null)'"
check "a command that fails is told" grep -q 'ended with 3' "$tmp/err"
check "and nothing is left" clean

# --- a disk that is full, a command without end
rm -rf "$dir" && mkdir "$dir"
: >"$tmp/out" # who said "watching" before is not the one that is waited for
unshare -m --propagation private bash -c "mount -t tmpfs -o size=16k none '$dir' && head -c 16k /dev/zero >'$dir/fill'
	'$quell' watch -c all --dump '$dir' --pause 1ms --after 1ms -d 3s >'$tmp/out' 2>'$tmp/err' & p=\$!
	for _ in \$(seq 100); do grep -q ^watching '$tmp/out' && break; sleep 0.1; done
	kill -USR1 \$p; s=0; wait \$p || s=\$?; ls -A '$dir' >'$tmp/ls'; exit \$s" || status=$?
check "a full disk is told, and ends with 1" eval "[ $status = 1 ] && grep -q 'cannot be written: No space' '$tmp/err'"
check "half a record does not stay" test "$(cat "$tmp/ls")" = fill
watch --then 'echo $$ >'"'$tmp/sleeper'"'; sleep 100'
kill -USR1 "$pid"
wait_for "[ -s '$tmp/sleeper' ]"
kill -USR1 "$pid"
check "dumps do not wait for the command" wait_for "[ \$(number) = 2 ]"
kill -TERM "$pid"
ended
check "and it ends with us" eval "[ $status = 0 ] && ! kill -0 \$(cat '$tmp/sleeper') 2>/dev/null"
finish
