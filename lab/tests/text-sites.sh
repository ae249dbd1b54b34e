#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The check of the built image: patchable sites that run before debts are paid.
# The kernel's own image passes; with a key or a place for a kprobe that is not
# listed, alternatives that outlive the boot, a function that lies elsewhere, a
# table that is missing or half an image it does not; then
# `make kernel-deb` hands out no package, either.
set -eu
cd "$(dirname "$0")/../.."
lab/need build
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# A copy, so that its list can be changed.
mkdir "$tmp/lab"
cp lab/lib.sh lab/options.sh lab/packages lab/text-sites lab/text-sites.c "$tmp/lab/"
sites=$tmp/lab/text-sites
list=$tmp/lab/text-sites.list

# red WHAT PATTERN VMLINUX [OPTION]: refused, and says so.
red() {
	if "$sites" ${4:+"$4"} "$3" >"$tmp/out" 2>&1; then
		not_ok "$1" 'it passed'
	elif grep -qE "$2" "$tmp/out"; then ok "$1"
	else not_ok "$1" "$(tail -n 3 "$tmp/out")"; fi
}

# move NAME: the bounds of such text over a function that is not.
move() {
	local at
	at=$(($(nm "$vmlinux" | awk '$3 == "vfs_read" { print "0x" $1 }') -
		$(nm "$vmlinux" | awk '$3 == "_text" { print "0x" $1 }')))
	objcopy --strip-symbol="$1_start" --strip-symbol="$1_end" "$vmlinux" "$tmp/stripped"
	objcopy --add-symbol "$1_start=.text:$at" --add-symbol "$1_end=.text:$((at + 64))" \
		"$tmp/stripped" "$tmp/vmlinux"
}

for kernel in ${TEXT_SITES_KERNELS:-6.12 7.3}; do
	vmlinux=$(lab/build "$kernel")/vmlinux
	cp lab/text-sites.list "$list"
	check "Linux $kernel: the image passes" "$sites" "$vmlinux"
	check "Linux $kernel: static keys that cannot change are seen" \
		sh -c "'$sites' '$vmlinux' | grep -q '^fixed key context_tracking_key '"
	# An observer of interrupts must not cause them by its own start.
	check "Linux $kernel: events of interrupts are not among what is patched so" \
		sh -c "! '$sites' '$vmlinux' | grep -E '__tracepoint_(reschedule|call_function|irq_work|local_timer|ipi|csd|irq)_'"

	sed -i '/^key __tracepoint_/d' "$list"
	red "Linux $kernel: a key that is not listed" '^UNLISTED key __tracepoint_user_exit __ct_user_exit' "$vmlinux"
	check "Linux $kernel: which --lenient only tells of" \
		sh -c "'$sites' --lenient '$vmlinux' | grep -q '^UNLISTED key __tracepoint_user_exit'"
	cp lab/text-sites.list "$list"
	sed -i '/^call __SCK__x86_idle/d' "$list"
	red "Linux $kernel: a static call that is not listed" '^UNLISTED call __SCK__x86_idle' "$vmlinux"
	cp lab/text-sites.list "$list"
	echo 'runs vfs_read' >>"$list"
	red "Linux $kernel: a function of the path tables that lies elsewhere" \
		'^WRONG function - vfs_read' "$vmlinux" --lenient

	cp lab/text-sites.list "$list"
	objcopy --strip-symbol=__stop___jump_table "$vmlinux" "$tmp/vmlinux"
	red "Linux $kernel: an image without the table" 'has no __stop___jump_table' "$tmp/vmlinux"
	head -c 5000000 "$vmlinux" >"$tmp/vmlinux"
	red "Linux $kernel: half an image" 'cut off|no symbols' "$tmp/vmlinux"
	# The thunks are where kprobes may be put, and are listed; others are not.
	move __text_sync_thunk
	red "Linux $kernel: a function that a kprobe can be put into" '^UNLISTED kprobe vfs_read' "$tmp/vmlinux"
	echo 'kprobe vfs_*' >>"$list"
	check "Linux $kernel: which interrupts everybody if it is listed" \
		sh -c "'$sites' '$tmp/vmlinux' | grep -q '^everybody kprobe vfs_read'"
	cp lab/text-sites.list "$list"
	objcopy --strip-symbol=__init_end "$vmlinux" "$tmp/stripped"
	objcopy --add-symbol __init_end=.init.text:16 "$tmp/stripped" "$tmp/vmlinux"
	red "Linux $kernel: alternatives that outlive the boot" '^WRONG alternative - ' "$tmp/vmlinux" --lenient
	move __noinstr_text
	red "Linux $kernel: a traced function among them" '^WRONG ftrace - vfs_read' "$tmp/vmlinux" --lenient
done
red 'what is no kernel' 'no ELF file of x86-64 or arm64' lab/build

# The end of packaging/kernel, with a build that is over at once: it leaves the
# image IMAGE and a package.
mkdir -p "$tmp/packaging" "$tmp/live" "$tmp/lab/bin" "$tmp/build"
cp packaging/kernel packaging/kernel.config "$tmp/packaging/"
cp lab/text-sites.list "$list"
echo 'need_disk() { :; }' >>"$tmp/lab/lib.sh"
printf 'kernel-deb:\n%s\n' "$(grep '^cc:' lab/packages)" >"$tmp/lab/packages"
stub() { { echo '#!/bin/sh'; cat; } >"$1"; chmod +x "$1"; }
echo 'echo /linux-6.12.0' | stub "$tmp/lab/fetch"
echo 'echo /boot/vmlinuz-6.12' | stub "$tmp/lab/debian-image"
echo "echo $tmp" | stub "$tmp/live/headers"
stub "$tmp/lab/tree" <<'END'
mkdir -p "$2/tree/scripts/kconfig" "$2/build"
printf '#!/bin/sh\ncat "$5" >"$3/.config"\n' >"$2/tree/scripts/kconfig/merge_config.sh"
chmod +x "$2/tree/scripts/kconfig/merge_config.sh"
END
stub "$tmp/lab/bin/make" <<'END'
case "$*" in *bindeb-pkg*) ;; *) exit 0 ;; esac
cd "$QUELL_CACHE/packages/6.12.0"
cp "$IMAGE" build/vmlinux
: >linux-image-6.12.0-quell_6.12.0-1quell1_amd64.deb
END
package() { QUELL_CACHE=$tmp/cache DEBUG_INFO=none IMAGE=$1 "$tmp/packaging/kernel" 6.12 >"$tmp/out" 2>&1; }
if package "$tmp/vmlinux"; then
	not_ok 'such a kernel is not packaged' 'it was'
else
	check 'such a kernel is not packaged' grep -q 'not packaged: WRONG ftrace - vfs_read' "$tmp/out"
fi
check 'and no package is handed out' sh -c "! ls '$tmp/build/kernel-deb'/*.deb 2>/dev/null"
check 'the other is' package "$vmlinux"
check 'as a package' test -e "$tmp/build/kernel-deb/linux-image-6.12.0-quell_6.12.0-1quell1_amd64.deb"
finish
