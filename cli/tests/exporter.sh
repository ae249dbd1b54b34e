#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# The exporter among those who mean it no good: a thousand connections that are
# slow, deaf or mad, and tasks that come and go by the thousand. Nothing is lost,
# whoever asks is answered, the number of series has a limit.
# Wants a kernel that can trace IPIs here, on this machine.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
. cli/tests/native.sh
need_packages cli-test exporter
native "the exporter under attack"
program hostile names
port=19483
background build/cli/quell export --listen $port -c all -n 40 --buffer 512 -d 300s 2>"$tmp/err"
exporter=$!
scrape() { curl -sf --max-time 5 "http://127.0.0.1:$port/metrics"; }
value() { awk -v name="$1" '$1 == name { print $2 }' "$2"; }
for _ in $(seq 150); do scrape >"$tmp/first" && break; sleep 0.2; done
check "the exporter answers" grep -q '^quell_info' "$tmp/first"

# --- a thousand connections, and interrupts to be counted meanwhile
background "$tmp/names" 0
load=$!
sleep 1
scrape >"$tmp/before"
# If the exporter stood still meanwhile, its buffers would have to overflow: 512 KiB are
# less than 4,500 requests, each with a stack. A slow machine takes more than one go.
answered=0 asked=0 slowest=0 grown=0 round=0
while [ $grown -lt 4500 ] && [ $((round += 1)) -le 6 ]; do
	background "$tmp/hostile" $port 1000 12 >"$tmp/made"
	attack=$!
	sleep 1
	for _ in $(seq 10); do
		begin=${EPOCHREALTIME//[!0-9]/}
		asked=$((asked + 1))
		# One that is slow to ask, on a busy machine, may have to make room; it asks again.
		! { scrape || scrape; } >"$tmp/during" || answered=$((answered + 1))
		took=$(((${EPOCHREALTIME//[!0-9]/} - begin) / 1000))
		[ $took -le $slowest ] || slowest=$took
		sleep 0.7
	done
	wait $attack
	scrape >"$tmp/after"
	grown=$(($(value quell_sends_total "$tmp/after") - $(value quell_sends_total "$tmp/before")))
done
kill $load
made=$(cat "$tmp/made")
lost=$(($(value quell_lost_events_total "$tmp/after") - $(value quell_lost_events_total "$tmp/before")))
check "a thousand at a time ($made in all)" test "$made" -ge 1000
check "meanwhile there was more than the buffers hold ($grown requests)" test $grown -ge 4500
check "and nothing was lost ($lost)" test $lost = 0
check "whoever asks is answered ($answered of $asked, in $slowest ms at most)" test $answered = $asked
check "with no more descriptors open than it has clients" test "$(find /proc/$exporter/fd -type l | wc -l)" -lt 120

# --- names without end
memory() { awk '/^VmRSS/ { print $2 }' /proc/$exporter/status; }
series() { grep -c '^quell_source_interrupts_total' <(scrape); }
background "$tmp/names" 3000
named=$!
sleep 3
kib=$(memory)
wait $named
scrape >"$tmp/names.prom"
more=$(($(memory) - kib))
n=$(grep -c '^quell_source_interrupts_total' "$tmp/names.prom")
check "3000 names are no more than 41 series ($n)" test "$n" -le 41
check "the rest is other" test "$(value 'quell_source_interrupts_total{cause="other",function="other",call_site="other",task="other",sender_known=""}' "$tmp/names.prom")" -gt 0
check "no series is there twice" test -z "$(grep -v '^#' "$tmp/names.prom" | sed 's/ [0-9]*$//' | sort | uniq -d)"
check "no control and no half character" eval "! LC_ALL=C grep -aqP '[\\x00-\\x09\\x0b-\\x1f\\x7f]' '$tmp/names.prom'"
check "memory stays ($more KiB more)" test $more -lt 4608
check "no complaint of the exporter" test ! -s "$tmp/err"
kill $exporter
status=0
wait $exporter || status=$?
check "and a clean end" test $status = 0

# --- labels that are left out are summed up
background build/cli/quell export --textfile "$tmp/x.prom" --labels function,call_site -i 200ms -c all -d 120s
"$tmp/names" 300
background "$tmp/names" 0
load=$!
theirs='^quell_source_interrupts_total{.*function="ipi_'
for _ in $(seq 100); do ! grep -qs "$theirs" "$tmp/x.prom" || break; sleep 0.2; done
kill $load
check "what they caused is in the file" grep -q "$theirs" "$tmp/x.prom"
check "without the label there are no duplicates" test -z "$(grep -v '^#' "$tmp/x.prom" | sed 's/ [0-9]*$//' | sort | uniq -d)"
check "and no task" eval "! grep -q task= '$tmp/x.prom'"

# --- a full disk leaves no old truth
mkdir "$tmp/small"
mount -t tmpfs -o size=64k none "$tmp/small"
put_away() { umount "$tmp/small" 2>/dev/null || true; }
status=0
background build/cli/quell export --textfile "$tmp/small/x.prom" -i 200ms -c all -d 120s 2>"$tmp/err"
full=$!
for _ in $(seq 300); do [ ! -e "$tmp/small/x.prom" ] || break; sleep 0.1; done
cp "$tmp/small/x.prom" "$tmp/kept"
head -c 64k /dev/zero >"$tmp/small/fill" 2>/dev/null || true
wait $full || status=$?
check "a full disk ends it with one line" test "$status,$(grep -c 'cannot be written' "$tmp/err")" = 1,1
check "and the stale file is gone" test -s "$tmp/kept" -a ! -e "$tmp/small/x.prom"
umount "$tmp/small"
finish
