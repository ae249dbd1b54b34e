#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The TLB sanitizer on a kernel as it is: nothing is reported; and with every
# Nth flush of a kind ignored: that is. deep.sh has kernels that are broken.
set -eu
cd "$(dirname "$0")/../../.."
. lab/tests/tap.sh
lab/need build boot guest report tlbsan

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
lab/tlbsan/build >/dev/null
image=$(lab/build --stock 6.12)

# run NAME OPTION...: leaves $tmp/NAME.jsonl, and the verdict in $verdict.
run() {
	local name=$1
	shift
	verdict=clean
	lab/boot --tlbsan --kernel "$image" --cpus 2 --plan "$plan" --log "$tmp/$name.log" "$@" \
		>"$tmp/$name.jsonl" 2>"$tmp/$name.err" || verdict=reported
	grep -h '^tlbsan: [0-9]' "$tmp/$name.log.tlbsan" | sed "s/^/# $name: /" || :
}

plan=lab/plans/tlbsan
run stock --append pti=on
check "stock Linux, PTI: nothing is reported" [ $verdict = clean ]
check "and it was looked at: PCIDs, changes of tables, uses in time" \
	jq -es 'map(select(.tlbsan == "summary")) | .[0] | .tasks and .speculation and .changes > 1000 and
		.held > 100 and .invlpg > 10 and .cr3_keep > 1000 and .invpcid[2] > 10' "$tmp/stock.jsonl"

printf 'mappings --rounds 3\nmunmap --rounds 10\nvunmap --rounds 2\n' >"$tmp/plan"
plan=$tmp/plan
for mask in invlpg:3 invpcid:3 cr3:20; do
	run "$mask" --append pti=on --tlbsan-with mask=$mask
	check "every ${mask#*:}th ${mask%:*} ignored: reported" [ $verdict = reported ]
	check "as a report, in short and with both places" \
		jq -es 'map(select(.tlbsan == "report")) | length > 0 and all(.kind and .user.at and .writer.at)' "$tmp/$mask.jsonl"
	check "and on stderr" grep -q '^BUG: TLBSAN: ' "$tmp/$mask.err"
done
finish
