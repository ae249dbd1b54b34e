#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# A build that is interrupted is not taken for done, and the next one goes on
# from there. On riscv64, which is built only to see that it builds.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages build riscv64
fetched=$(lab/fetch 6.12)
out=$QUELL_CACHE/build/${fetched##*/linux-}-base-riscv64
objects() { find "$out" -path "$out/tree" -prune -o -name '*.o' -print | wc -l; }
rm -rf "$out"

# -s INT to the whole group, as a terminal would.
timeout -s INT 60 lab/build --arch riscv64 6.12 >"$QUELL_TOP/build/tests/interrupted.out" || true
made=$(objects)
check "an interrupted build says no directory" test ! -s "$QUELL_TOP/build/tests/interrupted.out"
check "and leaves no stamp" test ! -e "$out/.quell-stamp"
check "but what it made" test "$made" -gt 0
oldest=$(find "$out/lib" "$out/kernel" "$out/mm" -name '*.o' -printf '%T@ %p\n' | sort -n | head -n1 | cut -d' ' -f2)
stat -c %Y "$oldest" >"$QUELL_TOP/build/tests/interrupted.when"
built=$(lab/build --arch riscv64 6.12) || true
check "the next build goes to the end: riscv64 builds" test "$built" = "$out" -a -s "$out/arch/riscv/boot/Image"
check "and keeps what was made" test "$(stat -c %Y "$oldest")" = "$(cat "$QUELL_TOP/build/tests/interrupted.when")"
finish
