# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What tests share that observe the machine they run on; after testlib/tap.sh.
# native WHAT [CPUS [EVENT]] builds the command, makes the directory $tmp and sees to it that
# nothing of the test outlives it; or, if this kernel cannot trace EVENT (IPIs), there
# is no root or there are fewer CPUs, WHAT is skipped and the script ends.
pids=()
native() {
	local tracing=/sys/kernel/tracing event=${3:-ipi/ipi_send_cpumask}
	make -s -C cli >&2
	if [ "$(id -u)" != 0 ] || [ "$(nproc)" -lt "${2:-1}" ] ||
		! { mountpoint -q $tracing || mount -t tracefs nodev $tracing; } 2>/dev/null ||
		[ ! -d "$tracing/events/$event" ]; then
		skip "$1" "no root, fewer than ${2:-1} CPUs, or a kernel that cannot trace $event"
		finish
		exit 0
	fi
	tmp=$(mktemp -d)
	trap native_end EXIT
}
# kernels_proc WHAT: in another PID namespace nobody can be asked by the kernel's numbers; there
# WHAT is skipped and the script ends.
kernels_proc() {
	[ "$(readlink /proc/self/ns/pid)" != "pid:[4026531836]" ] || return 0
	skip "$1" "another PID namespace than the kernel's"
	finish
	exit 0
}
# A test may have more to put away: it redefines this.
put_away() { :; }
native_end() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	wait 2>/dev/null || true
	put_away
	rm -rf "$tmp"
}
# background COMMAND...: it is killed at the end; $! is its PID.
background() {
	"$@" &
	pids+=($!)
}
# program NAME...: build cli/tests/NAME.c into $tmp.
program() {
	local name
	for name; do gcc -O2 -Wall -Wextra -Werror -o "$tmp/$name" "cli/tests/$name.c" -pthread; done
}
# wait_for CONDITION: for twenty seconds.
wait_for() { for _ in $(seq 200); do eval "$1" && return; sleep 0.1; done; return 1; }
