#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The documents and the proofs say the same: every command of the catalogue
# works as printed, every fault has a counterexample and a rule beside it,
# every claim is explained, and every folder that is named exists.
# shellcheck disable=SC2016 # backquotes and $ are meant for grep, sed and sh
set -eu
cd "$(dirname "$0")/../.."
lab/need proofs
. testlib/tap.sh

catalogue=docs/argue/faults.md
while read -r fault command; do
	# shellcheck disable=SC2086 # the command as printed
	if out=$($command 2>&1) && grep -q 'assertion violated' <<<"$out" &&
		[ "$(grep -c '^  ' <<<"$out")" -ge 3 ]; then
		ok "$fault: $command prints a counterexample"
	else
		not_ok "$fault: $command prints a counterexample" "$(tail -n 3 <<<"$out")"
	fi
done < <(sed -n 's/^| \(F[0-9]*\) |.*`\(proofs\/run --trace [^`]*\)`.*/\1 \2/p' "$catalogue")

rows=$(grep -c '^| F[0-9]' "$catalogue")
check "there are $rows faults, and every one was tried" test "$rows" -ge 14 -a "$tests" = "$rows"
check "a command in each of the $rows rows" \
	test "$(grep -c '^| F[0-9].*`proofs/run --trace F[0-9]*`' "$catalogue")" = "$rows"
for claim in proofs/*/cases; do
	claim=${claim%/cases}
	name=${claim#proofs/}
	check "$name: a rule that holds, a twin that fails, bounds, a README, a place in docs/argue/ordering.md" sh -c '
		grep -q "[[:space:]]holds[[:space:]]" "$1/cases" && grep -q "[[:space:]]fails[[:space:]]" "$1/cases" &&
		grep -q "^# bounds: ." "$1/cases" && grep -q "Stands for" "$1/README.md" &&
		grep -q "Leaves out" "$1/README.md" && grep -q "\`$2\`" docs/argue/ordering.md' sh "$claim" "$name"
done
missing=
for name in $(grep -h '^Proofs:' docs/argue/ordering.md | grep -o '`[a-z-]*`' | tr -d '`'); do
	[ -e "proofs/$name/cases" ] || grep -qE "^${name}[[:space:]]" proofs/*/cases || missing+=" $name"
done
check "docs/argue/ordering.md names no proof that does not exist:$missing" test -z "$missing"
finish
