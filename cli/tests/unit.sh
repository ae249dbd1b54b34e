#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The unit tests of the command, with both compilers and all sanitizers.
set -eu
cd "$(dirname "$0")/.."
../lab/need cli-test
out=${OUT:-../build/cli}/unit
# fuzz.sh and check.sh make the same, and may be at it just now.
mkdir -p "$out"
flock "$out" make -s OUT="$out" CC=gcc "$out/unit" >&2
# Once more as clang sees it: another compiler, other warnings.
make -s OUT="$out-clang" CC=clang "$out-clang/unit" >&2
"$out-clang/unit" >"$out-clang/log" || { cat "$out-clang/log"; exit 1; }
exec "$out/unit"
