#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Code that hooks rely on and do not change: each fragment of each pin, taken
# out of the kernel by a mutation, is missed; what the graft itself matches
# (the branch that issues receipts) is, too.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
. testlib/small-tree.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# mutate FILE FUNCTION FRAGMENT: the fragment's code, whatever its white space
# and comments, goes out of that function; fails if it was not there.
mutate() {
	perl -0777 -e '
		my ($file, $name, $code) = @ARGV;
		open my $in, "<", $file or die; my $text = <$in>;
		my $gap = qr{(?:\s|/\*.*?\*/|//[^\n]*\n)*}s;
		my $want = join $gap, map { quotemeta } $code =~ /\w+|[^\w\s]/g;
		$text =~ /^(?:[^\s#*\/][^\n;]*)?\b\Q$name\E\((?:[^;{]|\n)*\{/m
			or $text =~ /^#\s*define\s+\Q$name\E\b/m or die "no $name\n";
		my $head = substr $text, 0, $-[0], "";
		$text =~ s/$want/mutated();/s or die "no $code\n";
		open my $out, ">", $file or die; print $out $head, $text;
	' "$@"
}

for kernel in 6.12 7.3; do
	tree=$(lab/fetch "$kernel")
	small_tree "$tree" "$work/$kernel"
	linux/pins --list "$tree" linux/hooks >"$work/list"
	while IFS=$'\t' read -r file _; do
		[ -e "$work/$kernel/$file" ] || { mkdir -p "$work/$kernel/${file%/*}"; cp "$tree/$file" "$work/$kernel/$file"; }
	done <"$work/list"
	check "$kernel: the pins hold" linux/pins "$work/$kernel" linux/hooks
	missed='' tried=0
	while IFS=$'\t' read -r file name pin fragments; do
		while IFS= read -r code; do
			cp "$work/$kernel/$file" "$work/saved"
			tried=$((tried + 1))
			if ! mutate "$work/$kernel/$file" "$name" "$code" 2>"$work/why"; then
				missed+="$pin: not mutated: $(cat "$work/why") "
			elif linux/pins "$work/$kernel" linux/hooks "$pin" 2>"$work/why" ||
				! grep -q "$pin" "$work/why"; then
				missed+="$pin: $code "
			fi
			cp "$work/saved" "$work/$kernel/$file"
		done < <(tr '\t' '\n' <<<"$fragments")
	done <"$work/list"
	if [ "$tried" -ge 40 ] && [ -z "$missed" ]; then ok "$kernel: each of $tried fragments is missed when it goes"
	else not_ok "$kernel: each of $tried fragments is missed when it goes" "$missed"; fi

	# A flush that leaves out user mode must not be certified.
	cp -R "$work/$kernel" "$work/user"
	sed -i 's/on_each_cpu_mask(cpumask, flush_tlb_func, (void \*)info, true);/on_each_cpu_cond_mask(not_in_user, flush_tlb_func, (void *)info, 1, cpumask);/' \
		"$work/user/arch/x86/mm/tlb.c"
	refuses "$kernel: a flush that leaves out user mode gets no receipt" \
		'20-pt_receipt/.*native_flush_tlb_multi' linux/graft --to "$work/to" "$work/user"
	rm -rf "$work/user" "$work/to"
done
sed 's/^PATCHLEVEL = .*/PATCHLEVEL = 20/' "$work/6.12/Makefile" >"$work/Makefile"
cp "$work/Makefile" "$work/6.12/Makefile"
refuses 'Linux 6.20 is refused' 'Linux 6.20: nobody has tried it' linux/graft --to "$work/to" "$work/6.12"
finish
