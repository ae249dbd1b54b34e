#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The module refuses to load where what it relies on does not hold, for the
# right reason and saying so; and a kernel that cannot have it does not get one.
set -eu
cd "$(dirname "$0")/../.."
lab/need run-live
. lab/lib.sh
. testlib/tap.sh

image=$(lab/debian-image 6.12)
kdir=$(live/headers "${image##*/vmlinuz-}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
live/build "$kdir" "$tmp/good"
# build NAME FLAGS: the module with something about it changed.
build() {
	make -s -C live KDIR="$kdir" OUT="$tmp/$1" KCFLAGS="$2" >"$tmp/$1.log" 2>&1
}
check "a module for an unknown Linux builds" build version -DLIVE_LINUX=0x060d00
check "a module for an unknown function builds" build symbol -DLIVE_SYNC=tlb_remove_table_sync_none
# The same module by another name: two may not patch one function.
mkdir -p "$tmp/other/source"
cp live/*.[ch] live/Kbuild "$tmp/other/source"
sed -i 's/quell_live\>/other_live/' "$tmp/other/source/Kbuild"
mkdir -p "$tmp/other/source/include/linux"
cp linux/tree/include/linux/pt_targets.h "$tmp/other/source/include/linux"
make -s -C "$kdir" M="$tmp/other/source" modules >"$tmp/other.log" 2>&1

cat >"$tmp/plan" <<END
livectl refuse /version.ko 95
livectl refuse /symbol.ko 2
livectl on /quell_live.ko
livectl refuse /other.ko 16
measure -- collapse --mib 4
livectl off
livectl on /quell_live.ko
measure -- collapse --mib 4
livectl off
END
status=0
lab/boot --kernel "$image" --cpus 4 --plan "$tmp/plan" --add "$tmp/good/livectl:/bin/livectl" \
	--add "$tmp/good/quell_live.ko:/quell_live.ko" --add "$tmp/version/quell_live.ko:/version.ko" \
	--add "$tmp/symbol/quell_live.ko:/symbol.ko" --add "$tmp/other/source/other_live.ko:/other.ko" \
	--log "$tmp/log" >"$tmp/all" || status=$?
# ran WHAT LINE: that line of the plan came to a good end.
ran() {
	if grep -qF "{\"ran\":\"$2\",\"exit\":0}" "$tmp/all"; then ok "$1"
	else not_ok "$1" "$(tail -n 5 "$tmp/all")" "$(grep quell "$tmp/log")"; fi
}
said() { if grep -q "$2" "$tmp/log"; then ok "$1"; else not_ok "$1" "$(grep _live: "$tmp/log")"; fi; }
ran "not on a Linux nobody has looked at" "livectl refuse /version.ko 95"
said "it says which are known" 'Linux 6.13 is not known.*known are 6.1, 6.12 and 7.3'
ran "not where the function is missing" "livectl refuse /symbol.ko 2"
said "it says which function" 'no tlb_remove_table_sync_none() that can be replaced'
ran "not where another livepatch has been" "livectl refuse /other.ko 16"
said "it says where to look" 'patched by another module already, see /sys/kernel/livepatch'
ran "it is on again after having been off" "livectl on /quell_live.ko"
if [ "$status" = 0 ]; then ok "nothing of this upset the kernel"; else not_ok "nothing of this upset the kernel"; fi
if [ "$(grep -c '"strategy":"live".*"sync_ipis":0,.*"mm_known":2,*' "$tmp/all")" = 2 ]; then
	ok "both times it knew the mm of collapses"
else
	not_ok "both times it knew the mm of collapses" "$(grep '"strategy"' "$tmp/all")"
fi

if build split -DCONFIG_GUP_GET_PXX_LOW_HIGH; then
	not_ok "not for kernels that read entries in halves" "it was built"
elif grep -q 'reads entries in halves' "$tmp/split.log"; then
	ok "not for kernels that read entries in halves"
else
	not_ok "not for kernels that read entries in halves" "$(head -n 5 "$tmp/split.log")"
fi
finish
