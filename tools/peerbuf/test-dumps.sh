#!/bin/sh
# SPDX-License-Identifier: MIT
# Routes of other machines: the dumps next to this file, whole, cut short and torn.
# usage: test-dumps.sh COMMAND          TAP output
set -u

cmd=$1
dumps=$(dirname "$0")/dumps
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
n=0
failed=0

# result WHAT: of the last command, which succeeded if that is right
result()
{
	status=$?
	n=$((n + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $n $1"
		return
	fi
	echo "not ok $n $1"
	sed 's/^/# /' "$tmp/out"
	failed=$((failed + 1))
}

# run STATUS ARGUMENTS...: both streams to $tmp/out
run()
{
	want=$1
	shift
	"$cmd" "$@" > "$tmp/out" 2>&1
	got=$?
	[ "$got" -eq "$want" ] && return
	echo "# status $got, wanted $want: peerbuf $*"
	echo "status $got" >> "$tmp/out"
	return 1
}

has() { grep -q -e "$1" "$tmp/out"; }

# why STATUS DUMP PROVIDER IMPORTER PATTERN...
why()
{
	want=$1 dump=$2 a=$3 b=$4
	shift 4
	run "$want" why --from-dump "$dump" "$a" "$b"
	right=$?
	for pattern; do
		has "$pattern" || { right=1; echo "# not there: $pattern"; }
	done
	[ "$right" -eq 0 ]
	result "why $a $b in ${dump##*/}"
}

echo "TAP version 13"
gpus=$dumps/gpu-server.dump
sockets=$dumps/two-sockets.dump
vmd=$dumps/vmd.dump
guest=$dumps/guest-switch.dump

# the matrix, row by row
run 0 routes --from-dump "$gpus" &&
	has '^0000:18:00.0 10de:20b0   =  H  H  H  H  H  H  H' &&
	has '^0000:4e:00.0 10de:20b0   H  H  H  H  B  =  B  B' &&
	has '^host, 3 pairs: acs-redirect at 0000:17:00.0 .* RR CR$' &&
	has '^host, 32 pairs: host-trusted$'
result "two switches, one with ACS redirect"
run 0 routes --from-dump "$sockets" && has '^0000:02:00.0 144d:a804   =  H  -' &&
	has '^none, 2 pairs: host-untrusted at 0000:00:00.0 \[8086:2f00\]$'
result "two sockets: the bridge forwards within itself"
run 0 routes --from-dump "$vmd" && has '^10000:e1:00.0 144d:a80a   -  -  -  =  -' &&
	has '^0000:01:00.0  10de:24b6   -  =  -  -  -'
result "a VMD domain"
run 0 routes --from-dump "$vmd" --cpu amd-zen && has '^10000:e1:00.0 144d:a80a   H  H  H  =  H'
result "any host bridge forwards with a Zen CPU"
run 0 routes --from-dump "$guest" && has '^0000:03:00.0 1af4:1110   -  B  B' &&
	has 'host-untrusted at 0000:00:00.0 \[8086:29c0\]'
result "the test machine, by peerbuf dump"
run 0 routes --from-dump - < "$sockets" && has 'B bus'
result "a dump on standard input"

# who is asked about
run 0 routes --from-dump "$gpus" --providers 10de: --importers 15b3:101b,1b:00.0 &&
	has '^PROVIDER  *A  B  C *$' && has '^A   0000:1a:00.0' && has '^C   0000:1b:00.0' &&
	! has '^0000:1a:00.0 15b3'
result "lists of functions and ids"
run 2 routes --from-dump "$gpus" --providers 10de:ffff && has 'no endpoint 10de:ffff'
result "refuse an id that is not there"
run 2 routes --from-dump "$gpus" --providers 99:00.0 && has 'no PCI function 0000:99:00.0'
result "refuse a function that is not there"
run 2 routes --from-dump "$gpus" --providers nvme && has 'neither a function'
result "refuse what is neither"
run 2 routes --from-dump "$gpus" --providers , && has 'names no function'
result "refuse an empty list"
run 2 routes --json --svg --from-dump "$gpus" && has 'exclude each other'
result "refuse two formats"
run 2 routes --cpu other && has 'goes with --from-dump'
result "refuse --cpu for this machine"
run 2 routes --from-dump "$gpus" --cpu intel && has 'neither amd-zen nor other'
result "refuse an unknown CPU"
run 2 why --from-dump "$gpus" 18:00.0 99:00.0 && has '0000:99:00.0 in the dump'
result "refuse to explain what is not in the dump"

# the way, who is to blame, and what would help
why 0 "$gpus" 4d:00.0 50:00.0 'by the bus route' 'turn  *0000:4b:00.0' '^Nothing to do' \
	'distance 4'
why 0 "$gpus" 18:00.0 1a:00.0 'by the host route' \
	'up  *0000:17:00.0 .* ACS SV RR CR UF  (can SV TB RR CR UF DT)  <- redirects: requests' \
	'host  *0000:15 .* 8086:09a2  trusted' \
	'^      pci=config_acs=x0100x1@0000:17:00.0;x0100x1@0000:17:08.0$' \
	'^      pci=disable_acs_redir=0000:17:00.0;0000:17:08.0$' \
	'setpci -s 0000:17:08.0 ECAP_ACS+6.w=0:2c$' 'Then:  bus route, distance 4' 'Price: '
why 0 "$gpus" 18:00.0 50:00.0 'host  *0000:15 ' 'host  *0000:4a ' \
	'move 0000:18:00.0 to the slot of port 0000:4c:10.0'
why 1 "$sockets" 02:00.0 82:00.0 'cannot reach' '8086:2f00  forwards only within itself  <- blocks' \
	'peerbuf.trusted_bridges=8086:2f00,8086:2f04$' 'same host bridge (socket)' \
	'Then:  host route'
why 1 "$vmd" 10000:e1:00.0 01:00.0 'peerbuf.trusted_bridges=8086:9a09,8086:9a36$'
why 0 "$gpus" 18:00.0 18:00.0 'same-function' 'distance 0' '^Nothing to do'
run 0 why --from-dump "$gpus" 17:00.0 18:00.0 && has 'provider  *0000:17:00.0' &&
	has 'importer  *0000:18:00.0' && ! has '  turn '
result "a port as provider"
if run 0 why --from-dump "$gpus" 4d:00.0 4b:00.0; then
	[ "$(grep -c '^  importer ' "$tmp/out")" -eq 1 ] && has '^  provider  0000:4d:00.0'
fi
result "a port as importer"

# one who knows less says so
lspci_x() { grep -E '^[^0-9]|^$|^[0-9a-f]+:[0-9a-f]+:|^[0-3]0: ' "$1"; }
lspci_xxx() { grep -Ev '^[1-9a-f][0-9a-f]{2}: ' "$1"; }
lspci_xxx "$gpus" > "$tmp/xxx"
run 0 routes --from-dump "$tmp/xxx" && has 'PCIe ports lack extended config space' &&
	has '^0000:18:00.0 10de:20b0   =  B? B? B? H  H  H  H' && has 'lspci -D -xxxx'
result "without extended config space, ACS is a question"
why 0 "$tmp/xxx" 18:00.0 1a:00.0 'Not certain: .* the route is host' 'ACS not known' \
	'lspci -D -xxxx > dump$'
lspci_x "$gpus" > "$tmp/x"
run 0 routes --from-dump "$tmp/x" && has 'there is only the header' && has 'B? B?'
result "with headers alone, too"
sed 's/^0000:\(..:..\.. \)/\1/' "$sockets" > "$tmp/nodomain"
run 0 routes --from-dump "$tmp/nodomain" && has '^0000:02:00.0 144d:a804   =  H  -'
result "without lspci -D"
sed 's/$/\r/' "$sockets" > "$tmp/crlf"
run 0 routes --from-dump "$tmp/crlf" && has '^0000:02:00.0 144d:a804   =  H  -'
result "with the line ends of mail"
cat "$sockets" "$sockets" > "$tmp/twice"
run 0 routes --from-dump "$tmp/twice" && has '^0000:02:00.0 144d:a804   =  H  -  *$'
result "with everything twice"
sed 's/: Samsung/: <\&"'\''\x1b[31m>Samsung/' "$sockets" > "$tmp/evil"
run 0 routes --from-dump "$tmp/evil" && ! grep -q "$(printf '\033')" "$tmp/out"
result "no control character gets through"
run 2 routes --from-dump /dev/null && has 'no PCI function with config space'
result "refuse what is no dump"
run 2 routes --from-dump "$tmp/none" && has 'cannot open'
result "refuse a file that is not there"

# bridges in a circle, and above what has a lower number
sed -e '/^0000:16:00.0/,/^$/s/^10: .*/10: 00 00 00 00 00 00 00 00 15 15 ff 00 00 00 00 00/' \
	-e '/^0000:17:00.0/,/^$/s/^10: .*/10: 00 00 00 00 00 00 00 00 17 16 ff 00 00 00 00 00/' \
	"$gpus" > "$tmp/circle"
run 0 routes --from-dump "$tmp/circle" && run 0 routes --svg --from-dump "$tmp/circle"
result "bridges in a circle"

# torn at random: an answer or a refusal, never a crash
seed=1
right=0
while [ "$seed" -le 40 ]; do
	awk -v seed="$seed" 'BEGIN { srand(seed) }
		rand() < 0.02 { next }
		{ while (rand() < 0.15) {
			at = int(rand() * length($0)) + 1
			$0 = substr($0, 1, at - 1) substr("0123456789abcdef: ", \
				int(rand() * 18) + 1, 1) substr($0, at + 1) } }
		{ print }' "$gpus" > "$tmp/torn"
	for format in --json --svg --dot; do
		"$cmd" routes "$format" --from-dump "$tmp/torn" > "$tmp/out" 2>&1
		[ $? -le 2 ] || { right=1; echo "# seed $seed: routes $format"; }
	done
	"$cmd" why --from-dump "$tmp/torn" 18:00.0 50:00.0 > "$tmp/out" 2>&1
	[ $? -le 2 ] || { right=1; echo "# seed $seed: why"; }
	seed=$((seed + 1))
done
[ "$right" -eq 0 ]
result "40 torn dumps"

# pictures: one file, nothing from elsewhere, every function once
for dump in "$gpus" "$sockets" "$vmd" "$guest" "$tmp/evil"; do
	run 0 routes --svg --from-dump "$dump" && has '^<svg xmlns=' && has '^</svg>$' &&
		! grep -v '^<svg ' "$tmp/out" | grep -qE '<script|https?:|href|url\(|[^ -~]'
	result "picture of ${dump##*/}"
done
run 0 routes --svg --from-dump "$sockets" &&
	[ "$(grep -c '<g><title>.*: host, host-trusted</title>' "$tmp/out")" -eq 2 ] &&
	[ "$(grep -c '<g><title>.*: none, host-untrusted</title>' "$tmp/out")" -eq 4 ] &&
	[ "$(grep -c 'class="box blocks"' "$tmp/out")" -eq 3 ] && has 'forwards only within itself'
result "the picture says what the table says"
run 0 routes --svg --from-dump "$sockets" && has '>blocks: there is a pair' &&
	has '>links that host routes use' && ! has 'redirects (ACS)' &&
	! has '>links that bus routes use' && ! has '>bus: below one bridge'
result "the legend has what the picture has"
run 0 routes --svg --from-dump "$gpus" --providers 18:00.0 --importers 1a:00.0 &&
	has '>redirects (ACS): ' && has '>trusted to forward<' && ! has '>blocks: ' &&
	! has '>the function itself'
result "a host bridge that is trusted, and the ports that redirect"
sed 's/8086:09a2/8086:9b64/; s/^00: 86 80 a2 09/00: 86 80 64 9b/' "$gpus" > "$tmp/untrusted"
run 0 routes --svg --from-dump "$tmp/untrusted" --providers 18:00.0 --importers 1a:00.0 &&
	has ' RR CR UF: blocks<' && has '>not trusted to forward<'
result "ports that redirect to a host bridge that is not trusted"
if command -v xmllint > /dev/null; then
	run 0 routes --svg --from-dump "$tmp/evil" && xmllint --noout "$tmp/out"
	result "the picture is XML"
fi

# programs get the same
run 0 routes --json --from-dump "$sockets" &&
	[ "$(grep -c '^  {"provider": .*"route": "none", "reason": "host-untrusted"' "$tmp/out")" -eq 4 ]
result "routes for programs"
run 0 routes --dot --from-dump "$gpus" && [ "$(grep -c '1a7f37' "$tmp/out")" -eq 12 ] &&
	[ "$(grep -c 'constraint=false' "$tmp/out")" -eq 56 ]
result "routes for dot"
if command -v python3 > /dev/null; then
	right=0
	for args in "routes --json" "why --json 18:00.0 1a:00.0" "why --json 18:00.0 50:00.0"; do
		# shellcheck disable=SC2086
		run 0 $args --from-dump "$gpus" && python3 -m json.tool "$tmp/out" > /dev/null ||
			right=1
	done
	run 1 why --json 02:00.0 82:00.0 --from-dump "$tmp/evil" &&
		python3 -m json.tool "$tmp/out" > /dev/null || right=1
	[ "$right" -eq 0 ]
	result "JSON is JSON"
fi

echo "1..$n"
echo "# Totals: pass:$((n - failed)) fail:$failed xfail:0 xpass:0 skip:0 error:0"
[ "$failed" -eq 0 ]
