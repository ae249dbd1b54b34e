#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# Every command that README gives, as it is written there: up to where a kernel
# would be built or booted, in a copy of the tree whose scripts for that only say
# what was asked of them. The test that does the rest is named beside it.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export OUT=${OUT:-$PWD/build/cli}
make -s -C cli OUT="$OUT" >&2

# The commands of FILE's code blocks, without what is said of them.
commands() {
	sed -nE 's/^    ((make|quell) [a-z-]+|(lab|linux|live|proofs|cli|packaging|\.ci)\/[a-z\/-]+)( .*)?$/\1\4/p' "$1" |
		sed -E 's/ +# .*//; s/ +$//'
}

# COMMAND | what it comes to | the test that goes all the way | what stands in that test
table() {
	sed 's/ *| */|/g' <<'END'
make install                           | lab/need cli                                              | lab/tests/fresh.sh            | make install && quell --version
quell top                              | needs root                                                | cli/tests/screen.sh           | quell top -c all
quell top --what all                   | needs root                                                | cli/tests/perf-witness.sh     | --what all
quell check                            |                                                           | cli/tests/check.sh            | run --fix
make run-live                          | lab/boot .*--cpus 64 --isolated 4 .*quell_live.ko         | live/tests/quiet.sh           | live/run --path
make deb                               | dpkg-buildpackage -us -uc -b                              | packaging/tests/packages.sh   | packaging/build
make kernel-deb KERNEL=6.12            | live/headers 6.12-image                                   | packaging/tests/kernel-deb.sh | packaging/kernel "$kernel"
make series KERNEL=6.12                | linux/series --check .*/linux-6.12.999 build/series-6.12.999 | linux/tests/series.sh      | linux/series --check
linux/graft ~/src/linux                | Linux 9.9: nobody has tried it                            | linux/tests/graft.sh          | linux/graft --to
make run                               | lab/boot .*--cpus 64 --isolated 4                         | lab/tests/counts-64.sh        | QUELL_TEST_CPUS=64
make run KERNEL=7.3 CPUS=32            | lab/build .* 7.3 lab/.*lab/boot .*--cpus 32 --isolated 4 | lab/tests/newest.sh | lab/run --kernel 7
make run STOCK=1                       | lab/build --stock .* 6.12 lab/boot .*--cpus 64            | linux/tests/quiet.sh          | lab/quiet --kernel
make run STOCK=debian                  | lab/debian-image 6.12 lab/boot .*--cpus 64                | lab/tests/stock.sh            | --debian --cpus 64
make quiet                             | lab/build --stock .* 6.12 lab/guest-module .*lab/boot .*--cpus 8 --isolated 4 | linux/tests/quiet.sh | lab/quiet --kernel
make scale                             | lab/boot .*--cpus 8 --isolated 0                          | lab/tests/fresh.sh            | make scale
make reproduce                         | lab/fetch 6.12 .*lab/boot                                 | lab/tests/reproduce.sh        | lab/reproduce
make test                              | lab/test quick                                            | lab/tests/fresh.sh            | make test
lab/selftests                          | lab/fetch 6.12                                            | lab/tests/selftests.sh        | if lab/selftests
lab/run --tlbsan --image arch/x86/boot/bzImage | lab/boot --tlbsan --kernel arch/x86/boot/bzImage  | lab/tlbsan/tests/kernels.sh   | run "quell-
lab/run --tlbsan --stock --kernel 7.3  | lab/build --stock .* 7.3 lab/boot --tlbsan                | lab/tlbsan/tests/kernels.sh   | lab/build --stock "$1"
END
}

# The copy. What a script was asked is a line of $tmp/asked.
copy=$tmp/quell home=$tmp/home/src/linux
mkdir -p "$copy/arch/x86/boot" "$home/mm" "$tmp/bin"
git ls-files -z -co --exclude-standard | while IFS= read -rd '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
	xargs -0 cp --parents -t "$copy"
says() { # SCRIPT WHAT-IT-DOES-THEN
	printf '#!/bin/bash\necho "%s $*" >>"%s"\n%s\n' "${1#"$copy"/}" "$tmp/asked" "$2" >"$1"
	chmod 755 "$1"
}
sed -i 's/^\([a-z0-9-]*:\).*/\1/' "$copy/lab/packages"
for script in lab/need lab/boot lab/test linux/series; do says "$copy/$script" 'exit 1'; done
# shellcheck disable=SC2016 # theirs
says "$copy/lab/fetch" 'echo "/nowhere/linux-${1/7.3/7.3.999}" | sed s/6.12$/6.12.999/'
# shellcheck disable=SC2016
says "$copy/lab/debian-image" "echo $tmp/vmlinuz-\$1-image"
says "$copy/lab/build" "echo $tmp"
says "$copy/lab/guest-module" "echo $tmp/module.ko"
says "$copy/live/headers" "echo $tmp"
says "$copy/live/build" ''
says "$copy/lab/guest-programs" 'exit 1'
says "$tmp/bin/dpkg-buildpackage" 'exit 1'
touch "$copy/arch/x86/boot/bzImage" "$home/mm/mmu_gather.c" "$tmp/.config"
for tool in spatch patch perl git; do command -v $tool >/dev/null || ln -s /bin/true "$tmp/bin/$tool"; done
printf 'VERSION = 9\nPATCHLEVEL = 9\n' >"$home/Makefile"
install -m 755 "$OUT/quell" "$tmp/bin/quell"
chmod 755 "$tmp" "$tmp/bin"

# comes_to COMMAND PATTERN: as nobody, if it is quell's, who may look and no more.
comes_to() {
	local status=0 as=()
	: >"$tmp/asked"
	case $1 in quell*) [ "$(id -u)" != 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups) ;; esac
	(cd "$copy" && env -u MAKEFLAGS -u MAKELEVEL -u KERNEL -u CPUS -u ISOLATED -u STOCK -u CONFIG -u SIZES -u ONLY \
		-u SECONDS HOME="$tmp/home" QUELL_CACHE="$tmp/cache" PATH="$tmp/bin:$PATH" \
		timeout 120 ${as[@]+"${as[@]}"} bash -c "$1") >"$tmp/out" 2>&1 </dev/null || status=$?
	cat "$tmp/asked" >>"$tmp/out"
	[ "$status" != 124 ] && tr '\n' ' ' <"$tmp/out" | grep -qE -- "$2 ?"
}

while IFS='|' read -r command pattern script inside; do
	if comes_to "$command" "$pattern"; then ok "$command"; else not_ok "$command" "wanted: $pattern" "$(tail -n 5 "$tmp/out")"; fi
	check "  the rest: $script" grep -qF -- "$inside" "$script"
done < <(table)

unknown() { commands "$1" | sort -u | grep -vxFf <(table | cut -d'|' -f1) || true; }
none=$(unknown README.md)
check "README gives no other command${none:+: $none}" [ -z "$none" ]
check "and all of these" [ -z "$(table | cut -d'|' -f1 | grep -vxFf <(commands README.md))" ]
printf 'text\n\n    make run                  # here\n    quell frobnicate -x   # there\n' >"$tmp/page.md"
check "a command that nobody tests is found" [ "$(unknown "$tmp/page.md")" = 'quell frobnicate -x' ]

# Those within a sentence: the subcommand, its options and the target exist.
wrong='' targets=$(make -s help)
# shellcheck disable=SC2016 # quotes of Markdown
while read -r quell sub rest; do
	if [ "$quell" = make ]; then
		grep -qE "^make $sub( |\$)" <<<"$targets" || wrong+=" make $sub;"
		continue
	fi
	help=$("$OUT/quell" "$sub" --help 2>/dev/null) || { wrong+=" quell $sub;"; continue; }
	for word in $rest; do
		case $word in -*) grep -qE -- "(^|[ ,])$word([ ,=]|\$)" <<<"$help" || wrong+=" quell $sub $word;" ;; esac
	done
done < <(grep -oE '`(quell|make) [a-z-]+[^`]*`' README.md | tr -d '`' | sort -u)
check "commands within sentences are commands${wrong:+:$wrong}" [ -z "$wrong" ]
finish
