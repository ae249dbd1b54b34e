#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# How many lines of the command its tests run: the unit tests, and the scripts
# below, which run it as a user does. What only a particular kernel or machine
# brings about (tests `lab-*`, `screen`, `exporter`, `watch`) is not in it.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
. cli/tests/gcov.sh
out=$PWD/build/cli/coverage-deep
rm -rf "$out"
make -s -C cli OUT="$out" CC=gcc CFLAGS="$coverage" LDFLAGS=--coverage >&2
make -s -C cli OUT="$out/unit" CC=gcc SANITIZE="$coverage" "$out/unit/unit" "$out/unit/check" >&2
# Somebody else than who built it may not add to the counts, and need not say so.
export OUT="$out" GCOV_ERROR_FILE=/dev/null

ran() { # TEST...: to its end, and all is well
	local status=0
	"$@" >"$out/log" </dev/null || status=$?
	grep -E '^not ok' "$out/log" || return "$status"
	return 1
}
check "unit tests" ran "$out/unit/unit"
for script in check errors output events manual collection serve; do
	check "$script.sh" ran "cli/tests/$script.sh"
done
lines_run "$out" >"$out/lines"
told "$out/lines" 70
# shellcheck disable=SC2016 # make expands it
all=$(make -s -C cli --eval='print:;@echo $(SOURCES)' print | wc -w)
check "every source was looked at: $all" [ "$(wc -l <"$out/lines")" = "$all" ]
finish
