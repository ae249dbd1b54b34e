#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Downloads that fail, break off or do not fit: one line, and nothing
# half-made is ever taken for whole.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. lab/lib.sh
need_packages fetch
cache=$QUELL_CACHE
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

# A mirror nobody answers at: port 9 of this machine.
mkdir -p "$tmp/dead/sources.list.d"
echo "deb http://127.0.0.1:9/debian $codename main" >"$tmp/dead/sources.list"
unreachable='cannot read suite .* from the Debian mirror \(no network\?\)'
refuses "no network and a cold cache, 6.12" "$unreachable" \
	env QUELL_CACHE="$tmp/cold" QUELL_APT_ETC="$tmp/dead" lab/fetch 6.12
refuses "no network and a cold cache, 7.3" "$unreachable" \
	env QUELL_CACHE="$tmp/cold" QUELL_APT_ETC="$tmp/dead" lab/fetch 7.3
refuses "make run without a network" "$unreachable" \
	env QUELL_CACHE="$tmp/cold" QUELL_APT_ETC="$tmp/dead" CPUS=4 lab/run
# Its cache is not there yet either, where the packages are.
refuses "the memory model without a network" "no kernel source for the memory model: .*$unreachable" \
	env QUELL_CACHE="$tmp/none" QUELL_APT_ETC="$tmp/dead" LKMM='' proofs/herd7 nothing.litmus
check "and nothing was made" test -z "$(find "$tmp/cold" -name 'linux-*')"
refuses "a machine without Debian sources" "no source of Debian $codename" \
	env QUELL_CACHE="$tmp/cold" QUELL_APT_ETC="$tmp/nowhere" lab/debian host hello

# Both formats of sources, third-party entries among them.
mkdir -p "$tmp/etc/sources.list.d"
cat >"$tmp/etc/sources.list" <<END
# a comment
deb [arch=amd64 signed-by=/dev/null] http://127.0.0.1:9/one $codename main contrib
deb http://127.0.0.1:9/other third-party-$codename main
END
cat >"$tmp/etc/sources.list.d/debian.sources" <<END
Types: deb deb-src
URIs: http://127.0.0.1:9/two
Suites: $codename-updates $codename-security
Components: main
Signed-By: /dev/null

Types: deb-src
URIs: http://127.0.0.1:9/three
Suites: $codename
END
env QUELL_CACHE="$tmp/parse" QUELL_APT_ETC="$tmp/etc" lab/debian host hello >/dev/null 2>&1 || true
cat >"$tmp/want" <<END
deb [signed-by=/dev/null] http://127.0.0.1:9/one $codename main
deb [signed-by=/dev/null] http://127.0.0.1:9/two $codename-updates main
deb [signed-by=/dev/null] http://127.0.0.1:9/two $codename-security main
END
check "the machine's sources are understood" diff "$tmp/want" "$tmp/parse/apt/host/sources.list"

# No room: a file system of its own, where that is allowed.
# shellcheck disable=SC2016
small='mount -t tmpfs -o size=16m tmpfs "$1" && QUELL_CACHE=$1 lab/fetch 6.12'
mkdir "$tmp/small"
if unshare -rm true 2>/dev/null; then
	refuses "no room for the source" 'needs [0-9]+ MiB below .*, only [0-9]+ MiB are free' \
		unshare -rm sh -c "$small" sh "$tmp/small"
else
	skip "no room for the source" "mount namespaces are not allowed here"
fi

# The real mirror, with a small package.
export QUELL_CACHE=$tmp/real
mkdir -p "$QUELL_CACHE"
[ ! -d "$cache/apt" ] || cp -r "$cache/apt" "$QUELL_CACHE/" # spare the mirror
if ! deb=$(lab/debian host hello 2>"$tmp/err"); then
	if grep -q 'no network' "$tmp/err"; then
		for what in "a truncated download" "a damaged download" "a package that is not there"; do
			skip "$what" "no network here"
		done
		finish
		exit 0
	fi
	not_ok "a small package arrives" "$(cat "$tmp/err")"
	finish
	exit 1
fi
sum=$(sha256sum <"$deb")
truncate -s 20000 "$deb"
lab/debian --offline host hello >/dev/null 2>&1 || true
check "a truncated download is fetched again" test "$(sha256sum <"$deb")" = "$sum"
printf 'X' | dd of="$deb" bs=1 seek=1000 conv=notrunc status=none
lab/debian --offline host hello >/dev/null 2>&1 || true
check "a damaged download is fetched again" test "$(sha256sum <"$deb")" = "$sum"
refuses "a package that is not there" 'suite host has no package nosuchpackage' \
	lab/debian --offline host nosuchpackage

# A tree that was interrupted while it was unpacked is not a tree.
mkdir -p "$tmp/int/src/unpack.abc/linux-source-6.12"
refuses "an interrupted unpack is not taken for a tree" "$unreachable" \
	env QUELL_CACHE="$tmp/int" QUELL_APT_ETC="$tmp/dead" lab/fetch 6.12
check "the system's own apt lists were left alone" \
	test -z "$(find /var/lib/apt/lists /etc/apt -newer "$tmp/dead/sources.list" -type f 2>/dev/null)"
finish
