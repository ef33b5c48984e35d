// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames from and to dma-bufs, linux/peerbuf_igb.h: every call with good and bad
 * inputs, and data in loopback and on a wire between two ports. What happens when
 * memory or port are taken away is in igb_stop_test.c.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "abi.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		MIB(1)
#define SLOT		PEERBUF_IGB_DEFAULT_SLOT_SIZE
#define SEND		PEERBUF_IGB_SEND
#define RECV		PEERBUF_IGB_RECV
#define BOTH		(SEND | RECV)
#define SOON_MS		5000
#define NEVER_MS	150
#define TIMEOUT		120

union argument {
	struct peerbuf_igb_info info;
	struct peerbuf_igb_set set;
	struct peerbuf_igb_import import;
	struct peerbuf_igb_release release;
	struct peerbuf_igb_post post;
	struct peerbuf_igb_reap reap;
	char bytes[PB_MAX_ARGUMENT];
};

FIXTURE(igb) {
	struct pb_device provider;
	struct pb_device devices[2];
	int node;
	int port[2];			/* on a wire */
	int dmabuf;			/* BAR memory, mapped at memory */
	char *memory;
	unsigned int handle[2];		/* of dmabuf, at each port */
	struct peerbuf_igb_completion done[512];
	struct pb_state start;
};

FIXTURE_SETUP(igb)
{
	int i;

	if (!pb_has_ports())
		SKIP(return, "this machine has no igb ports");
	must(pb_find(PB_IGB, self->devices, 2));
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->start = pb_state(&self->provider, -1);
	for (i = 0; i < 2; i++)
		self->port[i] = must(pb_open_port(&self->devices[i]));
	self->dmabuf = must(pb_export_at(self->node, 0, MIB(8), LENGTH, NULL));
	self->memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	for (i = 0; i < 2; i++) {
		must(pb_port_import(self->port[i], self->dmabuf, BOTH,
				    &self->handle[i]));
		if (!pb_port_wait_link(self->port[i], true))
			fail("port %d has no link", i);
		pb_port_drain(self->port[i]);
	}
}

FIXTURE_TEARDOWN(igb)
{
	if (!pb_has_ports())
		return;
	munmap(self->memory, LENGTH);
	close(self->dmabuf);
	close(self->port[0]);
	close(self->port[1]);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->node);
}

/* One port that hears itself. */
static void loop_back(FIXTURE_DATA(igb) *self, unsigned int slot_size)
{
	must(pb_port_set(self->port[0],
			 PEERBUF_IGB_SET_LOOPBACK | PEERBUF_IGB_SET_SLOT_SIZE,
			 1, slot_size, 0));
	if (!pb_port_wait_link(self->port[0], true))
		fail("no link in loopback");
}

/* One completion, as expected. */
static void expect_done(struct __test_metadata *_metadata, int port,
			unsigned int direction, __u64 cookie,
			unsigned int length, int status)
{
	struct peerbuf_igb_completion done = {};

	EXPECT_EQ(1, pb_port_wait(port, &done, 1, SOON_MS))
		TH_LOG("no completion of cookie %llu", cookie);
	EXPECT_EQ(cookie, done.cookie);
	EXPECT_EQ(direction, done.direction);
	EXPECT_EQ(length, done.length);
	EXPECT_EQ(status, done.status);
}

/* Both completions of a frame, which in loopback come from one port. */
static void expect_carried(struct __test_metadata *_metadata, int from, int to,
			   unsigned int length)
{
	struct peerbuf_igb_completion done[2] = {};
	int i, seen = 0;

	if (from == to) {
		ASSERT_EQ(2, pb_port_wait(from, done, 2, SOON_MS));
	} else {
		ASSERT_EQ(1, pb_port_wait(from, &done[0], 1, SOON_MS));
		ASSERT_EQ(1, pb_port_wait(to, &done[1], 1, SOON_MS));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(0, done[i].status);
		EXPECT_EQ(length, done[i].length);
		EXPECT_EQ(done[i].direction, done[i].cookie);
		seen |= done[i].direction;
	}
	EXPECT_EQ(BOTH, seen);
}

TEST_F(igb, what_a_port_says)
{
	struct peerbuf_igb_info info[2];
	static const __u8 none[6];
	int i;

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pb_port_info(self->port[i], &info[i]));
		EXPECT_EQ(PEERBUF_IGB_LINK_UP, info[i].flags);
		EXPECT_EQ(SLOT, info[i].slot_size);
		EXPECT_EQ(PEERBUF_IGB_MAX_FRAME, info[i].max_frame);
		EXPECT_LE(128, info[i].send_slots);
		EXPECT_LE(128, info[i].recv_slots);
		EXPECT_EQ(0, info[i].sending);
		EXPECT_EQ(0, info[i].waiting);
		EXPECT_EQ(0, info[i].completions);
		EXPECT_EQ(0, info[i].resets);
		EXPECT_NE(0, memcmp(info[i].mac, none, 6));
		EXPECT_EQ(0, info[i].mac[0] & 1);
	}
	EXPECT_NE(0, memcmp(info[0].mac, info[1].mac, 6));
}

/* A port has one owner, and is new to the next one. */
TEST_F(igb, one_owner)
{
	struct peerbuf_igb_info info;

	EXPECT_EQ(-EBUSY, pb_open_port(&self->devices[0]));
	loop_back(self, KIB(4));
	must(pb_port_recv(self->port[0], self->handle[0], 0, KIB(4), 0));
	close(self->port[0]);
	self->port[0] = pb_open_port(&self->devices[0]);
	ASSERT_LE(0, self->port[0]);
	ASSERT_EQ(0, pb_port_info(self->port[0], &info));
	EXPECT_EQ(0, info.flags & PEERBUF_IGB_LOOPBACK);
	EXPECT_EQ(SLOT, info.slot_size);
	EXPECT_EQ(0, info.waiting);
	EXPECT_EQ(0, info.completions);
	EXPECT_EQ(-ENOENT, pb_port_recv(self->port[0], self->handle[0], 0, SLOT,
					0));
}

TEST_F(igb, node_is_for_root)
{
	pid_t child;

	close(self->port[0]);
	child = pb_fork();
	if (!child) {
		pb_become_nobody();
		_exit(pb_open_port(&self->devices[0]) != -EACCES);
	}
	EXPECT_EQ(0, pb_join(child));
	self->port[0] = pb_open_port(&self->devices[0]);
	EXPECT_LE(0, self->port[0]);
}

#define COMMAND(_name, _struct, _flags, _known)				\
	{								\
		.name = #_name,						\
		.cmd = PEERBUF_IGB_IOC_ ## _name,			\
		.size = sizeof(struct peerbuf_igb_ ## _struct),		\
		.flags = offsetof(struct peerbuf_igb_ ## _struct,	\
				  _flags),				\
		.known = (_known),					\
	}

/* RELEASE comes last, as it takes the handle away; it has no flags. */
static const struct pb_command commands[] = {
	COMMAND(INFO, info, flags, 0),
	COMMAND(SET, set, fields, 7),
	COMMAND(IMPORT, import, flags, 3),
	COMMAND(POST_SEND, post, flags, 0),
	COMMAND(POST_RECV, post, flags, 0),
	COMMAND(REAP, reap, size, 0),
	COMMAND(RELEASE, release, size, 0),
};

static void fill(const struct pb_command *command, void *to,
		 const void *fixture)
{
	const FIXTURE_DATA(igb) *self = fixture;
	union argument *arg = to;

	switch (command->cmd) {
	case PEERBUF_IGB_IOC_IMPORT:
		arg->import.fd = self->dmabuf;
		arg->import.flags = SEND;
		break;
	case PEERBUF_IGB_IOC_POST_SEND:
	case PEERBUF_IGB_IOC_POST_RECV:
		arg->post.handle = self->handle[0];
		arg->post.length = SLOT;
		break;
	case PEERBUF_IGB_IOC_RELEASE:
		arg->release.handle = self->handle[0];
		break;
	case PEERBUF_IGB_IOC_REAP:
		arg->reap.nr = 1;
		arg->reap.completions = (uintptr_t)self->done;
	}
}

static struct pb_abi abi_of(const FIXTURE_DATA(igb) *self)
{
	return (struct pb_abi) {
		.fd = self->port[0],
		.commands = commands,
		.nr_commands = ARRAY_SIZE(commands),
		.fill = fill,
		.fixture = self,
	};
}

TEST_F(igb, sizes)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_short_structs_refused(&abi));
	EXPECT_TRUE(pb_unknown_tails_refused(&abi));
	EXPECT_TRUE(pb_absurd_sizes_refused(&abi));
	EXPECT_TRUE(pb_zero_tails_taken(&abi));
}

TEST_F(igb, flags_and_pointers)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_unknown_flags_refused(&abi));
	EXPECT_TRUE(pb_bad_pointers_refused(&abi));
}

TEST_F(igb, unknown_commands)
{
	const struct pb_abi abi = abi_of(self);

	EXPECT_TRUE(pb_unknown_commands_refused(&abi));
}

TEST_F(igb, imports)
{
	unsigned int handle, count = 0;
	int port = self->port[0], ret, heap;

	EXPECT_EQ(-EINVAL, pb_port_import(port, self->dmabuf, 0, &handle));
	EXPECT_EQ(-EBADF, pb_port_import(port, -1, SEND, &handle));
	EXPECT_EQ(-EBADF, pb_port_import(port, 1000000, SEND, &handle));
	EXPECT_EQ(-EINVAL, pb_port_import(port, port, SEND, &handle));
	EXPECT_EQ(-EINVAL, pb_port_import(port, STDIN_FILENO, SEND, &handle));
	EXPECT_EQ(-ENOENT, pb_port_release(port, 0));
	EXPECT_EQ(-ENOENT, pb_port_release(port, self->handle[0] + 1000));

	/* Memory of their own: DMA_API_DEBUG counts mappings of the same. */
	do {
		heap = pb_heap(PAGE);
		ret = pb_port_import(port, heap, BOTH, &handle);
		close(heap);
	} while (!ret && ++count < 2 * PEERBUF_IGB_MAX_IMPORTS);
	EXPECT_EQ(-ENOSPC, ret);
	EXPECT_EQ(PEERBUF_IGB_MAX_IMPORTS - 1, count);
	EXPECT_EQ(0, pb_port_release(port, 7));
	EXPECT_EQ(-ENOENT, pb_port_release(port, 7));
	EXPECT_EQ(0, pb_port_import(port, self->dmabuf, RECV, &handle));
	EXPECT_EQ(7, handle);
}

/* A handle that user space never learnt of would be an import for ever. */
TEST_F(igb, import_that_cannot_be_reported)
{
	const struct pb_abi abi = abi_of(self);
	unsigned int handle;

	EXPECT_TRUE(pb_unwritable_refused(&abi, &commands[2]));
	EXPECT_EQ(0, pb_port_import(self->port[0], self->dmabuf, BOTH, &handle));
	EXPECT_EQ(self->handle[0] + 1, handle);
}

/* A completion that user space never learnt of would be a slot that never ends. */
TEST_F(igb, reap_that_cannot_be_reported)
{
	const struct pb_abi abi = abi_of(self);
	int port = self->port[0];

	must(pb_port_recv(port, self->handle[0], 0, SLOT, 7));
	must(pb_port_release(port, self->handle[0]));
	EXPECT_TRUE(pb_unwritable_refused(&abi, &commands[5]));
	ASSERT_EQ(1, pb_port_reap(port, self->done, ARRAY_SIZE(self->done)));
	EXPECT_EQ(7, self->done[0].cookie);
	EXPECT_EQ(-ECANCELED, self->done[0].status);
}

TEST_F(igb, imports_have_a_direction)
{
	int port = self->port[0];
	unsigned int send, recv;

	must(pb_port_import(port, self->dmabuf, SEND, &send));
	must(pb_port_import(port, self->dmabuf, RECV, &recv));
	EXPECT_EQ(-EACCES, pb_port_recv(port, send, 0, SLOT, 0));
	EXPECT_EQ(-EACCES, pb_port_send(port, recv, 0, SLOT, 0));
	EXPECT_EQ(0, pb_port_recv(port, recv, 0, SLOT, 0));
	EXPECT_EQ(0, pb_port_send(port, send, 0, SLOT, 0));
}

/* To send is to read the memory. */
TEST_F(igb, read_only_memory)
{
	int port = self->port[0], dmabuf;
	unsigned int handle;

	dmabuf = must(pb_export_read_only(self->node, 0, MIB(16), PAGE, NULL));
	EXPECT_EQ(-EACCES, pb_port_import(port, dmabuf, RECV, &handle));
	EXPECT_EQ(-EACCES, pb_port_import(port, dmabuf, BOTH, &handle));
	must(pb_port_import(port, dmabuf, SEND, &handle));
	EXPECT_EQ(0, pb_port_send(port, handle, 0, SLOT, 7));
	expect_done(_metadata, port, SEND, 7, SLOT, 0);
	must(pb_port_release(port, handle));
	close(dmabuf);
}

struct bad_post {
	unsigned int direction;
	__u64 offset;
	unsigned int length;
	int error;
};

static const struct bad_post bad_posts[] = {
	{ SEND, 0, 0, EMSGSIZE },
	{ SEND, 0, PEERBUF_IGB_MIN_FRAME - 1, EMSGSIZE },
	{ SEND, 0, PEERBUF_IGB_MAX_FRAME + 1, EMSGSIZE },
	{ SEND, 0, ~0U, EMSGSIZE },
	{ SEND, LENGTH, 60, ERANGE },
	{ SEND, LENGTH - 59, 60, ERANGE },
	{ SEND, 1ULL << 63, 60, ERANGE },
	{ SEND, -59ULL, 60, EOVERFLOW },
	{ RECV, 0, 0, EMSGSIZE },
	{ RECV, 0, SLOT - 1, EMSGSIZE },
	{ RECV, 1, SLOT, EINVAL },
	{ RECV, LENGTH, SLOT, ERANGE },
	{ RECV, LENGTH - SLOT + 2, SLOT, ERANGE },
	{ RECV, 0, ~0U, ERANGE },
	{ RECV, -2ULL, SLOT, EOVERFLOW },
};

TEST_F(igb, bad_posts)
{
	const struct bad_post *bad;
	struct peerbuf_igb_info info;

	for (bad = bad_posts; bad < bad_posts + ARRAY_SIZE(bad_posts); bad++)
		EXPECT_EQ(-bad->error,
			  bad->direction == SEND ?
			  pb_port_send(self->port[0], self->handle[0],
				       bad->offset, bad->length, 0) :
			  pb_port_recv(self->port[0], self->handle[0],
				       bad->offset, bad->length, 0))
			TH_LOG("case %zu", bad - bad_posts);
	EXPECT_EQ(-ENOENT, pb_port_send(self->port[0], 99, 0, 60, 0));
	EXPECT_EQ(-ENOENT, pb_port_recv(self->port[0], 0, 0, SLOT, 0));
	ASSERT_EQ(0, pb_port_info(self->port[0], &info));
	EXPECT_EQ(0, info.sending);
	EXPECT_EQ(0, info.waiting);
	EXPECT_EQ(0, info.completions);
}

struct bad_set {
	unsigned int fields, loopback, slot_size;
	int eventfd, error;
};

static const struct bad_set bad_sets[] = {
	{ 0, 1, 0, 0, EINVAL },
	{ 0, 0, SLOT, 0, EINVAL },
	{ 0, 0, 0, -1, EINVAL },
	{ PEERBUF_IGB_SET_LOOPBACK, 2, 0, 0, EINVAL },
	{ PEERBUF_IGB_SET_LOOPBACK, ~0U, 0, 0, EINVAL },
	{ PEERBUF_IGB_SET_SLOT_SIZE, 0, 0, 0, EINVAL },
	{ PEERBUF_IGB_SET_SLOT_SIZE, 0, 1023, 0, EINVAL },
	{ PEERBUF_IGB_SET_SLOT_SIZE, 0, 1500, 0, EINVAL },
	{ PEERBUF_IGB_SET_SLOT_SIZE, 0, KIB(10), 0, EINVAL },
	{ PEERBUF_IGB_SET_SLOT_SIZE, 0, KIB(128), 0, EINVAL },
	{ PEERBUF_IGB_SET_EVENTFD, 0, 0, -2, EBADF },
	{ PEERBUF_IGB_SET_EVENTFD, 0, 0, 1000000, EBADF },
	{ PEERBUF_IGB_SET_EVENTFD, 0, 0, STDIN_FILENO, EINVAL },
	{ PEERBUF_IGB_SET_EVENTFD | PEERBUF_IGB_SET_LOOPBACK, 1, 0, 1000000,
	  EBADF },
};

TEST_F(igb, bad_sets)
{
	const struct pb_abi abi = abi_of(self);
	const struct bad_set *bad;
	struct peerbuf_igb_info info;
	union argument arg = {};

	for (bad = bad_sets; bad < bad_sets + ARRAY_SIZE(bad_sets); bad++)
		EXPECT_EQ(-bad->error,
			  pb_port_set(self->port[0], bad->fields, bad->loopback,
				      bad->slot_size, bad->eventfd))
			TH_LOG("case %zu", bad - bad_sets);
	arg.set.size = sizeof(arg.set);
	arg.set.reserved = 1;
	EXPECT_TRUE(pb_refused(&abi, &commands[1], &arg, EINVAL, "reserved",
			       1));
	ASSERT_EQ(0, pb_port_info(self->port[0], &info));
	EXPECT_EQ(PEERBUF_IGB_LINK_UP, info.flags);
	EXPECT_EQ(SLOT, info.slot_size);
}

/* The port would have to be reset under them. */
TEST_F(igb, set_with_slots_posted)
{
	const unsigned int size = PEERBUF_IGB_SET_SLOT_SIZE;
	int port = self->port[0];

	must(pb_port_recv(port, self->handle[0], 0, SLOT, 0));
	EXPECT_EQ(-EBUSY, pb_port_set(port, PEERBUF_IGB_SET_LOOPBACK, 1, 0, 0));
	EXPECT_EQ(-EBUSY, pb_port_set(port, size, 0, KIB(4), 0));
	EXPECT_EQ(0, pb_port_set(port, size, 0, SLOT, 0));
	EXPECT_EQ(0, pb_port_set(port, PEERBUF_IGB_SET_EVENTFD, 0, 0, -1));
	EXPECT_EQ(0, pb_port_release(port, self->handle[0]));
	expect_done(_metadata, port, RECV, 0, 0, -ECANCELED);
	EXPECT_EQ(0, pb_port_set(port, size, 0, KIB(4), 0));
}

static const unsigned int lengths[] = {
	60, 61, 63, 64, 65, 127, 512, 1024, 1025, 1500, 1514, 1518, 2047, 2048,
};

/* A frame arrived, and nothing around it has changed. */
static void expect_frame(struct __test_metadata *_metadata, const char *slot,
			 unsigned int length, unsigned int slot_size,
			 __u64 seed)
{
	EXPECT_TRUE(pb_frame_holds(slot, length, seed))
		TH_LOG("frame of %u bytes", length);
	EXPECT_TRUE(pb_is_zero(slot - KIB(1), KIB(1)));
	EXPECT_TRUE(pb_is_zero(slot + ((length + 7) & ~7U),
			       slot_size - ((length + 7) & ~7U) + KIB(4)))
		TH_LOG("something behind a frame of %u bytes", length);
}

/* BAR to NIC to BAR: one port, or over the wire */
static void carry(struct __test_metadata *_metadata, FIXTURE_DATA(igb) *self,
		  int from, int to, unsigned int length, unsigned int slot_size)
{
	const size_t source = KIB(256) + 2 * length, target = KIB(512);
	char *slot = self->memory + target;

	memset(slot - KIB(1), 0, slot_size + KIB(8));
	pb_frame_make(self->memory + source, length, length);
	must(pb_port_recv(self->port[to], self->handle[to], target, slot_size,
			  RECV));
	must(pb_port_send(self->port[from], self->handle[from], source, length,
			  SEND));
	expect_carried(_metadata, self->port[from], self->port[to], length);
	expect_frame(_metadata, slot, length, slot_size, length);
}

TEST_F(igb, loopback)
{
	size_t i;

	loop_back(self, SLOT);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		carry(_metadata, self, 0, 0, lengths[i], SLOT);

	/* And the other end of the wire has heard nothing of it. */
	must(pb_port_recv(self->port[1], self->handle[1], 0, SLOT, 0));
	EXPECT_EQ(0, pb_port_wait(self->port[1], self->done, 1, NEVER_MS));
}

TEST_F(igb, long_frames)
{
	static const unsigned int long_lengths[] = {
		2048, 2049, 4096, 9000, 9215, 9216,
	};
	size_t i;

	loop_back(self, PEERBUF_IGB_MAX_SLOT_SIZE);
	for (i = 0; i < ARRAY_SIZE(long_lengths); i++)
		carry(_metadata, self, 0, 0, long_lengths[i],
		      PEERBUF_IGB_MAX_SLOT_SIZE);
}

TEST_F(igb, wire)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		carry(_metadata, self, 0, 1, lengths[i], SLOT);
		carry(_metadata, self, 1, 0, lengths[i], SLOT);
	}
}

/* Any exporter's memory, on either side */
TEST_F(igb, memory_of_the_system)
{
	int heap = pb_heap(KIB(64));
	char *system = pb_map(heap, 0, KIB(64), RW);
	unsigned int handle[2];

	must(pb_port_import(self->port[0], heap, SEND, &handle[0]));
	must(pb_port_import(self->port[1], heap, RECV, &handle[1]));

	pb_frame_make(system + 100, 1500, 71);
	must(pb_port_recv(self->port[1], self->handle[1], 0, SLOT, RECV));
	must(pb_port_send(self->port[0], handle[0], 100, 1500, SEND));
	expect_carried(_metadata, self->port[0], self->port[1], 1500);
	EXPECT_TRUE(pb_frame_holds(self->memory, 1500, 71));

	pb_frame_make(self->memory + 333, 1400, 72);
	must(pb_port_recv(self->port[1], handle[1], KIB(32), SLOT, RECV));
	must(pb_port_send(self->port[0], self->handle[0], 333, 1400, SEND));
	expect_carried(_metadata, self->port[0], self->port[1], 1400);
	EXPECT_TRUE(pb_frame_holds(system + KIB(32), 1400, 72));
	EXPECT_TRUE(pb_frame_holds(system + 100, 1500, 71));
	munmap(system, KIB(64));
	close(heap);
}

/* A frame may lie in many places; a slot only in one. */
TEST_F(igb, scattered_memory)
{
	static const struct peerbuf_range ranges[] = {
		{ MIB(24), PAGE }, { MIB(20), PAGE }, { MIB(22), PAGE },
		{ MIB(18), PAGE }, { MIB(26), PAGE },
	};
	const bool scattered = !pb_expect()->iommu;
	/*
	 * An IOMMU may give the pieces one address after the other. QEMU maps
	 * each descriptor's memory in one, and drops a frame if it cannot.
	 */
	const unsigned int start = scattered ? PAGE - 20 : PAGE;
	const unsigned int length = scattered ? 9216 : PAGE;
	unsigned int handle;
	char *memory;
	int dmabuf;

	loop_back(self, PEERBUF_IGB_MAX_SLOT_SIZE);
	dmabuf = must(pb_export_ranges(self->node, 0, ranges,
				       ARRAY_SIZE(ranges), 0, NULL));
	memory = pb_map(dmabuf, 0, 5 * PAGE, RW);
	must(pb_port_import(self->port[0], dmabuf, BOTH, &handle));

	pb_frame_make(memory + start, length, 81);
	must(pb_port_recv(self->port[0], self->handle[0], 0,
			  PEERBUF_IGB_MAX_SLOT_SIZE, RECV));
	must(pb_port_send(self->port[0], handle, start, length, SEND));
	expect_carried(_metadata, self->port[0], self->port[0], length);
	EXPECT_TRUE(pb_frame_holds(self->memory, length, 81));

	/* Under an IOMMU the buffer may have one address or many. */
	if (scattered)
		EXPECT_EQ(-EXDEV, pb_port_recv(self->port[0], handle, 0,
					       PEERBUF_IGB_MAX_SLOT_SIZE, 0));
	must(pb_port_set(self->port[0], PEERBUF_IGB_SET_SLOT_SIZE, 0, SLOT, 0));
	if (scattered)
		EXPECT_EQ(-EXDEV, pb_port_recv(self->port[0], handle, PAGE - 2,
					       SLOT, 0));
	EXPECT_EQ(0, pb_port_recv(self->port[0], handle, PAGE - SLOT, SLOT, 0));
	munmap(memory, 5 * PAGE);
	close(dmabuf);
}

/* Longer than a slot: not received, not even in part, and the next one is. */
TEST_F(igb, frames_that_do_not_fit)
{
	static const unsigned int sizes[] = { KIB(1), KIB(2), KIB(5) };
	char *slots = self->memory + KIB(512);
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int size = sizes[i];
		int port = self->port[0];

		loop_back(self, size);
		memset(slots, 0, KIB(64));
		for (j = 0; j < 8; j++)
			must(pb_port_recv(port, self->handle[0],
					  KIB(512) + j * KIB(8), size, RECV));
		for (j = 1; j < 4; j++) {
			pb_frame_make(self->memory, size + j * j * j, 5);
			must(pb_port_send(port, self->handle[0], 0,
					  size + j * j * j, SEND));
			expect_done(_metadata, port, SEND, SEND,
				    size + j * j * j, 0);
			EXPECT_EQ(0, pb_port_wait(port, self->done, 1,
						  NEVER_MS));
		}
		EXPECT_TRUE(pb_is_zero(slots, KIB(64)));
		pb_frame_make(self->memory, size, 6);
		must(pb_port_send(port, self->handle[0], 0, size, SEND));
		expect_carried(_metadata, port, port, size);
		EXPECT_TRUE(pb_frame_holds(slots, size, 6));
		EXPECT_TRUE(pb_is_zero(slots + size, KIB(64) - size));
		must(pb_port_release(port, self->handle[0]));
		EXPECT_EQ(7, pb_port_wait(port, self->done, 7, SOON_MS));
		must(pb_port_import(port, self->dmabuf, BOTH,
				    &self->handle[0]));
	}
}

static int poll_now(int port, short events)
{
	struct pollfd ready = { .fd = port, .events = events };

	return poll(&ready, 1, 0) < 0 ? -errno : ready.revents;
}

TEST_F(igb, receive_ring_full)
{
	int port = self->port[0];
	struct peerbuf_igb_info info;
	unsigned int i, cancelled;

	must(pb_port_info(port, &info));
	cancelled = info.cancelled;
	for (i = 0; i < info.recv_slots; i++)
		ASSERT_EQ(0, pb_port_recv(port, self->handle[0], i * SLOT, SLOT,
					  i));
	EXPECT_EQ(-EAGAIN, pb_port_recv(port, self->handle[0], 0, SLOT, 0));
	must(pb_port_info(port, &info));
	EXPECT_EQ(info.recv_slots, info.waiting);
	EXPECT_EQ(0, poll_now(port, POLLIN));

	/* Completions take room until they are reaped. */
	EXPECT_EQ(0, pb_port_release(port, self->handle[0]));
	must(pb_port_import(port, self->dmabuf, BOTH, &self->handle[0]));
	must(pb_port_info(port, &info));
	EXPECT_EQ(0, info.waiting);
	EXPECT_EQ(info.recv_slots, info.completions);
	EXPECT_EQ(cancelled + info.recv_slots, info.cancelled);
	EXPECT_EQ(-EAGAIN, pb_port_recv(port, self->handle[0], 0, SLOT, 0));
	EXPECT_EQ(POLLIN, poll_now(port, POLLIN));
	for (i = 0; i < info.recv_slots; i++)
		expect_done(_metadata, port, RECV, i, 0, -ECANCELED);
	EXPECT_EQ(0, pb_port_recv(port, self->handle[0], 0, SLOT, 0));
}

TEST_F(igb, send_ring_full)
{
	int port = self->port[0];
	struct peerbuf_igb_info info;
	unsigned int i;

	loop_back(self, SLOT);
	must(pb_port_info(port, &info));
	for (i = 0; i < info.send_slots; i++)
		ASSERT_EQ(0, pb_port_send(port, self->handle[0], i * 64, 64,
					  i));
	EXPECT_EQ(-EAGAIN, pb_port_send(port, self->handle[0], 0, 64, 0));
	EXPECT_EQ(0, poll_now(port, POLLOUT));
	expect_done(_metadata, port, SEND, 0, 64, 0);
	EXPECT_EQ(POLLOUT, poll_now(port, POLLOUT));
	EXPECT_EQ(0, pb_port_send(port, self->handle[0], 0, 64, i));
	EXPECT_EQ(-EAGAIN, pb_port_send(port, self->handle[0], 0, 64, 0));
	for (i = 1; i <= info.send_slots; i++)
		expect_done(_metadata, port, SEND, i, 64, 0);
}

#define STREAM_FRAMES	3000
#define STREAM_WINDOW	48
#define STREAM_LENGTH	1024

static size_t stream_slot(unsigned int frame)
{
	return frame % STREAM_WINDOW * SLOT;
}

/* Three thousand frames in a row, in order, none lost, each looked at */
TEST_F_TIMEOUT(igb, stream, TIMEOUT)
{
	char *source = self->memory, *target = self->memory + KIB(512);
	unsigned int sent = 0, arrived = 0, i;
	struct peerbuf_igb_info info[2];
	int got;

	for (i = 0; i < STREAM_WINDOW; i++)
		must(pb_port_recv(self->port[1], self->handle[1],
				  KIB(512) + stream_slot(i), SLOT, i));
	while (arrived < STREAM_FRAMES) {
		while (sent < STREAM_FRAMES && sent < arrived + STREAM_WINDOW) {
			pb_frame_make(source + stream_slot(sent), STREAM_LENGTH,
				      sent);
			must(pb_port_send(self->port[0], self->handle[0],
					  stream_slot(sent), STREAM_LENGTH,
					  sent));
			sent++;
		}
		got = pb_port_wait(self->port[1], self->done, 1, SOON_MS);
		ASSERT_EQ(1, got);
		ASSERT_EQ(arrived, self->done[0].cookie);
		ASSERT_EQ(0, self->done[0].status);
		ASSERT_EQ(STREAM_LENGTH, self->done[0].length);
		ASSERT_TRUE(pb_frame_holds(target + stream_slot(arrived),
					   STREAM_LENGTH, arrived));
		must(pb_port_recv(self->port[1], self->handle[1],
				  KIB(512) + stream_slot(arrived), SLOT,
				  arrived + STREAM_WINDOW));
		arrived++;
		must(pb_port_reap(self->port[0], self->done, 64));
	}
	must(pb_port_info(self->port[0], &info[0]));
	must(pb_port_info(self->port[1], &info[1]));
	EXPECT_EQ(STREAM_FRAMES, info[0].sent_frames);
	EXPECT_EQ(STREAM_FRAMES * STREAM_LENGTH, info[0].sent_bytes);
	EXPECT_EQ(STREAM_FRAMES, info[1].received_frames);
	EXPECT_EQ(STREAM_FRAMES * STREAM_LENGTH, info[1].received_bytes);
	EXPECT_EQ(0, info[0].resets + info[1].resets);
}

TEST_F(igb, poll_waits_for_a_frame)
{
	struct pollfd ready = { .fd = self->port[1], .events = POLLIN };
	pid_t child;

	EXPECT_EQ(0, poll(&ready, 1, NEVER_MS));
	EXPECT_EQ(POLLOUT, poll_now(self->port[1], POLLIN | POLLOUT));
	must(pb_port_recv(self->port[1], self->handle[1], 0, SLOT, 1));
	pb_frame_make(self->memory + KIB(64), 100, 1);
	child = pb_fork();
	if (!child) {
		pb_sleep_ms(NEVER_MS);
		_exit(-pb_port_send(self->port[0], self->handle[0], KIB(64),
				    100, 2));
	}
	EXPECT_EQ(1, poll(&ready, 1, SOON_MS));
	EXPECT_EQ(POLLIN, ready.revents);
	expect_done(_metadata, self->port[1], RECV, 1, 100, 0);
	EXPECT_EQ(0, poll_now(self->port[1], POLLIN));
	EXPECT_EQ(0, pb_join(child));
}

static __u64 events_of(int eventfd)
{
	struct pollfd ready = { .fd = eventfd, .events = POLLIN };
	__u64 count = 0;

	if (poll(&ready, 1, SOON_MS) == 1 &&
	    read(eventfd, &count, sizeof(count)) != sizeof(count))
		fail("cannot read the eventfd");
	return count;
}

TEST_F(igb, eventfd)
{
	const unsigned int field = PEERBUF_IGB_SET_EVENTFD;
	int port = self->port[0];
	int events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct pollfd ready = { .fd = events, .events = POLLIN };
	int i;

	ASSERT_LE(0, events);
	ASSERT_EQ(0, pb_port_set(port, field, 0, 0, events));
	for (i = 0; i < 5; i++) {
		must(pb_port_send(port, self->handle[0], 0, 100, i));
		EXPECT_LE(1, events_of(events));
		expect_done(_metadata, port, SEND, i, 100, 0);
	}
	ASSERT_EQ(0, pb_port_set(port, field, 0, 0, -1));
	must(pb_port_send(port, self->handle[0], 0, 100, 9));
	expect_done(_metadata, port, SEND, 9, 100, 0);
	EXPECT_EQ(0, poll(&ready, 1, NEVER_MS));

	/* The port holds it. */
	ASSERT_EQ(0, pb_port_set(port, field, 0, 0, events));
	close(events);
	must(pb_port_send(port, self->handle[0], 0, 100, 10));
	expect_done(_metadata, port, SEND, 10, 100, 0);
}

TEST_F(igb, reap)
{
	struct peerbuf_igb_completion *done = pb_map(-1, 0, 2 * PAGE, RW);
	int port = self->port[0];
	unsigned int i, count = 0;

	EXPECT_EQ(-EINVAL, pb_port_reap(port, done, 0));
	EXPECT_EQ(0, pb_port_reap(port, done, 1));
	EXPECT_EQ(0, pb_port_reap(port, NULL, 1));
	for (i = 0; i < 50; i++)
		must(pb_port_send(port, self->handle[0], 0, 64, i));
	while (count < 50) {
		struct peerbuf_igb_info info;

		must(pb_port_info(port, &info));
		count = info.completions;
	}

	/* What cannot be written stays, in order. */
	EXPECT_EQ(-EFAULT, pb_port_reap(port, NULL, 100));
	ASSERT_EQ(0, munmap((char *)done + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, pb_port_reap(port, (void *)((char *)done + PAGE -
						       24), 100));
	i = PAGE - 20 * sizeof(*done);
	EXPECT_EQ(16, pb_port_reap(port, (void *)((char *)done + i), 100));
	for (i = 0; i < 16; i++)
		EXPECT_EQ(i, ((struct peerbuf_igb_completion *)
			      ((char *)done + PAGE - 20 * sizeof(*done)))[i].cookie);
	EXPECT_EQ(3, pb_port_reap(port, self->done, 3));
	EXPECT_EQ(31, pb_port_reap(port, self->done + 3, 500));
	for (i = 0; i < 34; i++)
		EXPECT_EQ(16 + i, self->done[i].cookie);
	munmap(done, PAGE);
}

/* The cable is pulled, and put back. */
TEST_F(igb, no_link)
{
	char reply[1024];

	must(pb_monitor("set_link nic0 off", reply, sizeof(reply)));
	EXPECT_TRUE(pb_port_wait_link(self->port[0], false));
	EXPECT_EQ(-ENETDOWN, pb_port_send(self->port[0], self->handle[0], 0,
					  100, 0));
	EXPECT_EQ(0, pb_port_recv(self->port[0], self->handle[0], KIB(512),
				  SLOT, RECV));
	must(pb_monitor("set_link nic0 on", reply, sizeof(reply)));
	EXPECT_TRUE(pb_port_wait_link(self->port[0], true));
	pb_frame_make(self->memory, 200, 3);
	EXPECT_EQ(0, pb_port_send(self->port[1], self->handle[1], 0, 200,
				  SEND));
	expect_carried(_metadata, self->port[1], self->port[0], 200);
	EXPECT_TRUE(pb_frame_holds(self->memory + KIB(512), 200, 3));
}

/* A port and a buffer, given to somebody without any right of his own */
TEST_F(igb, passed_to_an_unprivileged_process)
{
	int sockets[2];
	pid_t child;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	must(pb_port_release(self->port[0], self->handle[0]));
	must(pb_port_recv(self->port[1], self->handle[1], KIB(512), SLOT, 5));
	child = pb_fork();
	if (!child) {
		unsigned int handle;
		int port, dmabuf;

		close(self->port[0]);
		close(self->dmabuf);
		pb_become_nobody();
		port = must(pb_receive_fd(sockets[1]));
		dmabuf = must(pb_receive_fd(sockets[1]));
		pb_frame_make(pb_map(dmabuf, 0, PAGE, RW), 300, 4);
		must(pb_port_import(port, dmabuf, SEND, &handle));
		must(pb_port_send(port, handle, 0, 300, 6));
		_exit(pb_port_wait(port, self->done, 1, SOON_MS) != 1);
	}
	must(pb_send_fd(sockets[0], self->port[0]));
	must(pb_send_fd(sockets[0], self->dmabuf));
	EXPECT_EQ(0, pb_join(child));
	expect_done(_metadata, self->port[1], RECV, 5, 300, 0);
	EXPECT_TRUE(pb_frame_holds(self->memory + KIB(512), 300, 4));
	close(sockets[0]);
	close(sockets[1]);
}

#define FUZZ_CALLS	20000

/* Mostly right, so that it comes far */
static void fuzz(const struct pb_abi *abi, const struct pb_command *command,
		 union argument *arg)
{
	unsigned int changes = random() % 4;

	pb_argument(abi, command, arg);
	if (command->cmd == PEERBUF_IGB_IOC_RELEASE)
		arg->release.handle = random() % 80;
	if (command->cmd == PEERBUF_IGB_IOC_REAP)
		arg->reap.nr = random() % 512;
	while (changes--) {
		size_t place = random() % (command->size / 4) * 4;
		__u32 value = random();

		if (command->cmd == PEERBUF_IGB_IOC_REAP && place > 4)
			continue; /* it is to write to no memory of ours */
		if (random() % 2)
			value %= 4096;
		memcpy(arg->bytes + place, &value, sizeof(value));
	}
}

TEST_F_TIMEOUT(igb, fuzz, TIMEOUT)
{
	const struct pb_abi abi = abi_of(self);
	unsigned int i, successes = 0;
	union argument arg;

	srandom(20260 + pb_expect()->route);
	for (i = 0; i < FUZZ_CALLS; i++) {
		const struct pb_command *command =
			&commands[random() % ARRAY_SIZE(commands)];
		int ret;

		fuzz(&abi, command, &arg);
		ret = pb_ioctl(self->port[0], command->cmd, &arg);
		ASSERT_NE(-EIO, ret);
		ASSERT_NE(-ENOTTY, ret);
		successes += !ret;
	}
	EXPECT_LE(FUZZ_CALLS / 20, successes);
	close(self->port[0]);
	self->port[0] = pb_open_port(&self->devices[0]);
	ASSERT_LE(0, self->port[0]);
	must(pb_port_import(self->port[0], self->dmabuf, BOTH,
			    &self->handle[0]));
	ASSERT_TRUE(pb_port_wait_link(self->port[0], true));
	pb_port_drain(self->port[0]);
	pb_port_drain(self->port[1]);
	carry(_metadata, self, 0, 1, 1000, SLOT);
}

TEST_HARNESS_MAIN
