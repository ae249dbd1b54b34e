#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# One quell observes, and viewers attach to it: who may, that a viewer touches no
# tracing at all, that nobody can hold the service up, and what happens when it goes.
# Takes root and a kernel that can trace IPIs.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
. cli/tests/native.sh
need_packages cli-test
native "one observing service"
chmod 755 "$tmp"
program hostile names
# In a directory that others can go through: not all can reach the clone.
install -m 755 "${OUT:-build/cli}/quell" "$tmp/quell"
quell=$tmp/quell
install -d -m 755 "$tmp/run"
install -d -m 1777 "$tmp/sticky"
here=$tmp/run/socket

# ends STATUS PATTERN COMMAND...: with that status and one line that has PATTERN.
ends() {
	local status=0
	"${@:3}" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	[ "$status" = "$1" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q -- "$2" "$tmp/err" && return
	echo "# status $status: $(cat "$tmp/err")"
	return 1
}
as() { setpriv --reuid 65534 --regid "$1" --clear-groups --bounding-set -all "${@:2}"; } # GID COMMAND...
# blind COMMAND...: with no tracefs to be found, so that it can switch no event.
blind() { unshare -m sh -c 'mount -t tmpfs none /sys/kernel && exec "$@"' sh "$@"; }
table() { grep -q '^quell top: CPUs .*, seen by /' "$1" && grep -Eq '^ *[0-9.]+ +[0-9,]+ ' "$1"; }
serve() { background "$quell" serve --socket "$here" -c all --group 65533 --buffer 16384 2>"$tmp/$1.err"; service=$!; }
answers() { "$quell" top --attach "$here" -n 1 -i 100ms >/dev/null 2>&1; }
value() { awk -v name="$1" '$1 == name { print $2 }' "$2"; }
# metrics FILE: what the service has seen by now.
metrics() {
	rm -f "$1"
	background "$quell" export --attach "$here" --textfile "$tmp/x.prom" -n 10000 -i 100ms
	wait_for "[ -s $tmp/x.prom ]" && cp "$tmp/x.prom" "$1"
	kill "${pids[-1]}"
	wait "${pids[-1]}" 2>/dev/null || true
}

check "nobody serves: said, not waited for" ends 1 'nobody serves there' "$quell" top --attach "$here" -n 1
check "where others may write is no place" ends 2 'others may write' "$quell" serve --socket "$tmp/sticky/socket"
echo file >"$tmp/run/file"
check "a file is not replaced" ends 1 'no socket' "$quell" serve --socket "$tmp/run/file"
check "no group of that name" ends 2 'no group' "$quell" serve --socket "$here" --group no-such-group

background "$tmp/names" 0
load=$!
serve first
check "it answers" wait_for answers

# --- a viewer patches nothing: there is nothing it could patch with
check "a viewer needs no tracing" eval "blind '$quell' top --attach '$here' -n 1 -i 1s >'$tmp/table' 2>'$tmp/err'"
check "and shows the service's table" table "$tmp/table"
# That this can fail: one that observes by itself, in the same place.
check "where one that observes cannot start" ends 4 'no tracefs' blind "$quell" top --alone -n 1
check "a viewer of the group needs no right at all" eval "as 65533 '$quell' top --attach '$here' -n 1 -i 1s >'$tmp/table' 2>'$tmp/err'"
check "and shows the table" table "$tmp/table"
check "whoever is not of it is refused" ends 3 'needs root, or the group' as 65532 "$quell" top --attach "$here" -n 1
check "and cannot make a file of the lock" test "$(stat -c %a "$here.lock")" = 600
background "$quell" top --attach "$here" -i 100ms >/dev/null
viewer=$!
background "$quell" top --alone -c all >/dev/null
alone=$!
instances() { find /sys/kernel/tracing/instances -maxdepth 1 -name "quell.$1.*" | wc -l; }
wait_for "[ \$(instances $alone) = 1 ]"
check "instances: the service's one, none of a viewer's, one of a quell that observes" \
	test "$(instances $service),$(instances $viewer),$(instances $alone)" = 1,0,1
kill $alone $viewer

# --- a second one
check "the same place is taken" ends 6 'another quell serves' "$quell" serve --socket "$here"
background "$quell" serve --socket "$tmp/run/second" -c 0
check "another place is not" wait_for "'$quell' top --attach $tmp/run/second -n 1 -i 100ms >/dev/null 2>&1"
kill "${pids[-1]}"
check "and is clean afterwards" wait_for "[ ! -e $tmp/run/second ]"

# --- nobody holds it up
metrics "$tmp/before.prom"
background "$tmp/hostile" "$here" 300 6 >"$tmp/made"
attack=$!
sleep 1
seen=0
# One that is slow to ask, on a busy machine, may have to make room; it asks again.
while kill -0 $attack 2>/dev/null; do ! answers || seen=$((seen + 1)); done
wait $attack
metrics "$tmp/after.prom"
made=$(cat "$tmp/made")
grown=$(($(value quell_sends_total "$tmp/after.prom") - $(value quell_sends_total "$tmp/before.prom")))
check "300 viewers at a time that do not ask, do not read or never end ($made in all)" test "$made" -ge 300
check "meanwhile there was something to miss ($grown requests)" test $grown -ge 100
check "nothing was lost" test "$(value quell_lost_events_total "$tmp/after.prom"),$(value quell_unaccounted_interrupts_total "$tmp/after.prom")" = 0,0
check "and whoever asks is answered meanwhile ($seen times)" test $seen -ge 1
check "all sources add up to all interrupts" test "$(awk '/^quell_interrupts_total/ { n += $NF } /^quell_source_interrupts_total/ { n -= $NF } END { print n + 0 }' "$tmp/after.prom")" = 0
check "no complaint of the service" eval "! grep -v degraded '$tmp/first.err'"

# --- it is killed, and another one takes its place
background "$quell" top --attach "$here" -i 200ms >"$tmp/viewer" 2>"$tmp/viewer.err"
viewer=$!
wait_for "table $tmp/viewer"
kill -KILL $service
wait $service 2>/dev/null || true
check "a viewer says that it is gone" wait_for "grep -q 'is gone.*waiting' $tmp/viewer.err"
serve second
check "another one takes the dead one's place" wait_for answers
check "the viewer goes on and says that the numbers begin again" wait_for "grep -q 'began anew' $tmp/viewer.err"
lines=$(wc -l <"$tmp/viewer")
check "with tables" wait_for "[ \$(wc -l <$tmp/viewer) -gt $lines ]"
background "$quell" export --attach "$here" --textfile "$tmp/y.prom" -i 200ms 2>/dev/null
exporter=$!
wait_for "[ -s $tmp/y.prom ]"
kill $service
status=0
wait $service || status=$?
check "a service that ends does so cleanly" test $status = 0 -a ! -e "$here"
status=0
wait $viewer || status=$?
check "and if none comes, the viewer ends and says so" test "$status,$(tail -n 1 "$tmp/viewer.err" | grep -c 'is gone: nobody')" = 1,1
status=0
wait $exporter || status=$?
check "and an exporter leaves no file that nobody writes" test $status = 1 -a ! -e "$tmp/y.prom"
kill $load

# --- those that only say they are a service
make -s -C cli OUT=../build/cli/unit CC=gcc ../build/cli/unit/unit >&2
build/cli/unit/unit --snapshot "$tmp/snapshot"
impostor() { # NAME
	background "$tmp/hostile" "$tmp/run/$1" "$tmp/$1"
	wait_for "[ -S $tmp/run/$1 ]"
}
head='HTTP/1.1 200 OK\r\n\r\n'
# shellcheck disable=SC2059 # a constant
{
	{ printf "$head"; cat "$tmp/snapshot"; } >"$tmp/good"
	{ printf "$head"; head -c -1 "$tmp/snapshot"; } >"$tmp/cut"
	{ printf "$head"; head -c 8 "$tmp/snapshot"; printf '\3\0\0\0'; tail -c +13 "$tmp/snapshot"; } >"$tmp/newer"
	{ printf "$head"; head -c 100000 /dev/urandom; } >"$tmp/noise"
}
printf 'HTTP/1.1 404 Not Found\r\n\r\n' >"$tmp/older"
: >"$tmp/empty"
cp "$tmp/good" "$tmp/endless.silent"
for what in good:0:. cut:1:truncated newer:1:'another version' noise:1:'not a record' older:1:'another version' \
	empty:1:'hung up' endless.silent:1:'does not answer'; do
	IFS=: read -r name want text <<<"$what"
	impostor "$name"
	if [ "$want" = 0 ]; then
		check "a service's answer is taken" eval "timeout 20 '$quell' export --attach '$tmp/run/$name' --textfile '$tmp/z.prom' -d 100ms"
	else
		check "$name: refused with a line" ends "$want" "$text" "$quell" top --attach "$tmp/run/$name" -n 1
	fi
done
chmod 777 "$tmp/run"
# Not by as(): what a function starts outlives it.
background setpriv --reuid 65534 --regid 65534 --clear-groups "$tmp/hostile" "$tmp/run/nobody" "$tmp/good"
wait_for "[ -S $tmp/run/nobody ]"
check "root believes no service of somebody else's" ends 1 'neither root nor you' "$quell" top --attach "$tmp/run/nobody" -n 1
check "--attach with a setting of one's own is nonsense" ends 2 'given to that' "$quell" top --attach "$here" -c 0
check "nor are there sums of one control group" ends 2 'need --alone' "$quell" top --attach "$here" --sender cron
finish
