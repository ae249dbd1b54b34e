#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# quell as in a container: a root with the one static binary, tracefs and a
# directory for metrics, namespaces of its own, and of root's capabilities only
# the one that packaging/container/daemonset.yaml grants. It observes and
# exports; without it, it says in one line that it cannot.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
need_packages cli test
yaml=packaging/container/daemonset.yaml
check "the example is YAML, and asks for one capability" \
	grep -qx '              add: \[SYSLOG\]' $yaml
make -s -C cli quell-static >&2 2>/dev/null
if [ "$(id -u)" != 0 ] || ! { mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing; } 2>/dev/null ||
	[ ! -d /sys/kernel/tracing/events/ipi/ipi_send_cpumask ]; then
	skip "it observes in a container" "no root, or this kernel cannot trace IPIs"
	finish
	exit 0
fi
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What Containerfile and daemonset.yaml describe, by hand; setpriv and its
# libraries are there only to give up the capabilities as the last thing.
setpriv=$(command -v setpriv)
libs=$(ldd "$setpriv" | grep -oE '/[^ ]+')
contained() { # CAPABILITIES ARGUMENTS...
	local caps=$1
	shift
	rm -rf "$tmp/root"
	mkdir -p "$tmp/root"/{proc,sys,metrics}
	cp build/cli/quell-static "$tmp/root/quell"
	# shellcheck disable=SC2086 # words
	cp --parents "$setpriv" $libs "$tmp/root"
	# shellcheck disable=SC2016 # for the shell within
	root=$tmp/root caps=$caps setpriv=$setpriv \
		unshare --mount --uts --ipc --net --pid --fork --propagation private sh -euc '
		mount -t proc -o ro,nosuid,nodev,noexec proc "$root/proc"
		mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
		mount --bind /sys/kernel/tracing "$root/sys/kernel/tracing"
		exec timeout 120 chroot "$root" "$setpriv" --no-new-privs --inh-caps=-all --ambient-caps=-all \
			--bounding-set="-all$caps" /quell "$@"' sh "$@" 2>"$tmp/err"
}

# export_with CAPABILITIES: its status, what it said, and what it left while it ran.
export_with() {
	rm -f "$tmp/prom"
	status=0
	contained "$1" export --textfile /metrics/quell.prom -i 500ms -c all -d 2s & local pid=$!
	while kill -0 $pid 2>/dev/null; do
		sleep 0.1
		if [ -s "$tmp/root/metrics/quell.prom" ]; then cp "$tmp/root/metrics/quell.prom" "$tmp/prom"; fi
	done
	wait $pid || status=$?
	said=$(cat "$tmp/err")
}
export_with ,+syslog
check "it exports with that one capability: ${said:-no complaint}" test "$status" = 0
check "with the interrupts of every CPU" test "$(grep -c '^quell_interrupts_total{cpu=.*cause="tick"' "$tmp/prom")" = "$(nproc)"
names=$(sed -n 's/^quell_source_interrupts_total{.*function="\([^"]*\)".*/\1/p' "$tmp/prom" | grep -c '[a-z]' || true)
check "and functions by their names" test "$names" -gt 0
export_with ''
check "without it there is one line, and status 4" test "$status:$(wc -l <"$tmp/err"):${said%% *}" = '4:1:quell:'
check "and no metrics" test ! -e "$tmp/prom"
contained '' check --json >"$tmp/check" || true
check "quell check needs none" jq -en 'input | .quell == "check"' "$tmp/check"
finish
