# SPDX-License-Identifier: BSD-2-Clause
# Completion of keelctl(8) for bash.

_keelctl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= each

	case $before in
	-f | --options)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	-i | -n)
		COMPREPLY=()
		return
		;;
	esac
	for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case $each in
		info | stat | trace | log | verify) command=$each ;;
		esac
	done
	case $command in
	'') each='info stat trace log verify --help' ;;
	stat) each='-i -n --per-cpu --json -f' ;;
	trace) each='-i -n -f' ;;
	verify) each='--options -f' ;;
	*) each='-f' ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$each" -- "$word")
}
complete -F _keelctl keelctl
