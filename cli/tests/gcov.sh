# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# What of the command's lines was run, by gcov; for cli/tests/coverage*.sh.

coverage='-O0 -g --coverage'

# lines_run DIR >FILE: of each source in cli/, "PERCENT RUN ALL FILE", the least
# first. Two programs are made of most sources: a line counts if it ran in any.
lines_run() {
	(cd cli && find "$1" -name '*.gcda' -exec gcov -t {} + 2>"$1/gcov.log") | awk -F: '
		$2 + 0 == 0 { if ($3 == "Source") file = $4; next }
		file ~ /^(\/|tests\/)/ || file !~ /\.c$/ { next }
		{
			count = $1
			gsub(/ /, "", count)
			if (count == "-")
				next
			line = file SUBSEP $2
			if (!seen[line]++)
				of[file]++
			if (count !~ /^[#=]/ && !hit[line]++)
				run[file]++
		}
		END { for (file in of) printf "%d %d %d %s\n", 100 * run[file] / of[file], run[file], of[file], file }' |
		sort -n
}

# told FILE LEAST: prints the figure and who is behind it, and checks that it is
# no less.
told() {
	local percent run all
	read -r percent run all < <(awk '{ r += $2; n += $3 } END { printf "%d %d %d\n", n ? 100 * r / n : 0, r, n }' "$1")
	# Not only among the results: lab/test shows what comes this way.
	echo "coverage: $percent % of the command's lines, $run of $all" >&2
	echo "# $percent % of the lines are run, $run of $all; least of:"
	awk '$3 >= 20 && n++ < 8 { printf "# %4d %% of %4d  %s\n", $1, $3, $4 }' "$1"
	check "at least $2 % of the lines are run" [ "$percent" -ge "$2" ]
}
