#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# Commands as the first one ever given on a fresh machine: a Debian with git,
# make and ca-certificates, nothing else; each in a root of its own. As root
# it installs what it lacks, all in one go; anybody else is told all of it in
# one line. fresh-deep.sh has every command; FRESH is a pattern for a few.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
need_packages fresh
if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	skip "commands on a fresh machine" "needs root, and mounts of its own"
	finish
	exit 0
fi
tier=${FRESH_TIER:-long}
home="/root" # there, root's
store=$QUELL_CACHE/fresh
mkdir -p "$store/debs/partial" "$QUELL_TOP/build/tests/fresh"
exec 9>"$store/lock" # apt locks the packages they share
flock 9
tmp=$(mktemp -d "$store/root.XXXXXX")
trap 'rm -rf --one-file-system "$tmp"' EXIT

# base SUITE: that Debian in $store/SUITE, its apt set up as on this machine.
base() {
	local suite=$1 new=$store/$1.new from=$1
	[ ! -d "$store/$suite" ] || return 0
	[ "$suite" != "$(. /etc/os-release && echo "$VERSION_CODENAME")" ] || from=host
	lab/debian --names "$from" '^hello$' >/dev/null
	rm -rf "$new"
	mmdebstrap --quiet --variant=minbase --include=git,make,ca-certificates "$suite" "$new" - \
		<"$QUELL_CACHE/apt/$from/sources.list" >"$store/$suite.log" 2>&1 ||
		die "no $suite could be made: $(grep -m1 '^E:' "$store/$suite.log" || tail -n1 "$store/$suite.log")"
	apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$new/etc/apt/apt.conf.d/50machine" || :
	cp "$QUELL_CACHE/apt/$from/sources.list" "$new/etc/apt/sources.list"
	rm -f "$new"/etc/apt/sources.list.d/*
	cp /etc/resolv.conf /etc/hosts "$new/etc/"
	mv "$new" "$store/$suite"
}

# machine SUITE: a new one in $root, with a clone of what is here, as it is.
machine() {
	base "$1"
	root=$tmp/root
	rm -rf --one-file-system "$root"
	cp -a "$store/$1" "$root"
	git clone -q . "$root$home/quell" 2>/dev/null
	git ls-files -z -co --exclude-standard | xargs -0 cp --parents -t "$root$home/quell"
}

# inside CACHE COMMAND: run it there, with mounts of its own. (PIDs are this machine's,
# as they are on a machine: the kernel's events count so.) The cache is
# `shared` (its packages, sources and kernels are this machine's), `sources`
# (only what was downloaded is) or `empty`; packages come from one store.
inside() {
	local bind=() dir
	bind+=("$store/debs:/var/cache/apt/archives")
	mkdir -p "$QUELL_CACHE/src" "$QUELL_CACHE/debs"
	case $1 in
	shared)
		bind+=("$QUELL_CACHE:$QUELL_CACHE")
		for dir in "$QUELL_CACHE"/*; do # parts of it may be links
			[ ! -L "$dir" ] || [ ! -d "$dir" ] || bind+=("$(realpath "$dir"):$(realpath "$dir")")
		done
		;;
	sources)
		for dir in src debs; do bind+=("$(realpath "$QUELL_CACHE/$dir"):$home/.cache/quell/$dir"); done
		;;
	esac
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m bash -c '
		set -eu
		root=$1 home=$2 cache=$3 command=$4
		shift 4
		mount --make-rprivate /
		mount --bind "$root" "$root" # as a root is: others change what is mounted there
		mount -t proc proc "$root/proc"
		mount --rbind /sys "$root/sys"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/tmp"
		for bind; do
			mkdir -p "$root${bind#*:}"
			mount --bind "${bind%%:*}" "$root${bind#*:}"
		done
		cd "$root"
		exec env -i PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME="$home" TERM=dumb \
			${cache:+QUELL_CACHE="$cache"} chroot . sh -c "cd $home/quell && $command" </dev/null
	' - "$root" "$home" "$([ "$1" != shared ] || echo "$QUELL_CACHE")" "$2" "${bind[@]}"
}

# first SUITE CACHE COMMAND: it succeeds, and installs at most once.
first() {
	local what="$1, $2 cache: $3" log begin=$SECONDS times doubled
	log=build/tests/fresh/$(tr -cs 'a-zA-Z0-9\n' - <<<"$1-$3" | cut -c1-80).log
	machine "$1"
	if ! inside "$2" "$3" >"$log" 2>&1; then
		not_ok "$what" "$(tail -n 8 "$log")" "see $log"
		return 0
	fi
	times=$(grep -c '^installing Debian packages:' "$log" || :)
	doubled=$(sed -n 's/^installing Debian packages: //p' "$log" | tr ' ' '\n' | sort | uniq -d | tr '\n' ' ')
	if [ "$times" -gt 1 ] || [ -n "$doubled" ]; then
		not_ok "$what" "it installed $times times, some things twice: $doubled"
	else
		ok "$what ($((SECONDS - begin))s)"
	fi
}

# named COMMAND: in the machine that is there, nobody gets one line.
named() {
	local out status=0
	out=$(inside empty "HOME=/nonexistent QUELL_CACHE=/tmp/cache setpriv --reuid=65534 --regid=65534 \
		--clear-groups sh -c '$1'" 2>&1) || status=$?
	out=$(grep -v '^make' <<<"$out" || :)
	if [ "$status" != 0 ] && [ "$(wc -l <<<"$out")" = 1 ] &&
		grep -qxE '[a-z/0-9-]+: missing Debian packages; as root: apt-get install [a-z].*' <<<"$out"; then
		ok "not as root: $1"
	else
		not_ok "not as root: $1" "status $status, wanted one line that names the missing packages" "$(head -n 5 <<<"$out")"
	fi
}

machine bookworm
chmod 755 "$root$home"
for command in run quiet reproduce run-live live deb rpm static kernel-deb scale test ci series proofs torture bench install; do
	named "make $command"
done
mkdir -p "$root/linux/mm"
touch "$root/linux/mm/mmu_gather.c"
for command in lab/selftests 'linux/graft /linux' 'lab/build 6.12' 'lab/fetch 6.12'; do named "$command"; done

while read -r when suite cache command; do
	case $when in '' | '#') continue ;; deep) [ "$tier" = deep ] || continue ;; esac
	# shellcheck disable=SC2053 # a pattern is meant
	[[ $command == ${FRESH:-*} ]] || continue
	first "$suite" "$cache" "$command"
done <<'END'
long bookworm empty   make install && quell --version
deep bookworm sources cli/tests/errors.sh
long bookworm sources lab/guest/tests/programs.sh
long bookworm sources apt-get update && apt-get install -y gcc && proofs/run a-nesting
deep bookworm empty   make proofs
deep bookworm empty   make test
deep bookworm sources cli/tests/install.sh
deep bookworm sources cli/tests/unit.sh
deep bookworm sources cli/tests/fuzz.sh
deep bookworm sources lab/guest/tests/parse.sh
deep bookworm sources lab/guest/tests/tap.sh
deep bookworm sources make series
deep bookworm sources make deb
deep bookworm sources make rpm
deep bookworm sources make static
deep bookworm shared  make run CPUS=16
deep bookworm shared  make run STOCK=debian CPUS=16
deep bookworm shared  make bench
deep bookworm shared  make quiet SECONDS=10
deep bookworm shared  make torture SECONDS=3 STRATEGY=auto
deep bookworm shared  make run-live CPUS=12
deep bookworm shared  lab/need live && make live KDIR=$(live/headers $(basename $(lab/debian-image 6.12) | sed s/vmlinuz-//))
deep bookworm shared  SIZES="8 16" make scale
deep bookworm shared  packaging/kernel --configure 6.12
deep bookworm shared  linux/graft --to /tmp/grafted $(lab/fetch 6.12)
deep bookworm shared  lab/selftests --only cow
deep trixie   empty   make install && quell --version && quell status
deep trixie   sources cli/tests/errors.sh
deep trixie   sources cli/tests/install.sh
deep trixie   sources cli/tests/unit.sh
deep trixie   sources cli/tests/fuzz.sh
deep trixie   sources make deb
deep trixie   sources linux/graft --to /tmp/grafted $(lab/fetch 6.12) && linux/graft --to /tmp/grafted7 $(lab/fetch 7.3)
deep trixie   sources make run CPUS=16
END
finish
