#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports, and the manual describes, exactly what the header
# declares.
# usage: check-symbols.sh LIBRARY
set -eu

lib=$1
here=$(dirname "$0")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

grep -oE '\bpeerbuf_[a-z_]+\(' "$here/libpeerbuf.h" | tr -d '(' | sort -u > "$tmp/header"
nm -D --defined-only "$lib" | sed -n 's/.* T \(.*\)@@LIBPEERBUF_.*/\1/p' | sort > "$tmp/library"
sed -n 's/^\.Nm \(peerbuf_[a-z_]*\) *,*$/\1/p' "$here"/man/*.3 | sort > "$tmp/manual"

for what in library manual; do
	if ! diff "$tmp/header" "$tmp/$what" > "$tmp/diff"; then
		echo "$0: header (<) and $what (>) differ:" >&2
		cat "$tmp/diff" >&2
		exit 1
	fi
done
echo "# $(wc -l < "$tmp/header") functions: header, library and manual agree"
