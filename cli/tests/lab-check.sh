#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: deep
# quell check in Debian 12 with its own kernel (6.1) and its own systemd, set up
# wrongly in more than ten ways: each is found, with its remedy; then the script
# of --fix runs there, and after another boot nothing is found.
#
# What is not as on a real machine: the system is an initramfs, which keeps
# nothing over a boot, so the files that the script wrote are carried over from
# here; and grub is not installed: a stand-in for update-grub reads its files as
# grub-mkconfig does. KERNEL=6.12 takes that kernel instead.
set -eu
cd "$(dirname "$0")/../.."
. lab/lib.sh
. testlib/tap.sh
need_packages boot report cli guest-debian fetch
[ "$(id -u)" = 0 ] || die "needs root, to unpack a Debian"
image=$(lab/debian-image "${KERNEL:-6.1}")
make -s -C cli quell-static >&2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Debian 12 as it installs itself, less what nobody reads here; made once.
base=$QUELL_CACHE/guests/debian-12.cpio
if [ ! -e "$base" ]; then
	[ -e "$QUELL_CACHE/apt/host/sources.list" ] || lab/debian --names host '^systemd$' >/dev/null
	mkdir -p "${base%/*}"
	need_disk 1500 "a Debian for a guest"
	# shellcheck disable=SC2016 # for the shell of the hook
	mmdebstrap --quiet --variant=minbase --include=systemd-sysv,udev,procps,kmod \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*' \
		bookworm "$tmp/debian.tar" - <"$QUELL_CACHE/apt/host/sources.list" >&2
	mkdir "$tmp/debian"
	tar -C "$tmp/debian" -xf "$tmp/debian.tar"
	(cd "$tmp/debian" && find . | cpio --quiet -o -H newc) >"$base.part"
	mv "$base.part" "$base"
	rm -rf "$tmp/debian" "$tmp/debian.tar"
fi

# The planted system.
plant=$tmp/plant
file() { mkdir -p "$plant$(dirname "$1")"; cat >"$plant$1"; }
mkdir -p "$plant/usr/bin"
cp build/cli/quell-static "$plant/usr/bin/quell"
echo 'GRUB_CMDLINE_LINUX="isolcpus=managed_irq,2-3 nohzfull=2-3"' | file /etc/default/grub
printf '[Manager]\nCPUAffinity=0-3\n' | file /etc/systemd/system.conf
file /etc/sysctl.d/50-planted.conf <<-'END'
	kernel.watchdog_cpumask = 0-3
	kernel.timer_migration = 0
	vm.stat_interval = 1
END
file /etc/tmpfiles.d/50-planted.conf <<-'END'
	w /sys/kernel/mm/transparent_hugepage/enabled - - - - always
	w /sys/kernel/mm/ksm/run - - - - 1
	w /sys/kernel/rcu_expedited - - - - 1
	w /sys/devices/virtual/workqueue/cpumask - - - - f
END
echo 'ACTION=="add", SUBSYSTEM=="net", KERNEL=="lo", ATTR{queues/rx-0/rps_cpus}="f"' | file /etc/udev/rules.d/50-planted.rules
file /etc/systemd/system/node-agent.service <<-'END'
	[Service]
	ExecStart=/bin/sleep infinity
	CPUAffinity=
	CPUAffinity=1-3
	[Install]
	WantedBy=multi-user.target
END
file /usr/sbin/update-grub <<-'END'
	#!/bin/sh
	set -e
	. /etc/default/grub
	for f in /etc/default/grub.d/*.cfg; do [ ! -e "$f" ] || . "$f"; done
	echo "$GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" >/words
END
file /etc/systemd/system/try.service <<-'END'
	[Unit]
	After=multi-user.target
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /try
	[Install]
	WantedBy=graphical.target
END
file /try <<-'END'
	exec 2>/dev/ttyS0
	stty -F /dev/ttyS1 raw -echo
	sleep 3
	status=0
	quell check --json >/found || status=$?
	printf '{"status":%s,"check":%s}\n' "$status" "$(cat /found)" >/dev/ttyS1
	# The second boot only looks.
	if [ "$status" = 1 ] && [ ! -e /etc/default/grub.d ]; then
		quell check --fix >/fix.sh || :
		fixed=0
		sh -e /fix.sh >/said 2>&1 || fixed=$?
		cat /said >&2
		files=$(cd / && find etc -name '*-quell-check*' | tar -czf - -T - | base64 -w 0)
		printf '{"fixed":%s,"words":"%s","files":"%s"}\n' "$fixed" "$(cat /words)" "$files" >/dev/ttyS1
	fi
	sync
	poweroff -f
END
chmod +x "$plant/usr/sbin/update-grub"
mkdir -p "$plant"/etc/systemd/system/{multi-user,graphical}.target.wants
ln -s ../node-agent.service "$plant/etc/systemd/system/multi-user.target.wants/"
ln -s ../try.service "$plant/etc/systemd/system/graphical.target.wants/"

# What a guest without disks and people has no use for, and an emulator is slow at.
masked=''
for unit in getty@tty1 serial-getty@ttyS0 systemd-logind systemd-update-utmp systemd-journal-flush systemd-random-seed \
	systemd-hwdb-update systemd-journal-catalog-update systemd-update-done ldconfig systemd-pcrphase e2scrub_reap; do
	masked+=" systemd.mask=$unit.service"
done
# On a busy host the guest's clock runs ahead of what its CPUs get.
mkdir -p "$plant"/etc/systemd/system/systemd-{udevd,journald}.service.d
printf '[Service]\nWatchdogSec=0\n' | tee "$plant"/etc/systemd/system/systemd-{udevd,journald}.service.d/patient.conf >/dev/null
printf '[Manager]\nDefaultTimeoutStartSec=infinity\n' | file /etc/systemd/system.conf.d/patient.conf
touch -d tomorrow "$plant/etc/.updated"

# boot LOG WORDS: what the guest says comes to stdout.
boot() {
	{ cat "$base"; (cd "$plant" && find . -mindepth 1 | cpio --quiet -o -H newc); } >"$tmp/initrd"
	timeout 1500 qemu-system-x86_64 -accel tcg,thread=single -cpu max,la57=off,cx16=off -M pc -smp 4 -m 2048 \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=log,path=$1" -serial chardev:log -chardev stdio,id=results,signal=off -serial chardev:results \
		-kernel "$image" -initrd "$tmp/initrd" \
		-append "rdinit=/sbin/init console=ttyS0 panic=-1 no_timer_check tsc=reliable systemd.show_status=0 $masked $2" \
		</dev/null 2>"$tmp/qemu" | sed -un 's/\r$//; /^{/p'
}

# shellcheck disable=SC1091 # just written
words=$(. "$plant/etc/default/grub" && echo "$GRUB_CMDLINE_LINUX")
first=build/results/check-first.jsonl second=build/results/check-second.jsonl
mkdir -p build/results
boot "$tmp/log1" "$words" >"$first"
jq -r 'select(.check) | .check.findings[] | "# \(.severity) \(.id): \(.what)\n#     \(.fix)"' "$first" | cut -c1-180
found() { # ID FIX WHAT
	if jq -es --arg id "$1" --arg fix "$2" '.[0].check.findings | any(.id == $id and (.fix | contains($fix)))' "$first" >/dev/null; then
		ok "found: $3 ($1)"
	else
		not_ok "found: $3 ($1)" "$(jq -c '.check.findings[]? | select(.id == "'"$1"'")' "$first")" "$(tail -n 5 "$tmp/log1")"
	fi
}
check "the first boot comes to its end, and something is found" jq -es '.[0].status == 1' "$first"
found cmdline.domain 'isolcpus=managed_irq,domain,2,3' "isolcpus= without domain"
found cmdline.typo 'nohz_full=2,3' "nohzfull="
found cmdline.nohz_full 'nohz_full=2,3' "the tick"
found cmdline.rcu_nocbs 'rcu_nocbs=2,3' "RCU callbacks"
found irq.default 'irqaffinity=0,1' "no irqaffinity="
found workqueue.unbound 'echo 3 > /sys/devices/virtual/workqueue/cpumask' "work everywhere"
found systemd.affinity 'CPUAffinity=0,1' "systemd's CPUAffinity="
found thread.affinity '/etc/systemd/system/node-agent.service.d/zz-quell-check.conf' "an agent on every CPU"
found watchdog 'kernel.watchdog_cpumask=0,1' "the watchdog"
found timer.migration 'kernel.timer_migration=1' "timers that stay"
found vm.stat_interval 'vm.stat_interval=10' "vm.stat_interval"
found thp 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' "huge pages for all"
found ksm 'echo 0 > /sys/kernel/mm/ksm/run' "KSM"
found rcu.expedited 'echo 0 > /sys/kernel/rcu_expedited' "expedited RCU"
found net.rps 'echo 3 > /sys/class/net/lo/queues/rx-0/rps_cpus' "steered packets"
check "the script ran to its end there, without complaint" jq -es '.[1].fixed == 0' "$first"

# Another boot of the same system, with what the script wrote.
jq -r 'select(.files) | .files' "$first" | base64 -d | tar -C "$plant" -xzf -
words=$(jq -r 'select(.words) | .words' "$first")
echo "# the next boot: $words"
boot "$tmp/log2" "$words" >"$second"
if jq -es '.[0].status == 0 and .[0].check.findings == []' "$second" >/dev/null; then
	ok "nothing is found after the script and another boot"
else
	not_ok "nothing is found after the script and another boot" \
		"$(jq -r '.check.findings[]? | "\(.id): \(.what)"' "$second")" "$(tail -n 5 "$tmp/log2")"
fi
check "and nothing was left unread" jq -es '.[0].check.unread == []' "$second"
finish
