// SPDX-License-Identifier: GPL-2.0-only
/* KUnit: which stops make a new generation, and where a BAR is. */
#include <kunit/test.h>
#include <linux/bits.h>
#include <linux/pci_regs.h>
#include <linux/peerbuf.h>

#include "../presence.h"
#include "../stop.h"

static void lossy_test(struct kunit *test)
{
	unsigned int why;

	KUNIT_EXPECT_FALSE(test, peerbuf_stop_is_lossy(0));
	KUNIT_EXPECT_FALSE(test,
			   peerbuf_stop_is_lossy(BIT(PEERBUF_STOP_QUIESCE)));

	/* who joins a stop that loses nothing may lose something */
	for (why = 0; why < PEERBUF_NR_STOPS; why++) {
		if (why == PEERBUF_STOP_QUIESCE)
			continue;
		KUNIT_EXPECT_TRUE(test, peerbuf_stop_is_lossy(BIT(why)));
		KUNIT_EXPECT_TRUE(test,
				  peerbuf_stop_is_lossy(BIT(why) |
							BIT(PEERBUF_STOP_QUIESCE)));
	}
}

static void bar_test(struct kunit *test)
{
	const u32 flags = PCI_BASE_ADDRESS_MEM_TYPE_64 |
			  PCI_BASE_ADDRESS_MEM_PREFETCH;
	const u64 high = 0x3800000000;

	/* the low bits say what it is, not where */
	KUNIT_EXPECT_TRUE(test, peerbuf_bar_is_at(0xf8000000, 0, false,
						  0xf8000000));
	KUNIT_EXPECT_TRUE(test, peerbuf_bar_is_at(flags, 0x38, true, high));
	/* the next register is the next BAR's */
	KUNIT_EXPECT_TRUE(test, peerbuf_bar_is_at(0xf8000000, 0xf0000000, false,
						  0xf8000000));

	KUNIT_EXPECT_FALSE(test, peerbuf_bar_is_at(0, 0, false, 0xf8000000));
	KUNIT_EXPECT_FALSE(test, peerbuf_bar_is_at(flags, 0, true, high));
	KUNIT_EXPECT_FALSE(test, peerbuf_bar_is_at(0xf8001000, 0x38, true,
						   high));
	/* nobody answers */
	KUNIT_EXPECT_FALSE(test, peerbuf_bar_is_at(U32_MAX, U32_MAX, true,
						   high));
}

static struct kunit_case stop_cases[] = {
	KUNIT_CASE(lossy_test),
	KUNIT_CASE(bar_test),
	{}
};

static struct kunit_suite stop_suite = {
	.name = "peerbuf_stop",
	.test_cases = stop_cases,
};

kunit_test_suite(stop_suite);
