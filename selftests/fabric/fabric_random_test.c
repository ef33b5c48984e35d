// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random fabrics, from seeds that are printed, asked for the routes of all pairs
 * and compared with the kernel's own answers. One that differs is made smaller
 * for as long as it differs, and printed.
 *
 *   FABRIC_SEED   first seed, default 1; FABRIC_SEED=N FABRIC_SEEDS=1 repeats one
 *   FABRIC_SEEDS  how many, default 40, on the debug kernel 5
 *   FABRIC_CYCLES how often a fabric comes and goes, default 50 and 10
 *   FABRIC_FUNCTIONS  functions of the large fabric, default 1024 and 256
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <kselftest_harness.h>

#include "fabric.h"
#include "generate.h"

#define MAX_FUNCTIONS	4096
#define FLAT		1.5	/* what counts as no growth, on a busy machine */

#define TIMEOUT		7200	/* seconds; the machine ends first */
#define FUNCTIONS	24	/* lines of a random fabric, at least */
#define PROGRESS	100	/* seeds between two lines of it */

/**
 * struct outcome - of random fabrics
 * @fabrics: that were built
 * @verdicts: peerbuf's against the kernel's
 * @addresses: peerbuf's against the kernel's
 */
struct outcome {
	unsigned long fabrics;
	struct fabric_count verdicts;
	struct fabric_addresses addresses;
};

static unsigned long differences(const struct outcome *outcome)
{
	return outcome->verdicts.disagreements + outcome->addresses.different;
}

static void add_outcome(struct outcome *sum, const struct outcome *outcome)
{
	unsigned int i;

	sum->fabrics += outcome->fabrics;
	fabric_add_count(&sum->verdicts, &outcome->verdicts);
	sum->addresses.pairs += outcome->addresses.pairs;
	sum->addresses.masked += outcome->addresses.masked;
	sum->addresses.different += outcome->addresses.different;
	for (i = 0; i < ARRAY_SIZE(sum->addresses.mapped); i++)
		sum->addresses.mapped[i] += outcome->addresses.mapped[i];
}

static void compare(int test, const struct fabric *fabric,
		    struct outcome *outcome)
{
	struct fabric_lenders lenders;

	outcome->fabrics++;
	fabric_lend(fabric, &lenders);
	fabric_compare(fabric, &outcome->verdicts);
	fabric_compare_addresses(test, &lenders, &outcome->addresses);
	fabric_unlend(&lenders);
}

/* Build, compare, remove. Return: 0 or a negative errno. */
static int try_fabric(const struct gen_fabric *gen, struct outcome *outcome)
{
	char *text = gen_text(gen);
	int ret, test = must(pb_open_test());
	struct fabric fabric;
	char message[256];

	ret = fabric_build(&fabric, text, message, sizeof(message));
	if (ret) {
		printf("# %s", message);
	} else {
		compare(test, &fabric, outcome);
		fabric_close(&fabric);
	}
	close(test);
	free(text);
	return ret;
}

static bool still_differs(const struct gen_fabric *gen)
{
	struct outcome outcome = {};

	return !try_fabric(gen, &outcome) && differences(&outcome);
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

static void report(unsigned long long first, unsigned long long last,
		   const struct outcome *sum)
{
	printf("# seeds %llu to %llu: %lu fabrics, ", first, last, sum->fabrics);
	printf("%lu pairs routed, %lu disagreements, ", sum->verdicts.pairs,
	       sum->verdicts.disagreements);
	printf("%lu pairs attached, %lu differences\n", sum->addresses.pairs,
	       sum->addresses.different);
	fflush(stdout);
}

/* A comparison of nothing with nothing would agree too. */
static void has_everything(struct __test_metadata *_metadata,
			   const struct outcome *sum)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sum->verdicts.routes); i++) {
		EXPECT_LT(0, sum->verdicts.routes[i]);
		EXPECT_LT(0, sum->addresses.mapped[i]);
	}
	EXPECT_LT(0, sum->verdicts.masked);
	EXPECT_LT(0, sum->addresses.masked);
}

TEST_F_TIMEOUT(generated, agree_with_the_kernel, TIMEOUT)
{
	unsigned long long first = pb_setting("FABRIC_SEED", 1);
	unsigned long long nr = pb_setting("FABRIC_SEEDS",
					   pb_debug_kernel() ? 5 : 40);
	unsigned long long seed;
	struct outcome sum = {};
	struct gen_fabric gen;

	for (seed = first; seed < first + nr; seed++) {
		struct outcome outcome = {};

		gen_random(&gen, seed, FUNCTIONS);
		ASSERT_EQ(0, try_fabric(&gen, &outcome))
			TH_LOG("seed %llu", seed);
		if (differences(&outcome) && !differences(&sum))
			explain(&gen, seed);
		add_outcome(&sum, &outcome);
		gen_free(&gen);
		if ((seed - first + 1) % PROGRESS == 0 || seed == first + nr - 1)
			report(first, seed, &sum);
	}
	TH_LOG("verdicts: %lu bus, %lu host, %lu none (%lu: DMA mask)",
	       sum.verdicts.routes[PEERBUF_ROUTE_BUS],
	       sum.verdicts.routes[PEERBUF_ROUTE_HOST],
	       sum.verdicts.routes[PEERBUF_ROUTE_NONE], sum.verdicts.masked);
	TH_LOG("importers: %lu by bus, %lu by host, %lu refused (%lu: DMA mask)",
	       sum.addresses.mapped[PEERBUF_ROUTE_BUS],
	       sum.addresses.mapped[PEERBUF_ROUTE_HOST],
	       sum.addresses.mapped[PEERBUF_ROUTE_NONE], sum.addresses.masked);
	EXPECT_EQ(0, sum.verdicts.disagreements);
	EXPECT_EQ(0, sum.addresses.different);
	if (nr >= 20)
		has_everything(_metadata, &sum);
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
	unsigned long long nr = pb_setting("FABRIC_CYCLES",
					   pb_debug_kernel() ? 10 : 50), i;
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

/**
 * struct timing - of all pairs of a large fabric
 * @pairs: that were asked for
 * @single: seconds for a pair, asked for one by one, over a few of them
 * @row: seconds for a pair, over all pairs, asked for provider by provider
 */
struct timing {
	unsigned long pairs;
	double single;
	double row;
};

/* Every function as a provider, for all functions of the system. */
static void time_rows(struct __test_metadata *_metadata,
		      const struct fabric *fabric, struct timing *timing)
{
	static struct peerbuf_route_entry entries[MAX_FUNCTIONS];
	unsigned long reached = 0;
	unsigned int i;
	double start;
	int j, nr;

	timing->pairs = 0;
	start = seconds();
	for (i = 0; i < fabric->nr; i++) {
		nr = pb_routes(&fabric->functions[i].device.function, entries,
			       MAX_FUNCTIONS);
		ASSERT_LE((int)fabric->nr, nr);
		for (j = 0; j < nr; j++) {
			ASSERT_EQ(0, entries[j].verdict.flags &
				     PEERBUF_VERDICT_DISAGREES);
			reached += entries[j].verdict.route !=
				   PEERBUF_ROUTE_NONE;
		}
		timing->pairs += nr;
	}
	timing->row = (seconds() - start) / timing->pairs;
	EXPECT_LT(fabric->nr, reached);
}

static void time_single(const struct fabric *fabric, struct timing *timing)
{
	const unsigned int nr = 500;
	struct peerbuf_verdict verdict;
	unsigned int i;
	double start;

	start = seconds();
	for (i = 0; i < nr; i++)
		must(pb_route(&fabric->functions[i * 7 % fabric->nr].device.function,
			      &fabric->functions[i * 13 % fabric->nr].device.function,
			      &verdict));
	timing->single = (seconds() - start) / nr;
}

static void time_fabric(struct __test_metadata *_metadata,
			unsigned int functions, struct timing *timing)
{
	struct gen_fabric gen;
	struct fabric fabric;
	char message[256];
	char *text;

	gen_uniform(&gen, functions);
	text = gen_text(&gen);
	ASSERT_EQ(0, fabric_build(&fabric, text, message, sizeof(message)))
		TH_LOG("%s", message);
	ASSERT_EQ(functions, fabric.nr);
	time_rows(_metadata, &fabric, timing);
	time_single(&fabric, timing);
	TH_LOG("%u functions, %lu pairs: %.1f s, %.1f us a pair; asked for singly, %.1f us",
	       functions, timing->pairs, timing->row * timing->pairs,
	       timing->row * 1e6, timing->single * 1e6);
	fabric_close(&fabric);
	free(text);
	gen_free(&gen);
}

/*
 * All pairs of a large fabric. Its parts are those of the small one, only more
 * of them, so a pair must not cost more.
 */
TEST_F_TIMEOUT(generated, large_ones_answer_all_pairs, TIMEOUT)
{
	unsigned int functions = pb_setting("FABRIC_FUNCTIONS",
					    pb_debug_kernel() ? 256 : 1024);
	struct timing few, many;

	time_fabric(_metadata, functions / 4, &few);
	time_fabric(_metadata, functions, &many);
	TH_LOG("growth: %.2f times the pairs, %.2f times the time, per pair %.2f",
	       (double)many.pairs / few.pairs,
	       many.row * many.pairs / (few.row * few.pairs),
	       many.row / few.row);
	EXPECT_LE((unsigned long)functions * functions, many.pairs);
	EXPECT_GT(FLAT, many.row / few.row);
}

TEST_HARNESS_MAIN
