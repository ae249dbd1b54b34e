#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# The kernel's torture test of pt_sync: every fault that is put in is found,
# every strategy comes out clean on every flush backend, and a test that does
# nothing has not passed.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

refuses "a fault that is none" 'one of' lab/torture --fault nonsense
refuses "a strategy that is none" 'one of' lab/torture --strategy nonsense
refuses "nor one among others" "'nonsense': one of" lab/torture --strategy auto,nonsense
refuses "two with a fault" 'one, with a fault' lab/torture --strategy auto,running --fault no_sync

# The module's parameters, by name.
for wrong in nkickers=-1 nremovers=0 nremovers=9; do
	lab/torture --strategy auto --backend native --seconds 1 --set $wrong >/dev/null 2>&1 || true
	check "$wrong is refused by name" grep -q "${wrong%=*} is ${wrong#*=}, must be" build/results/torture-auto-native.log
done

out=$(mktemp)
trap 'rm -f "$out"' EXIT

# rows VERDICT: a test for each row of the table, which must end so.
rows() {
	local f s b rest
	while read -r f s b rest; do
		case $rest in
		*" 0 FAILURE") not_ok "fault $f, strategy $s, backend $b: found" "$rest" ;;
		*" $1") ok "fault $f, strategy $s, backend $b: $1" ;;
		*) not_ok "fault $f, strategy $s, backend $b: $1" "$rest" ;;
		esac
	done < <(tail -n +2 "$out")
}

# Each ends when it is found; blind_nmi and nmi_gup are a matter of luck, for half a minute
# on an idle machine: on one with three builds beside it 180 s were not enough once.
lab/torture --fault all --seconds 400 >"$out" || true
rows FAILURE
[ "$(wc -l <"$out")" = 15 ] || not_ok "fourteen faults were tried" "$(cat "$out")"

# A minute for what people run, and for switching, which goes through all; less for
# each of the others: 12 s per backend, in which nine of twelve faults were found
# with two busy cores. kernels.sh gives all of them a minute.
lab/torture --strategy auto,switching --seconds "${QUELL_TORTURE_SECONDS:-60}" >"$out" || true
rows SUCCESS
[ "$(wc -l <"$out")" = 7 ] || not_ok "6 combinations were tried" "$(cat "$out")"
lab/torture --strategy broadcast,property,receipt,walkers,running,rcu \
	--seconds "${QUELL_TORTURE_SECONDS:-36}" >"$out" || true
rows SUCCESS
[ "$(wc -l <"$out")" = 19 ] || not_ok "18 combinations were tried" "$(cat "$out")"

if lab/torture --strategy auto --backend native --seconds 1 --set nwalkers=0 >"$out" 2>&1; then
	not_ok "a torture without walkers does not pass" "$(cat "$out")"
else
	check "a torture without walkers does not pass" grep -q FAILURE "$out"
fi
finish
