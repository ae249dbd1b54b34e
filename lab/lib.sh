# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every command of the lab shares: where things live, one-line errors,
# checks that must come before long work, and the progress bar.
# Sourced by bash scripts that have already said `set -eu`.

QUELL_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
QUELL_CACHE=${QUELL_CACHE:-${HOME:?}/.cache/quell}
export QUELL_CACHE
ME=${0#"$QUELL_TOP"/}

. "$QUELL_TOP/lab/options.sh"
note() { printf '%s\n' "$*" >&2; }
die() { printf '%s: %s\n' "$ME" "$*" >&2; exit 2; }

# packages_of GROUP...: what lab/packages lists for them, each once. A word
# `@group` there stands for that group; a group that is not there is an error.
packages_of() {
	awk -v wanted="$*" '
		/^#/ || NF == 0 { next }
		{ name = $1; sub(/:$/, "", name); $1 = ""; list[name] = list[name] $0 }
		function show(name,    words, n, i) {
			if (!(name in list)) { bad = name; return }
			if (shown[name]++) return
			n = split(list[name], words)
			for (i = 1; i <= n; i++) {
				if (sub(/^@/, "", words[i])) show(words[i])
				else if (!printed[words[i]]++) print words[i]
			}
		}
		END {
			n = split(wanted, groups)
			for (i = 1; i <= n; i++) show(groups[i])
			if (bad) { print bad; exit 1 }
		}' "$QUELL_TOP/lab/packages"
}

# need_packages GROUP...: the groups of lab/packages this command uses, and what
# it calls uses: whoever may not install is told of all at once.
# Root gets what is missing installed, anybody else is told what to ask for.
need_packages() {
	local pkg packages have missing=()
	packages=$(packages_of "$@") || die "lab/packages has no group '${packages##*$'\n'}'"
	# shellcheck disable=SC2086 # words are wanted
	have=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $packages 2>/dev/null) || :
	for pkg in $packages; do
		# Another apt-get may be about to run their triggers.
		grep -qxF -e "$pkg installed" -e "$pkg triggers-pending" -e "$pkg triggers-awaited" \
			<<<"$have" || missing+=("$pkg")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] ||
		die "missing Debian packages; as root: apt-get install ${missing[*]}"
	note "installing Debian packages: ${missing[*]}"
	mkdir -p "$QUELL_CACHE"
	local log=$QUELL_CACHE/apt-get.log
	# Another apt-get may be at work: its end is waited for.
	local install=(apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}")
	DEBIAN_FRONTEND=noninteractive "${install[@]}" >"$log" 2>&1 </dev/null ||
		{ apt-get update && DEBIAN_FRONTEND=noninteractive "${install[@]}"; } >"$log" 2>&1 </dev/null ||
		die "could not install ${missing[*]}: $(grep -m1 '^E:' "$log" || tail -n1 "$log")"
}

# hash_of PATH...: over the content of files, wherever the repository lies.
hash_of() {
	(cd "$QUELL_TOP" && find "$@" -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-40)
}

# use_ccache: for a kernel build. Its tree lies inside its build directory, so
# that ccache knows a file again whatever the directory is called. Depend mode
# spares a run of the preprocessor per file, a quarter of the time of a first
# build; lab/bin/ccache keeps from it what it's wrong about.
use_ccache() {
	export CCACHE_DIR=$QUELL_CACHE/ccache CCACHE_BASEDIR=$QUELL_CACHE CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
	export CCACHE_MAXSIZE=5G PATH=$QUELL_TOP/lab/bin:$PATH
}

# need_disk MIB WHAT: refuse before the work, not in the middle of it.
need_disk() {
	local free
	mkdir -p "$QUELL_CACHE" || die "cannot create $QUELL_CACHE"
	free=$(df -Pm "$QUELL_CACHE" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] ||
		die "$2 needs $1 MiB below $QUELL_CACHE, only $free MiB are free"
}

# need_number NAME VALUE MIN MAX
need_number() {
	case $2 in
	'' | *[!0-9]*) ;;
	*) [ ${#2} -gt 9 ] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ] || return 0 ;;
	esac
	die "$1 is '$2', must be a number from $3 to $4"
}

# progress DONE TOTAL SECONDS WHAT: a bar on a terminal, a line every half
# minute elsewhere (a log, CI). TOTAL 0: not known, count only.
progress_said=-30
progress() {
	local done=$1 total=$2 secs=$3 what=$4 left='' bar='' width=30 full
	if [ "$total" -gt 0 ]; then
		[ "$done" -le "$total" ] || total=$done
		full=$((width * done / total))
		bar=$(printf '%*s' "$full" '' | tr ' ' '#')
		bar="[$(printf '%-*s' "$width" "$bar")] $((100 * done / total))%"
		left=$progress_left
	fi
	if [ -t 2 ]; then
		printf '\r\033[K%s %s %d done, %ds%s' "$what" "$bar" "$done" "$secs" "$left" >&2
	elif [ $((secs - progress_said)) -ge 30 ]; then
		progress_said=$secs
		[ "$total" = 0 ] || done+=/$total
		note "$what: $done objects after ${secs}s$left"
	fi
}
progress_left=''
progress_end() { [ ! -t 2 ] || printf '\r\033[K' >&2; }

# follow_make FIRST TOTAL WHAT: shows the progress of a kernel's build, whose output
# it reads; FIRST objects are there already. Prints how many were made.
follow_make() {
	local first=$1 total=$2 what=$3 objects=$1 begin=$SECONDS secs word
	while read -r word _; do
		case $word in
		CC | AS | LD) ;;
		*) continue ;;
		esac
		objects=$((objects + 1))
		secs=$((SECONDS - begin))
		if [ "$total" -gt "$objects" ] && [ "$secs" -gt 5 ]; then
			progress_left=", $(((total - objects) * secs / (objects - first)))s left"
		fi
		progress "$objects" "$total" "$secs" "$what"
	done
	progress_end
	echo $((objects - first))
}
