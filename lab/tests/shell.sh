#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: quick beside
# All shell of the repository passes shellcheck, every file names its licence,
# and none names a place of the machine it was written on.
set -eu
cd "$(dirname "$0")/../.."
lab/need shell
. testlib/tap.sh

scripts=()
while read -r file; do
	if [[ $file = *.sh ]] || head -n1 "$file" | grep -qE '^#!.*/(ba)?sh'; then scripts+=("$file"); fi
done < <(git ls-files | while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
for file in "${scripts[@]}"; do check "shellcheck $file" shellcheck "$file"; done

git ls-files -z | grep -zvxE 'LICENSE|lab/tests/words|.*\.(svg|png|jsonl)' >"${TMPDIR:-/tmp}/quell-files.$$"
trap 'rm -f "${TMPDIR:-/tmp}/quell-files.$$"' EXIT
# A README needs none, and text that hooks put into the kernel's files has theirs.
unlicensed=$(xargs -0 grep -L 'SPDX-License-Identifier: GPL-2.0' <"${TMPDIR:-/tmp}/quell-files.$$" |
	grep -vE '(^|/)(README|message|new)[^/]*$' || true)
if [ -z "$unlicensed" ]; then ok "every file names its licence"; else
	not_ok "every file names its licence" "$unlicensed"; fi
# Written so that this line does not find itself.
places='(^|[^[:alnum:]"}])/(work|ro[o]t)/|deb\.debi[a]n\.org|/tmp/q[u]ell'
named=$(xargs -0 grep -nE "$places" <"${TMPDIR:-/tmp}/quell-files.$$" || true)
if [ -z "$named" ]; then ok "no file names a machine's paths or a mirror"; else
	not_ok "no file names a machine's paths or a mirror" "$named"; fi

modes=$(git ls-files '*/tests/*.sh' | while read -r file; do
	[ -x "$file" ] || ! head -n 5 "$file" | grep -q '^# test: ' || echo "$file"
done)
if [ -z "$modes" ]; then ok "every test can be executed"; else
	not_ok "every test can be executed" "$modes"; fi

# Checks that cannot fail: `all` over what may be empty (say `length`, or that it
# may be), `// 0 ==`, which jq reads as `// (0 == ...)`, and `jq -e` of an output
# that may be nothing, with which jq 1.6 is content: `-en input | ...` or `-es`.
tests_of() { git ls-files '*/tests/*.sh' 'lab/*' live/run | grep -v '^lab/tests/shell.sh$'; }
# shellcheck disable=SC2016 # awk's
empty=$(tests_of | xargs awk '
	/(^|[^a-z_])all\(/ && (before $0) !~ /length|may be empty|empty where|type == "array"/ { print FILENAME ":" FNR ": " $0 }
	{ before = $0 }' || true)
if [ -z "$empty" ]; then ok "no check passes because it looks at nothing"; else
	not_ok "no check passes because it looks at nothing" "$empty"; fi
precedence=$(tests_of | xargs grep -nE '// *[0-9a-z"]+ *(==|!=|<|>)' || true)
if [ -z "$precedence" ]; then ok "no // before a comparison without parentheses"; else
	not_ok "no // before a comparison without parentheses" "$precedence"; fi
nothing=$(tests_of | xargs grep -nE 'jq (-[a-z]+ )*-[a-z]*e[a-z]*[ "]' | grep -vE 'jq (-[a-z]+ )*-[a-z]*[ns]' || true)
if [ -z "$nothing" ]; then ok "no jq -e is content with nothing"; else
	not_ok "no jq -e is content with nothing" "$nothing"; fi
# A mutant that no longer applies would be found missing hours later.
for tier in '' --kernel --fresh; do
	# shellcheck disable=SC2086 # an option or none
	check "every mutant${tier:+ of $tier} changes one line" lab/mutants --list $tier
done
finish
