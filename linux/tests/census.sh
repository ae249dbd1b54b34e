#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
#
# Every function that could be a lockless walker is in docs/argue/walkers.md, and the
# walkers are bracketed in the grafted kernels.
set -euo pipefail

cd "$(dirname "$0")/../.."
lab/need series
. testlib/tap.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

came() { # WHAT STATUS
	if [ "$2" = 0 ]; then ok "$1"; else not_ok "$1" "$(cat "$work/log")"; fi
}

# unlisted TREE [--calls]: candidates that the table lacks, in $work/log.
unlisted() {
	# shellcheck disable=SC2086 # an option or nothing
	linux/census --check ${2:-} "$1" >"$work/log"
}

# unbracketed TREE PRISTINE: bracketed rows whose function lacks begin or end, or
# whose check for walks from interrupts is not where the row says.
unbracketed() {
	local file name rest asks
	: >"$work/log"
	# shellcheck disable=SC2016 # backticks of the table
	sed -n 's/^| `.* | \([^ ]*\.c\) |\(.*\)\*\*bracketed\*\* in `\([a-z_]*\)` |.*/\1 \3 \2/p' docs/argue/walkers.md |
		while read -r file name rest; do
			grep -qs "\b$name(" "$2/$file" || continue # not in this kernel
			asks=''
			case $rest in
			*'asks `pt_walk_enter()` in `'*) asks=${rest#*asks*in \`} asks=${asks%%\`*} ;;
			*'asks `pt_walk_enter()`'*) asks=$name ;;
			esac
			awk -v name="$name" -v asks="$asks" '
				$0 ~ "^[a-z].*[ *]" name "\\(" { inside = 1 }
				asks != "" && $0 ~ "^[a-z].*[ *]" asks "\\(" { asking = 1 }
				asking && /pt_walk_enter\(/ { entered = 1 }
				asking && /pt_walk_exit\(/ { exited = entered }
				inside && /pt_walk_begin\(/ { begun = asks != name || entered }
				inside && /pt_walk_end\(/ { ended = begun }
				/^}/ { inside = asking = 0 }
				END { exit !(ended && (asks == "" || exited)) }
			' "$1/$file" || echo "$file: $name" >>"$work/log"
		done
	[ ! -s "$work/log" ]
}

for kernel in 6.12 7.3; do
	pristine=$(lab/fetch "$kernel")
	linux/graft --to "$work/$kernel" "$pristine" >/dev/null
	unlisted "$pristine" && r=0 || r=1
	came "$kernel: every possible walker is in the census" "$r"
	unbracketed "$work/$kernel" "$pristine" && r=0 || r=1
	came "$kernel: every walker is bracketed" "$r"
	unbracketed "$pristine" "$pristine" && r=1 || r=0
	came "$kernel: ... and the check sees it where they are not" "$r"
	sed -i 's/if (pt_walk_enter())/if (true)/' "$work/$kernel/mm/gup.c"
	unbracketed "$work/$kernel" "$pristine" && r=1 || r=0
	grep -qx 'mm/gup.c: gup_fast' "$work/log" || r=1
	came "$kernel: ... and where GUP-fast of interrupts does not ask" "$r"
done

# A walker that somebody adds; one that steps in another file; one in a header.
mkdir -p "$work/new/mm" "$work/new/include/linux"
cp "$pristine/mm/gup.c" "$work/new/mm/"
cat >"$work/new/mm/walk.c" <<'END'
static int somebody_walks(struct mm_struct *mm, unsigned long addr)
{
	local_irq_disable();
	return pgd_none(*pgd_offset(mm, addr));
}
END
cat >"$work/new/mm/helper.c" <<'END'
int helper_steps(struct mm_struct *mm, unsigned long addr)
{
	return pgd_none(*pgd_offset(mm, addr));
}
END
cat >"$work/new/include/linux/between.h" <<'END'
static inline int between(struct mm_struct *mm, unsigned long addr)
{
	return helper_steps(mm, addr);
}
END
cat >"$work/new/mm/caller.c" <<'END'
int caller_masks(struct mm_struct *mm, unsigned long addr)
{
	int ret;

	local_irq_disable();
	ret = between(mm, addr);
	local_irq_enable();
	return ret;
}
END
unlisted "$work/new" && r=1 || r=0
grep -q 'mm/walk.c 1 somebody_walks file' "$work/log" || r=1
came 'a new walker is noticed' "$r"
unlisted "$work/new" --calls && r=1 || r=0
grep -q 'mm/helper.c 1 helper_steps caller_masks' "$work/log" || r=1
came '... and one that steps in another file, called by way of a header' "$r"
finish
