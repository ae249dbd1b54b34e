#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The files of the join engine call only what is below them, in the order that
# join/join_state.h has and the Makefile repeats.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
cd cli
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# From the top down. What stands on one line there does not call its neighbour.
order='join join_recv join_send join_task join_nest join_origin join_out join_base'

# upward DIR: calls of a file in DIR to one that is above it, or beside it.
upward() {
	local file above=''
	for file in $order; do
		for callee in $(nm -u "$1/$file.o" | awk '{ print $2 }' | grep '^join_'); do
			[[ $above != *" $callee "* ]] || echo "$file: $callee"
		done
		above+=" $(nm --defined-only "$1/$file.o" | awk '$2 == "T" { print $3 }' | tr '\n' ' ') "
	done
}

for file in $order; do ${CC:-gcc} -std=gnu11 -I. -O0 -c -o "$work/$file.o" "join/$file.c"; done
check "every file of the engine is in the order" [ "$(echo join/join*.c)" = \
	"$(for file in $order; do echo "join/$file.c"; done | sort | tr '\n' ' ' | sed 's/ $//')" ]
found=$(upward "$work")
check "none calls one above it${found:+: $found}" [ -z "$found" ]
echo 'void join_event(void); void join_drop_ipi(void); void join_drop_ipi(void) { join_event(); }' |
	${CC:-gcc} -x c -c -o "$work/join_base.o" -
check "nor does recv call send" [ -z "$(comm -12 <(nm -u "$work/join_recv.o" | awk '{ print $2 }' | sort) \
	<(nm --defined-only "$work/join_send.o" | awk '$2 == "T" { print $3 }' | sort))" ]
check "a call upward is found" [ "$(upward "$work")" = 'join_base: join_event' ]
finish
