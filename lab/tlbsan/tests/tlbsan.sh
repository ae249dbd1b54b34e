#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The TLB sanitizer in short: nothing on a kernel as it is, and a report, in all
# its forms, with every third INVPCID ignored. Two boots of the kernel that other
# tests build anyway, after the emulator's build.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/tlbsan/tests/run.sh
lab/need build boot guest report tlbsan

image=$(lab/build 6.12)
begin=$SECONDS
lab/tlbsan/build >/dev/null
built=$((SECONDS - begin))

run rule 'mappings --rounds 2\nlazy --rounds 2\nlazy --rounds 2 --shared 1\nvunmap --rounds 1\n' \
	--kernel "$image" --cpus 2 --append pti=on
silent "page tables that come, go and are shared, with isolation" rule
check "by PCIDs and all that flushes, and page tables became something else" jq -es 'map(select(.tlbsan == "summary")) | .[0] | .speculation and .invlpg > 10 and
	.cr3_keep > 300 and .invpcid[0] > 10 and .invpcid[2] > 10 and .freed > 4' "$results/rule.jsonl"
check "and everything was done" jq -es 'map(.text // empty | select(test("^ops=[1-9]"))) | length == 4' "$results/rule.jsonl"

run mask 'mappings --rounds 3\n' --kernel "$image" --cpus 2 --append pti=on --tlbsan-with mask=invpcid:3,stop=1
reported "every third INVPCID ignored" mask "stale-frame use-after-unmap stale-rights"
check "on stderr, as KASAN would" grep -Eq '^BUG: TLBSAN: [a-z-]+ in [a-zA-Z0-9_.+]+' "$results/mask.err"
check "with what is missing" grep -q '^Missing on CPU [01] since then: a flush of 0x' "$results/mask.log.tlbsan"
check "the last line says what is not seen" \
	bash -c "tail -n1 '$results/mask.log.tlbsan' | grep -q '^tlbsan: not seen: store buffers'"
check "the same as JSON: both places, both translations" jq -es 'map(select(.tlbsan == "report")) | length == 1 and
	(.[0] | .user.at and .writer.at and (.writer.stack | length > 2) and .held.frame and .held.size and .tag and .was and .now)' \
	"$results/mask.log.tlbsan.jsonl"
echo "# the emulator's build $built s, the boots $((SECONDS - begin - built)) s"
finish
