#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test: long
# quell top as a person sees it, in a terminal of many sizes, among tasks whose
# names want to do harm; its keys; and what it writes where nobody looks.
# Wants a kernel that can trace IPIs here, on this machine.
set -eu
cd "$(dirname "$0")/../.."
lab/need cli-test screen
. testlib/tap.sh
. cli/tests/native.sh
native "a screen"
tmux() { command tmux -L "quell-test-$$" -f /dev/null "$@"; }
put_away() { tmux kill-server 2>/dev/null || true; }
program names
program collapse
background "$tmp/names" 100000
background "$tmp/collapse"
collapse=$!
# A file's name becomes its task's: this one sets the terminal's title.
cp "$tmp/names" "$tmp/"$'\e]2;PWNED\a'
background "$tmp/"$'\e]2;PWNED\a' 0

shown() { tmux capture-pane -p; }
# becomes PATTERN: within some seconds the screen has it.
becomes() {
	local _
	for _ in $(seq 100); do
		shown >"$tmp/screen" 2>/dev/null && grep -Eq -- "$1" "$tmp/screen" && return
		sleep 0.1
	done
	cat "$tmp/screen"
	return 1
}
gone() {
	local _
	for _ in $(seq 100); do
		shown >"$tmp/screen" && ! grep -Eq -- "$1" "$tmp/screen" && return
		sleep 0.1
	done
	return 1
}
# within_10s COMMAND...: it comes to hold for what is shown.
within_10s() {
	local _
	for _ in $(seq 100); do
		shown >"$tmp/screen" && "$@" && return
		sleep 0.1
	done
	cat "$tmp/screen"
	return 1
}

tmux new-session -d -x 100 -y 30 "PS1='ready> ' TERM=screen LC_ALL=C sh"
title=$(tmux display -p '#{pane_title}')
tmux send-keys "stty -g >$tmp/stty1; $PWD/build/cli/quell top -c all -i 300ms; stty -g >$tmp/stty2; echo ended \$?" Enter
check "a table appears" becomes '^ *[0-9.]+ +[0-9,]+ .* (membarrier|timer|local timer|tick)'
check "with an alternate screen" test "$(tmux display -p '#{alternate_on}')" = 1
check "and the keys below" becomes '^q quit'

# Every line of the table fits, header and first rows stay, nothing wraps: the
# first line begins the title and no line begins within another.
fits() { # COLUMNS ROWS
	[[ $(head -n 1 "$tmp/screen") = "$(printf 'quell top: CPUs' | cut -c "1-$(($1 - 1))")"* ]] || return
	# With room for it, a head and at least one row of numbers, each on its line.
	[ "$2" -lt 4 ] || grep -Eq '^ +PER S' "$tmp/screen" || return
	[ "$2" -lt 4 ] || [ "$(grep -Ec '^ *[0-9]+\.[0-9] ' "$tmp/screen")" -ge 1 ] || return
	# What is no title, head, row or line of keys has been wrapped.
	! tail -n +4 "$tmp/screen" | grep -Evq '^ *[0-9]+\.[0-9~]|^ +PER S|^q quit|^ *$'
}
for size in 250x60 132x43 100x30 80x24 79x12 60x10 40x8 30x6 20x4 12x3 10x2 4x1; do
	tmux resize-window -x "${size%x*}" -y "${size#*x}"
	# It draws anew when it hears of that, and at its next look.
	check "fits $size" within_10s fits "${size%x*}" "${size#*x}"
done
tmux resize-window -x 160 -y 40
within_10s fits 160 40 || true
check "no title was set by a task" test "$(tmux display -p '#{pane_title}')" = "$title"
check "nor a line begun" eval "! grep -q '^[0-9]* *\$' <(tail -n +5 '$tmp/screen' | grep .)"
check "evil names are visible" becomes 'x1b\]2;PWNED'
# Yellow is what quell avoids. Each row as it is shown, after 1 if it is yellow.
rows() {
	tmux capture-pane -pe | awk '{
		line = $0; plain = ""; first = ""
		while (match(line, /\033\[[0-9;]*m/)) {
			text = substr(line, 1, RSTART - 1); plain = plain text
			if (first == "" && text ~ /[^ ]/) first = yellow + 0
			code = ";" substr(line, RSTART + 2, RLENGTH - 3) ";"
			line = substr(line, RSTART + RLENGTH)
			if (code ~ /;33;/) yellow = 1
			else if (code ~ /;(0|39)?;/) yellow = 0
		}
		if (first == "") first = yellow + 0
		if ((plain line) ~ /^ *[0-9,]+\.[0-9] /) print first, plain line
	}' >"$tmp/rows"
}
avoided() { rows; grep -q '^1 .* \* page-table sync ' "$tmp/rows" && ! grep -v '^1 .* \* ' "$tmp/rows"; }
others() { rows; grep -q '^0 ' "$tmp/rows" && ! grep -e '^1' "$tmp/rows" | grep -v ' \* ' && ! grep '^0.* \* ' "$tmp/rows"; }
if kill -0 "$collapse" 2>/dev/null; then
	tmux send-keys a
	check "what quell avoids is yellow" within_10s avoided
	tmux send-keys a
else
	skip "what quell avoids is yellow" "no large page can be made here"
fi
check "and nothing else" within_10s others

tmux send-keys s
check "s sorts by the next" becomes 'sort: count'
tmux send-keys c
check "c shows CPUs" becomes '^CPU +PER S'
tmux send-keys c
check "and sources again" becomes '^ +PER S'
tmux send-keys '?'
check "? helps" becomes 'pause, and go on'
tmux send-keys '?'
check "and goes away" gone 'pause, and go on'
tmux send-keys / membarrier Enter
check "/ filters" becomes 'only /membarrier'
only_that() {
	grep -Eq '^ *[0-9]+\.[0-9] .*membarrier' "$tmp/screen" &&
		! grep -E '^ *[0-9]+\.[0-9] ' "$tmp/screen" | grep -qv membarrier
}
check "and leaves nothing but that" within_10s only_that
tmux send-keys / zzz Enter
check "a filter for nothing leaves no row" gone '^ *[0-9]+\.[0-9] '
tmux send-keys Escape
check "Escape takes it back" becomes '^ *[0-9]+\.[0-9] '
tmux send-keys p
check "p pauses" becomes PAUSED
one=$(head -n 2 "$tmp/screen")
sleep 1
two=$(shown | head -n 2)
check "and nothing moves" test "$one" = "$two"
tmux send-keys p
check "and goes on" gone PAUSED
tmux send-keys C-z
check "^Z gives the terminal back" becomes 'ready> *$'
tmux send-keys "fg" Enter
check "and fg has the table again" becomes '^q quit'
tmux send-keys q
check "q quits, with status 0" becomes '^ended 0'
check "the screen is gone" test "$(tmux display -p '#{alternate_on}')" = 0
check "the terminal is as it was" cmp "$tmp/stty1" "$tmp/stty2"

tmux send-keys "clear; $PWD/build/cli/quell top -c all -i 300ms -n 2; echo \"over \$?\"" Enter
check "-n ends by itself" becomes '^over 0'
tmux capture-pane -pS -500 >"$tmp/screen"
check "and leaves its last table behind" eval "grep -q '^ *PER S' '$tmp/screen' && grep -Eq '^ *[0-9]+\.[0-9] ' '$tmp/screen'"
tmux send-keys "clear; NO_COLOR=1 $PWD/build/cli/quell top -c all -i 300ms" Enter
check "NO_COLOR has a table" becomes '^q quit'
check "and no colour" eval "! tmux capture-pane -pe | grep -q \$'\e\[[0-9;]*3[0-9]'"
tmux send-keys C-c
check "^C ends it" becomes 'ready> *$'

# --- not on a terminal
kill "${pids[@]}"
wait "${pids[@]}" 2>/dev/null || true
pids=()
build/cli/quell top -c all -i 200ms -n 4 >"$tmp/plain"
check "elsewhere there are no escapes" eval "! grep -q \$'\e' '$tmp/plain' && grep -q '^ *PER S' '$tmp/plain'"
check "and no row of zero" eval "! grep -Eq '^ +0\.0 ' '$tmp/plain'"
status=0
build/cli/quell top -c all -i 100ms -n 3 >/dev/full 2>"$tmp/err" || status=$?
check "a full disk is an error" eval "[ $status = 1 ] && grep -q 'standard output' '$tmp/err' && [ \$(wc -l <'$tmp/err') = 1 ]"
finish
