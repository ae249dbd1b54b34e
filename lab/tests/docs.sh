#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# What a reader meets: links lead somewhere, files that the README names are
# there, `make help` and the Makefile agree, words are spelt, and no line ends in
# white space.
set -eu
export LC_ALL=C
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages shell

# broken_links FILE: relative targets of [text](target) that do not exist.
broken_links() {
	local target
	grep -oE '\]\([^)]+\)' "$1" | sed 's/^](//; s/)$//; s/#.*//' | while read -r target; do
		case $target in '' | *://*) continue ;; esac
		[ -e "$(dirname "$1")/$target" ] || echo "$target"
	done
}
links=0
while read -r page; do
	links=$((links + $(grep -coE '\]\([^)]+\)' "$page" || true)))
	bad=$(broken_links "$page")
	[ -z "$bad" ] || not_ok "$page: its links" "$bad"
done < <(git ls-files '*.md')
check "links of all pages were looked at" [ "$links" -gt 10 ]
printf '[a](no-such-page.md)\n' >"${TMPDIR:-/tmp}/quell-page.$$"
check "a link to nowhere is found" [ "$(broken_links "${TMPDIR:-/tmp}/quell-page.$$")" = no-such-page.md ]
rm -f "${TMPDIR:-/tmp}/quell-page.$$"

# Who speaks of a version of a series (v4, v10) says where it is found.
unexplained() { grep -lE '\bv([2-9]|10)\b' "$@" | xargs -r grep -L 'references\.md' || true; }
printf 'as v4 did\n' >"${TMPDIR:-/tmp}/quell-page.$$"
check "a version without its title is found" [ -n "$(unexplained "${TMPDIR:-/tmp}/quell-page.$$")" ]
rm -f "${TMPDIR:-/tmp}/quell-page.$$"
# shellcheck disable=SC2046 # our own names, without spaces
bare=$(unexplained $(git ls-files '*.md' | grep -v '/references\.md$'))
check "every page that names a version links to references.md${bare:+: $bare}" [ -z "$bare" ]

# Paths in code blocks and in `...`: what looks like a file of ours is one.
named=$(git ls-files -z README.md 'docs/*.md' | xargs -0 grep -ohE '(^|[ `(])(lab|testlib|linux|cli|live|proofs|packaging|docs|\.ci)/[A-Za-z0-9_./*-]+' |
	sed 's/^[ `(]//; s/[.,:]*$//' | grep -v '[*]' | sort -u)
absent=''
for path in $named; do
	# A program of the guest goes by its name, as in a plan.
	[ -e "$path" ] || [ -e "$path.c" ] || absent+="$path "
done
check "pages name many files" [ "$(wc -w <<<"$named")" -gt 10 ]
check "every file that a page names is there${absent:+: $absent}" [ -z "$absent" ]

targets=$(sed -n 's/^\.PHONY: //p' Makefile | tr ' ' '\n' | grep -vxE 'help|ci' | sort)
helped=$(make -s help | grep -oE 'make [a-z-]+' | cut -d' ' -f2 | sort -u)
check "make help names every target, and no other" [ "$targets" = "$helped" ]

git ls-files -z | grep -zvE '\.svg$|^LICENSE$|^lab/tests/words$' >"${TMPDIR:-/tmp}/quell-files.$$"
spelt=$(xargs -0 codespell -q 3 -I lab/tests/words <"${TMPDIR:-/tmp}/quell-files.$$" || true)
rm -f "${TMPDIR:-/tmp}/quell-files.$$"
check "spelling${spelt:+: $spelt}" [ -z "$spelt" ]
check "codespell finds a mistake" grep -q receive <<<"$(echo 'rec''ieve' | codespell - 2>&1 || true)"
check "white space" git diff --check "$(git hash-object -t tree /dev/null)" HEAD
finish
