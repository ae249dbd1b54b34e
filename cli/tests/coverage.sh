#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# How many lines of what needs no kernel the unit tests run; coverage-deep.sh has
# the whole command.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
. cli/tests/gcov.sh
out=$PWD/build/cli/coverage
rm -rf "$out"
mkdir -p "$out"
make -s -C cli OUT="$out" CC=gcc SANITIZE="$coverage" "$out/unit" >&2
check "unit tests pass" "$out/unit"
lines_run "$out" >"$out/lines"
told "$out/lines" 70
# shellcheck disable=SC2016 # make expands it
core=$(make -s -C cli --eval='print:;@echo $(CORE)' print | wc -w)
check "every source was looked at: $core" [ "$(wc -l <"$out/lines")" = "$core" ]
finish
