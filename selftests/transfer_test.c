// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices move data to and from BAR memory, and every byte is looked at. Where
 * the topology has no route, the import is refused for the expected reason.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define HALF		(LENGTH / 2)
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE

FIXTURE(transfer) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int edu;
	int dmabuf;
	__u64 id;
	unsigned int handle;
	int imported;			/* what the import returned */
	struct pb_state start;
};

FIXTURE_SETUP(transfer)
{
	self->provider = pb_provider(0);
	self->importer = pb_importer(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->edu = must(pb_open_edu(&self->importer));
	self->start = pb_state(&self->provider, -1);
	self->dmabuf = must(pb_export_at(self->node, 0, MIB(4), LENGTH,
					 &self->id));
	self->imported = pb_import(self->edu, self->dmabuf, &self->handle);
}

FIXTURE_TEARDOWN(transfer)
{
	if (!self->imported)
		pb_release(self->edu, self->handle);
	close(self->dmabuf);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->edu);
	close(self->node);
}

/*
 * Whether there is a way for data; if not, that it was refused as it should.
 * Every test begins with it, so that none passes by doing nothing.
 */
static bool has_route(struct __test_metadata *_metadata,
		      const FIXTURE_DATA(transfer) *self)
{
	const struct pb_expect *expect = pb_expect();
	struct peerbuf_verdict verdict;

	must(pb_route(&self->provider.function, &self->importer.function,
		      &verdict));
	EXPECT_EQ(expect->route, verdict.route);
	EXPECT_EQ(expect->reason, verdict.reason);
	EXPECT_EQ(expect->route == PEERBUF_ROUTE_NONE ? -EOPNOTSUPP : 0,
		  self->imported);
	return !self->imported;
}

struct shape {
	size_t from;		/* in the first half of the buffer */
	size_t to;		/* in the second half */
	unsigned int engine;	/* in the engine's buffer */
	unsigned int length;
};

static const struct shape shapes[] = {
	{ 0, 0, 0, PAGE },
	{ HALF - PAGE, HALF - PAGE, 0, PAGE },
	{ 0, 0, 0, 1 },
	{ 1, 0, 0, 1 },
	{ 0, 7, 0, 1 },
	{ PAGE - 1, PAGE + 1, PAGE - 1, 1 },
	{ PAGE - 1, 2 * PAGE - 1, 0, 2 },
	{ 3, 5, 7, 11 },
	{ 1, 2, 1, PAGE - 1 },
	{ PAGE + 1, PAGE - 1, 0, PAGE },
	{ 3 * PAGE + 13, 5 * PAGE + 4003, 1000, 1031 },
	{ HALF - 1, HALF - 1, 3, 1 },
};

/* The piece arrived, and nothing around it has changed. */
static bool arrived(const char *memory, const char *expected,
		    const struct shape *shape)
{
	return !memcmp(memory, expected, HALF) &&
	       pb_is_zero(memory + HALF, shape->to & ~7UL) &&
	       !memcmp(memory + HALF + shape->to, expected + shape->from,
		       shape->length) &&
	       !memcmp(memory + HALF + shape->to + shape->length,
		       expected + HALF, HALF - shape->to - shape->length);
}

TEST_F(transfer, every_shape)
{
	char *memory, *expected;
	size_t i;

	if (!has_route(_metadata, self))
		return;
	memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	expected = pb_map(-1, 0, LENGTH, RW);
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *shape = &shapes[i];

		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
		pb_fill(memory, HALF, i);
		memset(memory + HALF, 0, HALF);
		must(pb_sync(self->dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
		pb_fill(expected, HALF, i);

		must(pb_copy(self->edu, self->handle, TO_ENGINE, shape->from,
			     shape->engine, shape->length));
		must(pb_copy(self->edu, self->handle, FROM_ENGINE,
			     HALF + shape->to, shape->engine, shape->length));

		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
		EXPECT_TRUE(arrived(memory, expected, shape))
			TH_LOG("shape %zu", i);
		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	}
	munmap(expected, LENGTH);
	munmap(memory, LENGTH);
}

/* The same place over and over: nobody may see what was there before. */
TEST_F(transfer, cpu_and_device_see_the_same)
{
	char *memory;
	int round;

	if (!has_route(_metadata, self))
		return;
	memory = pb_map(self->dmabuf, 0, 2 * PAGE, RW);
	for (round = 0; round < 5; round++) {
		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
		pb_fill(memory, PAGE, 100 + round);
		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
		must(pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, PAGE));
		must(pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0,
			     PAGE));
		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ));
		EXPECT_TRUE(pb_holds(memory + PAGE, PAGE, 100 + round));
		must(pb_sync(self->dmabuf,
			     DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ));
	}
	munmap(memory, 2 * PAGE);
}

TEST_F(transfer, from_one_provider_to_another)
{
	struct pb_device other = pb_provider(1);
	int node = must(pb_open_node(&other, O_RDWR));
	int dmabuf = must(pb_export_at(node, 0, MIB(1), LENGTH, NULL));
	unsigned int handle;

	EXPECT_EQ(self->imported, pb_import(self->edu, dmabuf, &handle));
	if (!has_route(_metadata, self))
		goto out;
	pb_write_buffer(self->dmabuf, 2 * PAGE, PAGE, 31);
	pb_write_buffer(dmabuf, 3 * PAGE, PAGE, 32);
	must(pb_copy(self->edu, self->handle, TO_ENGINE, 2 * PAGE, 0, PAGE));
	must(pb_copy(self->edu, handle, FROM_ENGINE, 3 * PAGE, 0, PAGE));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 3 * PAGE, PAGE, 31));
	EXPECT_TRUE(pb_buffer_holds(self->dmabuf, 2 * PAGE, PAGE, 31));
	must(pb_release(self->edu, handle));
out:
	close(dmabuf);
	close(node);
}

/* A process of its own for an engine: rounds of copies inside one buffer. */
static int engine_rounds(const struct pb_device *importer, int dmabuf,
			 size_t base, int seed)
{
	int edu = must(pb_open_edu(importer));
	unsigned int handle;
	int round, bad = 0;

	must(pb_import(edu, dmabuf, &handle));
	for (round = 0; round < 4; round++) {
		pb_write_buffer(dmabuf, base, PAGE, seed + round);
		must(pb_copy(edu, handle, TO_ENGINE, base, 0, PAGE));
		must(pb_copy(edu, handle, FROM_ENGINE, base + PAGE, 0, PAGE));
		bad += !pb_buffer_holds(dmabuf, base + PAGE, PAGE,
					seed + round);
	}
	close(edu);
	return bad;
}

TEST_F(transfer, two_engines_at_once)
{
	struct pb_device importers[2] = { self->importer, pb_importer(1) };
	pid_t children[2];
	int i;

	if (!has_route(_metadata, self))
		return;
	for (i = 0; i < 2; i++) {
		children[i] = pb_fork();
		if (!children[i])
			_exit(engine_rounds(&importers[i], self->dmabuf,
					    i * HALF, 1000 * i));
	}
	EXPECT_EQ(0, pb_join(children[0]));
	EXPECT_EQ(0, pb_join(children[1]));
}

/* Two users of one engine take turns, and get their own data. */
TEST_F(transfer, two_processes_with_one_engine)
{
	unsigned int handle;
	pid_t child;
	int other;

	if (!has_route(_metadata, self))
		return;
	other = must(pb_open_edu(&self->importer));
	must(pb_import(other, self->dmabuf, &handle));
	child = pb_fork();
	if (!child)
		_exit(pb_copy(other, handle, TO_ENGINE, HALF, 0, 64) ||
		      pb_copy(other, handle, TO_ENGINE, HALF, 0, 64));
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 64, 64));
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, TO_ENGINE, 0, 64, 64));
	EXPECT_EQ(0, pb_join(child));
	close(other);
}

TEST_F(transfer, buffer_of_several_ranges)
{
	const struct peerbuf_range ranges[] = {
		{ MIB(30), PAGE }, { MIB(10), 2 * PAGE }, { MIB(20), PAGE },
	};
	__u64 address, contiguous;
	unsigned int handle;
	int dmabuf;

	if (!has_route(_metadata, self))
		return;
	dmabuf = must(pb_export_ranges(self->node, 0, ranges, 3, 0, NULL));
	must(pb_import(self->edu, dmabuf, &handle));
	pb_write_buffer(dmabuf, 0, PAGE, 41);
	/* From the first range into the third, and over a page in the second. */
	must(pb_copy(self->edu, handle, TO_ENGINE, 0, 0, PAGE));
	must(pb_copy(self->edu, handle, FROM_ENGINE, 3 * PAGE, 0, PAGE));
	must(pb_copy(self->edu, handle, FROM_ENGINE, PAGE + KIB(2), 0, PAGE));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 3 * PAGE, PAGE, 41));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, PAGE + KIB(2), PAGE, 41));

	/* Over the edge of a range only where addresses happen to go on. */
	must(pb_address(self->edu, handle, 0, &address, &contiguous));
	EXPECT_EQ(contiguous > PAGE ? 0 : -EXDEV,
		  pb_copy(self->edu, handle, TO_ENGINE, PAGE - 1, 0, 2));
	must(pb_release(self->edu, handle));

	/* The device wrote where the buffer says that it is. */
	close(dmabuf);
	dmabuf = must(pb_export_at(self->node, 0, MIB(20), PAGE, NULL));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, PAGE, 41));
	close(dmabuf);
}

TEST_F(transfer, addresses)
{
	struct peerbuf_window_info window;
	__u64 address, contiguous;

	if (!has_route(_metadata, self))
		return;
	must(pb_window(&self->provider, 0, &window));
	must(pb_address(self->edu, self->handle, 5 * PAGE + 3, &address,
			&contiguous));
	EXPECT_EQ(LENGTH - 5 * PAGE - 3, contiguous);
	/* QEMU's bus addresses are physical addresses; an IOVA is neither. */
	EXPECT_EQ(window.bus, window.phys);
	EXPECT_EQ(!pb_expect()->iommu,
		  window.phys + MIB(4) + 5 * PAGE + 3 == address)
		TH_LOG("address %#llx", address);
}

/* What was in a pooled buffer is not there for the device of the next owner. */
TEST_F(transfer, device_reads_zeroes_from_fresh_memory)
{
	int pool, dmabuf;
	unsigned int handle;

	if (!has_route(_metadata, self))
		return;
	pool = must(pb_pool(self->node, MIB(32), LENGTH));
	dmabuf = must(pb_export_at(pool, 0, 0, PAGE, NULL));
	pb_write_buffer(self->dmabuf, 0, PAGE, 51);
	must(pb_import(self->edu, dmabuf, &handle));
	must(pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0, PAGE));
	must(pb_copy(self->edu, handle, FROM_ENGINE, 0, 0, PAGE));
	EXPECT_TRUE(pb_buffer_holds(dmabuf, 0, PAGE, 51));
	must(pb_release(self->edu, handle));
	close(dmabuf);

	dmabuf = must(pb_export_at(pool, 0, 0, PAGE, NULL));
	must(pb_import(self->edu, dmabuf, &handle));
	must(pb_copy(self->edu, handle, TO_ENGINE, 0, 0, PAGE));
	must(pb_copy(self->edu, self->handle, FROM_ENGINE, PAGE, 0, PAGE));
	char *memory = pb_map(self->dmabuf, PAGE, PAGE, PROT_READ);

	EXPECT_TRUE(pb_is_zero(memory, PAGE));
	munmap(memory, PAGE);
	must(pb_release(self->edu, handle));
	close(dmabuf);
	close(pool);
}

TEST_HARNESS_MAIN
