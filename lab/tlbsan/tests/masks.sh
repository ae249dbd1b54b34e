#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Each kind of flush ignored in turn, every Nth of them: each is reported.
# INVPCID is in tlbsan.sh.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/tlbsan/tests/run.sh
lab/need build boot guest report tlbsan

image=$(lab/build 6.12)
kinds="stale-frame use-after-unmap stale-rights reused-pcid through-unlinked-table"
# mask WHAT MASK APPEND
mask() {
	run "mask-${2%:*}" 'mappings --rounds 4\nmunmap --rounds 10\nvunmap --rounds 4\n' --kernel "$image" --cpus 2 --append "$3" \
		--tlbsan-with "mask=$2,stop=1"
	reported "one $1 in ${2#*:} ignored" "mask-${2%:*}" "$kinds"
}
# With isolation it is for what the kernel itself does with user addresses.
mask INVLPG invlpg:3 pti=off
mask "MOV to CR3" cr3:20 pti=on
# Without INVPCID, Linux flushes globals by CR4.PGE.
mask CR4.PGE cr4:2 "pti=off noinvpcid"
finish
