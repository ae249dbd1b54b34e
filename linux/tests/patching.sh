#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Who makes all CPUs notice patched text: docs/argue/patching.md against both kernels,
# and what it says of each against the grafted kernels.
set -eu
cd "$(dirname "$0")/../.."
lab/need fetch
. testlib/tap.sh

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# Rows as "KERNELS|FILE FUNCTION CALL|WHAT WE DO", one per function and call.
awk -F'|' 'NF == 8 && $2 ~ /\.[ch] $/ {
	gsub(/[ `]/, "", $2); gsub(/[ `]/, "", $3); gsub(/[ `]/, "", $4)
	gsub(/^ | $/, "", $5); gsub(/^ | $/, "", $7)
	nf = split($3, f, ","); nc = split($4, c, ",")
	for (i = 1; i <= nf; i++) for (j = 1; j <= nc; j++)
		print $5 "|" $2 " " f[i] " " c[j] "|" $7
}' docs/argue/patching.md >"$out/rows"
check 'the table can be read' [ "$(wc -l <"$out/rows")" -ge 20 ]

unlisted() { # TREE: places that the table lacks
	linux/census-sync "$1" | sort -u >"$out/found"
	cut -d'|' -f2 "$out/rows" | sort -u | comm -23 "$out/found" -
}

# does TREE: rows of this kernel whose function does not do what the table says.
differs() {
	local file name call what
	linux/census-sync "$1" | sort -u >"$out/now"
	while IFS='|' read -r _ place what; do
		grep -qxF "$place" "$out/found" || continue # not in this kernel
		read -r file name call <<<"$place"
		case $what in
		deferred) grep -qE "^$file $name text_sync(_at|_module|_range)?\$" "$out/now" &&
			! grep -qxF "$place" "$out/now" ;;
		'asks first') grep -q 'cpu_in_user_mode(cpu)' "$1/$file" ;;
		'skips user mode') grep -qE "_in_kernel\\($call\\)" "$1/$file" ;;
		*) grep -qxF "$place" "$out/now" ;;
		esac || echo "$place: not $what"
	done <"$out/rows"
}

for version in 6.12 7.3; do
	tree=$(lab/fetch "$version")
	check "Linux $version: every place is in the table" [ -z "$(unlisted "$tree")" ]
	# The grafted kernel: the places' files, changed or as they were.
	linux/graft --to "$out/$version" "$tree" >/dev/null
	cut -d'|' -f2 "$out/rows" | cut -d' ' -f1 | sort -u | while read -r file; do
		if [ ! -f "$tree/$file" ] || [ -f "$out/$version/$file" ]; then continue; fi
		mkdir -p "$out/$version/${file%/*}"
		cp "$tree/$file" "$out/$version/$file"
	done
	mkdir -p "$out/$version/kernel"
	[ -f "$out/$version/kernel/smp.c" ] || cp "$tree/kernel/smp.c" "$out/$version/kernel/"
	said=$(differs "$out/$version")
	if [ -z "$said" ]; then ok "Linux $version: and does what the table says"
	else not_ok "Linux $version: and does what the table says" "$said"; fi
	check "Linux $version: which the stock kernel does not" [ -n "$(differs "$tree")" ]
done

# One that somebody adds.
mkdir -p "$out/new/kernel"
cp "$tree/kernel/smp.c" "$out/new/kernel/"
cat >"$out/new/kernel/new.c" <<'EOF'
void somebody_patches(void)
{
	smp_text_poke_sync_each_cpu();
}
EOF
check 'a new place is noticed' grep -qx 'kernel/new.c somebody_patches smp_text_poke_sync_each_cpu' <<<"$(unlisted "$out/new")"
finish
