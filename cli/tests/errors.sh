#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# Bad input: one clear line on stderr, the documented exit status, and nothing
# left behind: no tracefs instance, no temporary file.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
cd cli
../lab/need cli-test
out=${OUT:-../build/cli}
make -s OUT="$out" >&2
make -s OUT="$out/unit" CC=gcc "$out/unit/unit" >&2
quell=$(realpath "$out/quell")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# expect STATUS 'PATTERN' WHAT COMMAND...
expect() {
	local want=$1 pattern=$2 what=$3 status=0
	shift 3
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	if [ $status = "$want" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -Eq "^quell: .*$pattern" "$tmp/err"; then
		ok "$what: $want, $(cat "$tmp/err")"
	else
		not_ok "$what: status $status, wanted $want and one line with \"$pattern\"" "$(cat "$tmp/err")"
	fi
}

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
# The machine may run other quells: only the instances of these PIDs count.
instances() { local pid; for pid; do find /sys/kernel/tracing/instances -maxdepth 1 -name "quell.$pid.*"; done 2>/dev/null | wc -l; }

"$out/unit/unit" --sample "$tmp/good.rec"
head -c 100 "$tmp/good.rec" >"$tmp/short.rec"
head -c -1 "$tmp/good.rec" >"$tmp/nearly.rec"
{ head -c 8 "$tmp/good.rec"; printf '\3\0\0\0'; tail -c +13 "$tmp/good.rec"; } >"$tmp/newer.rec"
{ head -c 200 "$tmp/good.rec"; printf 'X'; tail -c +202 "$tmp/good.rec"; } >"$tmp/corrupt.rec"
echo "something else entirely" >"$tmp/other.rec"
: >"$tmp/empty.rec"

expect 2 'is no command' "unknown command" "$quell" frobnicate
for c in status check top record watch test report diff export serve explain; do
	expect 2 "see quell $c --help" "unknown option of $c" "$quell" $c --frobnicate
	check "$c --help exits with 0" eval "'$quell' $c --help >/dev/null"
done
expect 2 'needs -o' "record without a file" "$quell" record
expect 2 'no duration' "nonsense duration" "$quell" record -o "$tmp/x" -d -3
expect 2 'needs one FILE' "report without a file" "$quell" report
expect 2 'two files' "diff with one file" "$quell" diff "$tmp/good.rec"
expect 2 'no cause' "explain of nothing known" "$quell" explain frobnicate
expect 2 'either' "export to nowhere" "$quell" export
expect 2 'no port' "port nonsense" "$quell" export --listen 99999
expect 5 'No such file' "report of a missing file" "$quell" report "$tmp/missing.rec"
expect 5 'truncated' "report of a truncated file" "$quell" report "$tmp/short.rec"
expect 7 'is cut' "report of a file that lacks its last byte" "$quell" report "$tmp/nearly.rec"
expect 5 'corrupt' "report of a corrupt file" "$quell" report "$tmp/corrupt.rec"
expect 5 'another version' "report of a newer file" "$quell" report "$tmp/newer.rec"
expect 5 'not a record' "report of a file of something else" "$quell" report "$tmp/other.rec"
expect 5 'not a record' "report of an empty file" "$quell" report "$tmp/empty.rec"
expect 5 'corrupt' "diff with a corrupt file" "$quell" diff "$tmp/good.rec" "$tmp/corrupt.rec"
check "report and its forms" eval "'$quell' report '$tmp/good.rec' >/dev/null && '$quell' report --json '$tmp/good.rec' | jq -en 'input | .schema == 1 and .totals.interrupts == 121' >/dev/null && '$quell' report --svg '$tmp/good.rec' | grep -q '</svg>'"
check "diff with itself says =" eval "'$quell' diff '$tmp/good.rec' '$tmp/good.rec' | grep -Eq '^all .* =$'"
check "status needs neither root nor tracing" eval "'$quell' status | tail -n 1 | grep -q '^verdict:'"
check "status --json is JSON" eval "'$quell' status --json | jq -en 'input | .verdict' >/dev/null"

# From here on it takes root, and some of it a kernel that traces.
if [ "$(id -u)" != 0 ]; then
	skip "without root" "this test changes users, run it as root"
else
	chmod 755 "$tmp" && cp "$quell" "$tmp/quell" && install -d -m 777 "$tmp/open"
	expect 3 'needs root' "record without root" as_nobody "$tmp/quell" record -o "$tmp/open/x.rec"
	expect 3 'needs root' "top without root" as_nobody "$tmp/quell" top
	expect 3 'needs root' "export without root" as_nobody "$tmp/quell" export --listen 19479
	expect 4 'no tracefs' "no tracefs" unshare -m sh -c "umount -l /sys/kernel/tracing /sys/kernel/debug 2>/dev/null; mount -t tmpfs none /sys/kernel && exec '$quell' record -o '$tmp/x.rec'"
fi

if [ "$(id -u)" != 0 ] || ! { mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing; } 2>/dev/null ||
	[ ! -d /sys/kernel/tracing/events/ipi/ipi_send_cpumask ]; then
	skip "with tracing" "this kernel cannot trace IPIs"
else
	pids=()
	until_it() { for _ in $(seq 150); do ! eval "$1" || return 0; sleep 0.2; done; }
	asks_for() { # SIGNAL PID: that one catches it
		local caught
		caught=$(sed -n 's/^SigCgt:[[:space:]]*/0x/p' "/proc/$2/status")
		[ $((caught >> ($(kill -l "$1") - 1) & 1)) = 1 ]
	}
	written() { # interrupts are in the record that is not complete
		"$quell" report --json "$tmp/killed.rec.partial" 2>/dev/null |
			jq -en 'input | .totals.interrupts > 0 and (.complete | not)' >/dev/null 2>&1
	}
	expect 0 'degraded: .*Linux 6.4' "the senders' events are missing" unshare -m sh -c "mount -t tmpfs none /sys/kernel/tracing/events/ipi && exec '$quell' record -o '$tmp/x.rec' -q -d 1s"
	expect 2 'no list of CPUs' "CPU list nonsense" "$quell" record -o "$tmp/x.rec" -c 3-1
	expect 2 'not online' "a CPU that is not there" "$quell" top -c 8191
	expect 2 'is empty' "an empty CPU list" "$quell" top -c ''
	expect 1 'cannot be written' "a directory that is not there" "$quell" record -o "$tmp/none/x.rec"
	expect 1 'cannot be run' "a command that is not there" "$quell" record -q -o "$tmp/x.rec" -- "$tmp/none"
	expect 1 'No space left' "disk full while recording" unshare -m sh -c "mkdir '$tmp/small' && mount -t tmpfs -o size=16k none '$tmp/small' && head -c 16k /dev/zero >'$tmp/small/fill' && exec '$quell' record -q -o '$tmp/small/x.rec' -c all -d 2s"
	expect 1 'cannot be written' "a textfile in no directory" "$quell" export -t "$tmp/none/x.prom" -d 1s

	"$quell" export --listen 19479 -d 60s & holder=$!
	until_it "[ \$(instances $holder) = 1 ]"
	expect 6 'port 19479' "a port in use" "$quell" export --listen 19479
	kill -TERM $holder
	wait $holder || true

	for sig in INT TERM HUP; do
		"$quell" record -q -o "$tmp/$sig.rec" -d 60s & pid=$!
		pids+=("$pid")
		# A background job of a script ignores SIGINT until it asks for it.
		until_it "asks_for $sig $pid && [ \$(instances $pid) = 1 ]"
		kill -$sig $pid
		status=0
		wait $pid || status=$?
		check "SIG$sig ends the recording, the record is whole" eval "[ $status = 0 ] && '$quell' report '$tmp/$sig.rec' >/dev/null"
	done
	check "no instance is left behind" eval "[ \$(instances ${pids[*]}) = 0 ]"

	"$quell" record -q -o "$tmp/killed.rec" -d 60s & pid=$!
	until_it written
	expect 6 'being written' "two recordings to one file" "$quell" record -q -o "$tmp/killed.rec" -d 100ms
	kill -KILL $pid
	wait $pid 2>/dev/null || true
	check "a killed one leaves its instance" eval "[ \$(instances $pid) = 1 ]"
	"$quell" record -q -o "$tmp/next.rec" -d 100ms
	check "the next one sweeps it up" eval "[ \$(instances $pid) = 0 ]"
	expect 7 'killed.rec.partial is cut' "what a killed one wrote can be read" "$quell" report "$tmp/killed.rec.partial"
	check "and it holds interrupts" written
	expect 0 'killed.rec.partial, left by .* killed, is replaced' "the next one to the same file takes its place" "$quell" record -q -o "$tmp/killed.rec" -d 100ms
	check "no temporary file is left behind" eval "! ls '$tmp'/*.rec.* 2>/dev/null"
fi
finish
