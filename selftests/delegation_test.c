// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pools as delegated rights: what their limits allow, what they withhold, what
 * whoever holds one can do without any other right, and how the owner takes one
 * back.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define POOL_OFFSET	MIB(8)
#define POOL_LENGTH	MIB(1)
#define NOWAIT		PEERBUF_REVOKE_NOWAIT
#define ANY		PEERBUF_OFFSET_ANY
#define SLOW_MS		1000	/* more than a busy machine loses in a test */

FIXTURE(delegation) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int test;
	struct pb_state start;
};

FIXTURE_SETUP(delegation)
{
	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
}

FIXTURE_TEARDOWN(delegation)
{
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1))
		TH_LOG("the test has left traces");
	close(self->test);
	close(self->node);
}

static struct peerbuf_pool_create plain(void)
{
	return (struct peerbuf_pool_create){
		.offset = POOL_OFFSET,
		.length = POOL_LENGTH,
	};
}

static int pool_with_quota(int node, __u64 quota)
{
	struct peerbuf_pool_create arg = plain();

	arg.quota = quota;
	return must(pb_pool_limited(node, &arg));
}

static __u64 used(int pool)
{
	struct peerbuf_pool_info info;

	must(pb_pool_info(pool, &info));
	return info.used;
}

static unsigned int flags_of(int dmabuf)
{
	struct peerbuf_buffer_info info;

	must(pb_buffer(dmabuf, &info, NULL, 0));
	return info.flags;
}

static __u64 offset_of(int dmabuf)
{
	struct peerbuf_buffer_info info;
	struct peerbuf_range range;

	must(pb_buffer(dmabuf, &info, &range, 1));
	return range.offset;
}

/* Limits */

TEST_F(delegation, says_what_it_may)
{
	struct peerbuf_pool_create arg = plain();
	struct peerbuf_pool_info info;
	int pool, other, dmabuf;
	__u64 id;

	arg.flags = PEERBUF_POOL_NO_STATIC | PEERBUF_POOL_DIRECT;
	arg.quota = KIB(64);
	arg.align = KIB(16);
	arg.max_buffers = 3;
	pool = must(pb_pool_limited(self->node, &arg));
	id = arg.id;
	dmabuf = must(pb_export_at(pool, PEERBUF_EXPORT_DIRECT, ANY, PAGE,
				   NULL));
	must(pb_pool_info(pool, &info));
	EXPECT_EQ(arg.flags, info.flags);
	EXPECT_EQ(id, info.id);
	EXPECT_EQ(KIB(64), info.quota);
	EXPECT_EQ(PAGE, info.used);
	EXPECT_EQ(KIB(16), info.align);
	EXPECT_EQ(3, info.max_buffers);
	EXPECT_EQ(1, info.nr_buffers);
	EXPECT_EQ(POOL_LENGTH - PAGE, info.available);

	/* What was not said is all of it; and numbers are not used twice. */
	arg = plain();
	arg.offset = MIB(16);
	other = must(pb_pool_limited(self->node, &arg));
	EXPECT_NE(id, arg.id);
	must(pb_pool_info(other, &info));
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(POOL_LENGTH, info.quota);
	EXPECT_EQ(PAGE, info.align);
	EXPECT_EQ(PEERBUF_POOL_BUFFERS, info.max_buffers);
	close(other);
	close(dmabuf);
	close(pool);
}

/* A program of before: a struct without limits, and one with a tail of zero. */
TEST_F(delegation, first_version_of_the_structs)
{
	struct peerbuf_pool_create arg = plain();
	struct peerbuf_pool_info info;
	int pool;

	arg.size = offsetof(struct peerbuf_pool_create, quota);
	arg.quota = 1;		/* beyond what the kernel is told of */
	arg.id = 77;
	must(pb_ioctl(self->node, PEERBUF_IOC_POOL_CREATE, &arg));
	pool = arg.fd;
	EXPECT_EQ(77, arg.id);
	close(must(pb_alloc(pool, POOL_LENGTH, NULL)));

	memset(&info, 0x5a, sizeof(info));
	info.size = offsetof(struct peerbuf_pool_info, id);
	info.flags = 0;
	must(pb_ioctl(pool, PEERBUF_IOC_POOL_INFO, &info));
	EXPECT_EQ(POOL_LENGTH, info.available);
	EXPECT_EQ(0x5a5a5a5a5a5a5a5aULL, info.id);
	close(pool);
}

static const unsigned int export_flags[] = {
	PEERBUF_EXPORT_READ_ONLY, PEERBUF_EXPORT_ALLOW_STATIC,
	PEERBUF_EXPORT_ALLOW_PINNED, PEERBUF_EXPORT_DIRECT,
};

/* In the order of the pool's flags; for "must" ones, the absence is the error. */
static bool permitted(unsigned int pool_flags, unsigned int flags)
{
	const bool required[] = { true, false, false, true };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(export_flags); i++) {
		if (pool_flags & 1U << i &&
		    required[i] != !!(flags & export_flags[i]))
			return false;
	}
	return true;
}

static unsigned int export_combination(unsigned int bits)
{
	unsigned int flags = 0, i;

	for (i = 0; i < ARRAY_SIZE(export_flags); i++)
		flags |= bits & 1U << i ? export_flags[i] : 0;
	return flags;
}

static int try_export(int pool, unsigned int flags)
{
	if (flags & PEERBUF_EXPORT_READ_ONLY)
		return pb_export_read_only(pool, flags, ANY, PAGE, NULL);
	return pb_export_at(pool, flags, ANY, PAGE, NULL);
}

TEST_F(delegation, flags_in_every_combination)
{
	unsigned int bits, pool_flags, flags, refused = 0, allowed = 0;
	struct peerbuf_pool_create arg;
	struct pb_state before;
	int pool, dmabuf;

	for (pool_flags = 0; pool_flags < 16; pool_flags++) {
		arg = plain();
		arg.flags = pool_flags;
		pool = must(pb_pool_limited(self->node, &arg));
		before = pb_state(&self->provider, pool);
		for (bits = 0; bits < 16; bits++) {
			flags = export_combination(bits);
			dmabuf = try_export(pool, flags);
			if (permitted(pool_flags, flags)) {
				EXPECT_LE(0, dmabuf)
					TH_LOG("pool %#x, export %#x: %d",
					       pool_flags, flags, dmabuf);
				close(dmabuf);
				allowed++;
			} else {
				EXPECT_EQ(-EPERM, dmabuf)
					TH_LOG("pool %#x, export %#x",
					       pool_flags, flags);
				refused++;
			}
		}
		EXPECT_TRUE(pb_unchanged(&before, &self->provider, pool));
		close(pool);
	}
	/* Each flag of a pool halves what is allowed: (1 + 1/2)^4 / 2^4. */
	EXPECT_EQ(81, allowed);
	EXPECT_EQ(256 - 81, refused);
}

/* A right that the pool withholds, at work: nobody writes to what comes from it. */
TEST_F(delegation, read_only_pool)
{
	struct peerbuf_pool_create arg = plain();
	unsigned int handle;
	int pool, dmabuf;

	arg.flags = PEERBUF_POOL_READ_ONLY;
	pool = must(pb_pool_limited(self->node, &arg));
	EXPECT_EQ(-EPERM, pb_alloc(pool, PAGE, NULL));
	dmabuf = must(pb_export_read_only(pool, 0, ANY, PAGE, NULL));
	EXPECT_EQ(PEERBUF_BUFFER_POOLED | PEERBUF_BUFFER_READ_ONLY,
		  flags_of(dmabuf));
	EXPECT_EQ(-EACCES, pb_try_map(dmabuf, 0, PAGE, RW, MAP_SHARED));
	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_REVOCABLE, 0, &handle));
	EXPECT_EQ(-EACCES, pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	close(dmabuf);
	close(pool);
}

TEST_F(delegation, quota)
{
	const struct peerbuf_range three[] = {
		{ ANY, PAGE }, { KIB(512), PAGE }, { ANY, PAGE },
	};
	int pool = pool_with_quota(self->node, 4 * PAGE);
	int first, second;

	/* More than it all at once, in one piece and in several. */
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, 5 * PAGE, NULL));
	EXPECT_EQ(-EDQUOT, pb_export_at(pool, 0, 0, 5 * PAGE, NULL));
	EXPECT_EQ(0, used(pool));
	/* To the last byte; and what is taken is another matter. */
	first = must(pb_alloc(pool, 4 * PAGE, NULL));
	EXPECT_EQ(-EDQUOT, pb_export_at(pool, 0, 0, PAGE, NULL));
	close(first);
	EXPECT_EQ(0, used(pool));

	first = must(pb_alloc(pool, 2 * PAGE, NULL));
	EXPECT_EQ(-EDQUOT, pb_export_ranges(pool, 0, three, 3, 0, NULL));
	EXPECT_EQ(2 * PAGE, used(pool)) TH_LOG("a part of it stayed taken");
	second = must(pb_export_ranges(pool, 0, three, 2, 0, NULL));
	EXPECT_EQ(4 * PAGE, used(pool));
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, PAGE, NULL));
	/* What is free in the range is no help, and what is bad is bad first. */
	EXPECT_EQ(-ENOSPC, pb_alloc(pool, POOL_LENGTH + PAGE, NULL));
	EXPECT_EQ(-ERANGE, pb_export_at(pool, 0, POOL_LENGTH, PAGE, NULL));
	EXPECT_EQ(-EINVAL, pb_alloc(pool, 1, NULL));
	close(first);
	EXPECT_EQ(-EBUSY, pb_export_at(pool, 0, KIB(512), PAGE, NULL));
	close(must(pb_alloc(pool, 2 * PAGE, NULL)));
	close(second);
	close(pool);

	/* A quota of all is none: what is missing is room. */
	pool = pool_with_quota(self->node, POOL_LENGTH);
	first = must(pb_alloc(pool, POOL_LENGTH, NULL));
	EXPECT_EQ(-ENOSPC, pb_alloc(pool, PAGE, NULL));
	EXPECT_EQ(-EBUSY, pb_export_at(pool, 0, 0, PAGE, NULL));
	close(first);
	close(pool);
}

/* Memory counts until it is out of use, not until its name is gone. */
TEST_F(delegation, quota_and_revoke)
{
	int pool = pool_with_quota(self->node, PAGE);
	struct peerbuf_pool_info info;
	unsigned int handle;
	int dmabuf, next;
	__u64 id;

	dmabuf = must(pb_alloc(pool, PAGE, &id));
	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_SLOW, SLOW_MS, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	EXPECT_EQ(-EINPROGRESS, pb_revoke(pool, id, NOWAIT));
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, PAGE, NULL));
	EXPECT_EQ(0, pb_revoke(pool, id, 0));
	next = must(pb_alloc(pool, PAGE, NULL));
	must(pb_pool_info(pool, &info));
	EXPECT_EQ(2, info.nr_buffers);
	EXPECT_EQ(PAGE, info.used);
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	close(next);
	close(dmabuf);
	close(pool);
}

/* Kernel memory: revoked buffers need none of the pool's, but some of that. */
TEST_F(delegation, number_of_buffers)
{
	struct peerbuf_pool_create arg = plain();
	int dmabufs[4], pool;
	__u64 id;
	int i;

	arg.max_buffers = ARRAY_SIZE(dmabufs);
	pool = must(pb_pool_limited(self->node, &arg));
	for (i = 0; i < (int)ARRAY_SIZE(dmabufs); i++) {
		dmabufs[i] = must(pb_alloc(pool, PAGE, &id));
		EXPECT_EQ(0, pb_revoke(pool, id, 0));
	}
	EXPECT_EQ(0, used(pool));
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, PAGE, NULL));
	/* A call that fails takes no place. */
	close(dmabufs[0]);
	EXPECT_EQ(-EINVAL, pb_alloc(pool, 1, NULL));
	EXPECT_EQ(-EINVAL, pb_export_ranges(pool, 0,
					    &(struct peerbuf_range){ ANY, PAGE },
					    1, 3 * PAGE, NULL));
	dmabufs[0] = must(pb_alloc(pool, PAGE, NULL));
	EXPECT_EQ(-EDQUOT, pb_alloc(pool, PAGE, NULL));
	for (i = 0; i < (int)ARRAY_SIZE(dmabufs); i++)
		close(dmabufs[i]);
	close(pool);
}

TEST_F(delegation, as_many_as_there_may_be)
{
	const unsigned int most = 3000;
	struct peerbuf_pool_create arg = plain();
	unsigned int i, made = 0;
	int pool, dmabuf;
	char *memory;

	/* Not by descriptors: a mapping holds the buffer as well. */
	arg.max_buffers = most;
	pool = must(pb_pool_limited(self->node, &arg));
	memory = pb_map(-1, 0, (most + 8) * PAGE, PROT_NONE);
	for (i = 0; i < most + 8; i++) {
		__u64 id;

		dmabuf = pb_alloc(pool, PAGE, &id);
		if (dmabuf < 0)
			break;
		ASSERT_NE(MAP_FAILED,
			  mmap(memory + i * PAGE, PAGE, PROT_READ,
			       MAP_SHARED | MAP_FIXED, dmabuf, 0));
		must(pb_revoke(pool, id, 0));
		close(dmabuf);
		made++;
	}
	EXPECT_EQ(most, made);
	EXPECT_EQ(-EDQUOT, dmabuf);
	munmap(memory, (most + 8) * PAGE);
	close(must(pb_alloc(pool, PAGE, NULL)));
	close(pool);
}

TEST_F(delegation, least_alignment)
{
	struct peerbuf_range any = { ANY, PAGE };
	struct peerbuf_pool_create arg = plain();
	struct peerbuf_window_info window;
	int first, second, pool;

	must(pb_window(&self->provider, 0, &window));
	/* Begins between two multiples: of no account, as bus addresses count. */
	arg.offset += KIB(32);
	arg.align = KIB(64);
	pool = must(pb_pool_limited(self->node, &arg));
	first = must(pb_alloc(pool, PAGE, NULL));
	second = must(pb_export_ranges(pool, 0, &any, 1, PAGE, NULL));
	EXPECT_EQ(0, (window.bus + offset_of(first)) % KIB(64));
	EXPECT_EQ(0, (window.bus + offset_of(second)) % KIB(64));
	EXPECT_NE(offset_of(first), offset_of(second));
	close(second);

	/* More may be asked for, and less in vain. */
	second = must(pb_export_ranges(pool, 0, &any, 1, KIB(256), NULL));
	EXPECT_EQ(0, (window.bus + offset_of(second)) % KIB(256));
	close(second);
	EXPECT_EQ(-EINVAL, pb_export_at(pool, 0, 0, PAGE, NULL));
	EXPECT_EQ(-EINVAL, pb_export_at(pool, 0, KIB(32) + PAGE, PAGE, NULL));
	close(must(pb_export_at(pool, 0, KIB(160), PAGE, NULL)));
	close(first);
	close(pool);
}

struct bad_limits {
	const char *what;
	int error;
	struct peerbuf_pool_create arg;
};

#define BAD(error, ...) \
	{ #__VA_ARGS__, error, { .offset = POOL_OFFSET, .length = POOL_LENGTH, \
				 __VA_ARGS__ } }

static const struct bad_limits bad_limits[] = {
	BAD(EOPNOTSUPP, .flags = PEERBUF_POOL_REVOKED),
	BAD(EOPNOTSUPP, .flags = 1U << 5),
	BAD(EOPNOTSUPP, .flags = 1U << 31),
	BAD(EINVAL, .reserved2 = 1),
	BAD(EINVAL, .quota = 1),
	BAD(EINVAL, .quota = PAGE - 1),
	BAD(ERANGE, .quota = POOL_LENGTH + PAGE),
	BAD(ERANGE, .quota = -PAGE),
	BAD(EINVAL, .align = 1),
	BAD(EINVAL, .align = PAGE / 2),
	BAD(EINVAL, .align = 3 * PAGE),
	BAD(EINVAL, .align = 1ULL << 31),
	BAD(EINVAL, .align = 1ULL << 63),
	BAD(EINVAL, .align = -1ULL),
	BAD(EINVAL, .max_buffers = PEERBUF_POOL_MAX_BUFFERS + 1),
	BAD(EINVAL, .max_buffers = -1U),
};

TEST_F(delegation, refused_limits)
{
	const struct bad_limits *bad;
	struct peerbuf_pool_create arg;

	for (bad = bad_limits; bad < bad_limits + ARRAY_SIZE(bad_limits);
	     bad++) {
		arg = bad->arg;
		EXPECT_EQ(-bad->error, pb_pool_limited(self->node, &arg))
			TH_LOG("%s", bad->what);
		EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1))
			TH_LOG("%s", bad->what);
	}
	/* The limits of the limits. */
	arg = plain();
	arg.quota = POOL_LENGTH;
	arg.align = 1ULL << 30;
	arg.max_buffers = PEERBUF_POOL_MAX_BUFFERS;
	close(must(pb_pool_limited(self->node, &arg)));
}

/* Who has nothing but the descriptor */

/* What a pool answers, and what it does not. Return: 0, or a case that failed. */
static int use_pool(int pool, __u64 others)
{
	struct peerbuf_pool_create create = plain();
	struct peerbuf_pool_revoke revoke = { .size = sizeof(revoke) };
	struct peerbuf_version version = { .size = sizeof(version) };
	struct peerbuf_buffer_info buffer = { .size = sizeof(buffer) };
	struct peerbuf_pool_info info;
	void *memory;
	int dmabuf;
	__u64 id;

	if (pb_pool_info(pool, &info))
		return 1;
	dmabuf = pb_alloc(pool, 2 * PAGE, &id);
	if (dmabuf < 0)
		return 2;
	memory = pb_map(dmabuf, 0, 2 * PAGE, RW);
	if (!pb_is_zero(memory, 2 * PAGE))
		return 3;
	pb_fill(memory, 2 * PAGE, 7);
	if (!pb_buffer_holds(dmabuf, 0, 2 * PAGE, 7))
		return 4;
	/* Its own buffers, not those of others, whatever their number. */
	if (pb_revoke(pool, others, 0) != -ENOENT || pb_revoke(pool, id, 0))
		return 5;
	/* The calls of other files. */
	if (pb_pool_limited(pool, &create) != -ENOTTY)
		return 6;
	revoke.id = info.id;
	if (pb_ioctl(pool, PEERBUF_IOC_POOL_REVOKE, &revoke) != -ENOTTY ||
	    pb_ioctl(pool, PEERBUF_IOC_VERSION, &version) != -ENOTTY ||
	    pb_ioctl(pool, PEERBUF_IOC_BUFFER, &buffer) != -ENOTTY)
		return 7;
	/* Beyond the limits. */
	if (pb_alloc(pool, 5 * PAGE, NULL) != -EDQUOT ||
	    pb_export_at(pool, PEERBUF_EXPORT_ALLOW_STATIC, ANY, PAGE,
			 NULL) != -EPERM ||
	    pb_export_at(pool, 0, POOL_LENGTH, PAGE, NULL) != -ERANGE ||
	    pb_export_at(pool, PEERBUF_EXPORT_SHARED, 0, PAGE, NULL) != -EINVAL)
		return 8;
	return 0;
}

/* Nothing but what is inherited: not a node, not even the control node. */
static void leave_all(bool container)
{
	pid_t child;

	if (!container) {
		pb_become_nobody();
		if (!access("/dev/peerbuf/control", R_OK | W_OK))
			return;
		fail("control is for everybody");
	}
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", "/dev/peerbuf", "tmpfs", 0, NULL))
		fail("cannot hide /dev/peerbuf");
	pb_sandbox();
	child = pb_fork();
	if (child)
		_exit(pb_join(child));
	if (pb_open_control() != -ENOENT)
		fail("control is there");
}

static void receiver(const struct pb_device *provider, int socket,
		     bool container, __u64 others)
{
	int fd, pool;

	/* what fork() has handed down is not what is looked at */
	for (fd = 3; fd < 64; fd++) {
		if (fd != socket)
			close(fd);
	}
	leave_all(container);
	if (pb_open_node(provider, O_RDONLY) >= 0 ||
	    pb_open_node(provider, O_RDWR) >= 0)
		fail("the node can be opened");
	pool = must(pb_receive_fd(socket));
	_exit(use_pool(pool, others));
}

FIXTURE(stranger) {
	struct pb_device provider;
	int node;
	struct pb_state start;
};

FIXTURE_VARIANT(stranger) {
	bool container;
};

FIXTURE_VARIANT_ADD(stranger, nobody) { .container = false };
FIXTURE_VARIANT_ADD(stranger, container) { .container = true };

FIXTURE_SETUP(stranger)
{
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->start = pb_state(&self->provider, -1);
}

FIXTURE_TEARDOWN(stranger)
{
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1))
		TH_LOG("the test has left traces");
	close(self->node);
}

static int limited_pool(int node)
{
	struct peerbuf_pool_create arg = plain();

	arg.flags = PEERBUF_POOL_NO_STATIC;
	arg.quota = 4 * PAGE;
	return must(pb_pool_limited(node, &arg));
}

TEST_F(stranger, uses_the_pool_and_nothing_else)
{
	int pool = limited_pool(self->node);
	int sockets[2], mine;
	__u64 id;
	pid_t child;

	mine = must(pb_export_at(self->node, 0, 0, PAGE, &id));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = pb_fork();
	if (!child)
		receiver(&self->provider, sockets[1], variant->container, id);
	must(pb_send_fd(sockets[0], pool));
	EXPECT_EQ(0, pb_join(child)) TH_LOG("see use_pool() for the number");
	EXPECT_EQ(0, flags_of(mine)) TH_LOG("what is not the pool's was hit");
	EXPECT_EQ(0, used(pool));
	close(sockets[0]);
	close(sockets[1]);
	close(mine);
	close(pool);
}

/* The holder dies with everything open, and was the only one. */
static void die_in_use(int socket, bool container, int ready)
{
	int pool, dmabufs[3], i;
	char byte = 0;

	leave_all(container);
	pool = must(pb_receive_fd(socket));
	for (i = 0; i < 3; i++) {
		dmabufs[i] = must(pb_alloc(pool, PAGE, NULL));
		pb_fill(pb_map(dmabufs[i], 0, PAGE, RW), PAGE, 9);
	}
	if (write(ready, &byte, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static bool is_free(const void *arg)
{
	const struct pb_device *provider = arg;
	struct peerbuf_provider_info info;

	must(pb_provider_info(provider, &info));
	return !info.nr_buffers;
}

TEST_F(stranger, dies)
{
	int pool = limited_pool(self->node);
	int sockets[2], ready[2], dmabuf;
	char byte, *memory;
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	ASSERT_EQ(0, pipe(ready));
	child = pb_fork();
	if (!child) {
		close(self->node);
		close(pool);
		close(sockets[0]);
		die_in_use(sockets[1], variant->container, ready[1]);
	}
	must(pb_send_fd(sockets[0], pool));
	close(sockets[1]);
	close(ready[1]);
	close(pool);
	ASSERT_EQ(1, read(ready[0], &byte, 1));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, POOL_OFFSET, PAGE, NULL));
	/* in a container, the process that has it is a child, which dies with it */
	ASSERT_EQ(0, kill(child, SIGKILL));
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
	EXPECT_TRUE(pb_wait_until(is_free, &self->provider, 10000));

	/* The range is the window's, and holds nothing of what was written. */
	for (;;) {
		dmabuf = pb_export_at(self->node, 0, POOL_OFFSET, POOL_LENGTH,
				      NULL);
		if (dmabuf != -EBUSY)
			break;
		pb_sleep_ms(10);
	}
	must(dmabuf);
	memory = pb_map(dmabuf, 0, 3 * PAGE, PROT_READ);
	EXPECT_TRUE(pb_is_zero(memory, 3 * PAGE));
	munmap(memory, 3 * PAGE);
	close(dmabuf);
	close(sockets[0]);
	close(ready[0]);
}

/* Taking it back */

FIXTURE(revoked) {
	struct pb_device provider;
	struct pb_device importer;
	int node;
	int test;
	int pool;
	__u64 id;
	struct pb_state start;
};

FIXTURE_SETUP(revoked)
{
	struct peerbuf_pool_create arg = plain();

	self->provider = pb_provider(0);
	self->importer = pb_usable_importer(&self->provider);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->test = must(pb_open_test());
	self->start = pb_state(&self->provider, -1);
	self->pool = must(pb_pool_limited(self->node, &arg));
	self->id = arg.id;
}

FIXTURE_TEARDOWN(revoked)
{
	if (self->pool >= 0)
		close(self->pool);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1))
		TH_LOG("the test has left traces");
	close(self->test);
	close(self->node);
}

/* The range is the window's again: anybody's, and without a trace. */
static void expect_returned(struct __test_metadata *_metadata, int node)
{
	int dmabuf = pb_export_at(node, 0, POOL_OFFSET, POOL_LENGTH, NULL);
	void *memory;

	ASSERT_LE(0, dmabuf) TH_LOG("not given back: %d", dmabuf);
	memory = pb_map(dmabuf, 0, KIB(64), PROT_READ);
	EXPECT_TRUE(pb_is_zero(memory, KIB(64)));
	munmap(memory, KIB(64));
	close(dmabuf);
}

static bool is_returned(const void *arg)
{
	const int *node = arg;
	int dmabuf = pb_export_at(*node, 0, POOL_OFFSET, POOL_LENGTH, NULL);

	if (dmabuf == -EBUSY)
		return false;
	close(must(dmabuf));
	return true;
}

TEST_F(revoked, its_buffers_and_no_others)
{
	int other_pool = must(pb_pool(self->node, MIB(32), POOL_LENGTH));
	int dmabufs[3] = {
		must(pb_alloc(self->pool, PAGE, NULL)),
		must(pb_alloc(other_pool, PAGE, NULL)),
		must(pb_export_at(self->node, 0, 0, PAGE, NULL)),
	};
	char *memory[3];
	int i;

	for (i = 0; i < 3; i++) {
		memory[i] = pb_map(dmabufs[i], 0, PAGE, RW);
		pb_fill(memory[i], PAGE, 3);
	}
	EXPECT_EQ(0, pb_pool_revoke(self->node, self->id, 0));
	EXPECT_EQ(SIGBUS, pb_touch(memory[0], false));
	EXPECT_EQ(PEERBUF_BUFFER_REVOKED | PEERBUF_BUFFER_POOLED,
		  flags_of(dmabufs[0]));
	for (i = 1; i < 3; i++) {
		EXPECT_EQ(0, pb_touch(memory[i], true));
		EXPECT_TRUE(pb_holds(memory[i], PAGE, 3));
		EXPECT_FALSE(flags_of(dmabufs[i]) & PEERBUF_BUFFER_REVOKED);
	}
	close(must(pb_alloc(other_pool, PAGE, NULL)));
	for (i = 0; i < 3; i++) {
		munmap(memory[i], PAGE);
		close(dmabufs[i]);
	}
	close(other_pool);
}

TEST_F(revoked, range_goes_back_with_the_descriptor_open)
{
	int dmabuf = must(pb_alloc(self->pool, KIB(64), NULL));
	struct peerbuf_pool_info info;

	pb_write_buffer(dmabuf, 0, KIB(64), 5);
	EXPECT_EQ(0, pb_pool_revoke(self->node, self->id, 0));
	expect_returned(_metadata, self->node);

	/* Of the pool only the descriptor is left. */
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_EQ(-ENODEV, pb_export_at(self->pool, 0, 0, PAGE, NULL));
	must(pb_pool_info(self->pool, &info));
	EXPECT_EQ(PEERBUF_POOL_REVOKED, info.flags);
	EXPECT_EQ(0, info.available);
	EXPECT_EQ(0, info.used);
	EXPECT_EQ(1, info.nr_buffers);
	close(dmabuf);

	/* Its place may be another pool's, with which it has nothing to do. */
	dmabuf = must(pb_pool(self->node, POOL_OFFSET, POOL_LENGTH));
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_EQ(0, pb_pool_revoke(self->node, self->id, 0));
	close(self->pool);
	self->pool = -1;
	close(must(pb_alloc(dmabuf, POOL_LENGTH, NULL)));
	close(dmabuf);
}

TEST_F(revoked, again_and_by_whom)
{
	int reader = must(pb_open_node(&self->provider, O_RDONLY));
	__u64 id = self->id;

	EXPECT_EQ(-EACCES, pb_pool_revoke(reader, id, 0));
	EXPECT_EQ(-ENOENT, pb_pool_revoke(self->node, 0, 0));
	EXPECT_EQ(-ENOENT, pb_pool_revoke(self->node, id + 1, 0));
	EXPECT_EQ(-ENOENT, pb_pool_revoke(self->node, -1ULL, 0));
	EXPECT_EQ(-EOPNOTSUPP, pb_pool_revoke(self->node, id, 2));
	EXPECT_EQ(-ENOTTY, pb_pool_revoke(self->pool, id, 0));
	close(must(pb_alloc(self->pool, PAGE, NULL)));

	EXPECT_EQ(0, pb_pool_revoke(self->node, id, NOWAIT));
	EXPECT_EQ(0, pb_pool_revoke(self->node, id, 0));
	close(self->pool);
	self->pool = -1;
	EXPECT_EQ(-ENOENT, pb_pool_revoke(self->node, id, 0));
	close(reader);
}

/* An importer holds on: the call waits for it, and the range as well. */
TEST_F(revoked, with_a_slow_importer)
{
	int dmabuf = must(pb_alloc(self->pool, PAGE, NULL));
	unsigned int handle;
	__u64 begin;

	pb_write_buffer(dmabuf, 0, PAGE, 5);
	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_SLOW, SLOW_MS, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	begin = pb_now_ms();
	EXPECT_EQ(-EINPROGRESS, pb_pool_revoke(self->node, self->id, NOWAIT));
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	if (pb_now_ms() - begin < SLOW_MS / 2)
		EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, POOL_OFFSET,
					       POOL_LENGTH, NULL));
	EXPECT_EQ(0, pb_pool_revoke(self->node, self->id, 0));
	EXPECT_LE(SLOW_MS - 20, pb_now_ms() - begin);
	EXPECT_FALSE(pb_test_mapped(self->test, handle));
	expect_returned(_metadata, self->node);
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	close(dmabuf);
}

/* One that cannot be told: a signal ends the wait, and the revoke stands. */
TEST_F(revoked, with_a_pinned_importer)
{
	int dmabuf = must(pb_export_at(self->pool, PEERBUF_EXPORT_ALLOW_PINNED,
				       ANY, PAGE, NULL));
	int other = must(pb_alloc(self->pool, PAGE, NULL));
	char *memory = pb_map(other, 0, PAGE, RW);
	unsigned int handle;

	must(pb_test_attach(self->test, dmabuf, &self->importer,
			    PEERBUF_TEST_PINNED, 0, &handle));
	must(pb_test_call(self->test, PEERBUF_TEST_MAP, handle));
	ASSERT_EQ(0, pb_touch(memory, true));
	pb_interrupt_after(300);
	EXPECT_EQ(-EINTR, pb_pool_revoke(self->node, self->id, 0));
	pb_interrupt_after(0);
	EXPECT_EQ(SIGBUS, pb_touch(memory, true))
		TH_LOG("the pinned one has kept another going");
	EXPECT_EQ(-ENODEV, pb_alloc(self->pool, PAGE, NULL));
	EXPECT_EQ(-EINPROGRESS, pb_pool_revoke(self->node, self->id, NOWAIT));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, POOL_OFFSET, PAGE, NULL));

	/* It goes back when that ends, though nobody waits and all is open. */
	must(pb_test_call(self->test, PEERBUF_TEST_DETACH, handle));
	EXPECT_TRUE(pb_wait_until(is_returned, &self->node, 10000));
	expect_returned(_metadata, self->node);
	munmap(memory, PAGE);
	close(other);
	close(dmabuf);
}

/* DMA is under way. */
TEST_F(revoked, under_an_engine)
{
	struct pb_device engine = pb_importer(0);
	unsigned int handle, copies = 0;
	int edu, dmabuf, go[2];
	char byte = 0;
	pid_t child;
	int ret;

	if (pb_expect()->route == PEERBUF_ROUTE_NONE)
		return;
	dmabuf = must(pb_alloc(self->pool, PAGE, NULL));
	ASSERT_EQ(0, pipe(go));
	child = pb_fork();
	if (!child) {
		edu = must(pb_open_edu(&engine));
		must(pb_import(edu, dmabuf, &handle));
		do {
			ret = pb_copy(edu, handle, PEERBUF_EDU_FROM_ENGINE, 0,
				      0, PAGE);
			if (++copies == 2 && write(go[1], &byte, 1) != 1)
				_exit(2);
		} while (!ret);
		_exit(ret == -ENODEV ? 0 : 1);
	}
	ASSERT_EQ(1, read(go[0], &byte, 1));
	EXPECT_EQ(0, pb_pool_revoke(self->node, self->id, 0));
	/* nothing comes late */
	expect_returned(_metadata, self->node);
	pb_sleep_ms(300);
	expect_returned(_metadata, self->node);
	EXPECT_EQ(0, pb_join(child));
	close(go[0]);
	close(go[1]);
	close(dmabuf);
}

/* Allocate for as long as there is a pool. Return: whether it ended as it should. */
static int allocate_until_revoked(int pool)
{
	int dmabuf, i;

	for (i = 0; ; i++) {
		dmabuf = pb_alloc(pool, (i % 5 + 1) * PAGE, NULL);
		if (dmabuf == -ENODEV)
			return 0;
		if (dmabuf == -ENOSPC)
			continue;
		if (dmabuf < 0)
			return 1;
		if (i % 3)
			close(dmabuf);
		else if (dmabuf > 200)
			return 2;
	}
}

/* Exports against the revoke: none is forgotten, and none comes after. */
TEST_F(revoked, exports_race)
{
	struct peerbuf_pool_create arg;
	pid_t children[3];
	unsigned int round, i;

	close(self->pool);
	for (round = 0; round < 30; round++) {
		arg = plain();
		arg.length = 16 * PAGE;
		self->pool = must(pb_pool_limited(self->node, &arg));
		for (i = 0; i < ARRAY_SIZE(children); i++) {
			children[i] = pb_fork();
			if (!children[i])
				_exit(allocate_until_revoked(self->pool));
		}
		pb_sleep_ms(round % 7 * 3);
		EXPECT_EQ(0, pb_pool_revoke(self->node, arg.id, 0));
		EXPECT_EQ(0, used(self->pool));
		close(must(pb_export_at(self->node, 0, POOL_OFFSET, 16 * PAGE,
					NULL)));
		for (i = 0; i < ARRAY_SIZE(children); i++)
			EXPECT_EQ(0, pb_join(children[i]));
		close(self->pool);
	}
	self->pool = -1;
}

/* fdinfo */

static void read_fdinfo(int fd, char *text, size_t size)
{
	char path[64];
	ssize_t length;
	int file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		fail("no %s", path);
	length = read(file, text, size - 1);
	close(file);
	text[length < 0 ? 0 : length] = '\0';
}

static void expect_line(struct __test_metadata *_metadata, const char *text,
			const char *name, const char *value)
{
	char line[128];

	snprintf(line, sizeof(line), "peerbuf-%s:\t%s\n", name, value);
	EXPECT_NE(NULL, strstr(text, line))
		TH_LOG("no line \"%s: %s\" in\n%s", name, value, text);
}

TEST_F(delegation, fdinfo_of_a_pool)
{
	struct peerbuf_pool_create arg = plain();
	char text[2048], number[24];
	int pool, dmabuf;

	arg.flags = PEERBUF_POOL_NO_PINNED;
	arg.quota = KIB(64);
	arg.max_buffers = 9;
	pool = must(pb_pool_limited(self->node, &arg));
	dmabuf = must(pb_alloc(pool, 2 * PAGE, NULL));
	read_fdinfo(pool, text, sizeof(text));
	snprintf(number, sizeof(number), "%llu", (unsigned long long)arg.id);
	expect_line(_metadata, text, "provider", self->provider.name);
	expect_line(_metadata, text, "pool", number);
	expect_line(_metadata, text, "window", "0");
	expect_line(_metadata, text, "offset", "8388608");
	expect_line(_metadata, text, "length", "1048576");
	expect_line(_metadata, text, "quota", "65536");
	expect_line(_metadata, text, "used", "8192");
	expect_line(_metadata, text, "align", "4096");
	expect_line(_metadata, text, "buffers", "1");
	expect_line(_metadata, text, "max-buffers", "9");
	expect_line(_metadata, text, "flags", "0x4");

	must(pb_pool_revoke(self->node, arg.id, 0));
	read_fdinfo(pool, text, sizeof(text));
	expect_line(_metadata, text, "used", "0");
	expect_line(_metadata, text, "flags", "0x14");
	close(dmabuf);
	close(pool);
}

/* What a command prints. Return: its exit code. */
static int run_command(const char *command, char *text, size_t size)
{
	FILE *output = popen(command, "re");
	size_t length;
	int status;

	if (!output)
		fail("cannot run %s", command);
	length = fread(text, 1, size - 1, output);
	text[length] = '\0';
	status = pclose(output);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(delegation, by_the_command)
{
	const char *provider = self->provider.name;
	struct peerbuf_pool_create arg = plain();
	char command[256], text[2048];
	unsigned int mode;
	const char *flags;
	int pool, ret;

	snprintf(command, sizeof(command),
		 "peerbuf pool %s --offset 8M --length 1M --quota 64K --max-buffers 9 --no-pinned -- sh -c 'cat /proc/self/fdinfo/$PEERBUF_POOL_FD'",
		 provider);
	EXPECT_EQ(0, run_command(command, text, sizeof(text)));
	expect_line(_metadata, text, "provider", provider);
	expect_line(_metadata, text, "offset", "8388608");
	expect_line(_metadata, text, "length", "1048576");
	expect_line(_metadata, text, "quota", "65536");
	expect_line(_metadata, text, "max-buffers", "9");
	expect_line(_metadata, text, "flags", "0x4");

	pool = must(pb_pool_limited(self->node, &arg));
	snprintf(command, sizeof(command), "peerbuf pool %s --revoke %llu 2>&1",
		 provider, (unsigned long long)arg.id);
	EXPECT_EQ(0, run_command(command, text, sizeof(text)))
		TH_LOG("%s", text);
	EXPECT_EQ(-ENODEV, pb_alloc(pool, PAGE, NULL));
	close(pool);
	EXPECT_EQ(125, run_command(command, text, sizeof(text)));
	EXPECT_NE(NULL, strstr(text, "has no pool"));

	snprintf(command, sizeof(command),
		 "peerbuf export %s --length 1M --read-only -- sh -c 'cat /proc/self/fdinfo/$PEERBUF_FD'",
		 provider);
	EXPECT_EQ(0, run_command(command, text, sizeof(text)));
	flags = strstr(text, "flags:");
	ASSERT_NE(NULL, flags);
	ret = sscanf(flags, "flags: %o", &mode);
	EXPECT_EQ(1, ret);
	EXPECT_EQ(O_RDONLY, mode & O_ACCMODE);
}

TEST_F(delegation, fdinfo_of_a_node)
{
	int pool = must(pb_pool(self->node, POOL_OFFSET, POOL_LENGTH));
	int fixed = must(pb_export_at(self->node, 0, 0, PAGE, NULL));
	int pooled = must(pb_alloc(pool, PAGE, NULL));
	char text[2048];

	read_fdinfo(self->node, text, sizeof(text));
	expect_line(_metadata, text, "provider", self->provider.name);
	expect_line(_metadata, text, "window0",
		    "length=67108864 used=1052672 flags=0x1");
	expect_line(_metadata, text, "buffers", "2");
	expect_line(_metadata, text, "pools", "1");
	close(pooled);
	close(fixed);
	close(pool);
}

TEST_HARNESS_MAIN
