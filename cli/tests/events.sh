#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# A record interrupt by interrupt: as lines, as JSON, for a trace viewer; what the
# filters leave is what they are asked for. Needs no tracing.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
out=${OUT:-$PWD/build/cli}
make -s -C cli OUT="$out" >&2
make -s -C cli OUT="$out/unit" CC=gcc "$out/unit/unit" >&2
quell=$out/quell
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$out/unit/unit" --sample "$tmp/s.rec"
"$out/unit/unit" --evil "$tmp/evil.rec"

# The sample: 40 times a ms, a sync from CPU 0 to 1 and 2 and a timer on CPU 1,
# and one reschedule without a sender; it began at 13:03:04.
events() { "$quell" report --events "$@" "$tmp/s.rec"; }
count() { events --json "$@" | jq -c 'select(.quell == "event")' | wc -l; }
check "every interrupt is there, once" test "$(count)" = 121
check "as lines too, with the notes" test "$(events | tail -n +2 | wc -l)" = "$(events --json | grep -vc '"end"')"
check "in the order of time" eval "events --json | jq -se 'map(select(.at_ns).at_ns) | . == sort'"
check "with the time of day" eval "events | sed -n 2p | grep -q '^2025-11-25T13:03:04.00000'"
check "and who sent it" eval "events --json --cause pt_sync | jq -se '.[0] | .sender.cpu == 0 and .sender.pid == 42 and .sender.call_site == \"collapse_huge_page\" and .handler_ns == 1500 and .avoidable'"
check "by cause" test "$(count --cause pt_sync)" = 80
check "by two" test "$(count --cause tick,reschedule)" = 41
check "by CPU" test "$(count --cpus 2)" = 41
check "by task" test "$(count --task 42)" = 80
check "by its name, as it is shown" test "$(count --task 'a "task" <&>\\\xff')" = 80
check "by another" test "$(count --task nobody)" = 0
check "by length" test "$(count --longer 1us),$(count --longer 1.5us),$(count --longer 1ms)" = 80,0,0
check "from a time on" test "$(count --from 20ms --cause tick)" = 20
check "up to one" test "$(count --from 10ms --to 20ms --cause tick)" = 10
check "of the clock" test "$(count --from 13:03:04.020 --to 13:03:04.030 --cause tick)" = 10
check "with its day" test "$(count --from 2025-11-25T13:03:04.020Z --cause tick)" = 20
check "and all of it" test "$(count --from 2025-11-25T10:00:00 --to 23:00:00)" = 121
for bad in '--from noon' '--to 25:00:00' '--to 12:00:00x' '--cause frob' '--cpus 3-1' '--longer x'; do
	# shellcheck disable=SC2086 # words are wanted
	refuses "$bad" 'is no ' "$quell" report --events $bad "$tmp/s.rec"
done
refuses "a filter of a report" 'are for --events' "$quell" report --cpus 1 "$tmp/s.rec"
refuses "two forms" 'either' "$quell" report --events --perfetto "$tmp/s.rec"

# --- a trace viewer's file
"$quell" report --perfetto -o "$tmp/s.json" "$tmp/s.rec"
holds() { check "$1" jq -en "input | $2" "$tmp/s.json"; }
holds "it is JSON with a slice per interrupt" '[.traceEvents[] | select(.ph == "X" and .pid == 1)] | length == 121'
holds "and one per request that led to some" '[.traceEvents[] | select(.ph == "X" and .pid == 2)] | length == 40'
holds "every arrow begins and ends" '(.traceEvents | map(select(.ph == "s").id) | sort) == (.traceEvents | map(select(.ph == "f").id) | sort)'
holds "there is one per interrupt with a sender" '[.traceEvents[] | select(.ph == "s")] | length == 80'
# shellcheck disable=SC2016 # variables of jq
holds "at both ends of it is a slice" '[.traceEvents[] | select(.ph == "X") | "\(.pid) \(.tid) \(.ts)"] as $slices | ([.traceEvents[] | select(.ph == "s" or .ph == "f") | "\(.pid) \(.tid) \(.ts)"] | unique) - $slices == []'
holds "every thread has a name" '([.traceEvents[] | select(.ph == "X") | [.pid, .tid]] | unique) == ([.traceEvents[] | select(.name == "thread_name") | [.pid, .tid]] | unique)'
holds "all that a viewer needs is there" '(.traceEvents | length > 0) and all(.traceEvents[]; .ph and .name and .pid and (.ph == "M" or (.ts | type) == "number"))'
holds "times are those of the kernel's trace" '[.traceEvents[] | select(.ph == "X" and .pid == 1).ts] | min == 5000000.777'
holds "and what time it was" '.otherData.window_opened == "2025-11-25T13:03:04.000000000Z"'
"$quell" report --perfetto --cause tick "$tmp/s.rec" >"$tmp/s.json"
holds "filters apply" '[.traceEvents[] | select(.ph == "X")] | length == 40'

# --- names that want to do harm, and events that were lost
for form in --events '--events --json' --perfetto; do
	# shellcheck disable=SC2086
	"$quell" report $form "$tmp/evil.rec" >"$tmp/evil"
	check "$form of evil names" eval "! LC_ALL=C grep -aqP '[\\x00-\\x09\\x0b-\\x1f\\x7f]|\\xc2[\\x80-\\x9f]' '$tmp/evil' && grep -q 'forged' '$tmp/evil' && ! grep -q '^forged' '$tmp/evil'"
done
check "losses are told" eval "'$quell' report --events '$tmp/evil.rec' | grep -q '^LOST: 7 ' && '$quell' report --perfetto '$tmp/evil.rec' | jq -en 'input | .otherData.lost_events == 7'"
check "and a full disk" eval "! '$quell' report --events '$tmp/s.rec' >/dev/full 2>/dev/null"
status=0
head -c -20 "$tmp/s.rec" >"$tmp/cut.rec"
"$quell" report --events "$tmp/cut.rec" >/dev/null 2>"$tmp/err" || status=$?
check "of a record that was cut, status 7" test "$status,$(wc -l <"$tmp/err")" = 7,1
finish
