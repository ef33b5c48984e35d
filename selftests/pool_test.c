// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may have which memory: pools, fixed ranges, how they exclude each other,
 * what is cleared when, and that the books are right.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "peerbuf_lib.h"

#define WINDOW_LENGTH	MIB(64)
#define POOL_OFFSET	MIB(8)
#define POOL_LENGTH	MIB(1)
#define POOL_PAGES	(POOL_LENGTH / PAGE)

FIXTURE(pool) {
	struct pb_device provider;
	int node;
	int pool;
	struct pb_state start;
	struct pb_state empty;		/* pool made, nothing allocated */
};

FIXTURE_SETUP(pool)
{
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->start = pb_state(&self->provider, -1);
	ASSERT_EQ(WINDOW_LENGTH, self->start.available);
	self->pool = must(pb_pool(self->node, POOL_OFFSET, POOL_LENGTH));
	self->empty = pb_state(&self->provider, self->pool);
}

FIXTURE_TEARDOWN(pool)
{
	if (self->pool >= 0)
		close(self->pool);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->node);
}

static void close_pool(FIXTURE_DATA(pool) *self)
{
	close(self->pool);
	self->pool = -1;
}

static __u64 available(int pool)
{
	struct peerbuf_pool_info info;

	must(pb_pool_info(pool, &info));
	return info.available;
}

static __u64 window_available(const struct pb_device *provider)
{
	struct peerbuf_window_info info;

	must(pb_window(provider, 0, &info));
	return info.available;
}

static __u64 offset_of(int dmabuf)
{
	struct peerbuf_range ranges[8];
	struct peerbuf_buffer_info info;

	must(pb_buffer(dmabuf, &info, ranges, ARRAY_SIZE(ranges)));
	return ranges[0].offset;
}

TEST_F(pool, describes_itself)
{
	struct peerbuf_pool_info info;

	must(pb_pool_info(self->pool, &info));
	EXPECT_TRUE(pb_same_function(&self->provider.function, &info.provider));
	EXPECT_EQ(0, info.window);
	EXPECT_EQ(0, info.nr_buffers);
	EXPECT_EQ(POOL_OFFSET, info.offset);
	EXPECT_EQ(POOL_LENGTH, info.length);
	EXPECT_EQ(POOL_LENGTH, info.available);
	EXPECT_EQ(WINDOW_LENGTH - POOL_LENGTH,
		  window_available(&self->provider));
}

TEST_F(pool, exhaustion_and_reuse)
{
	int dmabufs[POOL_PAGES];
	unsigned int round;
	size_t i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < POOL_PAGES; i++) {
			dmabufs[i] = must(pb_alloc(self->pool, PAGE, NULL));
			ASSERT_EQ(POOL_LENGTH - (i + 1) * PAGE,
				  available(self->pool));
		}
		EXPECT_EQ(-ENOSPC, pb_alloc(self->pool, PAGE, NULL));

		/* One goes, one fits, and it is the same place. */
		__u64 hole = offset_of(dmabufs[POOL_PAGES / 3]);

		close(dmabufs[POOL_PAGES / 3]);
		EXPECT_EQ(PAGE, available(self->pool));
		EXPECT_EQ(-ENOSPC, pb_alloc(self->pool, 2 * PAGE, NULL));
		dmabufs[POOL_PAGES / 3] = must(pb_alloc(self->pool, PAGE, NULL));
		EXPECT_EQ(hole, offset_of(dmabufs[POOL_PAGES / 3]));
		EXPECT_EQ(-ENOSPC, pb_alloc(self->pool, PAGE, NULL));

		for (i = 0; i < POOL_PAGES; i++)
			close(dmabufs[i]);
		ASSERT_TRUE(pb_unchanged(&self->empty, &self->provider,
					 self->pool));
	}
	/* Nothing is left in pieces. */
	close(must(pb_alloc(self->pool, POOL_LENGTH, NULL)));
}

TEST_F(pool, no_two_buffers_overlap)
{
	bool taken[POOL_PAGES] = {};
	int dmabufs[64];
	__u64 page, length;
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(dmabufs); i++) {
		length = (i % 5 + 1) * PAGE;
		dmabufs[i] = must(pb_alloc(self->pool, length, NULL));
		page = (offset_of(dmabufs[i]) - POOL_OFFSET) / PAGE;
		ASSERT_LE(page + length / PAGE, POOL_PAGES);
		for (j = 0; j < length / PAGE; j++) {
			ASSERT_FALSE(taken[page + j]);
			taken[page + j] = true;
		}
	}
	for (i = 0; i < ARRAY_SIZE(dmabufs); i++)
		close(dmabufs[i]);
}

TEST_F(pool, alignment_of_the_bus_address)
{
	struct peerbuf_range any = { PEERBUF_OFFSET_ANY, PAGE };
	struct peerbuf_window_info window;
	int dmabuf, odd;
	__u64 align;

	must(pb_window(&self->provider, 0, &window));
	for (align = PAGE; align < POOL_LENGTH; align *= 2) {
		/* Without the wish, the next would begin after this page. */
		odd = must(pb_alloc(self->pool, PAGE, NULL));
		dmabuf = must(pb_export_ranges(self->pool, 0, &any, 1, align,
					       NULL));
		EXPECT_EQ(0, (window.bus + offset_of(dmabuf)) & (align - 1))
			TH_LOG("asked for %#llx", align);
		close(dmabuf);
		close(odd);
	}
	/* A page is taken where alone this could be. */
	odd = must(pb_export_at(self->pool, 0, 0, PAGE, NULL));
	EXPECT_EQ(-ENOSPC, pb_export_ranges(self->pool, 0, &any, 1, MIB(512),
					    NULL));
	close(odd);
}

TEST_F(pool, several_ranges_are_one_buffer)
{
	const struct peerbuf_range ranges[] = {
		{ KIB(256), 2 * PAGE },
		{ PEERBUF_OFFSET_ANY, PAGE },
		{ 0, PAGE },
		{ PEERBUF_OFFSET_ANY, 3 * PAGE },
	};
	struct peerbuf_range seen[ARRAY_SIZE(ranges)];
	struct peerbuf_buffer_info info;
	int dmabuf, whole;
	size_t i, at = 0;

	dmabuf = must(pb_export_ranges(self->pool, 0, ranges, 4, 0, NULL));
	must(pb_buffer(dmabuf, &info, seen, ARRAY_SIZE(seen)));
	EXPECT_EQ(7 * PAGE, info.length);
	EXPECT_EQ(7 * PAGE, lseek(dmabuf, 0, SEEK_END));
	EXPECT_EQ(POOL_LENGTH - 7 * PAGE, available(self->pool));
	EXPECT_EQ(POOL_OFFSET + KIB(256), seen[0].offset);
	EXPECT_EQ(POOL_OFFSET, seen[2].offset);

	/* Each piece of the buffer is where it says. */
	pb_write_buffer(dmabuf, 0, 7 * PAGE, 1);
	for (i = 0; i < ARRAY_SIZE(seen); i++) {
		void *piece = pb_map(dmabuf, at, seen[i].length, PROT_READ);
		char *part = pb_map(-1, 0, 7 * PAGE, PROT_READ | PROT_WRITE);

		pb_fill(part, 7 * PAGE, 1);
		EXPECT_EQ(ranges[i].length, seen[i].length);
		EXPECT_EQ(0, memcmp(piece, part + at, seen[i].length));
		munmap(part, 7 * PAGE);
		munmap(piece, seen[i].length);
		at += seen[i].length;
	}
	close(dmabuf);
	whole = must(pb_alloc(self->pool, POOL_LENGTH, NULL));
	close(whole);
}

TEST_F(pool, most_ranges)
{
	static struct peerbuf_range ranges[PEERBUF_MAX_RANGES];
	static struct peerbuf_range seen[PEERBUF_MAX_RANGES];
	struct peerbuf_buffer_info info;
	int dmabuf, node = self->node;
	size_t i;

	/* Every other page, so that none is next to another. */
	for (i = 0; i < PEERBUF_MAX_RANGES; i++)
		ranges[i] = (struct peerbuf_range){ MIB(16) + 2 * i * PAGE,
						    PAGE };
	dmabuf = must(pb_export_ranges(node, 0, ranges, PEERBUF_MAX_RANGES, 0,
				       NULL));
	EXPECT_EQ(WINDOW_LENGTH - POOL_LENGTH - PEERBUF_MAX_RANGES * PAGE,
		  window_available(&self->provider));
	must(pb_buffer(dmabuf, &info, seen, PEERBUF_MAX_RANGES));
	EXPECT_EQ(0, memcmp(ranges, seen, sizeof(seen)));
	pb_write_buffer(dmabuf, (PEERBUF_MAX_RANGES - 1) * PAGE, PAGE, 3);
	close(dmabuf);

	dmabuf = must(pb_export_at(node, 0, ranges[1023].offset, PAGE, NULL));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, PAGE, 3));
	close(dmabuf);
}

TEST_F(pool, at_an_offset)
{
	int first = must(pb_export_at(self->pool, 0, PAGE, 2 * PAGE, NULL));

	EXPECT_EQ(POOL_OFFSET + PAGE, offset_of(first));
	EXPECT_EQ(-EBUSY, pb_export_at(self->pool, 0, 2 * PAGE, PAGE, NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(self->pool, 0, 0, 2 * PAGE, NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(self->pool, 0, 0, POOL_LENGTH, NULL));
	close(must(pb_export_at(self->pool, 0, 0, PAGE, NULL)));
	close(must(pb_export_at(self->pool, 0, 3 * PAGE, PAGE, NULL)));
	close(must(pb_export_at(self->pool, 0, POOL_LENGTH - PAGE, PAGE,
				NULL)));
	close(first);
	close(must(pb_export_at(self->pool, 0, 0, POOL_LENGTH, NULL)));
}

TEST_F(pool, memory_is_zero_for_its_next_owner)
{
	int dmabuf = must(pb_export_at(self->pool, 0, 0, KIB(128), NULL));
	void *memory;

	pb_write_buffer(dmabuf, 0, KIB(128), 7);
	close(dmabuf);

	/* Overlaps what was written, and more. */
	dmabuf = must(pb_export_at(self->pool, 0, KIB(64), KIB(128), NULL));
	memory = pb_map(dmabuf, 0, KIB(128), PROT_READ);
	EXPECT_TRUE(pb_is_zero(memory, KIB(128)));
	munmap(memory, KIB(128));
	close(dmabuf);

	dmabuf = must(pb_alloc(self->pool, POOL_LENGTH, NULL));
	memory = pb_map(dmabuf, 0, POOL_LENGTH, PROT_READ);
	EXPECT_TRUE(pb_is_zero(memory, POOL_LENGTH));
	munmap(memory, POOL_LENGTH);
	close(dmabuf);
}

TEST_F(pool, memory_is_zero_after_the_pool)
{
	int dmabuf = must(pb_alloc(self->pool, KIB(64), NULL));
	__u64 offset = offset_of(dmabuf);
	void *memory;

	pb_write_buffer(dmabuf, 0, KIB(64), 9);
	close_pool(self);
	close(dmabuf);

	dmabuf = must(pb_export_at(self->node, 0, offset, KIB(64), NULL));
	memory = pb_map(dmabuf, 0, KIB(64), PROT_READ);
	EXPECT_TRUE(pb_is_zero(memory, KIB(64)));
	munmap(memory, KIB(64));
	close(dmabuf);
}

TEST_F(pool, unused_memory_of_a_pool_is_left_alone)
{
	int dmabuf, pool;

	dmabuf = must(pb_export_at(self->node, 0, MIB(32), KIB(64), NULL));
	pb_write_buffer(dmabuf, 0, KIB(64), 11);
	close(dmabuf);

	pool = must(pb_pool(self->node, MIB(32), KIB(64)));
	close(must(pb_export_at(pool, 0, 0, PAGE, NULL)));
	close(pool);

	dmabuf = must(pb_export_at(self->node, 0, MIB(32), KIB(64), NULL));
	EXPECT_FALSE(pb_buffer_holds(dmabuf, 0, PAGE, 11));
	void *memory = pb_map(dmabuf, 0, PAGE, PROT_READ);

	EXPECT_TRUE(pb_is_zero(memory, PAGE));
	munmap(memory, PAGE);
	close(dmabuf);
}

TEST_F(pool, fixed_ranges_are_never_cleared)
{
	int dmabuf = must(pb_export_at(self->node, 0, MIB(40), KIB(64), NULL));
	__u64 id;

	pb_write_buffer(dmabuf, 0, KIB(64), 13);
	close(dmabuf);
	dmabuf = must(pb_export_at(self->node, 0, MIB(40), KIB(64), &id));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, KIB(64), 13));
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	close(dmabuf);
	dmabuf = must(pb_export_at(self->node, 0, MIB(40), KIB(64), NULL));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, KIB(64), 13));
	close(dmabuf);
}

TEST_F(pool, fixed_ranges_overlap_only_where_both_are_shared)
{
	const unsigned int shared = PEERBUF_EXPORT_SHARED;
	int alone, first, second;

	alone = must(pb_export_at(self->node, 0, MIB(20), KIB(64), NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(20), PAGE, NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, shared, MIB(20), PAGE,
				       NULL));
	close(alone);

	first = must(pb_export_at(self->node, shared, MIB(20), KIB(64), NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(20), PAGE, NULL));
	second = must(pb_export_at(self->node, shared, MIB(20) + KIB(32),
				   KIB(64), NULL));
	/* What both hold counts once. */
	EXPECT_EQ(WINDOW_LENGTH - POOL_LENGTH - KIB(96),
		  window_available(&self->provider));
	/* And it is the same memory. */
	pb_write_buffer(first, KIB(32), KIB(32), 17);
	EXPECT_TRUE(pb_buffer_holds(second, 0, KIB(32), 17));

	close(first);
	EXPECT_EQ(WINDOW_LENGTH - POOL_LENGTH - KIB(64),
		  window_available(&self->provider));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(20) + KIB(32), PAGE,
				       NULL));
	close(must(pb_export_at(self->node, 0, MIB(20), KIB(32), NULL)));
	close(second);
	close(must(pb_export_at(self->node, 0, MIB(20), KIB(96), NULL)));
}

TEST_F(pool, pools_and_fixed_ranges_exclude_each_other)
{
	const unsigned int shared = PEERBUF_EXPORT_SHARED;
	int fixed;

	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, POOL_OFFSET, PAGE, NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, shared, POOL_OFFSET, PAGE,
				       NULL));
	EXPECT_EQ(-EBUSY, pb_pool(self->node, POOL_OFFSET, PAGE));
	EXPECT_EQ(-EBUSY, pb_pool(self->node, 0, WINDOW_LENGTH));

	fixed = must(pb_export_at(self->node, shared, MIB(20), PAGE, NULL));
	EXPECT_EQ(-EBUSY, pb_pool(self->node, MIB(20), POOL_LENGTH));
	close(fixed);
	close(must(pb_pool(self->node, MIB(20), POOL_LENGTH)));

	/* Neighbours are no trouble. */
	close(must(pb_export_at(self->node, 0, POOL_OFFSET - PAGE, PAGE,
				NULL)));
	close(must(pb_export_at(self->node, 0, POOL_OFFSET + POOL_LENGTH, PAGE,
				NULL)));
	close(must(pb_pool(self->node, POOL_OFFSET + POOL_LENGTH, PAGE)));
}

TEST_F(pool, close_revokes_its_buffers_and_no_others)
{
	int other_pool = must(pb_pool(self->node, MIB(32), POOL_LENGTH));
	int theirs = must(pb_alloc(other_pool, PAGE, NULL));
	int fixed = must(pb_export_at(self->node, 0, 0, PAGE, NULL));
	int mine = must(pb_alloc(self->pool, PAGE, NULL));
	struct peerbuf_buffer_info info;
	char *memory[3] = {
		pb_map(mine, 0, PAGE, PROT_READ | PROT_WRITE),
		pb_map(theirs, 0, PAGE, PROT_READ | PROT_WRITE),
		pb_map(fixed, 0, PAGE, PROT_READ | PROT_WRITE),
	};
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, pb_touch(memory[i], true));
	close_pool(self);
	EXPECT_EQ(SIGBUS, pb_touch(memory[0], false));
	EXPECT_EQ(0, pb_touch(memory[1], true));
	EXPECT_EQ(0, pb_touch(memory[2], true));

	must(pb_buffer(mine, &info, NULL, 0));
	EXPECT_EQ(PEERBUF_BUFFER_REVOKED | PEERBUF_BUFFER_POOLED, info.flags);
	must(pb_buffer(theirs, &info, NULL, 0));
	EXPECT_EQ(PEERBUF_BUFFER_POOLED, info.flags);
	must(pb_buffer(fixed, &info, NULL, 0));
	EXPECT_EQ(0, info.flags);

	for (i = 0; i < 3; i++)
		munmap(memory[i], PAGE);
	close(mine);
	close(theirs);
	close(fixed);
	close(other_pool);
}

TEST_F(pool, survives_until_its_last_descriptor)
{
	int copy = dup(self->pool);
	int dmabuf = must(pb_alloc(self->pool, PAGE, NULL));
	char *memory = pb_map(dmabuf, 0, PAGE, PROT_READ);

	close(self->pool);
	self->pool = copy;
	EXPECT_EQ(0, pb_touch(memory, false));
	close(must(pb_alloc(self->pool, PAGE, NULL)));
	munmap(memory, PAGE);
	close(dmabuf);
}

TEST_F(pool, outlives_the_node)
{
	int node = must(pb_open_node(&self->provider, O_RDWR));
	int pool = must(pb_pool(node, MIB(32), POOL_LENGTH));
	int dmabuf;

	close(node);
	dmabuf = must(pb_alloc(pool, PAGE, NULL));
	pb_write_buffer(dmabuf, 0, PAGE, 19);
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, PAGE, 19));
	close(dmabuf);
	close(pool);
}

/* Allocate, look, write, look again: whoever sees another's bytes, fails. */
static int compete(int pool, unsigned int seed)
{
	unsigned int round;
	int bad = 0;

	for (round = 0; round < 100; round++) {
		__u64 length = (round * seed % 7 + 1) * PAGE;
		int dmabuf = pb_alloc(pool, length, NULL);
		void *memory;

		if (dmabuf == -ENOSPC)
			continue;
		memory = pb_map(must(dmabuf), 0, length,
				PROT_READ | PROT_WRITE);
		bad += !pb_is_zero(memory, length);
		pb_fill(memory, length, seed);
		bad += !pb_holds(memory, length, seed);
		munmap(memory, length);
		close(dmabuf);
	}
	return bad;
}

TEST_F(pool, processes_compete)
{
	int pool = must(pb_pool(self->node, MIB(16), 12 * PAGE));
	pid_t children[4];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = pb_fork();
		if (!children[i])
			_exit(compete(pool, 3 * i + 1) ? 1 : 0);
	}
	for (i = 0; i < ARRAY_SIZE(children); i++)
		EXPECT_EQ(0, pb_join(children[i]));
	EXPECT_EQ(12 * PAGE, available(pool));
	close(pool);
}

TEST_F(pool, many_buffers)
{
	const size_t count = 1000;
	struct peerbuf_provider_info info;
	struct rlimit limit;
	int *dmabufs = calloc(count, sizeof(*dmabufs));
	__u64 *ids = calloc(count, sizeof(*ids));
	int pool;
	size_t i;

	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max < 4096 ? 4096 : limit.rlim_max;
	limit.rlim_max = limit.rlim_cur;
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));

	pool = must(pb_pool(self->node, MIB(32), MIB(4)));
	for (i = 0; i < count; i++) {
		dmabufs[i] = must(pb_alloc(pool, PAGE, &ids[i]));
		ASSERT_TRUE(!i || ids[i] > ids[i - 1]);
	}
	must(pb_provider_info(&self->provider, &info));
	EXPECT_EQ(count, info.nr_buffers);
	EXPECT_EQ(MIB(4) - count * PAGE, available(pool));

	/* Every one of them is its own memory. */
	for (i = 0; i < count; i += 37)
		pb_write_buffer(dmabufs[i], 0, PAGE, i);
	for (i = 0; i < count; i += 37)
		EXPECT_TRUE(pb_buffer_holds(dmabufs[i], 0, PAGE, i));

	/* In an order that is not that of their making. */
	for (i = 0; i < count; i++)
		close(dmabufs[i * 7 % count]);
	close(pool);
	EXPECT_TRUE(pb_unchanged(&self->empty, &self->provider, self->pool));
	free(dmabufs);
	free(ids);
}

TEST_HARNESS_MAIN
