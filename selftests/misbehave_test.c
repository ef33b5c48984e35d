// SPDX-License-Identifier: GPL-2.0-only
/*
 * Importers that do not do as they agreed to. A revoke, the close of a pool and
 * an unbind have to be right all the same: what needs nobody's help is taken
 * back at once, who waits says for whom, and the wait ends when the importer
 * gives back.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define NOWAIT		PEERBUF_REVOKE_NOWAIT
#define LATE_MS		1500	/* of an importer */
#define CLOSE_MS	1000	/* a pool's close waits: drivers/peerbuf/revoke.c */
#define COMPLAIN_MS	10000	/* an unbind waits before it says so: likewise */
#define SLACK_MS	8000	/* that a busy machine may lose */
#define MANY		4000	/* attachments */
#define TIMEOUT		180

FIXTURE(misbehave) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int pool;
	int test;
	int dmabuf;
	__u64 id;
	struct pb_state start;
	int attached;
};

FIXTURE_SETUP(misbehave)
{
	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->pool = must(pb_pool(self->node, 0, MIB(1)));
	self->start = pb_state(&self->provider, self->pool);
	self->attached = pb_nr_attached();
	self->test = must(pb_open_test());
	self->dmabuf = must(pb_alloc(self->pool, LENGTH, &self->id));
}

FIXTURE_TEARDOWN(misbehave)
{
	close(self->dmabuf);
	close(self->test);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, self->pool))
		TH_LOG("the test has left traces");
	EXPECT_EQ(self->attached, pb_nr_attached());
	close(self->pool);
	close(self->node);
}

static unsigned int attach(const FIXTURE_DATA(misbehave) *self, int dmabuf,
			   unsigned int kind, unsigned int delay_ms)
{
	unsigned int handle;

	must(pb_test_attach(self->test, dmabuf, &self->importer, kind, delay_ms,
			    &handle));
	return handle;
}

static unsigned int attach_and_map(const FIXTURE_DATA(misbehave) *self,
				   int dmabuf, unsigned int kind,
				   unsigned int delay_ms)
{
	unsigned int handle = attach(self, dmabuf, kind, delay_ms);

	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	return handle;
}

static void detach(const FIXTURE_DATA(misbehave) *self, unsigned int handle)
{
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
}

/* How long it took, in ms; and what it returned. */
static unsigned int time_revoke(const FIXTURE_DATA(misbehave) *self,
				unsigned int flags, int *ret)
{
	__u64 begin = pb_now_ms();

	*ret = pb_revoke(self->pool, self->id, flags);
	return pb_now_ms() - begin;
}

/* The memory is held back, and nobody gets at it. */
static void expect_held_back(struct __test_metadata *_metadata,
			     const FIXTURE_DATA(misbehave) *self)
{
	struct peerbuf_pool_info info;
	unsigned int handle;

	EXPECT_EQ(-ENODEV, pb_try_map(self->dmabuf, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-ENODEV, pb_test_attach(self->test, self->dmabuf,
					  &self->importer,
					  PEERBUF_TEST_REVOCABLE, 0, &handle));
	must(pb_pool_info(self->pool, &info));
	EXPECT_EQ(self->start.pool_available - LENGTH, info.available);
}

/* An importer that never unmaps: only who asks for that waits for it. */
TEST_F_TIMEOUT(misbehave, never_unmaps, TIMEOUT)
{
	unsigned int handle = attach_and_map(self, self->dmabuf,
					     PEERBUF_TEST_STUBBORN, 0);
	char *memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	struct peerbuf_test_segment segments[16];
	struct peerbuf_test_map_info info;
	int ret, round;

	ASSERT_EQ(0, pb_touch(memory, true));
	for (round = 0; round < 3; round++) {
		EXPECT_GT(SLACK_MS, time_revoke(self, NOWAIT, &ret));
		EXPECT_EQ(-EINPROGRESS, ret);
		EXPECT_EQ(SIGBUS, pb_touch(memory, true));
		expect_held_back(_metadata, self);
	}
	/* It is told once, however often somebody revokes. */
	must(pb_test_map_info(self->test, handle, &info, segments,
			      ARRAY_SIZE(segments)));
	EXPECT_EQ(1, info.invalidations);
	EXPECT_EQ(1, info.mapped);

	pb_interrupt_after(300);
	EXPECT_LE(250, time_revoke(self, 0, &ret));
	pb_interrupt_after(0);
	EXPECT_EQ(-EINTR, ret);
	expect_held_back(_metadata, self);

	must(pb_test_call(self->test, PEERBUF_TEST_UNMAP, handle));
	EXPECT_EQ(0, pb_revoke(self->pool, self->id, NOWAIT));
	detach(self, handle);
	munmap(memory, LENGTH);
}

/* The close of its pool waits, but not for ever, and gives back what it can. */
TEST_F_TIMEOUT(misbehave, never_unmaps_and_the_pool_closes, TIMEOUT)
{
	int pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	int dmabuf = must(pb_alloc(pool, LENGTH, NULL));
	int other = must(pb_alloc(pool, LENGTH, NULL));
	unsigned int handle = attach_and_map(self, dmabuf,
					     PEERBUF_TEST_STUBBORN, 0);
	__u64 begin = pb_now_ms(), took;

	close(pool);
	took = pb_now_ms() - begin;
	EXPECT_LE(CLOSE_MS - 50, took);
	EXPECT_GE(CLOSE_MS + SLACK_MS, took);
	/* All of the pool is gone for its users, and stays claimed. */
	EXPECT_EQ(-ENODEV, pb_try_map(dmabuf, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-ENODEV, pb_try_map(other, 0, PAGE, RW, MAP_SHARED));
	EXPECT_EQ(-EBUSY, pb_pool(self->node, MIB(8), MIB(1)));
	close(other);
	close(dmabuf);
	EXPECT_EQ(-EBUSY, pb_pool(self->node, MIB(8), MIB(1)));

	detach(self, handle);
	pool = pb_pool(self->node, MIB(8), MIB(1));
	EXPECT_LE(0, pool);
	close(pool);
}

/* An unbind has to wait, and says for whom. */
TEST_F_TIMEOUT(misbehave, never_unmaps_and_the_provider_unbinds, TIMEOUT)
{
	struct pb_device other = pb_provider(1);
	unsigned int handle, before;
	int node, dmabuf, status;
	char text[128];
	pid_t child;

	node = must(pb_open_node(&other, O_RDWR));
	dmabuf = must(pb_export_at(node, 0, 0, LENGTH, NULL));
	close(node);
	handle = attach_and_map(self, dmabuf, PEERBUF_TEST_STUBBORN, 0);
	snprintf(text, sizeof(text), "%s has had it mapped for",
		 self->importer.name);
	before = pb_count_log(text);

	child = pb_fork();
	if (!child)
		_exit(pb_unbind(&other) ? 1 : 0);
	pb_sleep_ms(COMPLAIN_MS + COMPLAIN_MS / 2);
	EXPECT_EQ(0, waitpid(child, &status, WNOHANG))
		TH_LOG("the unbind did not wait");
	EXPECT_LT(before, pb_count_log(text));
	EXPECT_EQ(-ENODEV, pb_try_map(dmabuf, 0, PAGE, RW, MAP_SHARED));
	detach(self, handle);
	EXPECT_EQ(0, pb_join(child));
	close(dmabuf);
	EXPECT_EQ(0, pb_bind(&other, "peerbuf_pci"));
}

/* Attached in time, but not mapped: too late when the provider is gone. */
TEST_F_TIMEOUT(misbehave, maps_after_the_provider_is_gone, TIMEOUT)
{
	struct pb_device other = pb_provider(1);
	int node = must(pb_open_node(&other, O_RDWR));
	int dmabuf = must(pb_export_at(node, 0, 0, LENGTH, NULL));
	unsigned int handle = attach(self, dmabuf, PEERBUF_TEST_REVOCABLE, 0);
	unsigned int again;

	close(node);
	ASSERT_EQ(0, pb_unbind(&other));
	EXPECT_EQ(-ENODEV, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	EXPECT_EQ(-ENODEV, pb_test_attach(self->test, dmabuf, &self->importer,
					  PEERBUF_TEST_REVOCABLE, 0, &again));
	EXPECT_EQ(0, pb_bind(&other, "peerbuf_pci"));
	EXPECT_EQ(-ENODEV, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	detach(self, handle);
	close(dmabuf);
}

/* What is late is waited for, and no longer. */
TEST_F_TIMEOUT(misbehave, unmaps_late, TIMEOUT)
{
	unsigned int handle = attach_and_map(self, self->dmabuf,
					     PEERBUF_TEST_SLOW, LATE_MS);
	unsigned int took;
	int ret;

	EXPECT_GT(LATE_MS, time_revoke(self, NOWAIT, &ret));
	EXPECT_EQ(-EINPROGRESS, ret);
	took = time_revoke(self, 0, &ret);
	EXPECT_EQ(0, ret);
	EXPECT_GE(LATE_MS + SLACK_MS, took);
	EXPECT_FALSE(pb_test_mapped(self->test, handle));
	detach(self, handle);
}

/* Later than a pool waits: the close is over first, the memory comes back then. */
TEST_F_TIMEOUT(misbehave, unmaps_after_the_pool_closed, TIMEOUT)
{
	int pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	int dmabuf = must(pb_alloc(pool, LENGTH, NULL));
	unsigned int handle = attach_and_map(self, dmabuf, PEERBUF_TEST_SLOW,
					     CLOSE_MS + 2 * LATE_MS);

	close(pool);
	EXPECT_TRUE(pb_test_mapped(self->test, handle));
	pb_sleep_ms(2 * LATE_MS + CLOSE_MS);
	EXPECT_FALSE(pb_test_mapped(self->test, handle));
	detach(self, handle);
	close(dmabuf);
	pool = pb_pool(self->node, MIB(8), MIB(1));
	EXPECT_LE(0, pool);
	close(pool);
}

/* Inside the callback, and with the old mapping still there: not granted. */
TEST_F(misbehave, maps_again_inside_invalidate)
{
	unsigned int handle = attach_and_map(self, self->dmabuf,
					     PEERBUF_TEST_GREEDY, 0);
	struct peerbuf_test_map_info info;

	EXPECT_EQ(0, pb_revoke(self->pool, self->id, 0));
	must(pb_test_map_info(self->test, handle, &info, NULL, 0));
	EXPECT_EQ(1, info.invalidations);
	EXPECT_EQ(0, info.regained);
	EXPECT_EQ(0, info.mapped);
	EXPECT_EQ(-ENODEV, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	detach(self, handle);
}

/* Attached, and never mapped: told, and not waited for. */
TEST_F(misbehave, attaches_and_never_maps)
{
	unsigned int stubborn = attach(self, self->dmabuf,
				       PEERBUF_TEST_STUBBORN, 0);
	unsigned int greedy = attach(self, self->dmabuf, PEERBUF_TEST_GREEDY,
				     0);
	struct peerbuf_test_map_info info;

	EXPECT_EQ(0, pb_revoke(self->pool, self->id, NOWAIT));
	must(pb_test_map_info(self->test, greedy, &info, NULL, 0));
	EXPECT_EQ(0, info.regained);
	detach(self, stubborn);
	detach(self, greedy);
}

struct helper {
	const FIXTURE_DATA(misbehave) *self;
	unsigned int handle;
	atomic_bool stop;
	unsigned long rounds;
};

static void *detach_late(void *data)
{
	struct helper *helper = data;

	pb_sleep_ms(300);
	detach(helper->self, helper->handle);
	return NULL;
}

TEST_F_TIMEOUT(misbehave, detaches_during_revoke, TIMEOUT)
{
	struct helper helper = { .self = self };
	pthread_t thread;
	int ret;

	helper.handle = attach_and_map(self, self->dmabuf,
				       PEERBUF_TEST_STUBBORN, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, detach_late, &helper));
	EXPECT_LE(200, time_revoke(self, 0, &ret));
	EXPECT_EQ(0, ret);
	pthread_join(thread, NULL);
}

/* With a file of its own: the calls on one file wait for each other. */
static void *attach_and_detach(void *data)
{
	struct helper *helper = data;
	int test = must(pb_open_test());
	unsigned int handle;

	while (!atomic_load(&helper->stop)) {
		if (pb_test_attach(test, helper->self->dmabuf,
				   &helper->self->importer,
				   helper->rounds & 1 ? PEERBUF_TEST_GREEDY :
							PEERBUF_TEST_REVOCABLE,
				   0, &handle))
			continue;
		pb_test_call(test, PEERBUF_TEST_MAP, handle);
		must(pb_test_call(test, PEERBUF_TEST_DETACH, handle));
		helper->rounds++;
	}
	close(test);
	return NULL;
}

TEST_F_TIMEOUT(misbehave, attaches_from_two_threads, TIMEOUT)
{
	struct helper helpers[2] = { { .self = self }, { .self = self } };
	pthread_t threads[2];
	int i;

	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL,
					    attach_and_detach, &helpers[i]));
	pb_sleep_ms(700);
	EXPECT_EQ(0, pb_revoke(self->pool, self->id, 0));
	EXPECT_EQ(0, pb_revoke(self->pool, self->id, NOWAIT));
	pb_sleep_ms(100);
	for (i = 0; i < 2; i++) {
		atomic_store(&helpers[i].stop, true);
		pthread_join(threads[i], NULL);
		EXPECT_LT(0, helpers[i].rounds);
	}
}

/* Importer, mapping, pool and descriptors all go with the process. */
TEST_F_TIMEOUT(misbehave, dies_with_everything_open, TIMEOUT)
{
	int pipes[2];
	char byte;
	pid_t child;

	ASSERT_EQ(0, pipe(pipes));
	child = pb_fork();
	if (!child) {
		FIXTURE_DATA(misbehave) mine = *self;
		int node = must(pb_open_node(&self->provider, O_RDWR));
		int pool = must(pb_pool(node, MIB(8), MIB(1)));
		int dmabuf = must(pb_alloc(pool, LENGTH, NULL));
		char *memory = pb_map(dmabuf, 0, LENGTH, RW);

		mine.test = must(pb_open_test());
		pb_touch(memory, true);
		attach_and_map(&mine, dmabuf, PEERBUF_TEST_STUBBORN, 0);
		attach_and_map(&mine, dmabuf, PEERBUF_TEST_SLOW, LATE_MS);
		attach_and_map(&mine, dmabuf, PEERBUF_TEST_GREEDY, 0);
		if (write(pipes[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	close(pipes[1]);
	ASSERT_EQ(1, read(pipes[0], &byte, 1));
	close(pipes[0]);
	kill(child, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
}

/*
 * Many attachments: a revoke tells each, and its time grows as they do. The
 * shortest of three counts: others of this machine may have made it longer.
 */
static __u64 revoke_of_many(const FIXTURE_DATA(misbehave) *self,
			    unsigned int count)
{
	unsigned int handles[MANY], i;
	struct timespec begin, end;
	__u64 id;
	int dmabuf = must(pb_alloc(self->pool, LENGTH, &id));

	for (i = 0; i < count; i++)
		handles[i] = attach_and_map(self, dmabuf,
					    PEERBUF_TEST_REVOCABLE, 0);
	clock_gettime(CLOCK_MONOTONIC, &begin);
	must(pb_revoke(self->pool, id, 0));
	clock_gettime(CLOCK_MONOTONIC, &end);
	for (i = 0; i < count; i++)
		detach(self, handles[i]);
	close(dmabuf);
	return (end.tv_sec - begin.tv_sec) * 1000000ULL +
	       end.tv_nsec / 1000 - begin.tv_nsec / 1000;
}

static __u64 best_revoke(const FIXTURE_DATA(misbehave) *self,
			 unsigned int count)
{
	__u64 best = ~0ULL, took;
	int round;

	for (round = 0; round < 3; round++) {
		took = revoke_of_many(self, count);
		best = took < best ? took : best;
	}
	return best;
}

TEST_F_TIMEOUT(misbehave, thousand_attachments, TIMEOUT)
{
	static const unsigned int counts[] = { 100, 1000, MANY };
	__u64 took[ARRAY_SIZE(counts)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		took[i] = best_revoke(self, counts[i]);
		TH_LOG("revoke with %u attachments: %llu us, %llu ns each",
		       counts[i], (unsigned long long)took[i],
		       (unsigned long long)(took[i] * 1000 / counts[i]));
	}
	/*
	 * Linear is 10 and 4 times; were it by the square, it would be 100 and
	 * 16. The first hundred are in the caches, so they may be twice as fast.
	 */
	EXPECT_GT(took[0] * 25, took[1]);
	EXPECT_GT(took[1] * 6, took[2]);
}

TEST_HARNESS_MAIN
