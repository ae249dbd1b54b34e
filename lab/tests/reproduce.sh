#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# lab/reproduce without a boot: every file of lab/published gives a row whose
# figures fit its header, a row that fails takes nothing with it, and what was
# measured before stays as it was until a new row is whole.
set -eu
cd "$(dirname "$0")/../.."
lab/need reproduce
. testlib/tap.sh
. testlib/rows.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/bench" "$tmp/build/results"
cp -r lab "$tmp/"
table=$tmp/build/results/reproduce.jsonl

# In the place of kernels and machines: scripts that say what those would.
stub() { printf '#!/bin/bash\n%s\n' "$2" >"$tmp/$1"; chmod +x "$tmp/$1"; }
# shellcheck disable=SC2016 # theirs
{
	stub lab/fetch 'echo "/src/linux-${STUB_LINUX:-6.12.117}"'
	stub lab/build '[ -z "${STUB_BUILD:-}" ] || { echo "lab/build: no such kernel" >&2; exit 1; }; echo /build'
	stub lab/bench/gup-instructions 'printf "%s\n" "1	stock	100.0	+0.0	1.000" "1	quell, unbiased	101.0	+1.0	1.010"'
	stub lab/boot 'while [ $# -gt 0 ]; do [ "$1" != --plan ] || plan=$2; shift; done
	[ -z "${STUB_HANG:-}" ] || { touch "$STUB_HANG"; sleep 60; }
	[ -z "${STUB_BOOT:-}" ] || { echo "lab/boot: it broke" >&2; exit 1; }
	ns=(1000 300 2000 500)
	while read -r what rest; do
		case $what in
		kernel-flush)
			case $rest in
			getpid*) echo "{\"test\":\"getpid\",\"least\":52700,\"calls\":100,\"all\":200000}" ;;
			counters) echo "{\"test\":\"counters\",\"flushed_at_entry\":200000}" ;;
			esac ;;
		measure)
			n=0
			for s in $(sed "s/^--strategies \([^ ]*\).*/\1/; s/,/ /g" <<<"$rest"); do
				jq -cn --arg s "$s" --arg w "${rest##*-- }" --argjson ns "${ns[n]}" "{
					workload: (\$w | split(\" \")[0]), strategy: \$s, ops: 512, ns: \$ns, sync_ipis: 32256,
					call_ipis: 33000, tlb_ipis: 4096, isolated_ipis: 7, isolated_interruptions: 6,
					collapse_runs: 3, counters_agree: true} + ${STUB_ROW:-{\}}"
				n=$(((n + 1) % 4))
			done ;;
		esac
	done <"$plan"'
}
run() { (cd "$tmp" && "$tmp/lab/reproduce" "$@" >"$tmp/stdout" 2>"$tmp/stderr"); }
known=$(cd lab/published && echo *)
count=$(wc -w <<<"$known")

check "every result gives a row" run
check "and a line of sum at the end" grep -qE "^linux 6.12.117: $count results in build/results/reproduce.jsonl, [0-9]+s$" \
	<(tail -n 1 "$tmp/stdout")
rows=$table
claim "each with its name, its source, what was published, what can't be compared" \
	'length > 0 and all(.name != "" and .published != "" and .source != "" and .limits != "" and .linux == "6.12.117")'
claim "all that are known, each once" "map(.name) | sort == (\"$known\" | split(\" \"))"
claim "each with figures under every name of its header" \
	'all(.here | length > 0 and (map(keys) | unique | length == 1) and all(.[]; all(. != "")))'
claim "mainline and quell go by these names in each" \
	'length > 0 and all([.here[][], (.here[0] | keys[])] | map(strings) | any(test("mainline")) and any(test("quell")))'
claim "counts are per operation" '.[] | select(.name == "rcu") | .here |
	length == 20 and all(.["sync interrupts per collapse"] == 63)'
claim "time is relative to mainline in the same turn, with its spread" '.[] | select(.name == "rcu") | .here |
	(.[1]["time under the locks"] == "0.3 (0.3-0.3)") and (.[2]["time under the locks"] == "2 (2-2)")'
claim "a flush at every entry is counted" '.[] | select(.name == "kernel-flush") | .here |
	map(.["flushes per getpid"]) == [0, 1, 0]'

cp "$table" "$tmp/before"
# fails_with PATTERN ONLY: one line on stderr that matches, a sum that says it, the file as it was.
fails_with() {
	! run --only "$2" && [ "$(grep -vc '^.*: [0-9]* CPUs$' "$tmp/stderr")" = 1 ] && grep -qE "$1" "$tmp/stderr" &&
		tail -n 1 "$tmp/stdout" | grep -qE "^linux .*: 0 results .*; failed: $2$" && cmp "$tmp/before" "$table"
}
STUB_BUILD=1 check "a kernel that is missing" fails_with 'no such kernel' collapse
export STUB_ROW='{counters_agree: false}'
check "witnesses that disagree" fails_with 'collapse: the witnesses disagree' collapse
STUB_ROW='{ops: 0, unavailable: "no-huge-pages"}'
check "a workload that did nothing" fails_with 'fork-hugetlb: a workload did nothing: no-huge-pages' fork-hugetlb
unset STUB_ROW
stub_figures() { sed -i 's/^header=.*/header="one\\ttwo"/' "$tmp/lab/published/gup"; }
stub_figures
check "figures that do not fit their header" fails_with 'gup: figures that do not fit' gup
cp lab/published/gup "$tmp/lab/published/"
sed -i '/^source=/d' "$tmp/lab/published/gup"
check "a result without a source" fails_with 'gup sets no source' gup
# shellcheck disable=SC2016 # theirs
check "a result that fails leaves the others their rows" sh -c '! "$1/lab/reproduce" >"$1/stdout" 2>&1 &&
	tail -n 1 "$1/stdout" | grep -q "$2 results .*; failed: gup$"' sh "$tmp" $((count - 1))
cp lab/published/gup "$tmp/lab/published/"

STUB_LINUX=7.3.4 check "another kernel" run --only rcu --kernel 7
claim "has a row of its own beside the first" 'map(select(.name == "rcu") | .linux) | sort == ["6.12.117", "7.3.4"]'
check "the same again" run --only rcu
claim "takes the place of its predecessor" 'map(select(.name == "rcu")) | length == 2'
run --markdown
check "as a page: a heading for each row" test "$(grep -c '^## ' "$tmp/stdout")" = $((count + 1))
check "and a table under it" grep -qF '| CPUs | design | collapses | sync interrupts per collapse | call interrupts | time under the locks |' "$tmp/stdout"

cp "$table" "$tmp/before"
STUB_HANG=$tmp/hangs setsid "$tmp/lab/reproduce" --only rcu >/dev/null 2>&1 &
for _ in $(seq 100); do [ ! -e "$tmp/hangs" ] || break; sleep 0.1; done
kill -TERM -- "-$!"
status=0
wait $! || status=$?
check "ended in the middle: a status other than 0" [ "$status" != 0 ]
# shellcheck disable=SC2016
check "and the file is as it was, nothing beside it" sh -c 'cmp "$1" "$2" && [ "$(ls "$(dirname "$2")"/*.jsonl* | wc -l)" = 1 ]' \
	sh "$tmp/before" "$table"
finish
