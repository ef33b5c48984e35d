// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: arithmetic on ranges, bounds checks and scatterlist splitting. */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "../map.h"
#include "../window.h"

static void range_check_test(struct kunit *test)
{
	const u64 last_page = U64_MAX & PAGE_MASK;

	KUNIT_EXPECT_EQ(test, peerbuf_range_check(0, PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, peerbuf_range_check(SZ_1M, SZ_1M, SZ_2M), 0);

	KUNIT_EXPECT_EQ(test, peerbuf_range_check(0, 0, SZ_1M), -EINVAL);
	KUNIT_EXPECT_EQ(test, peerbuf_range_check(1, PAGE_SIZE, SZ_1M),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, peerbuf_range_check(0, PAGE_SIZE - 1, SZ_1M),
			-EINVAL);

	KUNIT_EXPECT_EQ(test, peerbuf_range_check(SZ_1M, PAGE_SIZE, SZ_1M),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, peerbuf_range_check(0, SZ_1M + PAGE_SIZE, SZ_1M),
			-ERANGE);

	KUNIT_EXPECT_EQ(test, peerbuf_range_check(last_page, SZ_1M, SZ_1M),
			-EOVERFLOW);
	KUNIT_EXPECT_EQ(test, peerbuf_range_check(PAGE_SIZE, last_page, SZ_1M),
			-EOVERFLOW);
}

/* Walk a range and check that the pieces are legal and add up. */
static unsigned int walk(struct kunit *test, u64 max_length, u64 boundary,
			 u64 address, u64 length)
{
	struct peerbuf_segment_limits limits = { max_length, boundary };
	unsigned int pieces = 0;
	u64 piece;

	for (; length; address += piece, length -= piece, pieces++) {
		piece = peerbuf_segment_length(&limits, address, length);
		KUNIT_ASSERT_GT(test, piece, 0);
		KUNIT_ASSERT_LE(test, piece, length);
		KUNIT_EXPECT_LE(test, piece, max_length);
		KUNIT_EXPECT_EQ(test, address & ~boundary,
				(address + piece - 1) & ~boundary);
	}

	return pieces;
}

static void segment_test(struct kunit *test)
{
	/* fits, exactly fits, one page more */
	KUNIT_EXPECT_EQ(test, walk(test, SZ_64K, U32_MAX, SZ_1M, SZ_4K), 1);
	KUNIT_EXPECT_EQ(test, walk(test, SZ_64K, U32_MAX, SZ_1M, SZ_64K), 1);
	KUNIT_EXPECT_EQ(test, walk(test, SZ_64K, U32_MAX, SZ_1M,
				   SZ_64K + SZ_4K), 2);
	/* longer than an unsigned int can say */
	KUNIT_EXPECT_EQ(test, walk(test, UINT_MAX & PAGE_MASK, U64_MAX, SZ_1M,
				   SZ_8G), 3);
	/* across 4 GiB, and up to its very end */
	KUNIT_EXPECT_EQ(test, walk(test, SZ_64K, U32_MAX, SZ_4G - SZ_4K,
				   SZ_8K), 2);
	KUNIT_EXPECT_EQ(test, walk(test, SZ_64K, U32_MAX, SZ_4G - SZ_8K,
				   SZ_8K), 1);
	/* no boundary at all, at the top of the address space */
	KUNIT_EXPECT_EQ(test, walk(test, SZ_64K, U64_MAX,
				   U64_MAX - SZ_64K + 1, SZ_64K), 1);
	/* a boundary smaller than the longest segment */
	KUNIT_EXPECT_EQ(test, walk(test, SZ_1M, SZ_64K - 1, SZ_4K, SZ_128K), 3);
}

static struct kunit_case range_cases[] = {
	KUNIT_CASE(range_check_test),
	KUNIT_CASE(segment_test),
	{}
};

static struct kunit_suite range_suite = {
	.name = "peerbuf_range",
	.test_cases = range_cases,
};

kunit_test_suite(range_suite);
