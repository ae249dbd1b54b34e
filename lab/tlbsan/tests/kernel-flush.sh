#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# quell's deferral under the sanitizer, NMIs in its windows: the rule never is
# reported, F5, F6 and F10 are; and what must not be deferred without page table
# isolation is, if it is. 6.12, two CPUs, one of them isolated.
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

hazard() { run "$1" "$2" --kernel "$image" --cpus 2 --isolated 1 --append pti=off --tlbsan-with hazards=on,stop=1; }
hazard hazards 'kernel-flush change split\nkernel-flush change reuse\nkernel-flush change type\nkernel-flush change huge\n'
silent "what must not be deferred, pti=off, as built" hazards
hazard split 'kernel-flush change split 9\n'
reported "splits deferred" split mixed-sizes
# Not "reuse": it takes its small page away again before the flush is due.
hazard type 'kernel-flush change type 7\n'
reported "memory types deferred" type stale-type
finish
