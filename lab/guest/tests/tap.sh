#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# tap understands what the kernel's own tests print: TAP, and the two kinds of
# prose of those that do not speak it. It notices one that hangs or dies.
set -eu
cd "$(dirname "$0")/../../.."
lab/need guest report
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
make -s -C lab/guest OUT="$tmp/guest" "$tmp/guest/tap" >/dev/null

fake() { # the program, from stdin
	{ echo '#!/bin/sh'; cat; } >"$tmp/fake"
	chmod +x "$tmp/fake"
}
rows() { # every verdict and the end, of the program
	"$tmp/guest/tap" --timeout "${1:-20}" "$tmp/fake" >"$tmp/rows" || echo "tap: $?"
	jq -r 'if .verdict then "\(.verdict) \(.what)"
		elif .ended then "\(.ended): \(.pass)/\(.fail)/\(.skip)/\(.xfail)" else empty end' "$tmp/rows"
}
says() { # WHAT, and the rows wanted from stdin
	local wanted got
	wanted=$(cat)
	got=$(rows "${2:-20}")
	if [ "$got" = "$wanted" ]; then ok "$1"; else not_ok "$1" "wanted:" "$wanted" "got:" "$got"; fi
}

fake <<'END'
echo 'TAP version 13'
echo '1..5'
echo 'ok 1 - the first'
echo '# [RUN] of pages'
echo 'not ok 2 the second'
echo 'ok 3 # SKIP the third'
echo 'not ok 4 # XFAIL the fourth'
echo 'okay 5, is no verdict'
exit 1
END
says 'TAP' <<'END'
pass the first
fail of pages: the second
skip of pages: # SKIP the third
xfail of pages: # XFAIL the fourth
exit 1: 1/1/1/1
END

fake <<'END'
printf 'Run test: collapse (madvise:anon)\n'
printf 'Waiting........ \033[32mOK\033[0m\n'
printf '\rPage 1 of 2...\rPage 2 of 2... \033[31mFail\033[0m\n'
printf 'Testing move on anon... done\n'
printf 'Testing move on shmem... skipped [reason: none here]\n'
printf 'Testing poison on anon... failed [reason: 3 of 4]\n'
END
says 'prose, with colours and progress' <<'END'
pass collapse (madvise:anon): Waiting
fail collapse (madvise:anon): Page 2 of 2
pass collapse (madvise:anon): Testing move on anon
skip collapse (madvise:anon): Testing move on shmem
fail collapse (madvise:anon): Testing poison on anon
exit 0: 2/2/1/0
END

fake <<'END'
echo 'ok 1 before'
# One it leaves behind, holding its output, is not waited for.
sleep 30 &
sleep 30
END
says 'one that hangs' 3 <<'END'
tap: 1
pass before
timeout: 1/0/0/0
END
fake <<'END'
kill -SEGV $$
END
says 'one that is killed' <<'END'
signal 11: 0/0/0/0
END
rm "$tmp/fake"
says 'one that is not there' <<'END'
tap: 1
not run: no such program: 0/0/0/0
END
finish
