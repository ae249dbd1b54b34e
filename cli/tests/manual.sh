#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# The man page names every command and every option that --help does, where it
# belongs, and no option that is none; and it is one that man understands.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
out=${OUT:-$PWD/build/cli}
make -s -C cli OUT="$out" >&2
page=$(sed 's/\\-/-/g; s/\\f[RBI]//g' cli/quell.1)

commands=$("$out/quell" --help | awk '/^  [a-z]/ { print $1 }')
check "there are commands" test -n "$commands"
common=$(awk '/^\.SH COMMON OPTIONS/ { on = 1; next } /^\.SH/ { on = 0 } on' <<<"$page")
# The part of COMMANDS that is about $1.
about() {
	awk -v name="$1" -v all=" $(tr '\n' ' ' <<<"$commands")" '
		/^\.SH/ { in_commands = $2 == "COMMANDS"; on = 0 }
		in_commands && $1 == ".B" && NF == 2 && index(all, " " $2 " ") && before == ".TP" { on = $2 == name }
		on; { before = $0 }' <<<"$page"
}
# -x and --long of the lines that describe options.
options() { sed -nE 's/^ +((-[a-zA-Z0-9], )?--[a-z-]+).*/\1/p' | tr -d ',' | tr ' ' '\n' | grep . | sort -u; }
for c in $commands; do
	part=$(about "$c")
	missing='' wrong=''
	known=$("$out/quell" "$c" --help | options)
	for o in $known; do
		grep -qE -- "(^|[^-a-z])$o([^-a-z]|\$)" <<<"$part
$common" || missing+=" $o"
	done
	# shellcheck disable=SC2013 # words are wanted
	for o in $(grep -oE -- '(^|[^-a-z])--[a-z][a-z-]*' <<<"$part" | grep -oE -- '--.*' | sort -u); do
		grep -qxF -- "$o" <<<"$known" || wrong+=" $o"
	done
	check "$c has its part" test -n "$part"
	check "with every option:$missing" test -z "$missing"
	check "and none that is none:$wrong" test -z "$wrong"
done
check "man has nothing to complain of" test -z "$(man --warnings -l -Tutf8 -Z cli/quell.1 2>&1 >/dev/null)"
finish
