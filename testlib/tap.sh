# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The few lines every test script of the lab shares: numbered TAP results.
# A script ends with `finish`, without which lab/test counts it as failed.

tests=0
ok() { tests=$((tests + 1)); echo "ok $tests - $1"; }
not_ok() {
	tests=$((tests + 1))
	echo "not ok $tests - $1"
	[ $# -lt 2 ] || printf '%s\n' "${@:2}" | sed 's/^/# /'
}
skip() { tests=$((tests + 1)); echo "ok $tests - $1 # SKIP $2"; }
finish() { echo "1..$tests"; }

# check WHAT COMMAND...: passes if the command does.
check() {
	local what=$1 out
	shift
	if out=$("$@" 2>&1); then ok "$what"; else not_ok "$what" "$*" "$(tail -n 5 <<<"$out")"; fi
}

# refuses WHAT PATTERN COMMAND...: passes if the command fails, in three minutes on
# a busy machine, with exactly one line that matches PATTERN, and prints nothing else.
refuses() {
	local what=$1 pattern=$2 status=0 out
	shift 2
	out=$(timeout 180 "$@" 2>&1) || status=$?
	if [ "$status" = 0 ]; then
		not_ok "$what" "did not fail: $*"
	elif [ "$(wc -l <<<"$out")" != 1 ] || ! grep -qE "$pattern" <<<"$out"; then
		not_ok "$what" "wanted one line like: $pattern" "got ($status): $(head -n 5 <<<"$out")"
	else
		ok "$what"
	fi
}
