# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests that need Debian's own programs in a guest, after lab/lib.sh
# and testlib/tap.sh. A guest gets what is in the array `add`, as lab/boot's
# --add and lab/boot-archive take it.
add=()

# take_programs PROGRAM:NAME...: this machine's, with their libraries.
take_programs() {
	local p lib
	for p in "$@"; do add+=("$(command -v "${p%:*}"):/bin/${p#*:}"); done
	while read -r lib; do add+=("$lib:$lib"); done < <(
		for p in "$@"; do ldd "$(command -v "${p%:*}")"; done | sed -n 's/.*[[:space:]]\(\/[^ :]*\) (.*/\1/p' | sort -u)
}

# take_modules RELEASE DIR FILE...: modules, for modprobe, below DIR.
take_modules() {
	local release=$1 modules=$2/lib/modules/$1 file
	mkdir -p "$modules/updates/dkms"
	cp "${@:3}" "$modules/updates/dkms"
	depmod -b "$2" "$release" 2>"$2/depmod"
	for file in "$modules"/modules.*; do add+=("$file:/lib/modules/$release/${file##*/}"); done
	for file in "$modules"/updates/dkms/*; do add+=("$file:/lib/modules/$release/updates/dkms/${file##*/}"); done
}

# Runs in the guest. "claim WHAT STATUS TEXT COMMAND": it ends with that, and
# says (or logs) that.
# shellcheck disable=SC2034,SC2016 # for who sources this, and for the guest's shell
guest_functions='
PATH=/bin:/sbin
claim() {
	what=$1 status=$2 text=$3 is=0
	shift 3
	said=$("$@" 2>&1) || is=$?
	case $is:$said in
	"$status:"*"$text"*) echo "{\"claim\":\"ok\",\"what\":\"$what\"}" ;;
	*)
		echo "{\"claim\":\"no\",\"what\":\"$what\",\"status\":$is}"
		echo "$said" >/dev/console
		;;
	esac
}
dmesg_end() { dmesg | tail -n 3; }
not() { ! "$@"; }
# The last column of the last line.
known() {
	set -- $(quell-live status | tail -n 1)
	shift 10
	echo "known $1"
}
'

# judge RESULTS SCRIPT...: every claim of the scripts was tried, and came true.
judge() {
	local results=$1 line claims
	shift
	while IFS= read -r line; do
		case $line in
		*'"claim":"ok"'*) ok "$(jq -r .what <<<"$line")" ;;
		*) not_ok "$(jq -r .what <<<"$line")" "$line" ;;
		esac
	done < <(grep '"claim"' "$results")
	claims=$(cat "$@" | grep -c '^claim "')
	[ "$(grep -c '"claim"' "$results")" = "$claims" ] || not_ok "every one of $claims claims was tried"
}
