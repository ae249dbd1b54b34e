#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The observer must not be what it observes: while quell records or shows, it
# causes the isolated CPUs no interrupt. Starting and stopping do (events are
# switched by patching kernel text): how many, is measured and bounded.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages run cli
make -s -C cli quell-static >&2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rows=$tmp/rows
# An outer recording watches an inner one that runs long enough to be seen
# polling, reading and writing; `measure` counts what a whole run costs.
cat >"$tmp/plan" <<-END
	quell record -q -o idle.rec -d 5s
	quell report --json idle.rec
	quell record -q -o outer.rec -- quell top -i 500ms -n 6
	quell report --json outer.rec
	measure --name record -- quell record -q -o x.rec -d 2s
END
# An isolated CPU may have a timer of its own; nobody may send it anything.
sent_nothing() {
	jq -en 'input | (.causes | type == "array") and
		([.causes[] | select(.cause | IN("tick", "device", "nohz") | not) | .interrupts] | add // 0) == 0'
}
for kernel in "$(lab/debian-image 6.12)" "$(lab/debian-image 7)"; do
	name=$(basename "$kernel")
	lab/boot --kernel "$kernel" --cpus 8 --isolated 2-7 --plan "$tmp/plan" \
		--add build/cli/quell-static:/bin/quell --log "$tmp/log" >"$rows" 2>"$tmp/err" || true
	idle=$(jq -s '[.[] | select(.quell == "report")][0]' "$rows")
	check "$name: five seconds of recording send idle isolated CPUs nothing" sent_nothing <<<"$idle"
	# That this can fail: the same report with five interrupts more.
	if jq '.causes += [{cause: "wakeup", interrupts: 5}]' <<<"$idle" | sent_nothing >/dev/null; then
		not_ok "$name: five interrupts would be noticed"
	else
		ok "$name: five interrupts would be noticed"
	fi
	check "$name: nothing in that window came from quell" \
		jq -en 'input | .sources | type == "array" and all(.task != "quell")' <<<"$idle" # may be empty
	outer=$(jq -s '[.[] | select(.quell == "report")][1]' "$rows")
	check "$name: all that another quell sends them is text patching, at its start and end" \
		jq -en 'input | [.sources[] | select(.task == "quell") | .cause] | length > 0 and (. - ["text_patching", "tracing"]) == []' <<<"$outer"
	per_cpu=$(jq -s '.[] | select(.workload == "record") | .calls.do_sync_core / (.cpus - 1) | floor' "$rows")
	if [ "${per_cpu:-9999}" -le 400 ]; then
		ok "$name: starting and stopping patch text $per_cpu times per CPU"
	else
		not_ok "$name: starting and stopping patch text ${per_cpu:-an unknown number of} times per CPU"
	fi
done
finish
