#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# What the user named is written whole or not at all; devices stay devices;
# and what cannot be printed is said with a non-zero status. Needs no tracing.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli cli-test
. testlib/tap.sh
out=${OUT:-$PWD/build/cli}
make -s -C cli OUT="$out" >&2
make -s -C cli OUT="$out/unit" CC=gcc "$out/unit/unit" >&2
quell=$(realpath "$out/quell")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$out/unit/unit" --sample "$tmp/good.rec"
"$out/unit/unit" --evil "$tmp/evil.rec"

# ends STATUS COMMAND...: with one line on stderr if it is not 0.
ends() {
	local want=$1 status=0
	shift
	"$@" 2>"$tmp/err" </dev/null || status=$?
	[ "$status" = "$want" ] && [ "$(wc -l <"$tmp/err")" = $((want != 0)) ] && return
	echo "status $status: $(cat "$tmp/err")"
	return 1
}
leftover() { find "$tmp" -name '*.rec.*' -o -name 'out.??????'; }

# --- what is at the path already
if [ "$(id -u)" = 0 ]; then
	mknod "$tmp/null" c 1 3
	mknod "$tmp/full" c 1 7
	for node in null full; do
		refuses "report into a device ($node)" 'it is a device$' "$quell" report -o "$tmp/$node" "$tmp/good.rec"
		refuses "record into a device ($node)" 'it is a device$' "$quell" record -o "$tmp/$node" -d 10ms
		refuses "metrics into a device ($node)" 'it is a device$' "$quell" export -t "$tmp/$node" -d 10ms
		check "which stays one ($node)" test -c "$tmp/$node"
	done
else
	skip "devices" "only root makes them"
fi
refuses "a directory" 'is a directory$' "$quell" report -o "$tmp" "$tmp/good.rec"
ln -s "$tmp/target" "$tmp/link"
refuses "a link to nothing" 'link to nothing$' "$quell" report -o "$tmp/link" "$tmp/good.rec"
echo old >"$tmp/target"
chmod 600 "$tmp/target"
check "through a link" ends 0 "$quell" report --json -o "$tmp/link" "$tmp/good.rec"
check "the link stays one" test -L "$tmp/link"
check "its file is written, and keeps its mode" test "$(stat -c %a "$tmp/target"),$(jq .schema "$tmp/target")" = 600,1
check "- is standard output" eval "'$quell' report -o - '$tmp/good.rec' | grep -q collapse_huge_page"
mkfifo "$tmp/pipe"
timeout 20 cat "$tmp/pipe" >"$tmp/read" & reader=$!
check "a pipe is written to" ends 0 timeout 20 "$quell" report -o "$tmp/pipe" "$tmp/good.rec"
wait $reader || true
check "and stays one, and was read" eval "test -p '$tmp/pipe' && grep -q collapse_huge_page '$tmp/read'"
refuses "metrics into a pipe" 'it is a pipe$' "$quell" export -t "$tmp/pipe" -d 10ms
check "nothing is left beside them" test -z "$(leftover)"

# --- a disk that is full: for all that prints
for args in "status" "status --json" "explain" "explain CAL" "explain --json pt_sync" \
	"diff good.rec good.rec" "diff --json good.rec good.rec" "report good.rec" "report --json good.rec" \
	"report --svg good.rec" "--help" "--version" "top --help"; do
	# shellcheck disable=SC2086 # words are wanted
	check "$args > /dev/full" eval "cd '$tmp' && ends 1 '$quell' $args >/dev/full"
done
check "nor is a closed output taken for success" eval "ends 1 '$quell' explain CAL >&-"
check "a report into a file with its output closed" eval "ends 0 '$quell' report -o '$tmp/closed' '$tmp/good.rec' >&- && grep -q collapse_huge_page '$tmp/closed'"

# --- names that want to do harm, in a record of somebody else
for form in '' --stacks --json --svg; do
	"$quell" report $form "$tmp/evil.rec" >"$tmp/shown"
	# Controls of both kinds; a newline ends a line and does nothing else.
	check "report $form of names that are controls" eval "! LC_ALL=C grep -aqP '[\\x00-\\x09\\x0b-\\x1f\\x7f]|\\xc2[\\x80-\\x9f]' '$tmp/shown'"
	check "and shows them" grep -qF 'x1b]2;PWNED' "$tmp/shown"
done
"$quell" report "$tmp/evil.rec" >"$tmp/shown"
check "a line feed in a name begins no line" eval "! grep -q '^forged' '$tmp/shown'"
for form in '' --json; do
	"$quell" diff $form "$tmp/evil.rec" "$tmp/good.rec" >"$tmp/shown"
	check "diff $form of them" eval "! LC_ALL=C grep -aqP '[\\x00-\\x09\\x0b-\\x1f\\x7f]|\\xc2[\\x80-\\x9f]' '$tmp/shown'"
done
check "a file's name in a message" eval "ends 5 '$quell' report \$'$tmp/\e]2;x\a' && grep -qF 'x1b]2;x' '$tmp/err'"

# --- forms that said less than they were asked
check "explain --json CAL is JSON" eval "'$quell' explain --json CAL | jq -en 'input | .row == \"CAL\" and (.what | length > 20)'"
check "an SVG of a record with losses says so" eval "'$quell' report --svg '$tmp/evil.rec' | grep -q 'LOST: 7 '"
check "a diff compares rates" eval "'$quell' diff '$tmp/evil.rec' '$tmp/good.rec' | grep -Eq '^all +25.00 +3025.00 +x 121\$'"
check "or numbers" eval "'$quell' diff --counts '$tmp/evil.rec' '$tmp/good.rec' | grep -Eq '^all +2 +121 '"
check "in JSON too" eval "'$quell' diff --json '$tmp/evil.rec' '$tmp/good.rec' | jq -en 'input | .unit == \"interrupts/s\" and .interrupts.before == 25 and .interrupts.after == 3025'"
check "and numbers" eval "'$quell' diff --json --counts '$tmp/evil.rec' '$tmp/good.rec' | jq -en 'input | .unit == \"interrupts\" and .interrupts.after == 121'"
for what in machines 'observed CPUs' lengths; do
	check "a diff warns of different $what" eval "'$quell' diff '$tmp/evil.rec' '$tmp/good.rec' | grep -q '^warning: the $what differ'"
done
check "in JSON too" eval "'$quell' diff --json '$tmp/evil.rec' '$tmp/good.rec' | jq -en 'input | .warnings | length >= 3'"
check "and of nothing if there is nothing" eval "! '$quell' diff '$tmp/good.rec' '$tmp/good.rec' | grep warning"
finish
