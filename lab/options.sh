# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The options of a command. Sourced by bash scripts that have `usage`, which prints
# what --help does, and `die`, which ends with one line; lab/lib.sh has it.

# take_options OPTION... -- "$@"
# OPTION is `name`, whose value goes to the variable of that name; `name+`, whose
# values are added to an array; `name!`, a flag, whose variable is set to the
# name; and any of them with `=variable`. `@array` gets the words that are no
# options; without it there may be none.
take_options() {
	local option name variable words='' options=()
	while [ "$1" != -- ]; do
		case $1 in @*) words=${1#@} ;; *) options+=("$1") ;; esac
		shift
	done
	shift
	while [ $# -gt 0 ]; do
		[ "$1" != --help ] || { usage; exit 0; }
		for option in ${options[@]+"${options[@]}"}; do
			name=${option%%[+!=]*} variable=${option##*=}
			[ "$1" = "--$name" ] || continue
			[ "$variable" != "$option" ] || variable=$name
			case $option in
			*!*) printf -v "$variable" %s "$name"; shift; continue 2 ;;
			esac
			[ $# -ge 2 ] || die "$1 wants a value"
			case $option in
			*+*) eval "$variable+=(\"\$2\")" ;;
			*) printf -v "$variable" %s "$2" ;;
			esac
			shift 2
			continue 2
		done
		if [ -z "$words" ] || [[ $1 = -* ]]; then die "unknown option $1 (see --help)"; fi
		eval "$words+=(\"\$1\")"
		shift
	done
}
