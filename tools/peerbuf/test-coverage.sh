#!/bin/sh
# SPDX-License-Identifier: MIT
#
# KUnit's cases of routing have to take every branch of route.c: run the program
# that was built with --coverage, ask gcov, and name what is missing. TAP output.
#
#   test-coverage.sh PROGRAM DIRECTORY

program=$1 directory=$2

rm -f "$directory"/*.gcda
echo "TAP version 13"
"$program" >"$directory/cases.log" || {
	echo "not ok 1 the cases pass"
	echo 1..1
	exit 1
}
report=$(gcov --branch-probabilities --branch-counts --object-directory "$directory" \
		route.c |
	sed -n "/^File '.*\/route.c'/,/^Creating/p")
mv route.c.gcov "$directory"
echo "$report" | sed 's/^/# /'

number=0 failed=0
for what in 'Lines executed' 'Branches executed' 'Taken at least once'; do
	number=$((number + 1))
	if echo "$report" | grep -q "^$what:100.00% of [1-9]"; then
		echo "ok $number route.c: $what: all"
	else
		echo "not ok $number route.c: $what: all"
		failed=1
	fi
done
[ $failed -eq 0 ] ||
	grep -E '^ *#####:|^branch .*(taken 0|never executed)' -B 2 "$directory/route.c.gcov" |
	sed 's/^/# /'
echo "1..$number"
exit $failed
