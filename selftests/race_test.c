// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once: threads, twice as many as processors, export, attach, map,
 * fault, ask, revoke, close and fork on a few buffers and pools that all of them
 * share, while the provider is reset, and taken from its driver and given back. A
 * call may fail, since others are at work; nothing may hang, be lost or be left.
 *
 *   RACE_SECONDS  how long, default 5, on the debug kernel 10
 *   RACE_SEED     for what the threads choose, default the time
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(16)
#define NR_BUFFERS	8
#define NR_POOLS	3
#define MAX_THREADS	64
#define REBIND_MS	400
#define RESET_MS	300	/* between two resets, at most */
#define TIMEOUT		(24 * 3600)	/* the machine ends first */

enum action {
	EXPORT, CLOSE, ATTACH, IMPORT, FAULT, REVOKE, QUERY, POOL, POOL_CLOSE,
	FORK, REBIND, RESET, NR_ACTIONS,
};

static const char * const action_names[NR_ACTIONS] = {
	"export", "close", "attach and map", "import", "fault", "revoke",
	"query", "pool", "pool close", "fork", "rebind", "reset",
};

/* How often a thread chooses what, of 100. */
static const unsigned int weights[NR_ACTIONS] = {
	[EXPORT] = 20, [CLOSE] = 8, [ATTACH] = 18, [IMPORT] = 8, [FAULT] = 18,
	[REVOKE] = 8, [QUERY] = 12, [POOL] = 3, [POOL_CLOSE] = 2, [FORK] = 3,
};

/**
 * struct race - what the threads share
 * @provider: whose memory it is, and which is rebound
 * @importer: of the test module
 * @engine: on peerbuf's own lifecycle
 * @fds: dma-bufs, or -1. Who takes one out closes it; others may be using it,
 *	and see what has its number afterwards
 * @ids: number of the buffer that was last put there
 * @pools: likewise
 * @node: likewise
 * @stop: time is up
 * @worked: how often each action succeeded
 * @failed: how often each was refused, as it may be
 * @faults: answers that the call may not give
 */
struct race {
	struct pb_device provider;
	struct pb_device importer;
	struct pb_device engine;
	atomic_int fds[NR_BUFFERS];
	atomic_ullong ids[NR_BUFFERS];
	atomic_int pools[NR_POOLS];
	atomic_int node;
	atomic_bool stop;
	atomic_ulong worked[NR_ACTIONS];
	atomic_ulong failed[NR_ACTIONS];
	atomic_ulong faults;
};

/* One thread. */
struct racer {
	struct race *race;
	pthread_t thread;
	__u64 random;
	int test;
	int edu;
	int memory;	/* for what goes through mappings */
};

/* What a call may say when others are at work on its objects. */
static bool may_say(int error)
{
	static const int expected[] = {
		ENODEV, EBUSY, ENOENT, EBADF, EINVAL, ENOTTY, ENOSPC, EACCES,
		EINPROGRESS, ENXIO, EAGAIN,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(expected); i++)
		if (error == -expected[i])
			return true;
	return false;
}

static void count(struct race *race, enum action action, int ret)
{
	if (ret >= 0) {
		atomic_fetch_add(&race->worked[action], 1);
		return;
	}
	atomic_fetch_add(&race->failed[action], 1);
	if (!may_say(ret) && atomic_fetch_add(&race->faults, 1) < 20)
		printf("# %s: %s\n", action_names[action], strerror(-ret));
}

static unsigned int below(struct racer *racer, unsigned int limit)
{
	return pb_random_below(&racer->random, limit);
}

static int any_buffer(struct racer *racer)
{
	return atomic_load(&racer->race->fds[below(racer, NR_BUFFERS)]);
}

/* Put a new descriptor there; who was there before is closed. */
static void put(atomic_int *place, int fd)
{
	int old = atomic_exchange(place, fd);

	if (old >= 0)
		close(old);
}

/* A node that is gone stays gone: open it again. */
static int node_again(struct race *race)
{
	int node = pb_open_node(&race->provider, O_RDWR);

	if (node >= 0)
		put(&race->node, node);
	return node;
}

static int do_export(struct racer *racer)
{
	struct race *race = racer->race;
	unsigned int i = below(racer, NR_BUFFERS);
	int node = atomic_load(&race->node);
	__u64 id;
	int fd;

	if (below(racer, 2)) {
		fd = pb_alloc(atomic_load(&race->pools[below(racer, NR_POOLS)]),
			      LENGTH, &id);
	} else {
		fd = pb_export_at(node, PEERBUF_EXPORT_ALLOW_PINNED,
				  i * LENGTH, LENGTH, &id);
		if (fd == -ENODEV || fd == -EBADF)
			node_again(race);
	}
	if (fd < 0)
		return fd;
	atomic_store(&race->ids[i], id);
	put(&race->fds[i], fd);
	return 0;
}

static int do_close(struct racer *racer)
{
	atomic_int *place = &racer->race->fds[below(racer, NR_BUFFERS)];
	int fd = atomic_exchange(place, -1);

	if (fd < 0)
		return -ENOENT;
	return close(fd) ? -errno : 0;
}

static int do_attach(struct racer *racer)
{
	static const unsigned int kinds[] = {
		PEERBUF_TEST_REVOCABLE, PEERBUF_TEST_SLOW, PEERBUF_TEST_PINNED,
		PEERBUF_TEST_GREEDY,
	};
	unsigned int handle;
	int ret;

	ret = pb_test_attach(racer->test, any_buffer(racer),
			     &racer->race->importer,
			     kinds[below(racer, ARRAY_SIZE(kinds))], 1,
			     &handle);
	if (ret)
		return ret == -EOPNOTSUPP ? -ENODEV : ret;
	ret = pb_test_call(racer->test, PEERBUF_TEST_MAP, handle);
	must(pb_test_call(racer->test, PEERBUF_TEST_DETACH, handle));
	return ret;
}

static int do_import(struct racer *racer)
{
	__u64 address, contiguous;
	unsigned int handle;
	int ret = pb_import(racer->edu, any_buffer(racer), &handle);

	if (ret)
		return ret;
	ret = pb_address(racer->edu, handle, 0, &address, &contiguous);
	must(pb_release(racer->edu, handle));
	return ret;
}

/*
 * Through calls that read and write user memory: a fault that cannot be served
 * is their error, and no signal.
 */
static int touch(int memory, char *byte)
{
	if (pwrite(memory, byte, 1, 0) != 1 || pread(memory, byte, 1, 0) != 1)
		return -ENODEV;
	return 0;
}

static int do_fault(struct racer *racer)
{
	char *memory = mmap(NULL, LENGTH, RW, MAP_SHARED, any_buffer(racer), 0);
	int ret;

	if (memory == MAP_FAILED)
		return -errno;
	ret = touch(racer->memory, memory + below(racer, 4) * PAGE);
	munmap(memory, LENGTH);
	return ret;
}

static int do_revoke(struct racer *racer)
{
	struct race *race = racer->race;
	__u64 id = atomic_load(&race->ids[below(racer, NR_BUFFERS)]);
	unsigned int pool = below(racer, 2 * NR_POOLS);
	int fd = atomic_load(pool < NR_POOLS ? &race->pools[pool] : &race->node);

	return pb_revoke(fd, id, below(racer, 2) ? PEERBUF_REVOKE_NOWAIT : 0);
}

static int do_query(struct racer *racer)
{
	struct peerbuf_provider_info info;
	struct peerbuf_buffer_info buffer;
	struct peerbuf_window_info window;
	struct peerbuf_verdict verdict;
	struct race *race = racer->race;

	switch (below(racer, 4)) {
	case 0:
		return pb_provider_info(&race->provider, &info);
	case 1:
		return pb_window(&race->provider, 0, &window);
	case 2:
		return pb_route(&race->provider.function,
				&race->importer.function, &verdict);
	default:
		return pb_buffer(any_buffer(racer), &buffer, NULL, 0);
	}
}

static int do_pool(struct racer *racer)
{
	struct race *race = racer->race;
	unsigned int i = below(racer, NR_POOLS);
	int pool = pb_pool(atomic_load(&race->node), MIB(8 + i), MIB(1));

	if (pool < 0)
		return pool;
	put(&race->pools[i], pool);
	return 0;
}

static int do_pool_close(struct racer *racer)
{
	atomic_int *place = &racer->race->pools[below(racer, NR_POOLS)];
	int pool = atomic_exchange(place, -1);

	if (pool < 0)
		return -ENOENT;
	return close(pool) ? -errno : 0;
}

/* A child has all descriptors and mappings too, for as long as it lives. */
static int do_fork(struct racer *racer)
{
	int fd = any_buffer(racer);
	char *memory = mmap(NULL, LENGTH, RW, MAP_SHARED, fd, 0);
	pid_t child;

	if (memory == MAP_FAILED)
		return -errno;
	child = pb_fork();
	if (!child) {
		touch(racer->memory, memory);
		close(fd);
		touch(racer->memory, memory + PAGE);
		_exit(0);
	}
	munmap(memory, LENGTH);
	return pb_join(child) ? -EIO : 0;
}

static int (* const actions[])(struct racer *racer) = {
	[EXPORT] = do_export,
	[CLOSE] = do_close,
	[ATTACH] = do_attach,
	[IMPORT] = do_import,
	[FAULT] = do_fault,
	[REVOKE] = do_revoke,
	[QUERY] = do_query,
	[POOL] = do_pool,
	[POOL_CLOSE] = do_pool_close,
	[FORK] = do_fork,
};

static enum action choose(struct racer *racer)
{
	unsigned int number = below(racer, 100);
	enum action action;

	for (action = EXPORT; action < FORK; action++) {
		if (number < weights[action])
			break;
		number -= weights[action];
	}
	return action;
}

static void *run(void *data)
{
	struct racer *racer = data;
	enum action action;

	while (!atomic_load(&racer->race->stop)) {
		action = choose(racer);
		count(racer->race, action, actions[action](racer));
	}
	return NULL;
}

/* One thread more, as resets take long: most of what others do falls into one. */
static void *keep_resetting(void *data)
{
	struct racer *racer = data;
	struct race *race = racer->race;

	while (!atomic_load(&race->stop)) {
		pb_sleep_ms(below(racer, RESET_MS));
		count(race, RESET, pb_reset(&race->provider));
	}
	return NULL;
}

static int rebind(struct race *race)
{
	int ret = pb_unbind(&race->provider);

	return ret ?: pb_bind(&race->provider, "peerbuf_pci");
}

FIXTURE(race) {
	struct race race;
	struct racer racers[MAX_THREADS];
	struct racer resetter;
	unsigned int nr;
	struct pb_state start;
	int attached;
};

FIXTURE_SETUP(race)
{
	struct race *race = &self->race;
	unsigned int i;

	race->provider = pb_provider(0);
	race->importer = pb_usable_importer(&race->provider);
	race->engine = pb_importer(0);
	/* The library opens a control of its own, for the first question. */
	pb_state(&race->provider, -1);
	self->start = pb_state(&race->provider, -1);
	self->attached = pb_nr_attached();
	race->node = -1;
	for (i = 0; i < NR_BUFFERS; i++)
		race->fds[i] = -1;
	for (i = 0; i < NR_POOLS; i++)
		race->pools[i] = -1;
	self->nr = 2 * sysconf(_SC_NPROCESSORS_ONLN);
	self->nr = self->nr > MAX_THREADS ? MAX_THREADS : self->nr;
}

FIXTURE_TEARDOWN(race)
{
}

static void start_racer(struct racer *racer, struct race *race, __u64 seed,
			void *(*function)(void *racer))
{
	racer->race = race;
	racer->random = seed;
	if (pthread_create(&racer->thread, NULL, function, racer))
		fail("cannot start a thread");
}

static void begin(FIXTURE_DATA(race) *self, __u64 seed)
{
	unsigned int i;

	must(node_again(&self->race));
	for (i = 0; i < self->nr; i++) {
		struct racer *racer = &self->racers[i];

		racer->test = must(pb_open_test());
		racer->edu = must(pb_open_edu(&self->race.engine));
		racer->memory = must(memfd_create("race", MFD_CLOEXEC));
		start_racer(racer, &self->race, seed + i, run);
	}
	start_racer(&self->resetter, &self->race, seed + i, keep_resetting);
}

static void finish(FIXTURE_DATA(race) *self)
{
	unsigned int i;

	atomic_store(&self->race.stop, true);
	pthread_join(self->resetter.thread, NULL);
	for (i = 0; i < self->nr; i++) {
		pthread_join(self->racers[i].thread, NULL);
		close(self->racers[i].test);
		close(self->racers[i].edu);
		close(self->racers[i].memory);
	}
	for (i = 0; i < NR_BUFFERS; i++)
		put(&self->race.fds[i], -1);
	for (i = 0; i < NR_POOLS; i++)
		put(&self->race.pools[i], -1);
	put(&self->race.node, -1);
}

static void report(struct __test_metadata *_metadata, struct race *race,
		   bool importer)
{
	enum action action;

	for (action = 0; action < NR_ACTIONS; action++) {
		TH_LOG("%s: %lu, and %lu that others were in the way of",
		       action_names[action], race->worked[action],
		       race->failed[action]);
		if (action == IMPORT && !importer)
			continue;
		EXPECT_LT(0, race->worked[action]);
	}
	EXPECT_EQ(0, race->faults);
}

/* All of the memory can be had, and holds what is written there. */
static void expect_provider_works(struct __test_metadata *_metadata,
				  const struct race *race)
{
	int node = must(pb_open_node(&race->provider, O_RDWR));
	int dmabuf = pb_export_at(node, 0, 0, MIB(64), NULL);

	ASSERT_LE(0, dmabuf);
	pb_write_buffer(dmabuf, MIB(8), LENGTH, 7);
	EXPECT_TRUE(pb_buffer_holds(dmabuf, MIB(8), LENGTH, 7));
	close(dmabuf);
	close(node);
}

TEST_F_TIMEOUT(race, everything_at_once, TIMEOUT)
{
	__u64 length = 1000 * pb_setting("RACE_SECONDS",
					 pb_debug_kernel() ? 10 : 5);
	__u64 seed = pb_setting("RACE_SEED", time(NULL));
	__u64 end = pb_now_ms() + length;

	TH_LOG("RACE_SEED=%llu, %u threads", (unsigned long long)seed, self->nr);
	begin(self, seed);
	while (pb_now_ms() < end) {
		pb_sleep_ms(REBIND_MS);
		count(&self->race, REBIND, rebind(&self->race));
	}
	finish(self);

	report(_metadata, &self->race,
	       pb_expect()->route != PEERBUF_ROUTE_NONE);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->race.provider, -1))
		TH_LOG("the race has left traces");
	EXPECT_EQ(self->attached, pb_nr_attached());
	expect_provider_works(_metadata, &self->race);
}

TEST_HARNESS_MAIN
