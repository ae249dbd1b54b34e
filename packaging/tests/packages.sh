#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The packages in a clean Debian: installed, upgraded, removed, purged, with the
# headers of a Debian kernel there; and what lintian says of them. SUITE is
# bookworm (Debian 12 with its 6.12) or trixie (Debian 13, 7.3 from backports).
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
. testlib/clean-debian.sh
case ${SUITE:=bookworm} in
bookworm) kernel=6.12 from=host ;;
trixie) kernel=7.3 from=trixie-backports ;;
*) die "SUITE is '$SUITE': bookworm or trixie" ;;
esac

version=$(sed -n 's/^#define QUELL_VERSION[[:space:]]*"\(.*\)"$/\1/p' cli/quell.h)
next=$version.1~test
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
check "the packages are built" packaging/build --out "$tmp/1"
check "and a later version of them" packaging/build --out "$tmp/2" --version "$next"

# The one exception: the project has no mailing list that could be named.
check "lintian has no complaint" lintian --allow-root --fail-on error,warning \
	--suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$tmp"/1/quell_*.changes

# The headers as they would lie after installation: their packages themselves
# would want the kernel installed as well. What these tools need is a package's
# business, and so installed.
release=$(lab/debian-image "$kernel")
release=${release##*/vmlinuz-}
abi=${release%-cloud-amd64}
headers=$(lab/debian "$from" "linux-headers-$release" "linux-headers-$abi-common" "linux-kbuild-$abi")
needs=dkms,systemd,openssl
for deb in $headers; do
	case $deb in
	*/linux-headers-"$release"_*)
		needs+=,$(dpkg-deb -f "$deb" Depends | tr -d ' ' | tr , '\n' | sed 's/(.*//' | grep gcc) ;;
	*/linux-kbuild-*) needs+=,$(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/ //g') ;;
	esac
done
mkdir "$tmp/headers" "$tmp/debs"
for deb in $headers; do dpkg-deb -x "$deb" "$tmp/headers"; done
cp "$tmp"/[12]/quell*_*.deb "$tmp/debs"
rm -f "$tmp"/debs/*dbgsym*
tar -C "$tmp/headers" -cf "$tmp/headers.tar" .

cat >"$tmp/steps" <<'END'
module=/lib/modules/RELEASE/updates/dkms/quell_live.ko
after_failure() { grep -m 10 -iE "error|warning|No such" /var/lib/dkms/quell-live/*/build/make.log; }
has_module() { ls $module* && modinfo $module* | grep -q '^livepatch: *Y'; }
has_no_module() { ! ls $module* && [ -z "$(dkms status)" ]; }
signed() { modinfo -F signer $module* | grep . && [ -s /var/lib/dkms/mok.pub ]; }
built_from() { [ "$(dkms status | cut -d, -f1)" = "quell-live/$1" ]; }
has_command() {
	quell --help && [ -e /usr/share/man/man1/quell.1.gz ] &&
		[ -e /usr/share/bash-completion/completions/quell ]
}
says_version() { [ "$(quell --version)" = "quell $1" ]; }
has_units() { [ -e /lib/systemd/system/quell.service ] && [ -e /lib/systemd/system/quell-exporter.service ] && [ -e /lib/systemd/system/quell-live.service ]; }
verified() {
	out=$(systemd-analyze verify --man=no --recursive-errors=no /lib/systemd/system/quell*.service 2>&1) && [ -z "$out" ] ||
		{ echo "$out"; return 1; }
}
enabled() { find /etc/systemd -name 'quell*' | grep .; }
nothing_left() { ! find / -xdev -name 'quell*' -not -path '/debs/*' -not -path '/proc/*' -not -path '/var/log/*' | grep .; }
not() { ! "$@"; }

claim "no quell is there before" nothing_left
tar -C / --keep-directory-symlink -xf /headers.tar
claim "installed" apt install /debs/quell_VERSION_amd64.deb /debs/quell-dkms_VERSION_all.deb
claim "dkms built the module for the kernel" has_module
claim "from this version" built_from VERSION
claim "and signed it with a key of this machine's" signed
claim "the command runs, with man page and completion" has_command
claim "and it is this version" says_version VERSION
claim "the units are there" has_units
claim "and systemd finds no fault with them" verified
claim "but not enabled" not enabled
claim "quell-live tells that nothing is loaded" sh -c 'quell-live status; [ $? = 3 ]'
claim "upgraded" apt install /debs/quell_NEXT_amd64.deb /debs/quell-dkms_NEXT_all.deb
claim "dkms built the new version, and only that is left" built_from NEXT
claim "and it is there" has_module
claim "removed" apt remove quell quell-dkms
claim "the module is gone" has_no_module
claim "purged" dpkg --purge quell quell-dkms
rm -rf /headers.tar
claim "and nothing is left" nothing_left
END
sed -i "s/RELEASE/$release/g; s/VERSION/$version/g; s/NEXT/$next/g" "$tmp/steps"
cat "$QUELL_CACHE/apt/$from/sources.list" >"$tmp/sources"
if [ "$from" != host ]; then
	lab/debian --names "$SUITE" '^dkms$' >"$tmp/names"
	cat "$QUELL_CACHE/apt/$SUITE/sources.list" >>"$tmp/sources"
fi
in_clean_debian "$SUITE" "$needs" "$tmp/sources" "$tmp/steps" "$tmp/debs" "$tmp/headers.tar"
finish
