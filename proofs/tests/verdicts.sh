#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The runner of the proofs goes red when it should: for a verdict that differs,
# a missing tool, a model that explores nothing, and a model that is broken.
# And the quick way to see that today's models still say what they said.
set -eu
cd "$(dirname "$0")/../.."
lab/need proofs
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A copy to break, with the lab beside it for the tools.
mkdir "$tmp/proofs"
cp proofs/run proofs/herd7 proofs/*.pml "$tmp/proofs/"
cp -r proofs/a-publish proofs/a-store-buffer "$tmp/proofs/"
ln -s "$PWD/lab" "$tmp/lab"
run="$tmp/proofs/run"

# red WHAT PATTERN COMMAND...: fails, and says why on one line.
red() {
	local what=$1 pattern=$2
	shift 2
	if "$@" >"$tmp/out" 2>&1; then
		not_ok "$what" "it passed" "$(tail -n 3 "$tmp/out")"
	elif grep -Eq -- "$pattern" "$tmp/out"; then
		ok "$what"
	else
		not_ok "$what" "no line matches $pattern" "$(tail -n 3 "$tmp/out")"
	fi
}
# with FILE SED-SCRIPT: break a file of the copy; mend: put it back
with() { sed -i "$2" "$tmp/proofs/$1"; }
mend() { cp "proofs/$1" "$tmp/proofs/$1"; }

check "the copy passes" "$run"

for claim in a-publish a-store-buffer; do
	with "$claim/cases" '/^rule/s/holds/fails/'
	red "$claim: a flipped verdict is noticed" '^FAIL .* rule .*holds .*\(expected fails\)' "$run" "$claim"
	mend "$claim/cases"
	with "$claim/cases" '/^F1/s/fails/holds/'
	red "$claim: a twin said to hold is noticed" '^FAIL .* F1 .*fails .*\(expected holds\)' "$run" "$claim"
	mend "$claim/cases"
done

with a-publish/model.litmus 's/^exists.*/filter (0:walked=7)\n&/'
red "a litmus test without executions" 'FAIL .*explored nothing' "$run" a-publish
mend a-publish/model.litmus
with a-publish/model.litmus 's/smp_mb()/smp_full_fence()/'
red "a litmus test that is none" 'FAIL' "$run" a-publish/rule
mend a-publish/model.litmus
with a-store-buffer/model.pml 's/run [a-z_]*(.*);* *\(run.*\)*/skip/'
red "a model without processes" 'FAIL .*explored nothing' "$run" a-store-buffer/rule
mend a-store-buffer/model.pml
with a-store-buffer/model.pml 's/!irqs_off\[cpu\].*/false/'
red "a model that gets stuck" 'FAIL .*invalid end state' "$run" a-store-buffer/rule
mend a-store-buffer/model.pml
with a-store-buffer/model.pml 's/assert(/(true || /'
red "a model that asserts nothing" 'FAIL .*nothing asserted' "$run" a-store-buffer/rule
mend a-store-buffer/model.pml
sed -i 's/^init /active proctype nobody() { end_nobody: false; assert(false) }\n&/' "$tmp/proofs/a-store-buffer/model.pml"
red "an assertion that is never reached" 'FAIL .*never reached' "$run" a-store-buffer/rule
mend a-store-buffer/model.pml
echo 'model-less holds' >>"$tmp/proofs/a-store-buffer/cases"
red "a case without a model" 'FAIL .*no model named' "$run" a-store-buffer/model-less
mend a-store-buffer/cases

# Without spin, and without herd7: everything else is on the path.
mkdir "$tmp/bin"
for tool in bash sed awk grep gcc cp rm mktemp dirname basename timeout head tail cat env; do
	ln -s "$(command -v "$tool")" "$tmp/bin/$tool"
done
red "no spin" 'FAIL .*missing tool: spin|missing Debian packages' env PATH="$tmp/bin" "$run" a-store-buffer
red "no herd7" 'FAIL .*missing tool: nowhere/herd7' env HERD7=nowhere/herd7 "$run" a-publish
red "no memory model" 'FAIL .*no memory model' env LKMM="$tmp" "$run" a-publish
mkdir "$tmp/dead"
red "no memory model, no network and no cache yet" \
	'FAIL .*no kernel source for the memory model: [^ ].*(network|no source of Debian)' \
	env QUELL_CACHE="$tmp/none/yet" QUELL_APT_ETC="$tmp/dead" "$run" a-publish/rule
red "a claim that does not exist" 'no claim matches z-nothing' "$run" z-nothing

"$run" --trace F1 >"$tmp/trace" 2>&1 || true
if grep -q 'walker: reads the table' "$tmp/trace" && grep -q 'assertion violated' "$tmp/trace"; then
	ok "a counterexample can be read"
else
	not_ok "a counterexample can be read" "$(tail -n 3 "$tmp/trace")"
fi
finish
