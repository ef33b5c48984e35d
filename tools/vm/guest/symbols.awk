# SPDX-License-Identifier: MIT
#
# Name the addresses of a kmemleak report: symbols.awk SYMBOLS REPORT, where
# SYMBOLS is a sorted piece of /proc/kallsyms. Addresses are all as long as each
# other, so their order is that of their text.

NR == FNR {
	address[++n] = $1
	name[n] = $3 " " $4
	next
}

$1 ~ /^0xf[0-9a-f]*$/ && NF == 1 {
	at = substr($1, 3)
	for (i = n; i > 0 && address[i] > at; i--)
		;
	print "    " $1 (i ? " after " name[i] : "")
	next
}

{
	print
}
