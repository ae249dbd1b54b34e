#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick
# lab/test itself goes red for a test that dies, lies about its plan, or goes
# missing by a slip; the last line counts what was skipped. And lab/packages:
# groups, groups of groups, names that are listed twice.
set -eu
cd "$(dirname "$0")/../.."
. testlib/tap.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/lab/tests"
cp lab/test lab/lib.sh lab/options.sh "$tmp/lab"
printf '%s\n' 'test:' 'test-long: @test' >"$tmp/lab/packages"

# script NAME: a test that prints what stdin says.
script() {
	{ printf '#!/bin/sh\n# test: quick\n'; cat; } >"$tmp/lab/tests/$1.sh"
	chmod +x "$tmp/lab/tests/$1.sh"
}
# ends STATUS WHAT PATTERN...: lab/test quick, of what is there; then all is
# removed. The last pattern is the whole last line.
ends() {
	local want=$1 what=$2 status=0 pattern wrong=''
	shift 2
	"$tmp/lab/test" quick >"$tmp/out" 2>"$tmp/err" || status=$?
	[ "$status" = "$want" ] || wrong="status $status, wanted $want"
	for pattern; do grep -qE "$pattern" "$tmp/out" || wrong+=" no line: $pattern"; done
	tail -n 1 "$tmp/out" | grep -qxE "$pattern" || wrong+=" last line: $(tail -n 1 "$tmp/out")"
	if [ -z "$wrong" ]; then ok "$what"; else not_ok "$what" "$wrong" "$(cat "$tmp/out")"; fi
	rm -f "$tmp"/lab/tests/*.sh
}

script good <<<'echo "ok 1 - a"; echo "ok 2 - b"; echo 1..2'
ends 0 "two that pass" '2 passed, 0 failed, 0 skipped'
script good <<<'echo "ok 1 - a"; echo "ok 2 - b # SKIP no root"; echo 1..2'
ends 0 "a skip is shown, and counted in the last line" '^  ok 2 - b # SKIP no root' '1 passed, 0 failed, 1 skipped'
script bad <<<'echo "not ok 1 - a"; echo "# why"; echo 1..1'
ends 1 "one that fails, with its reason" '^  # why' '0 passed, 1 failed, 0 skipped'
script bad <<<'echo "ok 1 - a"; echo 1..1; exit 3'
ends 1 "a script that ends with an error" 'ended with status 3' '1 passed, 1 failed, 0 skipped'
script bad <<<'echo "ok 1 - a"'
ends 1 "one without a plan" 'ran 1 of an unknown number' '1 passed, 1 failed, 0 skipped'
script bad <<<'echo "ok 1 - a"; echo 1..2'
ends 1 "one that ran fewer than planned" 'ran 1 of 2' '1 passed, 1 failed, 0 skipped'
script bad <<<'echo 1..1; echo "ok 1 - a"; echo 1..1'
ends 1 "two plans" 'a second plan' '1 passed, 1 failed, 0 skipped'
script bad <<<'echo "ok 1 - a"; echo "ok 1 - b"; echo 1..2'
ends 1 "numbers that do not count up" 'test 1 is the 2. one' '2 passed, 1 failed, 0 skipped'
script bad <<<'echo 1..0'
ends 1 "a plan of no test" 'planned no test' '0 passed, 1 failed, 0 skipped'
script bad <<<'echo "1..0 # SKIP"'
ends 1 "a plan of no test for no reason" 'planned no test' '0 passed, 1 failed, 0 skipped'
script skipped <<<'echo "1..0 # SKIP no network"'
ends 0 "a script that skips all it has says why" '1..0 # SKIP no network' '0 passed, 0 failed, 1 skipped'
script bad <<<'echo "ok 1 - a"; echo "Bail out! no more"; echo 1..1'
ends 1 "one that bails out" 'Bail out! no more' '1 passed, 1 failed, 0 skipped'
for line in '# test: qiuck' '#test: quick' '# tests: quick' '# test: quick, or so' 'true'; do
	script good <<<'echo "ok 1 - a"; echo 1..1'
	script mistyped <<<'echo "ok 1 - a"; echo 1..1'
	sed -i "s/^# test: quick/$line/" "$tmp/lab/tests/mistyped.sh"
	ends 1 "a script that says '$line'" 'mistyped.sh: not ok: among its first' '1 passed, 1 failed, 0 skipped'
done
script good <<<'echo "ok 1 - a"; echo 1..1'
script unexecutable <<<'echo "ok 1 - a"; echo 1..1'
chmod -x "$tmp/lab/tests/unexecutable.sh"
ends 1 "a script that cannot be executed" 'unexecutable.sh: not ok' '1 passed, 1 failed, 0 skipped'
script good <<<'echo "ok 1 - a"; echo 1..1'
echo '# sourced by others' >"$tmp/lab/tests/sourced.sh"
ends 0 "what is sourced is no script" '1 passed, 0 failed, 0 skipped'
ends 1 "no test at all" '0 passed, 1 failed, 0 skipped'
for n in 1 2 3 4 5 6; do script "s$n" <<<"$([ $n != 6 ] || echo sleep 3); echo 'ok 1 - a'; echo 1..1"; done
"$tmp/lab/test" quick >"$tmp/out" 2>/dev/null || :
check "the slowest comes first" grep -q '^ *[1-9]s lab/tests/s6.sh$' \
	<<<"$(grep -A 1 '^the slowest' "$tmp/out")"
check "of five" test "$(grep -c '^ *[0-9]*s lab/tests/s' "$tmp/out")" = 5

# Two that wait for each other, quick ones and long ones, and some that mind being
# disturbed.
rm -f "$tmp"/lab/tests/*.sh
for kind in quick long; do
	for n in 1 2; do
		script "beside-$kind$n" <<-END
			: >"$tmp/$kind$n"
			for i in \$(seq 600); do [ ! -e "$tmp/$kind$((3 - n))" ] || break; sleep 0.1; done
			[ -e "$tmp/$kind$((3 - n))" ] && echo "ok 1 - a" || echo "not ok 1 - a"
			echo 1..1
		END
		sed -i "s/^# test: quick/# test: $kind beside/" "$tmp/lab/tests/beside-$kind$n.sh"
	done
done
script alone <<<"[ ! -e '$tmp/quick1' ] && [ ! -e '$tmp/quick2' ] && echo 'ok 1 - a'; echo 1..1"
script last <<<"[ -e '$tmp/quick1' ] && [ -e '$tmp/quick2' ] && [ ! -e '$tmp/long1' ] && [ ! -e '$tmp/long2' ] && echo 'ok 1 - a'; echo 1..1"
sed -i 's/^# test: quick/# test: long/' "$tmp/lab/tests/last.sh"
cat >"$tmp/lab/build" <<-END
	#!/bin/sh
	echo "\$@" >>"$tmp/built"
	[ "\$1" != 7 ]
END
chmod +x "$tmp/lab/build"
"$tmp/lab/test" all >"$tmp/out" 2>&1 || :
check "what may run beside others does, after those of its kind that do not" \
	grep -qx '6 passed, 0 failed, 0 skipped' "$tmp/out"
check "kernels are built meanwhile, all of them, whatever comes of one" \
	[ "$(paste -sd, "$tmp/built")" = '7,--config base,debug 6.12' ]
rm "$tmp/built"
"$tmp/lab/test" all lab/tests/last.sh >/dev/null 2>&1 || :
check "but not for a script that is named" [ ! -e "$tmp/built" ]
printf '#!/bin/sh\nexec sleep 987654\n' >"$tmp/lab/build"
timeout -s INT 5 "$tmp/lab/test" all >/dev/null 2>&1 || :
gone() { for _ in $(seq 50); do pgrep -f 'sleep 987654' >/dev/null || return 0; sleep 0.1; done; return 1; }
check "and end with who breaks it off" gone
rm -f "$tmp/quick"? "$tmp/long"? "$tmp/built"
"$tmp/lab/test" quick >"$tmp/out" 2>&1 || :
check "quick ones without the long" grep -qx '3 passed, 0 failed, 0 skipped' "$tmp/out"
check "and without those kernels" [ ! -e "$tmp/built" ]
rm -f "$tmp/quick"? "$tmp/long"? "$tmp/lab/tests/last.sh"
"$tmp/lab/test" long >"$tmp/out" 2>&1 || :
check "and the long without the quick" grep -qx '2 passed, 0 failed, 0 skipped' "$tmp/out"
rm -f "$tmp"/lab/tests/*.sh
script beside1 <<<'echo "not ok 1 - a"; echo 1..1'
sed -i 's/^# test: quick/& beside/' "$tmp/lab/tests/beside1.sh"
script beside2 <<<'echo "ok 1 - a"; echo 1..1'
ends 1 "one of them that fails is counted" '^lab/tests/beside1.sh: 0 passed, 1 failed' '1 passed, 1 failed, 0 skipped'

# groups LINE...: what lab/packages with these lines has for the group `all`.
groups() { printf '%s\n' "$@" >"$tmp/lab/packages"; (. "$tmp/lab/lib.sh" && packages_of all | tr '\n' ' '); }
QUELL_CACHE=$tmp/cache
check "packages of a group" test "$(groups 'all: a b' 'allx: c')" = 'a b '
check "each once, from several lines" test "$(groups 'all: a b a' 'all: b c')" = 'a b c '
check "groups of groups, even in a ring" test "$(groups 'all: a @one' 'one: b @two' 'two: a c @all')" = 'a b c '
printf '%s\n' '# a comment' 'all: quell-no-such @one' 'one: quell-no-such quell-nor-this' >"$tmp/lab/packages"
nobody=()
[ "$(id -u)" != 0 ] || nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
cp lab/need "$tmp/lab"
chmod -R a+rX "$tmp"
refuses "all that is missing, each once, in a line" 'apt-get install quell-no-such quell-nor-this$' \
	env QUELL_CACHE="$tmp/cache" ${nobody[@]+"${nobody[@]}"} "$tmp/lab/need" all
refuses "a group that is not there" "no group 'oen'" "$tmp/lab/need" oen
echo 'all: @oen' >"$tmp/lab/packages"
refuses "nor one in a group" "no group 'oen'" "$tmp/lab/need" all

# What all other scripts of the lab are made of: tap.sh.
says() { # WHAT VERDICT COMMAND...: a check or a refusal, judged so
	local got
	got=$(tests=0; "${@:3}" | head -n 1)
	if [[ $got == "$2 1 - it"* ]]; then ok "$1"; else not_ok "$1" "$got"; fi
}
says "check: a command that succeeds" ok check it true
says "check: one that fails" 'not ok' check it false
says "refuses: a failure with one line" ok refuses it 'wrong' sh -c 'echo this is wrong >&2; false'
says "refuses: not a success" 'not ok' refuses it 'wrong' sh -c 'echo this is wrong'
says "refuses: not a second line" 'not ok' refuses it 'wrong' sh -c 'echo this is wrong; echo and more; false'
says "refuses: not another line" 'not ok' refuses it 'wrong' sh -c 'echo this is odd; false'
finish
