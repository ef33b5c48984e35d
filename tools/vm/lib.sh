# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the scripts of the test machine share. Sourced, never run.

set -euo pipefail
shopt -s inherit_errexit

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export SOURCE=${VM%/tools/vm}
CACHE=${PEERBUF_CACHE:-/var/cache/peerbuf}

# End with the caller, even if the caller is killed: whatever runs below a
# script of ours must not outlive it.
if [ "${PEERBUF_TIED:-}" != "$$" ]; then
	PEERBUF_TIED=$$ exec setpriv --pdeathsig KILL -- "$0" "$@"
fi
trap 'exit 130' INT

say() {
	printf '%s\n' "$*" >&2
}

die() {
	say "${0##*/}: $*"
	exit 1
}

need_root() {
	[ "$(id -u)" = 0 ] || die "needs root, for mounts and chroot: run make as root"
}

# digest FILE...: a short key for the content of all of them
digest() {
	cat -- "$@" | sha256sum | cut -c1-12
}

# inside PATH: the same path, as seen in the rootfs (see chroot)
inside() {
	printf '%s\n' "${1/#"$CACHE"//cache}"
}

# step TEXT LOG COMMAND...: run it with its output in LOG, and tell the time
step() {
	local text=$1 log=$2 start=$SECONDS pid ticks=0
	shift 2
	mkdir -p "$(dirname "$log")"
	"$@" </dev/null >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		ticks=$((ticks + 1))
		[ $((ticks % 150)) -eq 0 ] && say "$text: $((SECONDS - start)) s so far"
	done
	if ! wait "$pid"; then
		say "$text: failed after $((SECONDS - start)) s; the end of $log:"
		tail -n 40 "$log" >&2
		exit 1
	fi
	say "$text: done in $((SECONDS - start)) s"
}

# locked FILE: hold the lock FILE until the script ends
locked() {
	mkdir -p "$(dirname "$1")"
	exec {LOCK}>"$1"
	if ! flock --nonblock "$LOCK"; then
		say "waiting for another run that holds $1"
		flock "$LOCK"
	fi
}

# cached TEXT PATH COMMAND...: unless PATH exists, let COMMAND make a directory,
# whose name is added as last argument. It becomes PATH when it is complete.
cached() {
	local text=$1 path=$2
	shift 2
	if [ ! -e "$path" ]; then
		locked "$path.lock"
		if [ ! -e "$path" ]; then
			rm -rf --one-file-system "$path.part"
			step "$text" "$CACHE/logs/${path##*/}.log" "$@" "$path.part"
			mv "$path.part" "$path"
			prune "${path%-*}"
		fi
		exec {LOCK}>&-
	fi
	touch "$path"
}

# prune PREFIX: drop entries of a kind that nobody has used for a week
prune() {
	local entry
	find "$CACHE" -mindepth 1 -maxdepth 1 -path "$1-*" -mtime +7 |
		while read -r entry; do
			rm -rf --one-file-system "$entry"
		done
}
