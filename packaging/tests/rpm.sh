#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The .rpm: built by Debian's rpmbuild, installed into an empty root, run there,
# upgraded, removed again, and nothing is left.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
need_packages rpm
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

version=$(sed -n 's/^#define QUELL_VERSION[[:space:]]*"\(.*\)"$/\1/p' cli/quell.h)
rpm=$(packaging/rpm --out "$tmp/1")
check "it is built" test -s "$rpm"
later=$(packaging/rpm --out "$tmp/2" --version "$version.1")
refuses "a version that rpm would misread" 'digits, letters' packaging/rpm --version 1-2
q() { rpm -qp "$@" "$rpm" 2>/dev/null; }
check "it has a name, a version and a licence" test "$(q --qf '%{NAME} %{VERSION} %{LICENSE}')" = "quell $version GPL-2.0-only"
needs=$(q --requires | grep -v '^rpmlib(' || true)
if [ -z "$needs" ]; then ok "it needs nothing but rpm"; else not_ok "it needs nothing but rpm" "$needs"; fi

if [ "$(id -u)" != 0 ]; then
	skip "it is installed" "needs root, to change the root directory"
	finish
	exit 0
fi
root=$tmp/root
mkdir "$root"
in_root() { rpm --root "$root" --dbpath /var/lib/rpm "$@"; }
left() { find "$root" -path "$root/var/lib/rpm" -prune -o \( -type f -o -type l \) -print; }
# Debian's rpm warns of being used on Debian; this is not Debian's own root.
check "it is installed into an empty root" in_root -i --force-debian "$rpm"
check "where it belongs" test -x "$root/usr/bin/quell" -a -e "$root/usr/lib/systemd/system/quell-exporter.service"
check "it runs there, where there is nothing else" chroot "$root" /usr/bin/quell --version
check "and explains" grep -q 'page-table sync' <<<"$(chroot "$root" /usr/bin/quell explain pt_sync)"
check "rpm finds all of it as it should be" in_root -V quell
check "a later one replaces it" in_root -U --force-debian "$later"
check "and is the one that is there" test "$(in_root -q quell --qf '%{VERSION}')" = "$version.1"
check "it is removed" in_root -e quell
if [ -z "$(left)" ]; then ok "and nothing is left"; else not_ok "and nothing is left" "$(left)"; fi
finish
