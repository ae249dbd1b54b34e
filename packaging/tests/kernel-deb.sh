#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# The kernel package boots and is quell's: what `make kernel-deb` built, or
# builds now, for KERNEL (6.12). 64 CPUs, the kernel and a module of it out of
# the package, and of Debian's options none but quell's and the keys' changed.
set -eu
cd "$(dirname "$0")/../.."
lab/need kernel-deb report
. lab/lib.sh
. testlib/tap.sh
. testlib/rows.sh
. testlib/clean-debian.sh

kernel=${KERNEL:-6.12}
newest() { find build/kernel-deb -name "linux-$1-$kernel.*_amd64.deb" 2>/dev/null | sort -V | tail -n 1; }
[ -n "$(newest image)" ] || packaging/kernel "$kernel" >&2
image_deb=$(newest image)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
check "there is an image package" test -n "$image_deb"
check "and one with the headers" test -n "$(newest headers)"
check "it can be unpacked" dpkg-deb -x "$image_deb" "$tmp/root"
vmlinuz=$(find "$tmp/root/boot" -name 'vmlinuz-*')
release=${vmlinuz##*/vmlinuz-}
echo "# $(basename "$image_deb"), $(($(stat -c %s "$image_deb") / 1048576)) MiB, release $release"
check "its modules are there" test -s "$tmp/root/lib/modules/$release/modules.order"

# Names of options that differ from Debian's; those of compilers do, as well.
debian=$(lab/debian-image "$kernel")
debian=$(live/headers "${debian##*/vmlinuz-}")/.config
diff <(grep '^CONFIG' "$debian" | sort) <(grep '^CONFIG' "$tmp/root/boot/config-$release" | sort) |
	sed -n 's/^[<>] \(CONFIG_[A-Z0-9_]*\)=.*/\1/p' | sort -u >"$tmp/differ"
ours='PT_SYNC|PT_SYNC_ARCH_FLUSH|PT_SYNC_MM_CPUMASK|KERNEL_FLUSH|TEXT_SYNC|MODULE_SIG_KEY|SYSTEM_TRUSTED_KEYS'
ours+='|(CC|RUSTC|PAHOLE|GCC|AS|LD)_(VERSION|LLVM_VERSION|HAS|VERSION_TEXT)(_[A-Z0-9_]*)?'
# DEBUG_INFO=none: that, and what cannot be without.
if grep -qx CONFIG_DEBUG_INFO_NONE=y "$tmp/root/boot/config-$release"; then
	echo "# built without debugging information"
	ours+='|DEBUG_INFO(_[A-Z0-9_]*)?|MODULE_ALLOW_BTF_MISMATCH|PROBE_EVENTS_BTF_ARGS'
fi
if [ -n "${LSMOD:-}" ]; then
	skip "Debian's options otherwise" "only the modules of LSMOD were built"
elif other=$(grep -vxE "CONFIG_($ours)" "$tmp/differ"); then
	not_ok "Debian's options otherwise" "$other"
else
	ok "Debian's options otherwise"
fi

# Installed in a clean Debian 12 that makes initramfs images, and removed again;
# its headers build a module.
mkdir "$tmp/debs" "$tmp/module"
cp "$image_deb" "$(newest headers)" "$tmp/debs"
printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n' >"$tmp/module/none.c"
echo 'obj-m := none.o' >"$tmp/module/Makefile"
cat >"$tmp/steps" <<'END'
claim "image and headers can be installed" apt install /debs/*.deb
claim "an initramfs was made for it" test -s /boot/initrd.img-RELEASE
claim "its headers build a module" make -C /lib/modules/RELEASE/build M=/module modules
claim "the module is for this kernel" sh -c 'modinfo -F vermagic /module/none.ko | grep "^RELEASE "'
claim "it can be removed" apt purge linux-image-RELEASE linux-headers-RELEASE
claim "and nothing is left" sh -c '! ls -d /boot/*RELEASE* /lib/modules/RELEASE /usr/src/*RELEASE* 2>/dev/null'
END
sed -i "s/RELEASE/$release/g" "$tmp/steps"
in_clean_debian bookworm initramfs-tools,kmod,make,gcc,libc6-dev,libelf1,libssl3 "$QUELL_CACHE/apt/host/sources.list" \
	"$tmp/steps" "$tmp/debs" "$tmp/module"

module=$(find "$tmp/root/lib/modules/$release" -name 'dummy.ko*')
case $module in
*.xz) xz -dc "$module" >"$tmp/dummy.ko" ;;
*) cp "$module" "$tmp/dummy.ko" ;;
esac
make -s -C live/guest OUT="$tmp" "$tmp/livectl"
cat >"$tmp/plan" <<'END'
livectl load /dummy.ko
measure -- collapse --mib 16
measure -- unshare
measure --isolated 60-63 --strategies broadcast,auto -- vunmap
END
status=0
lab/boot --kernel "$vmlinuz" --cpus 64 --isolated 4 --plan "$tmp/plan" --append lpj=16000000 --log "$tmp/log" \
	--add "$tmp/livectl:/bin/livectl" --add "$tmp/dummy.ko:/dummy.ko" >"$tmp/all" 2>"$tmp/errors" || status=$?
if [ "$status" = 0 ]; then ok "it boots and runs its plan without complaints"
else not_ok "it boots and runs its plan without complaints" "$(cat "$tmp/errors")"; fi
check "this very kernel did" grep -q "Linux version $release " "$tmp/log"
if grep -qE 'module verification failed|taint' "$tmp/log"; then
	not_ok "its module is signed by the key it trusts" "$(grep -E 'verification|taint' "$tmp/log")"
elif grep -q '"ran":"livectl load /dummy.ko","exit":0' "$tmp/all"; then
	ok "its module is signed by the key it trusts"
else
	not_ok "its module is signed by the key it trusts" "it was not loaded"
fi
grep '"workload":' "$tmp/all" >"$tmp/rows" || true
rows=$tmp/rows
claim "all strategies are there, auto among them" \
	'map(.strategy) | unique == ["auto", "broadcast"]'
for w in collapse unshare; do
	claim "$w: 63 interrupts a sync as in mainline, 0 with auto" 'map(select(.workload == "'$w'")) |
		(map(select(.strategy == "broadcast")) | length == 1 and all(.ops > 0 and .sync_ipis == 63 * .ops)) and
		(map(select(.strategy == "auto")) | length == 1 and all(.ops > 0 and .sync_ipis == 0))'
done
claim "the counters agree" 'length > 0 and all(.counters_agree)'
jq -r '"# \(.workload) \(.strategy): \(.ops) ops, \(.sync_ipis) syncs'"'"' interrupts, \(.isolated_ipis) on isolated CPUs"' "$tmp/rows"
finish
