#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# quell's deferral under the sanitizer, NMIs in its windows: the rule never is
# reported, F5, F6 and F10 are; and what must not be deferred (splits, huge purges,
# memory types) is, if it is. 6.12, two CPUs, one of them isolated.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/tlbsan/tests/run.sh
lab/need build boot guest report tlbsan

image=$(lab/build --config base,kernel_flush 6.12)
# The detector in that kernel reads its address in place of speculation.
meant=ignore=kernel_flush_test_point
# race NAME APPEND STOP LINES
race() { run "$1" "$4" --kernel "$image" --cpus 2 --isolated 1 --append "$2" --tlbsan-with "$meant${3:+,$3}"; }

for pti in on off; do
	race "order-$pti" pti=$pti '' 'kernel-flush-race --rounds 40 --delay 300 --nest 1
kernel-flush-race --rounds 40 --delay 300 --nest 2\nkernel-flush-race --rounds 40 --delay 300 --nest 3\n'
	silent "the order as built, NMIs at each point, pti=$pti" "order-$pti"
done
use="stale-frame use-after-unmap"
race f10 pti=on stop=1 'kernel-flush-race --broken 3 --nest 2 --delay 100 --rounds 300\n'
reported "F10: take the debt, then pay" f10 "$use"
race f6 pti=on stop=1 'kernel-flush-race --broken 2 --nest 1 --delay 100 --rounds 300\n'
reported "F6: NMIs do not look" f6 "$use"
race f5 pti=on stop=1 'kernel-flush-race --broken 1 --delay 3000 --rounds 600\n'
reported "F5: flush, then say so" f5 "$use"

# Two sizes, two frames or two types of one address.
# hazard NAME PTI LINES
hazard() { run "$1" "$3" --kernel "$image" --cpus 2 --isolated 1 --append "pti=$2" --tlbsan-with hazards=on,stop=1; }
# deferred WHAT NAME PTI CHANGE BROKEN KINDS [FUNCTION]: with one rule broken.
deferred() {
	hazard "$2" "$3" "kernel-flush change $4 $5\n"
	reported "$1, pti=$3" "$2" "${@:6}"
}
changes=$(printf 'kernel-flush change %s\\n' split hide lend large reuse huge refill area type owed lent)
for pti in on off; do
	hazard "hazards-$pti" "$pti" "$changes"
	silent "what must not be deferred, pti=$pti, as built" "hazards-$pti"
	check "each change was made" jq -es 'map(select(.test == "change")) | length == 11' "$results/hazards-$pti.jsonl"
done
deferred "splits deferred" split off split 9 mixed-sizes
deferred "memory types deferred" type off type 7 stale-type
# "reuse" takes its small page away again before the flush is due.
deferred "a huge purge deferred, its address reused" huge off refill 12 mixed-sizes vfree
deferred "a huge purge not settled before small pages come" hole on refill 14 mixed-sizes vfree
finish
