#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# A guest that goes wrong fails the run, with an excerpt that says how. The
# same kernel and guest, left alone, pass: so it is the fault that is noticed.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

need_packages run
kernel=${QUELL_TEST_KERNEL:-$(lab/build 6.12)}
gcc -Wall -Wextra -Werror -static -O2 -o "$tmp/misbehave" lab/tests/misbehave.c
gcc -Wall -Wextra -Werror -static -O2 -o "$tmp/flags" lab/tests/flags.c

boot() { # PLAN-LINE TIMEOUT
	echo "$1" >"$tmp/plan"
	lab/boot --kernel "$kernel" --cpus 2 --mem 512 --plan "$tmp/plan" --timeout "$2" \
		--add "$tmp/misbehave:/bin/misbehave" --add "$tmp/flags:/bin/flags" --log "$tmp/log" >"$tmp/out" 2>"$tmp/err"
}
notices() { # WHAT PLAN-LINE TIMEOUT PATTERN PATTERN
	if boot "$2" "$3"; then
		not_ok "$1" "the run passed" "$(tail -n 3 "$tmp/out")"
	elif grep -qE "$4" "$tmp/err" && grep -qE "$5" "$tmp/err"; then
		ok "$1"
	else
		not_ok "$1" "wanted: $4, $5" "got: $(head -n 8 "$tmp/err")"
	fi
}

begin=$SECONDS
if boot "# nothing to do" 120 && [ "$(cat "$tmp/out")" = '{"done":true,"failed":0}' ]; then
	ok "a guest with nothing to do passes"
else
	not_ok "a guest with nothing to do passes" "$(head -n 8 "$tmp/err")" "$(cat "$tmp/out")"
fi
# Long enough to come to its program here, now.
hang=$((10 + 4 * (SECONDS - begin)))
notices "a kernel that panics" "misbehave PANIC" 120 'the kernel complained' 'Kernel panic.*dumptest'
notices "a kernel that hits a BUG" "misbehave BUG" 120 'the kernel complained' 'kernel BUG at|Oops'
notices "a kernel that warns" "misbehave WARNING" 120 'the kernel complained' 'WARNING: .*lkdtm'
notices "a guest that hangs" "misbehave hang" $hang "still running after $hang s" 'Run /init'
notices "a program that fails" "misbehave fail" 120 'some programs failed.*"failed":1' 'failing as told'
notices "a program that is not there" $'flags\nnosuchprogram' 120 'some programs failed' '"failed":1'
check "what ran before the failure is still reported" grep -q '"ran":"nosuchprogram"' "$tmp/out"
check "the emulator keeps a CPU's flags" grep -q '"ran":"flags","exit":0' "$tmp/out"

if lab/boot --kernel /dev/null --cpus 1 --timeout 20 >"$tmp/out" 2>"$tmp/err"; then
	not_ok "something that is no kernel"
else
	ok "something that is no kernel"
fi
finish
