#!/bin/sh
# SPDX-License-Identifier: MIT
# What the command does before it needs a kernel module: usage, help, refusals.
# usage: test.sh COMMAND          TAP output
set -u

cmd=$1
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
n=0
failed=0

# expect STATUS PATTERN ARGUMENTS...: both streams together match the pattern
expect()
{
	want=$1
	pattern=$2
	shift 2
	n=$((n + 1))
	"$cmd" "$@" > "$out" 2>&1
	got=$?
	if [ "$got" -eq "$want" ] && grep -q -e "$pattern" "$out"; then
		echo "ok $n peerbuf $*"
		return
	fi
	echo "not ok $n peerbuf $*"
	echo "# status $got, wanted $want, and to see: $pattern"
	sed 's/^/# /' "$out"
	failed=$((failed + 1))
}

echo "TAP version 13"
expect 2 '^usage: peerbuf VERB'
expect 0 '^usage: peerbuf VERB' --help
expect 0 '^usage: peerbuf VERB' help
expect 0 '^peerbuf [0-9.]*, ABI 4$' version
expect 0 '^peerbuf [0-9.]*, ABI 4$' --version
expect 2 'no verb "lsit"' lsit
expect 2 'no verb "lsit"' help lsit
for verb in list route routes why dump export pool holders watch bind unbind version help; do
	expect 0 "^usage: peerbuf $verb" help $verb
	expect 0 "^usage: peerbuf $verb" $verb --help
	expect 0 "^  $verb  *[a-z]" help
done

expect 2 'no argument "x"' list x
expect 2 'option "--jsn"' list --jsn
expect 2 'option "--json=1"' list --json=1
expect 2 'two functions' route
expect 2 'two functions' route 00:00.0
expect 2 'two functions' route 00:00.0 00:00.0 00:00.0
expect 2 '"00:00.8" is not a PCI address' route 00:00.8 00:00.0
expect 2 'no argument "x"' routes x
expect 2 'needs a value' routes --providers
expect 2 'option "--svgz"' routes --svgz
expect 2 'two functions' why 00:00.0
expect 2 'not a PCI address' why 00:00.0 there
expect 2 'no argument "x"' dump x
expect 2 'needs a descriptor' watch
expect 2 'not the number of a descriptor' watch x
expect 2 'no argument "x"' watch 3 x
expect 2 'no argument "x"' holders 00:00.0 1 x
expect 2 'is not a PCI address' holders x
expect 2 'not the number of a buffer' holders 00:00.0 x
expect 2 'not the number of a buffer' holders 00:00.0 -- -1
expect 2 'option "--jsn"' holders --jsn
expect 2 'one function' bind
expect 2 'option "--froce"' bind 00:00.0 --froce
expect 2 'no PCI function ffff:00:00.0' bind ffff:00:00.0
expect 2 'no PCI function ffff:00:00.0' unbind ffff:00:00.0
expect 2 'is not a PCI address' unbind here

# 125 to 127 are export's own; all else is the command's
expect 125 'a command to run' export
expect 125 'a command to run' export 00:00.0
expect 125 'a command to run' export 00:00.0 --
expect 125 'one provider' export -- true
expect 125 'one provider' export 00:00.0 00:00.1 -- true
expect 125 'not a PCI address' export bar -- true
expect 125 '"4Q" is not a size' export 00:00.0 --length 4Q -- true
expect 125 'cannot be empty' export 00:00.0 --length 0 -- true
expect 125 '"-1" is not a size' export 00:00.0 --offset -1 -- true
expect 125 'option "--offset" needs a value' export 00:00.0 --offset -- true
expect 125 '"x" is not a number' export 00:00.0 --window x -- true
expect 125 'exclude each other' export 00:00.0 --pool --shared -- true
expect 125 'option "--force"' export 00:00.0 --force -- true

expect 125 'a command to run' pool 00:00.0
expect 125 'a command to run' pool 00:00.0 --quota 1M
expect 125 'one provider' pool -- true
expect 125 'one provider' pool 00:00.0 00:00.1 -- true
expect 125 'one provider' pool --revoke 1
expect 125 'not a PCI address' pool bar -- true
expect 125 'not a PCI address' pool bar --revoke 1
expect 125 '--quota: "4Q" is not a size' pool 00:00.0 --quota 4Q -- true
expect 125 '--quota: a pool of nothing' pool 00:00.0 --quota 0 -- true
expect 125 '--align: "x" is not a size' pool 00:00.0 --align x -- true
expect 125 '--max-buffers: "x" is not a number' pool 00:00.0 --max-buffers x -- true
expect 125 '--revoke: "x" is not the number of a pool' pool 00:00.0 --revoke x
expect 125 'takes no command' pool 00:00.0 --revoke 1 -- true
expect 125 'takes no other option' pool 00:00.0 --revoke 1 --direct
expect 125 'option "--shared"' pool 00:00.0 --shared -- true

if [ ! -e /dev/peerbuf/control ] && [ ! -e /sys/module/peerbuf ]; then
	expect 2 'modprobe peerbuf$' list
	expect 2 'modprobe peerbuf$' holders 00:00.0
	expect 2 'modprobe peerbuf$' route 00:00.0 00:00.0
	expect 2 'peerbuf dump > FILE' routes
	expect 2 'peerbuf dump > FILE' why 00:00.0 00:00.0
	expect 2 'modprobe peerbuf$' watch 0
	expect 125 'modprobe peerbuf$' export 00:00.0 -- true --help
	expect 125 'modprobe peerbuf$' pool 00:00.0 -- true --help
	expect 125 'modprobe peerbuf$' pool 00:00.0 --revoke 1
	expect 0 'modprobe peerbuf$' version
fi

echo "1..$n"
echo "# Totals: pass:$((n - failed)) fail:$failed xfail:0 xpass:0 skip:0 error:0"
[ "$failed" -eq 0 ]
