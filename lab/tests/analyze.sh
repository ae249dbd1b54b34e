#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Static analysis: gcc -fanalyzer has nothing to say about the command and the
# guest's programs (its module is the kernel's to judge), and does see a leak that is planted.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli
. testlib/tap.sh

# said DIR FILE: what gcc thinks of it.
# shellcheck disable=SC2046 # flags are words
said() {
	(cd "$1" && gcc -fanalyzer -std=gnu11 -O1 -I. $(pkg-config --cflags libtracefs libtraceevent) \
		-c -o /dev/null "$2" 2>&1)
}
export -f said

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/leak.c" <<'END'
#include <stdlib.h>
int leak(int n)
{
	char *p = malloc(n + 1);

	return p ? p != 0 : -1;
}
END
if said "$tmp" leak.c | grep -q 'analyzer-malloc-leak'; then ok "a leak is found"; else not_ok "a leak is found"; fi

for dir in cli lab/guest; do
	# shellcheck disable=SC2016 # the inner shell's dollars
	out=$(cd $dir && find . -name '*.c' ! -path './tests/*' ! -path './examples/*' ! -path './module/*' | (cd - >/dev/null && xargs -P "$(nproc)" -I{} bash -c 'said "$0" "$1" || echo "$1: error"' $dir {}))
	if [ -z "$out" ]; then ok "$dir: nothing"; else not_ok "$dir: nothing" "$(grep -E 'warning|error' <<<"$out")"; fi
done
finish
