#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The KUnit tests of the grafted kernel. 7.x runs none at boot unless told to.
set -eu
cd "$(dirname "$0")/../.."
lab/need run
. testlib/tap.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
image=$(lab/build "${KERNEL:-6.12}")/arch/x86/boot/bzImage
: >"$work/plan"
# With an isolated CPU, for those that want deferral active.
check 'the kernel boots with its tests' lab/boot --kernel "$image" --cpus 4 --isolated 1 --timeout 120 \
	--append "kunit.enable=1 kunit.autorun=1 pti=on" --plan "$work/plan" --log "$work/log"
# Case lines are indented, suite lines are not.
while read -r verdict name; do
	case $verdict in
	ok) ok "kunit: $name" ;;
	*) not_ok "kunit: $name" "$(grep -B 12 "not ok .*$name" "$work/log")" ;;
	esac
done < <(sed -n 's/^\[[ 0-9.]*\]  *\(ok\|not ok\) [0-9]* \([a-z_]*\).*/\1 \2/p' "$work/log" | sed 's/^not ok /not_ok /')
for suite in pt_sync kernel_flush; do
	check "kunit: the suite $suite has run and passed" \
		grep -qE "\] ok [0-9]+ $suite" "$work/log"
done
check 'kunit: none was skipped' [ -z "$(grep -o 'ok [0-9]* .* # SKIP.*' "$work/log")" ]
finish
