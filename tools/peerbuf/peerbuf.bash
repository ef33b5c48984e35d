# SPDX-License-Identifier: MIT
# bash completion for peerbuf(1)
# shellcheck shell=bash

_peerbuf_names()
{
	local path

	for path in "$1"/*[0-9a-f].[0-7]; do
		[ -e "$path" ] && printf '%s\n' "${path##*/}"
	done
}

_peerbuf_words()
{
	case $1 in
	route)
		_peerbuf_names /sys/bus/pci/devices
		echo --json --help
		;;
	routes)
		echo --all --providers --importers --json --dot --svg --from-dump --cpu --help
		;;
	why)
		_peerbuf_names /sys/bus/pci/devices
		echo --json --from-dump --cpu --help
		;;
	dump)
		echo --help
		;;
	export)
		_peerbuf_names /sys/class/peerbuf
		echo --window --offset --length --pool --shared --allow-pinned --allow-static --direct \
			--read-only --help --
		;;
	pool)
		_peerbuf_names /sys/class/peerbuf
		echo --window --offset --length --quota --align --max-buffers --read-only --no-static \
			--no-pinned --direct --revoke --help --
		;;
	bind)
		_peerbuf_names /sys/bus/pci/devices
		echo --force --help
		;;
	unbind)
		_peerbuf_names /sys/bus/pci/drivers/peerbuf_pci
		echo --help
		;;
	holders)
		_peerbuf_names /sys/class/peerbuf
		echo --json --help
		;;
	list)
		echo --json --help
		;;
	watch)
		echo --help
		;;
	help)
		echo bind dump export help holders list pool route routes unbind version watch why
		;;
	esac
}

_peerbuf()
{
	local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} line i

	COMPREPLY=()
	# the command behind "--" completes as it would alone
	for ((i = 2; i < COMP_CWORD; i++)); do
		if [ "${COMP_WORDS[i]}" = -- ]; then
			declare -F _command_offset >/dev/null && _command_offset $((i + 1))
			return
		fi
	done

	# addresses contain colons, at which bash splits words
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur
	fi
	while read -r line; do
		COMPREPLY+=("$line")
	done < <(
		if [ "$before" = --from-dump ]; then
			compgen -f -- "$cur"
		elif [ "$before" = --cpu ]; then
			compgen -W "amd-zen other" -- "$cur"
		elif ((COMP_CWORD == 1)); then
			compgen -W "bind dump export help holders list pool route routes unbind version watch why --help --version" -- "$cur"
		else
			compgen -W "$(_peerbuf_words "${COMP_WORDS[1]}")" -- "$cur"
		fi
	)
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _peerbuf peerbuf
