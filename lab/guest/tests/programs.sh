#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The guest builds without a warning with gcc and clang, and every program
# that can be used by hand says how, and refuses what it does not know.
# shellcheck disable=SC2317 # functions are called through check
set -eu
cd "$(dirname "$0")/../../.."
lab/need guest-test
. testlib/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

exits() {
	wanted=$1
	shift
	"$@" && got=0 || got=$?
	[ "$got" = "$wanted" ]
}

says_usage() {
	"$@" | grep -q "^usage: .*${1##*/}"
}

for cc in gcc clang; do
	check "builds with $cc" make -C lab/guest CC=$cc OUT="$work/$cc"
done
# Whatever was built, so that a new program cannot be forgotten here.
for program in "$work"/gcc/*; do
	name=${program##*/}
	# Not for hands: the kernel starts the one, kernel-flush-torture the other.
	case $name in init | kernel-flush-compat) continue ;; esac
	check "$name --help says how" says_usage "$program" --help
	check "$name refuses an unknown option" exits 2 "$program" --nonsense
done
check "init refuses to be anything but PID 1" exits 2 "$work/gcc/init"
check "a number that is none is refused" \
	exits 2 "$work/gcc/collapse" --mib 64MiB
check "a stray word is refused" exits 2 "$work/gcc/munmap" now
check "measure refuses to measure nothing" exits 2 "$work/gcc/measure" --
check "measure refuses a strategy the kernel lacks" \
	exits 1 "$work/gcc/measure" --strategies nonsense -- true
check "measure refuses CPUs that are none" \
	exits 1 "$work/gcc/measure" --isolated 3-1 -- true
finish
