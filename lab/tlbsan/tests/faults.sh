#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# Stock Linux whose flushes are broken by small edits (6.12 only), one at a time:
# the sanitizer reports each, and nothing where none is.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
. lab/tlbsan/tests/run.sh
lab/need build boot guest report tlbsan

broken=$(lab/build --stock --edits lab/tlbsan/tests/faults 6.12)
use="stale-frame use-after-unmap stale-rights"
# fault N WHAT KINDS WRITER PLAN APPEND
fault() {
	run "fault-$1" "$5" --kernel "$broken" --cpus 2 --append "tlbsan_fault=$1 $6" --tlbsan-with stop=1
	reported "$2" "fault-$1" "$3" "$4"
}
run fault-0 'mappings --rounds 1\nlazy --rounds 6\n' --kernel "$broken" --cpus 2 --append pti=on
silent "the same kernel, not broken" fault-0
# No fault but stock Linux's own: docs/measured/findings.md. With quell: tlbsan.sh.
fault 0 "F4: unsharing a table leaves out lazy CPUs" freed-table __huge_pmd_unshare 'lazy --rounds 3 --shared 1\n' pti=on
fault 2 "freed tables leave out lazy CPUs" freed-table free_pgd_range 'lazy --rounds 4\n' pti=on
fault 1 "no interrupt for CPU 1 in flush_tlb_mm_range()" "$use" '' 'mappings --rounds 2\n' pti=on
fault 3 "invalidate_user_asid() left out" "$use" '' 'mappings --rounds 2\n' pti=on
fault 4 "kernel ranges not flushed on CPU 1" "$use" '' 'vunmap --rounds 12 --map-kib 64\n' pti=off
# Seen while the kernel boots: text patching's own address space comes back to it.
fault 5 "a PCID goes to another address space unflushed" "$use reused-pcid" '' 'mappings --rounds 1\n' pti=on
finish
