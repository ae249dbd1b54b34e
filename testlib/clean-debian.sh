# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests of packages, after lab/lib.sh and testlib/tap.sh, with $tmp:
# a clean Debian in a directory of its own, and claims made in it.
need_packages deb fetch
[ "$(id -u)" = 0 ] || die "needs root, to run a Debian in a directory of its own"

# in_clean_debian SUITE PACKAGES SOURCES STEPS FILE...: make one that has
# PACKAGES (a,b,c) and FILEs, and run the shell script STEPS in it. There
# "claim WHAT COMMAND" is a test, and `after_failure` may be redefined to show
# more; every line that begins with a claim must be come to.
in_clean_debian() {
	local suite=$1 packages=$2 sources=$3 steps=$4 line
	shift 4
	{
		cat <<-'END'
			#!/bin/sh
			export DEBIAN_FRONTEND=noninteractive
			after_failure() { :; }
			claim() {
				what=$1
				shift
				if "$@" >/said 2>&1; then echo "RESULT ok $what"; else
					echo "RESULT no $what"
					tail -n 10 /said
					after_failure
				fi
			}
			# A terminal of apt's own may outlive it, and hold /dev/pts.
			apt() { apt-get -o Dpkg::Use-Pty=0 -y --no-install-recommends "$@"; }
		END
		cat "$steps"
	} >"${tmp:?}/in-debian"
	chmod +x "$tmp/in-debian"
	: >"$tmp/results"
	mmdebstrap --quiet --variant=minbase --include="$packages" \
		--customize-hook="copy-in $* $tmp/in-debian /" \
		--customize-hook="chroot \"\$1\" /in-debian >$tmp/results" \
		"$suite" /dev/null - <"$sources" >"$tmp/errors" 2>&1 ||
		not_ok "a clean Debian could be made, and unmade" "$(tail -n 10 "$tmp/errors")"
	while IFS= read -r line; do
		case $line in
		'RESULT ok '*) ok "${line#RESULT ok }" ;;
		'RESULT no '*) not_ok "${line#RESULT no }" ;;
		*) echo "# $line" ;;
		esac
	done <"$tmp/results"
	[ "$(grep -c '^RESULT' "$tmp/results")" = "$(grep -c '^claim ' "$steps")" ] ||
		not_ok "every step was taken" "$(tail -n 5 "$tmp/results")"
}
