#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# The sanitizer's rules without a kernel: what each instruction removes, what a
# change makes stale, what is an error. And the tools around it: edits that do
# not fit, settings that are wrong.
set -eu
cd "$(dirname "$0")/../../.."
. testlib/tap.sh
lab/need tlbsan-unit

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/Makefile" <<'END'
# With address and undefined-behaviour sanitizers; all warnings are errors.
FLAGS := -std=c++17 -g -O0 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover
PARTS := tables held rules machine check
all: rules-test machine-test report.o
%-test: unit/%-test.cc $(addprefix $(OUT)/,$(PARTS:=.o))
	$(CXX) $(FLAGS) -o $(OUT)/$@ $^
$(OUT)/%.o: %.cc
	$(CXX) $(FLAGS) -c -o $@ $<
report.o: $(OUT)/report.o
END
check "builds without a warning" make -s -C lab/tlbsan -f "$tmp/Makefile" OUT="$tmp" CXX=g++ -j2
# shellcheck disable=SC2016
check "nor has clang one" bash -c 'cd lab/tlbsan && for f in *.cc unit/*.cc; do
	clang++ -std=c++17 -Wall -Wextra -Werror -fsyntax-only "$f" || exit; done'
for t in rules machine; do
	out=$("$tmp/$t-test") || :
	while read -r line; do
		case $line in
		ok*) ok "$t: ${line#* - }" ;;
		not*) not_ok "$t: ${line#* - }" ;;
		\#*) echo "$line" ;;
		esac
	done <<<"$out"
	check "$t-test ran to its end" grep -q '^1\.\.' <<<"$out"
done

# Edits: exactly one place, or a line that names edit and file.
mkdir -p "$tmp/tree"
printf 'void f()\n{\n\tx;\n}\nvoid g()\n{\n\tx;\n}\n' >"$tmp/tree/file.c"
edit() { printf '# Change: file.c\n%s\n---\n\ty;\n' "$1" >"$tmp/an.edit"; }
edit $'# Replace: \tx;'
refuses "an edit with two places" 'an.edit: file.c has 2 places' lab/tlbsan/edit "$tmp/tree" "$tmp/an.edit"
edit $'# Before: \tz;'
refuses "an edit with none" 'an.edit: file.c has 0 places' lab/tlbsan/edit "$tmp/tree" "$tmp/an.edit"
check "nothing was changed" bash -c "[ \$(grep -c x '$tmp/tree/file.c') = 2 ]"
edit $'# In: void g()\n# Replace: \tx;'
ln "$tmp/tree/file.c" "$tmp/other"
check "an edit in a function" lab/tlbsan/edit "$tmp/tree" "$tmp/an.edit"
check "is made there" bash -c "[ \$(sed -n 7p '$tmp/tree/file.c') = 'y;' ] && [ \$(grep -c x '$tmp/tree/file.c') = 1 ]"
check "and not in files that share it" bash -c "[ \$(grep -c x '$tmp/other') = 2 ]"

touch "$tmp/image"
refuses "a mask that is none" "unknown 'mask=x:1'" lab/boot --tlbsan --kernel "$tmp/image" --tlbsan-with mask=x:1
refuses "a number that is none" "mask is 'x'" lab/boot --tlbsan --kernel "$tmp/image" --tlbsan-with mask=cr3:x
refuses "a stop at nothing" "stop is '0'" lab/boot --tlbsan --kernel "$tmp/image" --tlbsan-with stop=0
refuses "a switch that is neither" "unknown 'hazards=maybe'" lab/boot --tlbsan --kernel "$tmp/image" --tlbsan-with hazards=maybe
refuses "settings of nothing, of lab/run" "is for --tlbsan" lab/run --tlbsan-with stop=1
refuses "settings of nothing" "is for --tlbsan" lab/boot --kernel "$tmp/image" --tlbsan-with vendor=amd
refuses "another architecture" "x86_64 only" lab/boot --tlbsan --arch arm64 --kernel "$tmp/image"
refuses "symbols that are not there" "no file" lab/boot --tlbsan --kernel "$tmp/image" --tlbsan-with "symbols=$tmp/none"
finish
