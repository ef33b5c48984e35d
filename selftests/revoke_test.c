// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a buffer back: at once from whom can let go, with a wait from whom
 * cannot, for good, and without touching anybody else.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <signal.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define NOWAIT		PEERBUF_REVOKE_NOWAIT
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE
#define FROM_ENGINE	PEERBUF_EDU_FROM_ENGINE
#define SLOW_MS		1000	/* more than a busy machine loses in a test */

FIXTURE(revoke) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int pool;
	int fd;			/* the one that exports and revokes */
	int test;
	struct pb_state start;
};

FIXTURE_VARIANT(revoke) {
	bool pooled;
};

FIXTURE_VARIANT_ADD(revoke, node) { .pooled = false };
FIXTURE_VARIANT_ADD(revoke, pool) { .pooled = true };

FIXTURE_SETUP(revoke)
{
	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool(self->node, 0, MIB(1)));
	self->fd = variant->pooled ? self->pool : self->node;
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, self->pool);
}

FIXTURE_TEARDOWN(revoke)
{
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, self->pool));
	close(self->test);
	close(self->pool);
	close(self->node);
}

static int export(const FIXTURE_DATA(revoke) *self, unsigned int flags,
		  __u64 *id)
{
	bool pooled = self->fd == self->pool;

	return must(pb_export_at(self->fd, flags,
				 pooled ? PEERBUF_OFFSET_ANY : MIB(4), LENGTH,
				 id));
}

static unsigned int attach_and_map(const FIXTURE_DATA(revoke) *self, int dmabuf,
				   unsigned int kind)
{
	unsigned int handle;

	must(pb_test_attach(self->test, dmabuf, &self->importer, kind, SLOW_MS,
			    &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	return handle;
}

static void detach(const FIXTURE_DATA(revoke) *self, unsigned int handle)
{
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

static void expect_revoked(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(revoke) *self, int dmabuf)
{
	struct peerbuf_buffer_info info;
	unsigned int handle;

	EXPECT_EQ(0, pb_buffer(dmabuf, &info, NULL, 0));
	EXPECT_EQ(PEERBUF_BUFFER_REVOKED, info.flags & PEERBUF_BUFFER_REVOKED);
	EXPECT_EQ(-ENODEV, pb_test_attach(self->test, dmabuf, &self->importer,
					  PEERBUF_TEST_REVOCABLE, 0, &handle));
	EXPECT_EQ(-ENODEV, pb_try_map(dmabuf, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-ENODEV, pb_sync(dmabuf,
				   DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_GT(0, pb_test_vmap(self->test, dmabuf, &handle));
}

TEST_F(revoke, unused_buffer)
{
	__u64 id;
	int dmabuf = export(self, 0, &id);

	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	expect_revoked(_metadata, self, dmabuf);
	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	EXPECT_EQ(0, pb_revoke(self->fd, id, NOWAIT));
	expect_revoked(_metadata, self, dmabuf);
	close(dmabuf);
}

TEST_F(revoke, buffer_that_is_gone)
{
	__u64 id;
	int dmabuf = export(self, 0, &id);

	close(dmabuf);
	EXPECT_EQ(-ENOENT, pb_revoke(self->fd, id, 0));
	dmabuf = export(self, 0, &id);
	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	close(dmabuf);
	EXPECT_EQ(-ENOENT, pb_revoke(self->fd, id, 0));
}

/* The memory is free again, though the dma-buf is still open. */
TEST_F(revoke, memory_comes_back)
{
	__u64 id;
	int first = export(self, 0, &id);
	struct pb_state after;
	int second;

	pb_write_buffer(first, 0, LENGTH, 1);
	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	after = pb_state(&self->provider, self->pool);
	EXPECT_EQ(self->start.available, after.available);
	EXPECT_EQ(self->start.pool_available, after.pool_available);
	EXPECT_EQ(self->start.nr_buffers + 1, after.nr_buffers);

	second = export(self, 0, NULL);
	pb_write_buffer(second, 0, LENGTH, 2);
	EXPECT_EQ(-ENODEV, pb_try_map(first, 0, PAGE, RW, MAP_SHARED));
	close(first);
	/* The first has nothing left to give back: the second keeps it. */
	EXPECT_TRUE(pb_buffer_holds(second, 0, LENGTH, 2));
	after = pb_state(&self->provider, self->pool);
	EXPECT_EQ(self->start.available + self->start.pool_available - LENGTH,
		  after.available + after.pool_available);
	close(second);
}

TEST_F(revoke, by_whom)
{
	int other_node = must(pb_open_node(&self->provider, O_RDWR));
	int other_pool = must(pb_pool(self->node, MIB(16), MIB(1)));
	struct peerbuf_buffer_info info;
	__u64 id;
	int dmabuf = export(self, 0, &id);

	/* Not by a pool that it is not from, the owner's own included. */
	EXPECT_EQ(-ENOENT, pb_revoke(other_pool, id, 0));
	EXPECT_TRUE(variant->pooled ||
		    pb_revoke(self->pool, id, 0) == -ENOENT);
	must(pb_buffer(dmabuf, &info, NULL, 0));
	EXPECT_EQ(0, info.flags & PEERBUF_BUFFER_REVOKED);

	/* By the node, however it was opened. */
	EXPECT_EQ(0, pb_revoke(other_node, id, 0));
	expect_revoked(_metadata, self, dmabuf);
	close(dmabuf);
	close(other_pool);
	close(other_node);
}

TEST_F(revoke, importer_that_lets_go)
{
	struct peerbuf_test_map_info info;
	__u64 id;
	int dmabuf = export(self, 0, &id);
	unsigned int handle = attach_and_map(self, dmabuf,
					     PEERBUF_TEST_REVOCABLE);
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);

	ASSERT_EQ(0, pb_touch(memory, true));
	EXPECT_EQ(0, pb_revoke(self->fd, id, NOWAIT));
	EXPECT_EQ(SIGBUS, pb_touch(memory, true));
	must(pb_test_map_info(self->test, handle, &info, NULL, 0));
	EXPECT_EQ(0, info.mapped);
	EXPECT_EQ(1, info.invalidations);
	EXPECT_EQ(-ENODEV, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));

	/* A second revoke has nobody to tell. */
	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	must(pb_test_map_info(self->test, handle, &info, NULL, 0));
	EXPECT_EQ(1, info.invalidations);
	detach(self, handle);
	munmap(memory, LENGTH);
	close(dmabuf);
}

TEST_F(revoke, importer_that_takes_its_time)
{
	__u64 id, begin;
	int dmabuf = export(self, 0, &id);
	unsigned int handle = attach_and_map(self, dmabuf, PEERBUF_TEST_SLOW);
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);

	ASSERT_EQ(0, pb_touch(memory, true));
	begin = pb_now_ms();
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	/* What needs nobody's help is done already. */
	EXPECT_EQ(SIGBUS, pb_touch(memory, true));
	expect_revoked(_metadata, self, dmabuf);
	EXPECT_TRUE(pb_test_mapped(self->test, handle));

	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	EXPECT_FALSE(pb_test_mapped(self->test, handle));
	EXPECT_LE(SLOW_MS - 20, pb_now_ms() - begin);
	EXPECT_EQ(0, pb_revoke(self->fd, id, NOWAIT));
	detach(self, handle);
	munmap(memory, LENGTH);
	close(dmabuf);
}

/* Nobody may have the memory while a slow importer can still reach it. */
TEST_F(revoke, memory_does_not_come_back_too_early)
{
	struct pb_state state;
	__u64 id;
	int dmabuf = export(self, PEERBUF_EXPORT_ALLOW_PINNED, &id);
	unsigned int handle = attach_and_map(self, dmabuf, PEERBUF_TEST_PINNED);

	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	close(dmabuf);
	state = pb_state(&self->provider, self->pool);
	if (variant->pooled) {
		EXPECT_EQ(self->start.pool_available - LENGTH,
			  state.pool_available);
	} else {
		EXPECT_EQ(self->start.available - LENGTH, state.available);
		EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(4), PAGE,
					       NULL));
	}
	detach(self, handle);
}

TEST_F(revoke, pinned_importer)
{
	__u64 id;
	int dmabuf = export(self, PEERBUF_EXPORT_ALLOW_PINNED, &id);
	unsigned int handle = attach_and_map(self, dmabuf, PEERBUF_TEST_PINNED);
	int ret;

	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	expect_revoked(_metadata, self, dmabuf);

	/* A signal ends the wait; what was begun stands. */
	pb_interrupt_after(50);
	ret = pb_revoke(self->fd, id, 0);
	pb_interrupt_after(0);
	EXPECT_EQ(-EINTR, ret);
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	expect_revoked(_metadata, self, dmabuf);

	must(pb_test_call(self->test, PEERBUF_TEST_UNMAP, handle));
	EXPECT_EQ(0, pb_revoke(self->fd, id, NOWAIT));
	EXPECT_EQ(-ENODEV, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	detach(self, handle);
	close(dmabuf);
}

TEST_F(revoke, wait_ends_with_the_mapping)
{
	__u64 id, begin = pb_now_ms();
	int dmabuf = export(self, PEERBUF_EXPORT_ALLOW_PINNED, &id);
	unsigned int handle = attach_and_map(self, dmabuf, PEERBUF_TEST_PINNED);
	pid_t child = pb_fork();

	if (!child) {
		pb_sleep_ms(200);
		must(pb_test_call(self->test, PEERBUF_TEST_UNMAP, handle));
		_exit(0);
	}
	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	EXPECT_LE(180, pb_now_ms() - begin);
	EXPECT_EQ(0, pb_join(child));
	detach(self, handle);
	close(dmabuf);
}

TEST_F(revoke, kernel_mapping)
{
	__u64 id;
	int dmabuf = export(self, PEERBUF_EXPORT_ALLOW_PINNED, &id);
	unsigned int handle;

	must(pb_test_vmap(self->test, dmabuf, &handle));
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	must(pb_test_call(self->test, PEERBUF_TEST_VUNMAP, handle));
	EXPECT_EQ(0, pb_revoke(self->fd, id, NOWAIT));
	close(dmabuf);
}

TEST_F(revoke, several_importers)
{
	static const unsigned int kinds[] = {
		PEERBUF_TEST_REVOCABLE, PEERBUF_TEST_SLOW, PEERBUF_TEST_PINNED,
		PEERBUF_TEST_SLOW, PEERBUF_TEST_REVOCABLE,
	};
	unsigned int handles[ARRAY_SIZE(kinds)];
	__u64 id;
	int dmabuf = export(self, PEERBUF_EXPORT_ALLOW_PINNED, &id);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		handles[i] = attach_and_map(self, dmabuf, kinds[i]);
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	EXPECT_FALSE(pb_test_mapped(self->test, handles[0]));
	EXPECT_FALSE(pb_test_mapped(self->test, handles[4]));
	pb_sleep_ms(2 * SLOW_MS);
	EXPECT_FALSE(pb_test_mapped(self->test, handles[1]));
	EXPECT_FALSE(pb_test_mapped(self->test, handles[3]));
	EXPECT_EQ(-EINPROGRESS, pb_revoke(self->fd, id, NOWAIT));
	must(pb_test_call(self->test, PEERBUF_TEST_UNMAP, handles[2]));
	EXPECT_EQ(0, pb_revoke(self->fd, id, NOWAIT));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		detach(self, handles[i]);
	close(dmabuf);
}

/* The importer lets go and the owner takes back, at the same time. */
TEST_F(revoke, against_detach_and_close)
{
	int round;

	for (round = 0; round < 40; round++) {
		__u64 id;
		int dmabuf = export(self, 0, &id);
		pid_t child = pb_fork();
		int ret;

		if (!child) {
			int test = must(pb_open_test());
			unsigned int handle, i;

			for (i = 0; i < 5; i++) {
				if (pb_test_attach(test, dmabuf,
						   &self->importer,
						   PEERBUF_TEST_REVOCABLE, 0,
						   &handle))
					break;
				pb_test_call(test, PEERBUF_TEST_MAP, handle);
				pb_test_call(test, PEERBUF_TEST_DETACH,
					     handle);
			}
			_exit(0);
		}
		close(dmabuf);
		pb_sleep_ms(round % 8);
		ret = pb_revoke(self->fd, id, 0);
		EXPECT_TRUE(ret == 0 || ret == -ENOENT)
			TH_LOG("revoke returned %d", ret);
		EXPECT_EQ(0, pb_join(child));
	}
}

/* With the engine: what it has mapped, and what it is doing. */

static bool has_route(struct __test_metadata *_metadata, int edu, int dmabuf,
		      unsigned int *handle)
{
	const bool none = pb_expect()->route == PEERBUF_ROUTE_NONE;

	EXPECT_EQ(none ? -EOPNOTSUPP : 0, pb_import(edu, dmabuf, handle));
	return !none;
}

TEST_F(revoke, idle_engine)
{
	struct pb_device engine = pb_importer(0);
	int edu = must(pb_open_edu(&engine));
	unsigned int handle, again;
	__u64 id;
	int dmabuf = export(self, 0, &id);

	if (has_route(_metadata, edu, dmabuf, &handle)) {
		EXPECT_EQ(0, pb_copy(edu, handle, TO_ENGINE, 0, 0, 16));
		EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
		EXPECT_EQ(-ENODEV, pb_copy(edu, handle, TO_ENGINE, 0, 0, 16));
		EXPECT_EQ(-ENODEV, pb_copy(edu, handle, FROM_ENGINE, 0, 0, 16));
		EXPECT_EQ(-ENODEV, pb_import(edu, dmabuf, &again));
		EXPECT_EQ(0, pb_release(edu, handle));
	}
	close(edu);
	close(dmabuf);
}

/*
 * The engine writes while the memory is taken from it and given to somebody
 * else: who must find it as he left it.
 */
TEST_F(revoke, busy_engine)
{
	struct pb_device engine = pb_importer(0);
	int edu = must(pb_open_edu(&engine));
	unsigned int handle;
	__u64 id;
	int dmabuf = export(self, 0, &id);
	int next, result;
	pid_t child;

	if (!has_route(_metadata, edu, dmabuf, &handle))
		goto out;
	child = pb_fork();
	if (!child) {
		do {
			result = pb_copy(edu, handle, FROM_ENGINE, 0, 0, PAGE);
		} while (!result);
		_exit(result == -ENODEV ? 0 : 1);
	}
	pb_sleep_ms(150);
	EXPECT_EQ(0, pb_revoke(self->fd, id, 0));
	next = export(self, 0, NULL);
	pb_write_buffer(next, 0, LENGTH, 5);
	EXPECT_EQ(0, pb_join(child));
	pb_sleep_ms(150);
	EXPECT_TRUE(pb_buffer_holds(next, 0, LENGTH, 5));
	close(next);
out:
	close(edu);
	close(dmabuf);
}

TEST_HARNESS_MAIN
