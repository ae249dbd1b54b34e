#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# What `make install` puts where, a man page without complaints, a completion
# that completes, and the static build the lab's guests run.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
make -s -C cli install DESTDIR="$tmp" PREFIX=/usr >&2
check "the command is installed and runs" "$tmp/usr/bin/quell" --version
version=$("$tmp/usr/bin/quell" --version)
check "one version: the command's, the man page's, the newest of CHANGELOG.md" test \
	"$version $version" = "$(sed -n '/^\.TH/s/.*"\(quell [^"]*\)".*/\1/p' cli/quell.1) $(
		sed -n 's/^## \([0-9.]*\).*/quell \1/p' CHANGELOG.md | head -n 1)"
check "the man page is" test -s "$tmp/usr/share/man/man1/quell.1"
check "and so is the completion" test -s "$tmp/usr/share/bash-completion/completions/quell"

if command -v man >/dev/null; then
	complaints=$(man --warnings -l -Tutf8 cli/quell.1 2>&1 >/dev/null) || complaints=${complaints:-failed}
	check "the man page is well formed" test -z "$complaints"
else
	skip "the man page is well formed" "no man here"
fi
for code in 0 1 2 3 4 5 6; do
	grep -qx "\.B $code" cli/quell.1 || { not_ok "exit status $code is documented"; continue; }
	ok "exit status $code is documented"
done
# Every long option of every subcommand is completed and in the man page.
missing='' options=0
for command in status check top record report diff export explain; do
	for option in $("$tmp/usr/bin/quell" $command --help | grep -oE -e '--[a-z-]{3,}' | sort -u); do
		options=$((options + 1))
		grep -q -e "$option" cli/completion.bash || missing+=" $command:$option"
	done
done
check "every one of $options options is completed:$missing" test -z "$missing" -a "$options" -ge 20

complete() { # the words so far; prints what bash would offer
	bash -c '. cli/completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _quell; echo "${COMPREPLY[*]}"' _ "$@"
}
check "commands are completed" test "$(complete quell re)" = 'record report'
check "options are completed" test "$(complete quell diff --r)" = '--rate'
check "a command behind -- is completed" grep -qw true <<<"$(complete quell record -o x -- tru)"

make -s -C cli quell-static >&2 2>/dev/null
check "the static build needs no library" grep -q 'not a dynamic executable\|statically' <<<"$(ldd build/cli/quell-static 2>&1 || true)"
check "and runs" build/cli/quell-static explain pt_sync
make -s -C cli uninstall DESTDIR="$tmp" PREFIX=/usr >&2
check "uninstall leaves nothing" test -z "$(find "$tmp" -type f)"
finish
