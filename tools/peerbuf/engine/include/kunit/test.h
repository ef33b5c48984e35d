/* SPDX-License-Identifier: MIT */
/*
 * Enough of KUnit to run a suite as a program: it prints TAP, one line per case
 * and per parameter, and fails if one of them does.
 */
#ifndef ENGINE_KUNIT_TEST_H
#define ENGINE_KUNIT_TEST_H

#include <stdio.h>
#include <string.h>
#include <linux/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
struct kunit {
	const void *param_value;
	bool failed;
};

/* A table of parameters, each with a pointer to its description in it. */
struct kunit_params {
	const void *first;
	size_t bytes;
	size_t step;
	size_t desc;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const struct kunit_params *params;
};

struct kunit_suite {
	const char *name;
	struct kunit_case *test_cases;
};

extern const struct kunit_suite * const kunit_suite;

/* Report, and go on with the case. */
#define KUNIT_CHECK(test, good, what)					\
do {									\
	if (!(good)) {							\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, what);	\
		(test)->failed = true;					\
	}								\
} while (0)

#define KUNIT_COMPARE(test, left, op, right)				\
do {									\
	typeof(left) left_value = (left);				\
	typeof(right) right_value = (right);				\
									\
	if (!(left_value op right_value)) {				\
		printf("# %s:%d: %s " #op " %s: %lld, %lld\n", __FILE__, \
		       __LINE__, #left, #right, (long long)left_value,	\
		       (long long)right_value);				\
		(test)->failed = true;					\
	}								\
} while (0)

#define KUNIT_EXPECT_EQ(test, left, right) KUNIT_COMPARE(test, left, ==, right)
#define KUNIT_EXPECT_NE(test, left, right) KUNIT_COMPARE(test, left, !=, right)
#define KUNIT_EXPECT_GE(test, left, right) KUNIT_COMPARE(test, left, >=, right)
#define KUNIT_EXPECT_GT(test, left, right) KUNIT_COMPARE(test, left, >, right)
#define KUNIT_EXPECT_LE(test, left, right) KUNIT_COMPARE(test, left, <=, right)
#define KUNIT_EXPECT_LT(test, left, right) KUNIT_COMPARE(test, left, <, right)
#define KUNIT_EXPECT_TRUE(test, value)	KUNIT_CHECK(test, value, #value " is false")
#define KUNIT_EXPECT_FALSE(test, value)	KUNIT_CHECK(test, !(value), #value " is true")
#define KUNIT_EXPECT_STREQ(test, left, right)				\
	KUNIT_CHECK(test, !strcmp(left, right), #left " and " #right " differ")
#define KUNIT_EXPECT_STRNEQ(test, left, right)				\
	KUNIT_CHECK(test, strcmp(left, right), #left " and " #right " are equal")

#define KUNIT_CASE(function)	{ .run_case = function, .name = #function }
#define KUNIT_CASE_PARAM(function, generate)				\
	{ .run_case = function, .name = #function, .params = &(generate) }

#define KUNIT_ARRAY_PARAM_DESC(label, table, member)			\
static const struct kunit_params label##_gen_params = {		\
	.first = table,							\
	.bytes = sizeof(table),						\
	.step = sizeof((table)[0]),					\
	.desc = offsetof(typeof((table)[0]), member),			\
}

#define kunit_test_suite(suite) const struct kunit_suite * const kunit_suite = &(suite)

/* what the suite says about itself as a module */
#define MODULE_DESCRIPTION(...) struct kunit
#define MODULE_AUTHOR(...)	struct kunit
#define MODULE_LICENSE(...)	struct kunit
#define MODULE_IMPORT_NS(...)	struct kunit

#endif /* ENGINE_KUNIT_TEST_H */
