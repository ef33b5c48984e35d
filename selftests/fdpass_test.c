// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers and pools travel as descriptors to processes that have no right to
 * make any, and work there.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "peerbuf_lib.h"

#define RW	(PROT_READ | PROT_WRITE)
#define LENGTH	KIB(64)

enum way {
	BY_FORK,
	BY_MESSAGE,
	BY_PIDFD,
};

FIXTURE(fdpass) {
	struct pb_device provider;
	int node;
	int dmabuf;
	__u64 id;
	struct pb_state start;
};

FIXTURE_VARIANT(fdpass) {
	enum way way;
	bool sandbox;		/* in namespaces of its own */
};

FIXTURE_VARIANT_ADD(fdpass, fork) { .way = BY_FORK };
FIXTURE_VARIANT_ADD(fdpass, message) { .way = BY_MESSAGE };
FIXTURE_VARIANT_ADD(fdpass, pidfd) { .way = BY_PIDFD };
FIXTURE_VARIANT_ADD(fdpass, fork_sandbox) { .way = BY_FORK, .sandbox = true };
FIXTURE_VARIANT_ADD(fdpass, message_sandbox) {
	.way = BY_MESSAGE, .sandbox = true
};

FIXTURE_SETUP(fdpass)
{
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->start = pb_state(&self->provider, -1);
	self->dmabuf = must(pb_export_at(self->node, 0, MIB(4), LENGTH,
					 &self->id));
	pb_write_buffer(self->dmabuf, 0, LENGTH, 1);
}

FIXTURE_TEARDOWN(fdpass)
{
	if (self->dmabuf >= 0)
		close(self->dmabuf);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->node);
}

/* Give up all rights; in a sandbox go on as a child, process 1 of its own. */
static void drop_rights(const FIXTURE_VARIANT(fdpass) *variant)
{
	pid_t child;
	bool pid;

	if (!variant->sandbox) {
		pb_become_nobody();
		return;
	}
	pid = pb_sandbox();
	child = pb_fork();
	if (child)
		_exit(pb_join(child));
	if (pid && getpid() != 1)
		fail("not in a pid namespace of its own");
}

/* A process of the same user that has the descriptor, and waits. */
static pid_t holder(int fd, int *number)
{
	int ready[2];
	pid_t child;
	char byte = 0;

	if (pipe(ready))
		fail("no pipe");
	child = pb_fork();
	if (!child) {
		pb_become_nobody();
		prctl(PR_SET_DUMPABLE, 1);
		prctl(PR_SET_PTRACER, -1L);
		if (fcntl(fd, F_GETFD) < 0 || write(ready[1], &byte, 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(ready[0], &byte, 1) != 1)
		fail("the process with the descriptor died");
	close(ready[0]);
	close(ready[1]);
	*number = fd;
	return child;
}

static int take(pid_t from, int number)
{
	int pidfd = syscall(SYS_pidfd_open, from, 0);
	int fd;

	if (pidfd < 0)
		return -errno;
	fd = syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (fd < 0)
		fd = -errno;
	close(pidfd);
	return fd;
}

static void receiver(const FIXTURE_DATA(fdpass) *self,
		     const FIXTURE_VARIANT(fdpass) *variant, int fd, int socket,
		     pid_t from, int number, void (*use)(int fd))
{
	if (variant->way != BY_FORK)
		close(fd);
	close(self->node);
	drop_rights(variant);
	if (variant->way == BY_MESSAGE)
		fd = must(pb_receive_fd(socket));
	if (variant->way == BY_PIDFD)
		fd = must(take(from, number));
	use(fd);
	_exit(0);
}

/* Hand @fd over on the way that the variant says; @use it there, as nobody. */
static int pass(const FIXTURE_DATA(fdpass) *self,
		const FIXTURE_VARIANT(fdpass) *variant, int fd,
		void (*use)(int fd))
{
	pid_t child, from = -1;
	int sockets[2], number = -1, ret;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		fail("no socket pair");
	if (variant->way == BY_PIDFD)
		from = holder(fd, &number);
	child = pb_fork();
	if (!child)
		receiver(self, variant, fd, sockets[1], from, number, use);
	if (variant->way == BY_MESSAGE)
		must(pb_send_fd(sockets[0], fd));
	ret = pb_join(child);
	if (from > 0) {
		kill(from, SIGKILL);
		pb_join(from);
	}
	close(sockets[0]);
	close(sockets[1]);
	return ret;
}

static void expect_no_nodes(void)
{
	struct pb_device provider = pb_provider(0), importer = pb_importer(0);

	if (pb_open_node(&provider, O_RDONLY) != -EACCES ||
	    pb_open_node(&provider, O_RDWR) != -EACCES ||
	    pb_open_edu(&importer) != -EACCES)
		fail("a node can be opened without rights");
}

static void use_buffer(int dmabuf)
{
	struct peerbuf_buffer_info info;
	struct peerbuf_range range;
	char *memory;

	expect_no_nodes();
	must(pb_buffer(dmabuf, &info, &range, 1));
	if (info.length != LENGTH || range.offset != MIB(4) || info.flags)
		fail("this is another buffer");
	memory = pb_map(dmabuf, 0, LENGTH, RW);
	if (!pb_holds(memory, LENGTH, 1))
		fail("not what was written");
	munmap(memory, LENGTH);
	pb_write_buffer(dmabuf, 0, LENGTH, 2);
}

TEST_F(fdpass, buffer)
{
	EXPECT_EQ(0, pass(self, variant, self->dmabuf, use_buffer));
	EXPECT_TRUE(pb_buffer_holds(self->dmabuf, 0, LENGTH, 2));
}

static void use_read_only_buffer(int dmabuf)
{
	char *memory = pb_map(dmabuf, 0, PAGE, PROT_READ);

	if (pb_touch(memory, false))
		fail("cannot be read");
	if (pb_try_map(dmabuf, 0, PAGE, RW, MAP_SHARED) != -EACCES ||
	    !mprotect(memory, PAGE, RW))
		fail("can be written");
}

TEST_F(fdpass, read_only_buffer)
{
	int dmabuf = must(pb_export_mode(self->node, O_RDONLY | O_CLOEXEC,
					 MIB(8), PAGE));

	EXPECT_EQ(0, pass(self, variant, dmabuf, use_read_only_buffer));
	close(dmabuf);
}

static void use_pool(int pool)
{
	struct peerbuf_pool_info info;
	char *memory;
	__u64 id;
	int dmabuf;

	expect_no_nodes();
	dmabuf = must(pb_alloc(pool, LENGTH, &id));
	memory = pb_map(dmabuf, 0, LENGTH, RW);
	if (!pb_is_zero(memory, LENGTH))
		fail("not cleared");
	pb_fill(memory, LENGTH, 3);
	must(pb_pool_info(pool, &info));
	if (info.available != MIB(1) - LENGTH)
		fail("%llu bytes available", info.available);
	must(pb_revoke(pool, id, 0));
	if (pb_touch(memory, false) != SIGBUS)
		fail("not revoked");
	/* Another's buffer, of the same provider. */
	if (pb_revoke(pool, id - 1, 0) != -ENOENT)
		fail("can revoke what is not of this pool");
	must(pb_alloc(pool, LENGTH, NULL));
}

TEST_F(fdpass, pool)
{
	struct pb_state before;
	int pool = must(pb_pool(self->node, MIB(32), MIB(1)));

	before = pb_state(&self->provider, pool);
	EXPECT_EQ(0, pass(self, variant, pool, use_pool));
	EXPECT_TRUE(pb_unchanged(&before, &self->provider, pool));
	EXPECT_TRUE(pb_buffer_holds(self->dmabuf, 0, LENGTH, 1));
	close(pool);
}

/* The owner goes, the receiver stays: closing is not revoking. */
static void use_after_owner(int dmabuf)
{
	struct pb_device provider = pb_provider(0);
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);
	struct peerbuf_provider_info info;

	pb_sleep_ms(50);
	must(pb_provider_info(&provider, &info));
	if (info.nr_buffers != 1 || !pb_holds(memory, LENGTH, 1))
		fail("gone with its owner");
}

TEST_F(fdpass, owner_closes)
{
	int sockets[2];
	pid_t child;

	if (variant->way != BY_MESSAGE)
		return;
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = pb_fork();
	if (!child)
		receiver(self, variant, self->dmabuf, sockets[1], 0, 0,
			 use_after_owner);
	must(pb_send_fd(sockets[0], self->dmabuf));
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(0, pb_join(child));
	close(sockets[0]);
	close(sockets[1]);
}

/* A descriptor in flight, in a socket that nobody reads, ends with it. */
TEST_F(fdpass, never_received)
{
	int sockets[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(pb_send_fd(sockets[0], self->dmabuf));
	close(self->dmabuf);
	self->dmabuf = -1;
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));
	close(sockets[0]);
	close(sockets[1]);
	close(must(pb_export_at(self->node, 0, MIB(4), PAGE, NULL)));
}

TEST_HARNESS_MAIN
