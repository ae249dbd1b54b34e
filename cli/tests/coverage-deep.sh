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
# A test runs the command as nobody, who adds to the counts as well: where everybody
# may come and write.
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
umask 0
make -s -C cli OUT="$built" CC=gcc CFLAGS="$coverage" LDFLAGS=--coverage >&2
make -s -C cli OUT="$built/unit" CC=gcc SANITIZE="$coverage" "$built/unit/unit" "$built/unit/check" >&2
chmod -R a+rwX "$built"
export OUT="$built"

ran() { # TEST...: to its end, and all is well
	local status=0
	"$@" >"$built/log" </dev/null || status=$?
	grep -E '^not ok' "$built/log" || return "$status"
	return 1
}
check "unit tests" ran "$built/unit/unit"
for script in check errors output events manual collection serve; do
	check "$script.sh" ran "cli/tests/$script.sh"
done
lines_run "$built" >"$built/lines"
told "$built/lines" 70
# shellcheck disable=SC2016 # make expands it
all=$(make -s -C cli --eval='print:;@echo $(SOURCES)' print | wc -w)
check "every source was looked at: $all" [ "$(wc -l <"$built/lines")" = "$all" ]
finish
