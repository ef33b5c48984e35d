// SPDX-License-Identifier: MIT
/* Sizes and numbers of the command line. TAP output. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static int tests, failures;

static void check(bool ok, const char *what, const char *text)
{
	printf("%sok %d %s \"%s\"\n", ok ? "" : "not ", ++tests, what, text);
	failures += !ok;
}

static void test_parse_size(void)
{
	static const struct {
		const char *text;
		__u64 bytes;
	} good[] = {
		{ "0", 0 }, { "4096", 4096 }, { "4k", 4096 }, { "4K", 4096 }, { "4KiB", 4096 },
		{ "4kb", 4096 }, { "512B", 512 }, { "1M", 1 << 20 }, { "2G", 2ULL << 30 },
		{ "1T", 1ULL << 40 }, { "0x1000", 4096 }, { "0x10K", 16384 }, { "010", 10 },
		{ "18446744073709551615", ~0ULL }, { "16777215T", 16777215ULL << 40 },
	};
	static const char * const bad[] = {
		"", "-1", "+1", " 1", "1 ", "K", "4KK", "4Ki", "4P", "1.5M", "0x", "0xK", "4iB",
		"18446744073709551616", "16777216T", "99999999999999999999K", "four",
	};
	__u64 bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		check(!parse_size(good[i].text, &bytes) && bytes == good[i].bytes, "size",
		      good[i].text);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check(parse_size(bad[i], &bytes) < 0, "no size", bad[i]);
}

static void test_parse_number(void)
{
	static const char * const bad[] = { "", "-1", " 1", "1K", "0x1", "4294967296" };
	__u32 number;
	size_t i;

	check(!parse_number("4294967295", &number) && number == 0xffffffff, "number",
	      "4294967295");
	check(!parse_number("0", &number) && !number, "number", "0");
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check(parse_number(bad[i], &number) < 0, "no number", bad[i]);
}

static void test_size_of(void)
{
	check(!strcmp(size_of(0).text, "0 B"), "write", "0 B");
	check(!strcmp(size_of(1023).text, "1023 B"), "write", "1023 B");
	check(!strcmp(size_of(64 << 20).text, "64 MiB"), "write", "64 MiB");
	check(!strcmp(size_of((64 << 20) - 4096).text, "65532 KiB"), "write", "65532 KiB");
	check(!strcmp(size_of(1ULL << 62).text, "4194304 TiB"), "write", "4194304 TiB");
	check(!strcmp(size_of(~0ULL).text, "18446744073709551615 B"), "write", "the largest");
}

int main(void)
{
	printf("TAP version 13\n");
	test_parse_size();
	test_parse_number();
	test_size_of();
	printf("1..%d\n", tests);
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:0 error:0\n",
	       tests - failures, failures);
	return failures ? 1 : 0;
}
