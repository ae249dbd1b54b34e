#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# export-hour.sh [SECONDS]: the exporter over an hour of programs that start and
# end, membarrier calls and TLB shootdowns by stress-ng, which a cgroup holds to a
# quarter of one CPU. Memory and the number of series stay, every interrupt that
# the kernel counted was seen.
# Wants a kernel that can trace IPIs here, on this machine.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
. cli/tests/native.sh
length=${1:-3600}
need_packages export-hour
native "an hour of export"
# A cgroup that holds what is in it to a quarter of one CPU.
cgroup=
quarter() {
	if [ -e /sys/fs/cgroup/cpu/cpu.cfs_quota_us ]; then
		cgroup=/sys/fs/cgroup/cpu/quell-hour.$$
		mkdir $cgroup
		echo 25000 >$cgroup/cpu.cfs_quota_us
	elif echo +cpu >/sys/fs/cgroup/cgroup.subtree_control; then
		cgroup=/sys/fs/cgroup/quell-hour.$$
		mkdir $cgroup
		echo 25000 100000 >$cgroup/cpu.max
	fi
}
put_away() { [ -z "$cgroup" ] || rmdir "$cgroup" || true; }
quarter 2>/dev/null || die "no cgroup of CPU time can be made here"

# Whoever else works here must not starve it: buffers for half a second of anything.
port=19485
background build/cli/quell export --listen $port -c all --series 20 --buffer 8192 2>"$tmp/err"
exporter=$!
load() {
	echo "$BASHPID" >$cgroup/cgroup.procs
	cd "$tmp"
	exec stress-ng --quiet --exec 2 --membarrier 2 --tlb-shootdown 2
}
background load
scrape() { curl -sf --max-time 20 "http://127.0.0.1:$port/metrics" >"$tmp/now"; }
value() { awk -v name="$1" '$1 == name { n = $2 } END { print n == "" ? "none" : n }' "$tmp/now"; }

# Lines of: second, resident KiB, series of sources, all series, interrupts, sends, unaccounted,
# lost, the exporter's CPU time in clock ticks
begin=$SECONDS every=$((length < 1200 ? length / 20 : 60))
while sleep $every; [ $((SECONDS - begin)) -le "$length" ]; do
	scrape || { note "no answer after $((SECONDS - begin)) s"; continue; }
	echo "$((SECONDS - begin)) $(awk '/^VmRSS/ { print $2 }' /proc/$exporter/status)" \
		"$(grep -c '^quell_source_interrupts_total' "$tmp/now") $(grep -vc '^#' "$tmp/now")" \
		"$(awk '/^quell_interrupts_total/ { n += $2 } END { printf "%d", n }' "$tmp/now")" \
		"$(value quell_sends_total) $(value quell_unaccounted_interrupts_total) $(value quell_lost_events_total)" \
		"$(awk '{ print $14 + $15 }' /proc/$exporter/stat)" |
		tee -a "$tmp/samples" >&2
done
# The first quarter warms up: names are learnt, tables grow. Later there is room for
# what their limits allow, above all 1,024 sources of 2 KiB each if other programs of
# many names run here; not for a leak, which has 45 minutes.
judge() { awk -v warm=$((length / 4)) -v col="$1" '
	{ if ($1 <= warm) { if (!n++ || $col > most) most = $col }
	  else if (!m++ || $col > last) last = $col }
	END { print n && m ? last - most : "none" }' "$tmp/samples"; }
column() { awk -v col="$1" '{ print $col }' "$tmp/samples"; }
n=$(wc -l <"$tmp/samples")
check "$n samples in $length s" test "$n" -ge 15
more=$(judge 2)
check "memory stays: $(column 2 | tail -n1) KiB, $more KiB more than in the first quarter" test "$more" -le 4096
check "sources have no more than 21 series" test "$(column 3 | sort -n | tail -n1)" -le 21
more=$(judge 4)
check "the number of series stays: $(column 4 | tail -n1), $more more than in the first quarter" test "$more" -le 0
# As many in each half, roughly: none of it was asleep.
# shellcheck disable=SC2016 # awk's own
check "interrupts were seen all the time ($(column 5 | tail -n1))" awk '
	{ n[NR] = $5 } END { h = int(NR / 2); a = n[h] - n[1]; b = n[NR] - n[h]; exit !(a > 1000 && b > a / 10) }' "$tmp/samples"
check "the kernel counted none that was not seen" test "$(column 7 | sort -u)" = 0
check "no event was lost" test "$(column 8 | sort -u)" = 0
note "CPU time of the exporter per interrupt: $(awk -v hz="$(getconf CLK_TCK)" '
	{ n[NR] = $5; t[NR] = $9 } END { printf "%.1f us", (t[NR] - t[1]) / hz * 1e6 / (n[NR] - n[1]) }' "$tmp/samples")"
check "the exporter had nothing to complain of" test ! -s "$tmp/err"
head -n 5 "$tmp/err" >&2
finish
