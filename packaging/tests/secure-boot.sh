#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# The Secure Boot chapter of docs/operate/operators-guide.md, step by step, with real
# firmware (OVMF with Microsoft's keys), Debian's signed shim and grub, and
# Debian's signed kernel: the module of a key that nobody has enrolled is
# refused; mokutil and MokManager enrol it; then it loads. So for kernels:
# without a signature the image does not boot, with one by that key it does.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
. testlib/guest.sh

need_packages secure-boot
image=$(lab/debian-image 6.12)
release=${image##*/vmlinuz-}
kdir=$(live/headers "$release")
tmp=$(mktemp -d)
machine=
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null; rm -rf "$tmp"' EXIT
live/build "$kdir" "$tmp/live"
for deb in $(lab/debian host shim-signed shim-helpers-amd64-signed grub-efi-amd64-signed "linux-image-$release"); do
	dpkg-deb -x "$deb" "$tmp/debian"
done

# As dkms makes its key, and signs with it.
openssl req -new -x509 -nodes -days 36500 -subj "/CN=DKMS module signing key" -newkey rsa:2048 \
	-keyout "$tmp/mok.key" -outform DER -out "$tmp/mok.pub" 2>"$tmp/openssl"
openssl x509 -inform DER -in "$tmp/mok.pub" -out "$tmp/mok.pem"
mkdir "$tmp/signed"
cp "$tmp/live/quell_live.ko" "$tmp/signed"
"$kdir/scripts/sign-file" sha256 "$tmp/mok.key" "$tmp/mok.pub" "$tmp/signed/quell_live.ko"
password=quellquell
openssl passwd -6 "$password" >"$tmp/hash"

take_programs dash:sh cat:cat sleep:sleep dmesg:dmesg mount:mount tail:tail grep:grep mokutil:mokutil \
	kmod:modprobe kmod:rmmod kmod:insmod
take_modules "$release" "$tmp/root" "$tmp/signed/quell_live.ko" \
	"$(find "$tmp/debian" -name 'efivarfs.ko*')"
add+=("packaging/quell-live:/sbin/quell-live" "$tmp/live/quell_live.ko:/unsigned.ko"
	"$tmp/mok.pub:/var/lib/dkms/mok.pub" "$tmp/hash:/hash")

steps() {
	{
		echo "$guest_functions"
		[ "$1" = kernel ] || echo 'modprobe efivarfs; mount -t efivarfs none /sys/firmware/efi/efivars'
		echo 'mount -t securityfs none /sys/kernel/security'
		cat
	} >"$tmp/$1"
}
steps before <<'END'
claim "Secure Boot is on" 0 "SecureBoot enabled" mokutil --sb-state
claim "so the kernel is locked down" 0 "[integrity]" cat /sys/kernel/security/lockdown
claim "without a signature the module is refused" 1 "Key was rejected by service" insmod /unsigned.ko
claim "the kernel log says why" 0 "Loading of unsigned module is rejected" dmesg_end
claim "with a signature by dkms's key, which nobody enrolled, too" 1 "the end of the kernel log" quell-live on
claim "and there it says why" 0 "Loading of module with unavailable key is rejected" dmesg_end
claim "mokutil takes the key" 0 "" mokutil --import /var/lib/dkms/mok.pub --hash-file /hash
END
steps after <<'END'
claim "the firmware has the key" 1 "is already enrolled" mokutil --test-key /var/lib/dkms/mok.pub
claim "Secure Boot is on as before" 0 "SecureBoot enabled" mokutil --sb-state
claim "without a signature the module is refused as before" 1 "Key was rejected by service" insmod /unsigned.ko
claim "with it, it loads" 0 "" quell-live on
collapse --mib 4
claim "and works: the mm of two collapses was known" 0 "known 2" known
claim "off" 0 "" quell-live off
END
steps kernel <<'END'
secure() { dmesg | grep secureboot:; }
claim "Secure Boot is on under this kernel" 0 "Secure boot enabled" secure
claim "and it is locked down" 0 "[integrity]" cat /sys/kernel/security/lockdown
END

cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$tmp/firmware"
# boot NAME KERNEL STEPS: start the machine with a disk that boots KERNEL. Its
# console is in $tmp/NAME.console, what the guest says (and the firmware, which
# takes every port for a console) in $tmp/NAME.says; what is written to
# descriptor 3 is typed.
boot() {
	local name=$1 disk=$tmp/disk
	echo "sh /steps" >"$tmp/plan"
	lab/boot-archive x86_64 "$tmp/plan" "$tmp/$3:/steps" "${add[@]}" >"$tmp/initrd"
	cat >"$tmp/grub.cfg" <<-END
		linux /vmlinuz console=ttyS0 quell.results=ttyS1 tsc=reliable no_timer_check panic=-1
		initrd /initrd
		boot
	END
	rm -f "$disk" "$tmp/keys"
	truncate -s 192M "$disk"
	mformat -i "$disk" -F ::
	mmd -i "$disk" ::/EFI ::/EFI/BOOT ::/EFI/debian
	mcopy -i "$disk" "$tmp/debian/usr/lib/shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$disk" "$tmp/debian/usr/lib/shim/mmx64.efi.signed" ::/EFI/BOOT/mmx64.efi
	mcopy -i "$disk" "$tmp/debian/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" ::/EFI/BOOT/grubx64.efi
	mcopy -i "$disk" "$tmp/grub.cfg" ::/EFI/debian
	mcopy -i "$disk" "$2" ::/vmlinuz
	mcopy -i "$disk" "$tmp/initrd" ::/initrd
	mkfifo "$tmp/keys"
	note "booting by firmware: $name"
	timeout 300 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-accel tcg,thread=single -cpu max,la57=off,cx16=off -M q35,smm=on -smp 2 -m 1024 \
		-global driver=cfi.pflash01,property=secure,value=on \
		-drive if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd \
		-drive "if=pflash,format=raw,unit=1,file=$tmp/firmware" \
		-drive "if=none,format=raw,id=disk,file=$disk" -device virtio-blk-pci,drive=disk \
		-chardev stdio,id=console,signal=off -serial chardev:console -serial "file:$tmp/$name.says" \
		<"$tmp/keys" >"$tmp/$name.console" 2>"$tmp/$name.qemu" &
	machine=$!
	exec 3>"$tmp/keys"
	console=$tmp/$name.console says=$tmp/$name.says read_so_far=0
}
# shows TEXT: wait until the console shows it, after what was waited for before.
shows() {
	local try
	for ((try = 0; try < 600; try++)); do
		if tail -c +$((read_so_far + 1)) "$console" | sed 's/\x1b\[[0-9;=]*[A-Za-z]//g' | grep -qa "$1"; then
			read_so_far=$(stat -c %s "$console")
			return
		fi
		kill -0 "$machine" 2>/dev/null || break
		sleep 0.2
	done
	echo "the console never showed '$1'; its end:"
	tail -c 600 "$console" | tr -cd '\12\40-\176'
	return 1
}
# A menu draws itself before it listens.
choose() { sleep 2; printf '\e[B' >&3; sleep 1; printf '\r' >&3; }
ends() {
	local status=0
	exec 3>&-
	wait "$machine" || status=$?
	machine=
	[ "$status" = 0 ]
}
came_to_its_end() {
	ends && grep -qa '"done":true,"failed":0' "$says" && lab/complaints "$console" && return
	grep -a '^{' "$says"
	tail -n 20 "$console"
	return 1
}
enrols() {
	shows "Press any key to perform MOK management" && printf ' ' >&3 &&
		shows "Enroll MOK" && choose && shows "View key 0" && choose &&
		shows "Enroll the key" && choose &&
		shows "Password:" && sleep 2 && printf '%s\r' "$password" >&3 &&
		shows "Reboot" && sleep 2 && printf '\r' >&3 && ends
}

# Not check, which would start a shell that has no child to wait for.
here() { if "${@:2}" >"$tmp/why" 2>&1; then ok "$1"; else not_ok "$1" "$(cat "$tmp/why")"; fi; }

boot before "$image" before
here "shim, grub and kernel of Debian boot" came_to_its_end
boot manager "$image" before
here "MokManager enrols the key at the next boot" enrols
boot after "$image" after
here "and Debian's kernel boots again" came_to_its_end

# quell's kernel, if `make kernel-deb` built one; else Debian's as if nobody had
# signed it.
package=$(find build/kernel-deb -name 'linux-image-6.12.*_amd64.deb' 2>/dev/null | sort -V | tail -n 1)
if [ -n "$package" ]; then
	dpkg-deb -x "$package" "$tmp/quell"
	cp "$tmp"/quell/boot/vmlinuz-* "$tmp/unsigned"
	echo "# the kernel is that of $(basename "$package")"
else
	cp "$image" "$tmp/unsigned"
	sbattach --remove "$tmp/unsigned" >"$tmp/sbattach" 2>&1
	echo "# the kernel is Debian's, its signature taken off"
fi
boot unsigned "$tmp/unsigned" kernel
here "a kernel without a signature does not boot" shows "bad shim signature"
kill "$machine"
ends || true
check "not at all" test "$(grep -ca 'Linux version' "$console")" = 0
check "sbsign signs it with the key" \
	sbsign --key "$tmp/mok.key" --cert "$tmp/mok.pem" --output "$tmp/mine" "$tmp/unsigned"
boot mine "$tmp/mine" kernel
here "then it boots" came_to_its_end
grep -ah '^{' "$tmp"/*.says >"$tmp/all" || true
# What a command said that did not as claimed.
sed 's/\r$//' "$tmp"/{before,after,mine}.console | grep -avE '^\[|BdsDxe|^[^ -~]|^$' | tr -cd '\12\40-\176' | sed 's/^/# /' | tail -n 40
judge "$tmp/all" "$tmp/before" "$tmp/after" "$tmp/kernel"
finish
