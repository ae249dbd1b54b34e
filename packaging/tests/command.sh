#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long beside
# quell-live on Debian's kernel, with Debian's own shell and kmod: on, off and
# status; what it says when the kernel refuses; under lockdown; and that a
# kernel which wants signatures takes neither no signature nor a stranger's.
set -eu
cd "$(dirname "$0")/../.."
lab/need run-live openssl
. lab/lib.sh
. testlib/tap.sh
. testlib/guest.sh

image=$(lab/debian-image 6.12)
release=${image##*/vmlinuz-}
kdir=$(live/headers "$release")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
live/build "$kdir" "$tmp/live"

# What the command needs of a system, as it is on this one.
take_programs dash:sh cat:cat sleep:sleep dmesg:dmesg mount:mount tail:tail kmod:modprobe kmod:rmmod kmod:insmod
take_modules "$release" "$tmp/root" "$tmp/live/quell_live.ko"
add+=("packaging/quell-live:/sbin/quell-live")

# A signature by a key that this kernel was not built with.
openssl req -new -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=stranger \
	-keyout "$tmp/key.pem" -out "$tmp/key.der" -outform DER 2>"$tmp/openssl"
cp "$tmp/live/quell_live.ko" "$tmp/signed.ko"
check "the module can be signed with a key of one's own" \
	"$kdir/scripts/sign-file" sha256 "$tmp/key.pem" "$tmp/key.der" "$tmp/signed.ko"
add+=("$tmp/signed.ko:/signed.ko")

steps() { { echo "$guest_functions"; cat; } >"$tmp/$1"; }
steps works <<'END'
patch=/sys/kernel/livepatch/quell_live
stats=/sys/kernel/debug/pt_sync/stats
reset() { echo 1 >$stats; }
claim "usage, for whoever gives none" 2 "usage: quell-live" quell-live
claim "nothing is loaded, and that is a status of its own" 3 "not loaded" quell-live status
claim "on" 0 "" quell-live on
claim "the kernel says so" 0 1 cat $patch/enabled
claim "and livepatch is done" 0 0 cat $patch/transition
claim "on, when it is on" 0 "" quell-live on
claim "status is on" 0 "on" quell-live status
measure -- collapse --mib 4
claim "status shows that the mm of two collapses was known" 0 "known 2" known
mount -t securityfs none /sys/kernel/security
echo integrity >/sys/kernel/security/lockdown
claim "locked down" 0 "[integrity]" cat /sys/kernel/security/lockdown
claim "locked down: counters are readable" 0 "mm_known" cat $stats
claim "locked down: status shows them" 0 "mm_known" quell-live status
claim "locked down: they cannot be reset" 0 "" not reset
claim "locked down: off" 0 "" quell-live off
claim "it is gone" 3 "not loaded" quell-live status
claim "off, when it is off" 0 "" quell-live off
claim "locked down: an unsigned module is refused" 1 "Operation not permitted" quell-live on
claim "the kernel log says why" 0 "Lockdown: modprobe: unsigned module loading is restricted" dmesg_end
END
steps signatures <<'END'
claim "signatures enforced: no signature is refused" 1 "Key was rejected by service" quell-live on
claim "the command says where to look" 1 "the end of the kernel log" quell-live on
claim "and there it says why" 0 "Loading of unsigned module is rejected" dmesg_end
claim "signatures enforced: a stranger's is refused" 1 "Key was rejected by service" insmod /signed.ko
claim "and why is in the kernel log" 0 "Loading of module with unavailable key is rejected" dmesg_end
claim "and nothing is loaded" 3 "not loaded" quell-live status
END

: >"$tmp/all"
# boot SCRIPT WORDS: that script in a kernel with these words on its command line.
boot() {
	local status=0 with=() a
	for a in "${add[@]}"; do with+=(--add "$a"); done
	echo "sh /steps" >"$tmp/plan"
	lab/boot --kernel "$image" --cpus 2 --plan "$tmp/plan" --append "$2" --timeout 300 --log "$tmp/log" \
		--add "$tmp/$1:/steps" "${with[@]}" >>"$tmp/all" 2>"$tmp/errors" || status=$?
	if [ "$status" = 0 ]; then ok "$1: the guest came to its end"
	else not_ok "$1: the guest came to its end" "$(cat "$tmp/errors")"; fi
	# What a refused command said is on the console.
	grep -vE '^\[' "$tmp/log" | sed 's/^/# /' | tail -n 20
}
boot works ""
boot signatures module.sig_enforce=1
judge "$tmp/all" "$tmp/works" "$tmp/signatures"
finish
