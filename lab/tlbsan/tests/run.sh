# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the sanitizer's tests in the emulator share; sourced after tap.sh. All
# that a run leaves stays in build/tlbsan.

results=build/tlbsan
mkdir -p "$results"

# run NAME PLAN OPTION...: PLAN is text. Leaves $results/NAME.jsonl, .err, .log,
# .log.tlbsan, and in $verdict: clean, reported, or failed.
run() {
	local name=$1
	printf '%b' "$2" >"$results/$name.plan"
	shift 2
	rm -f "$results/$name".log*
	verdict=clean
	lab/boot --tlbsan --plan "$results/$name.plan" --log "$results/$name.log" "$@" \
		>"$results/$name.jsonl" 2>"$results/$name.err" || verdict=failed
	[ "$verdict" = clean ] || ! grep -q '"tlbsan":"report"' "$results/$name.jsonl" || verdict=reported
	grep -hs '^tlbsan: [0-9]' "$results/$name.log.tlbsan" | sed "s/^/# $name: /" || :
	[ "$verdict" != failed ] || sed "s/^/# $name: /" "$results/$name.err"
}

# silent WHAT NAME: the last run was, and looked at something.
silent() {
	check "$1: nothing is reported" [ "$verdict" = clean ]
	check "and it was looked at" jq -es 'map(select(.tlbsan == "summary")) | .[0] | .tasks and .changes > 500 and .held > 100' \
		"$results/$2.jsonl"
}

# reported WHAT NAME KINDS [FUNCTION]: it was, as one of these kinds, by a writer
# with this function on its stack.
reported() {
	check "$1: reported" [ "$verdict" = reported ]
	# shellcheck disable=SC2016
	check "as $3${4:+, changed by $4}" jq -es --arg kinds "$3" --arg f "${4:-}" 'map(select(.tlbsan == "report")) |
		any((.kind as $k | $kinds | split(" ") | index($k)) and ([.writer.at] + .writer.stack | any(startswith($f))))' \
		"$results/$2.jsonl"
}
