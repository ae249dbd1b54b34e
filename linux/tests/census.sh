#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
#
# Every function that could be a lockless walker is in docs/walkers.md, and the
# walkers are bracketed in the grafted kernels.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
"$top/lab/need" series
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

ok() {
	n=$((n + 1))
	if [ "$2" = 0 ]; then echo "ok $n - $1"; else
		echo "not ok $n - $1"
		sed 's/^/# /' "$work/log"
	fi
}

# FILE FUNCTION, one a line, of all rows of the table.
awk -F'|' '/^\| `/ {
	names = $2; files = $3
	gsub(/[`, ]+|with/, " ", names); gsub(/,/, " ", files)
	nf = split(files, f, " "); nn = split(names, w, " ")
	for (i = 1; i <= nf; i++) for (j = 1; j <= nn; j++) print f[i], w[j]
}' "$top/docs/walkers.md" | sort -u >"$work/known"

# unlisted TREE: candidates that the table lacks, in $work/log.
unlisted() {
	"$top/linux/census" "$1" | awk '{ print $1, $3 }' | sort -u |
		comm -23 - "$work/known" >"$work/log"
	[ ! -s "$work/log" ]
}

# unbracketed TREE PRISTINE: bracketed rows whose function lacks begin or end.
unbracketed() {
	local file name
	: >"$work/log"
	# shellcheck disable=SC2016 # backticks of the table
	sed -n 's/^| `.* | \([^ ]*\.c\) |.*\*\*bracketed\*\* in `\([a-z_]*\)`.*/\1 \2/p' "$top/docs/walkers.md" |
		while read -r file name; do
			grep -q "\b$name(" "$2/$file" || continue # not in this kernel
			awk -v name="$name" '
				$0 ~ "^[a-z].*[ *]" name "\\(" { inside = 1 }
				inside && /pt_walk_begin\(/ { begun = 1 }
				inside && /pt_walk_end\(/ { ended = begun }
				/^}/ { inside = 0 }
				END { exit !ended }
			' "$1/$file" || echo "$file: $name" >>"$work/log"
		done
	[ ! -s "$work/log" ]
}

for kernel in 6.12 7.3; do
	pristine=$("$top/lab/fetch" "$kernel")
	"$top/linux/graft" --to "$work/$kernel" "$pristine" >/dev/null
	unlisted "$pristine" && r=0 || r=1
	ok "$kernel: every possible walker is in the census" "$r"
	unbracketed "$work/$kernel" "$pristine" && r=0 || r=1
	ok "$kernel: every walker is bracketed" "$r"
	unbracketed "$pristine" "$pristine" && r=1 || r=0
	ok "$kernel: ... and the check sees it where they are not" "$r"
done

# A walker that somebody adds.
mkdir -p "$work/new/mm"
cp "$pristine/mm/gup.c" "$work/new/mm/"
cat >"$work/new/mm/walk.c" <<'END'
static int somebody_walks(struct mm_struct *mm, unsigned long addr)
{
	local_irq_disable();
	return pgd_none(*pgd_offset(mm, addr));
}
END
unlisted "$work/new" && r=1 || r=0
grep -q 'mm/walk.c somebody_walks' "$work/log" || r=1
ok 'a new walker is noticed' "$r"
echo "1..$n"
