#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Settings that cannot be meant are refused in one line, before any work. The
# cache is an empty one: whatever went on to work would have to download first.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh
QUELL_CACHE=$(mktemp -d)
export QUELL_CACHE
trap 'rm -rf "$QUELL_CACHE"' EXIT

for cpus in 0 256 abc -1 4.5 '4;id' 99999999999999999999; do
	refuses "CPUS=$cpus" "CPUS is '.*', must be a number from 1 to 255" env CPUS="$cpus" lab/run
done
for kernel in 5.4 abc 6.120 '6.12;id' ../6.12; do
	refuses "KERNEL=$kernel" "unknown KERNEL '.*': known are 6.12 and 7.3" env KERNEL="$kernel" lab/run
done
refuses "ISOLATED as large as CPUS" "ISOLATED is '8', must be a number from 0 to 7" \
	env CPUS=8 ISOLATED=8 lab/run
refuses "ISOLATED=x" "ISOLATED is 'x'" env ISOLATED=x lab/run
refuses "ONLY=nothing" "nothing published is called 'nothing' here: .*collapse" env ONLY=nothing lab/reproduce
refuses "SIZES=1" "SIZES is '1', must be a number from 2 to 255" env SIZES=1 lab/reproduce
refuses "STOCK=maybe" "STOCK is 'maybe': 1 or debian" env STOCK=maybe lab/run
refuses "an unknown fragment" "no fragment 'nosuch' for x86_64" env CONFIG=base,nosuch lab/run
refuses "an unknown architecture" "unknown architecture 'vax'" env ARCH=vax lab/run
refuses "scale: nothing to draw" '^lab/scale: --draw wants' lab/scale --draw
refuses "scale: what is no result" 'no results: Makefile$' lab/scale --draw Makefile
refuses "SIZES of scale" "SIZES is '300'" env SIZES="8 300" lab/scale
# options_of SCRIPT: what it gives to take_options; helped SCRIPT: what --help names.
options_of() { sed -n 's/^take_options \(.*\) -- "\$@"$/\1/p' "$1" | tr ' ' '\n' | grep -v '^@' | sed 's/[+!=].*//' | sort; }
helped() { "$1" --help | grep -oE '(^ *|\[)--[a-z-]+' | sed 's/^.*--//' | grep -vx help | sort -u; }
parsers=$(git grep -l '^take_options ' -- lab linux live packaging proofs)
check "there are commands with options" [ "$(wc -l <<<"$parsers")" -ge 15 ]
for script in $parsers; do
	refuses "an unknown option of $script" "unknown option --nosuch" "$script" --nosuch
	check "$script --help names its options" [ "$(helped "$script")" = "$(options_of "$script")" ]
done
check "no command takes its options apart by hand" [ -z "$(git grep -lE '^while \[ \$# -gt 0 \]' -- lab linux live packaging proofs)" ]
refuses "an option without its value" "\-\-cpus wants a value" lab/run --cpus
refuses "a kernel that is not there" "no kernel image /nowhere" lab/boot --kernel /nowhere
refuses "a plan that is not there" "no plan /nowhere" lab/run --plan /nowhere
# Somebody who may not install packages is told which.
copy=$(mktemp -d)
trap 'rm -rf "$QUELL_CACHE" "$copy"' EXIT
cp -r lab live testlib "$copy/"
chmod -R a+rX "$copy"
echo 'fetch: quell-no-such-package' >>"$copy/lab/packages"
nobody=()
[ "$(id -u)" != 0 ] || nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
refuses "missing packages are named" \
	'missing Debian packages; as root: apt-get install quell-no-such-package' \
	env QUELL_CACHE="$copy/cache" ${nobody[@]+"${nobody[@]}"} "$copy/lab/fetch" 6.12
# The least that --help names is a setting that can be meant: it comes that far.
for cpus in 12 13 255; do
	refuses "live/run with $cpus CPUs, nothing said of isolated ones, goes to work" \
		'missing Debian packages; as root: apt-get install .*quell-no-such-package' \
		env CPUS="$cpus" QUELL_CACHE="$copy/cache" ${nobody[@]+"${nobody[@]}"} "$copy/live/run"
done

printf 'modules:\n\t@:\n' >"$QUELL_CACHE/Makefile" # for make live
# A directory of a target's name must not stand for it.
for target in $(make help | sed -n 's/^make \([a-z-]*\).*/\1/p' | sort -u); do
	# shellcheck disable=SC2016 # the inner shell's
	check "make $target does something" sh -c 'out=$(make -n "$1" KDIR="$QUELL_CACHE") && ! echo "$out" | grep "up to date"' sh "$target"
done
refuses "make passes the variables on" "unknown KERNEL '5.4'" \
	env MAKEFLAGS= sh -c 'make -s run KERNEL=5.4 2>&1 | grep -v "^make"; exit 1'
finish
