#!/bin/sh
# test: quick beside
# SPDX-License-Identifier: GPL-2.0
# Unit tests of what the guest parses and of the rule by which its counters
# agree, with address and undefined-behaviour sanitizers.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../need" guest
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${CC:-cc}" -std=gnu11 -g -Wall -Wextra -Werror -fsanitize=address,undefined \
	-fno-sanitize-recover=all -I"$here/.." -o "$work/parse" \
	"$here/parse.c" "$here/../instrument/counters.c" "$here/../cpulist.c"
"$work/parse"
