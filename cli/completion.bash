# SPDX-License-Identifier: GPL-2.0
# completion.bash: bash completion for quell(1).

_quell() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]:-} options='' i
	local commands='status check top record watch test report diff export serve explain'

	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands --help --version" -- "$cur")
		return
	fi
	# Behind "--" record takes any command.
	if [ "$command" = record ]; then
		for ((i = 2; i < COMP_CWORD; i++)); do
			[ "${COMP_WORDS[i]}" = -- ] || continue
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			return
		done
	fi
	case $prev in
	--root | --dump)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return ;;
	-c | --cpus)
		mapfile -t COMPREPLY < <(compgen -W "all $(cat /sys/devices/system/cpu/isolated 2>/dev/null)" -- "$cur")
		return ;;
	-s | --sort)
		[ "$command" != top ] || {
			mapfile -t COMPREPLY < <(compgen -W 'rate count cause time' -- "$cur")
			return
		} ;;
	-w | --what)
		mapfile -t COMPREPLY < <(compgen -W 'all timer softirq irq sched timer,sched' -- "$cur")
		return ;;
	-g | --group)
		mapfile -t COMPREPLY < <(compgen -g -- "$cur")
		return ;;
	-o | --output | -t | --textfile | --junit | --attach | --socket)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	-d | --duration | --over | --keep | --after | --pause | --marker | --dumps | --from | --to | --longer | --task | --sender | --victim | -i | --interval | -n | --count | --buffer | -l | --listen)
		return ;;
	esac
	case $command in
	status) options='--json' ;;
	check) options='--cpus --fix --tuned --json --root' ;;
	top) options='--cpus --interval --count --sort --avoidable --by-cpu --sender --victim --what --buffer --attach --alone' ;;
	record) options='--output --cpus --duration --what --buffer --max-size --keep --quiet --sender --victim --' ;;
	watch) options='--over --marker --keep --after --dump --dumps --pause --then --count --duration --cpus --what --buffer' ;;
	test) options='--max --duration --json --junit --what --cpus --buffer' ;;
	report) options='--json --svg --stacks --events --perfetto --from --to --cpus --cause --task --longer --sender --victim --output' ;;
	diff) options='--json --rate --counts' ;;
	export) options='--listen --textfile --interval --duration --cpus --what --buffer --series --labels --sender --victim --attach --alone' ;;
	serve) options='--socket --group --duration --cpus --what --buffer' ;;
	explain) options="--json $(quell explain 2>/dev/null | awk 'NF > 1 { print $1 }') CAL TLB RES LOC IWI NMI MCP" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$options --help" -- "$cur")
	case $command in
	report | diff)
		[[ $cur = -* ]] || mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	esac
}
complete -F _quell quell
