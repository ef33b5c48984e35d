// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random fabrics, from seeds that are printed, asked for the routes of all pairs
 * and compared with the kernel's own answers. One that differs is made smaller
 * for as long as it differs, and printed.
 *
 *   FABRIC_SEED   first seed, default 1; FABRIC_SEED=N FABRIC_SEEDS=1 repeats one
 *   FABRIC_SEEDS  how many, default 20
 *   FABRIC_CYCLES how often a fabric comes and goes, default 50
 *   FABRIC_FUNCTIONS  endpoints of the large fabric, default 128
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "fabric.h"
#include "generate.h"

#define TIMEOUT		7200	/* seconds; the machine ends first */
#define FUNCTIONS	24	/* lines of a random fabric, at least */

static unsigned long long setting(const char *name, unsigned long long value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : value;
}

/* Build, compare, remove. Return: 0 or a negative errno. */
static int try_fabric(const struct gen_fabric *gen, struct fabric_count *count)
{
	char *text = gen_text(gen);
	struct fabric fabric;
	char message[256];
	int ret;

	ret = fabric_build(&fabric, text, message, sizeof(message));
	if (ret) {
		printf("# %s", message);
	} else {
		fabric_compare(&fabric, count);
		fabric_close(&fabric);
	}
	free(text);
	return ret;
}

static bool still_differs(const struct gen_fabric *gen)
{
	struct fabric_count count = {};

	return !try_fabric(gen, &count) && count.disagreements;
}

/* Front to back, so that large parts go first. */
static void shrink(struct gen_fabric *gen)
{
	unsigned int i;

	for (i = 0; i < gen->nr; i++) {
		if (gen_remove(gen, i) && !still_differs(gen))
			gen_restore(gen, i);
	}
}

static void explain(struct gen_fabric *gen, unsigned long long seed)
{
	char *text;

	shrink(gen);
	text = gen_text(gen);
	printf("# seed %llu differs; shrunk to:\n%s", seed, text);
	free(text);
}

FIXTURE(generated) {
};

FIXTURE_SETUP(generated)
{
	fabric_quiet();
}

FIXTURE_TEARDOWN(generated)
{
}

TEST_F_TIMEOUT(generated, agree_with_the_kernel, TIMEOUT)
{
	unsigned long long first = setting("FABRIC_SEED", 1);
	unsigned long long nr = setting("FABRIC_SEEDS", 20), seed;
	unsigned long different = 0;
	struct fabric_count sum = {};
	struct gen_fabric gen;

	for (seed = first; seed < first + nr; seed++) {
		struct fabric_count count = {};

		gen_random(&gen, seed, FUNCTIONS);
		ASSERT_EQ(0, try_fabric(&gen, &count))
			TH_LOG("seed %llu", seed);
		sum.pairs += count.pairs;
		sum.routes[PEERBUF_ROUTE_NONE] += count.routes[PEERBUF_ROUTE_NONE];
		sum.routes[PEERBUF_ROUTE_BUS] += count.routes[PEERBUF_ROUTE_BUS];
		sum.routes[PEERBUF_ROUTE_HOST] += count.routes[PEERBUF_ROUTE_HOST];
		if (count.disagreements && !different++)
			explain(&gen, seed);
		sum.disagreements += count.disagreements;
		gen_free(&gen);
	}
	TH_LOG("seeds %llu to %llu: %llu fabrics, %lu pairs, %lu disagreements",
	       first, seed - 1, nr, sum.pairs, sum.disagreements);
	TH_LOG("routes: %lu bus, %lu host, %lu none",
	       sum.routes[PEERBUF_ROUTE_BUS], sum.routes[PEERBUF_ROUTE_HOST],
	       sum.routes[PEERBUF_ROUTE_NONE]);
	EXPECT_EQ(0, sum.disagreements);
	EXPECT_EQ(0, different);
	/* A comparison of nothing with nothing would agree too */
	if (nr >= 20) {
		EXPECT_LT(0, sum.routes[PEERBUF_ROUTE_BUS]);
		EXPECT_LT(0, sum.routes[PEERBUF_ROUTE_HOST]);
	}
}

/* The same seed is the same fabric, or nobody could repeat a failure. */
TEST_F(generated, from_one_seed_are_one)
{
	struct gen_fabric a, b, c;
	char *text_a, *text_b, *text_c;

	gen_random(&a, 7, FUNCTIONS);
	gen_random(&b, 7, FUNCTIONS);
	gen_random(&c, 8, FUNCTIONS);
	text_a = gen_text(&a);
	text_b = gen_text(&b);
	text_c = gen_text(&c);
	EXPECT_STREQ(text_a, text_b);
	EXPECT_STRNE(text_a, text_c);
	free(text_a);
	free(text_b);
	free(text_c);
	gen_free(&a);
	gen_free(&b);
	gen_free(&c);
}

TEST_F(generated, removed_lines_come_back)
{
	struct gen_fabric gen;
	char *before, *after;
	unsigned int i;

	gen_random(&gen, 11, 4 * FUNCTIONS);
	before = gen_text(&gen);
	for (i = 0; i < gen.nr; i++) {
		if (gen_remove(&gen, i))
			gen_restore(&gen, i);
	}
	after = gen_text(&gen);
	EXPECT_STREQ(before, after);
	free(before);
	free(after);
	gen_free(&gen);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Come and go, for as often as it takes for a leak to be seen. */
TEST_F_TIMEOUT(generated, come_and_go, TIMEOUT)
{
	unsigned long long nr = setting("FABRIC_CYCLES", 50), i;
	struct gen_fabric gen;
	struct fabric fabric;
	char *text;

	gen_random(&gen, 3, FUNCTIONS);
	text = gen_text(&gen);
	for (i = 0; i < nr; i++) {
		ASSERT_EQ(0, fabric_build(&fabric, text, NULL, 0));
		fabric_close(&fabric);
	}
	free(text);
	gen_free(&gen);
}

/* All endpoints of a large fabric, each with each: time per pair. */
static double time_pairs(struct __test_metadata *_metadata,
			 unsigned int functions)
{
	struct fabric_function *endpoints;
	struct peerbuf_verdict verdict;
	struct gen_fabric gen;
	struct fabric fabric;
	unsigned int i, j, nr = 0;
	char message[256];
	double start, took;
	char *text;

	gen_uniform(&gen, functions);
	text = gen_text(&gen);
	ASSERT_EQ(0, fabric_build(&fabric, text, message, sizeof(message)))
		TH_LOG("%s", message);
	endpoints = calloc(functions, sizeof(*endpoints));
	ASSERT_NE(NULL, endpoints);
	for (i = 0; i < fabric.nr; i++) {
		if (fabric.functions[i].name[0] == 'e')
			endpoints[nr++] = fabric.functions[i];
	}
	ASSERT_EQ(functions, nr);

	start = seconds();
	for (i = 0; i < nr; i++) {
		for (j = 0; j < nr; j++)
			must(pb_route(&endpoints[i].device.function,
				      &endpoints[j].device.function, &verdict));
	}
	took = seconds() - start;
	TH_LOG("%u functions, %u pairs: %.1f s, %.1f us each", nr, nr * nr, took,
	       took * 1e6 / nr / nr);
	free(endpoints);
	free(text);
	gen_free(&gen);
	fabric_close(&fabric);
	return took / nr / nr;
}

TEST_F_TIMEOUT(generated, large_ones_answer_all_pairs, TIMEOUT)
{
	unsigned int functions = setting("FABRIC_FUNCTIONS", 128);
	double few, many;

	few = time_pairs(_metadata, functions / 4);
	many = time_pairs(_metadata, functions);
	TH_LOG("%.2f times the time per pair, with 4 times the functions",
	       many / few);
}

TEST_HARNESS_MAIN
