// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory or ports are taken away while slots wait and frames are on the wire: no
 * hang, no byte written afterwards, clear errors, and all comes back.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/dma-buf.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(256)
#define SLOT		PEERBUF_IGB_DEFAULT_SLOT_SIZE
#define SEND		PEERBUF_IGB_SEND
#define RECV		PEERBUF_IGB_RECV
#define BOTH		(SEND | RECV)
#define FRAME		512
#define SLOTS		32
#define SOON_MS		8000
#define SHORT_MS	150
#define REVOKE_MS	5000	/* of which a busy machine takes most */
#define PATIENCE_MS	30000
#define TIMEOUT		120

FIXTURE(igb_stop) {
	struct pb_device provider;	/* QEMU's mem0 */
	struct pb_device devices[2];	/* QEMU's nic0 and nic1 */
	int node;
	int port[2];
	int heap;			/* system memory, to send from */
	unsigned int source;		/* handle of it at port 0 */
	struct peerbuf_igb_completion done[512];
	struct pb_state start;
};

static void open_port(FIXTURE_DATA(igb_stop) *self, int index)
{
	self->port[index] = must(pb_open_port(&self->devices[index]));
}

static void ready(FIXTURE_DATA(igb_stop) *self)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (!pb_port_wait_link(self->port[i], true))
			fail("port %d has no link", i);
		pb_port_drain(self->port[i]);
	}
}

static void write_source(FIXTURE_DATA(igb_stop) *self)
{
	char *memory = pb_map(self->heap, 0, PAGE, RW);

	pb_frame_make(memory, FRAME, 1);
	munmap(memory, PAGE);
}

FIXTURE_SETUP(igb_stop)
{
	if (!pb_has_ports())
		SKIP(return, "this machine has no igb ports");
	must(pb_find(PB_IGB, self->devices, 2));
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->start = pb_state(&self->provider, -1);
	self->heap = pb_heap(PAGE);
	write_source(self);
	open_port(self, 0);
	open_port(self, 1);
	must(pb_port_import(self->port[0], self->heap, SEND, &self->source));
	ready(self);
}

/* Whatever happened, the wire carries a frame again. */
FIXTURE_TEARDOWN(igb_stop)
{
	struct pb_state end;
	unsigned int handle;
	int dmabuf;

	if (!pb_has_ports())
		return;
	close(self->port[0]);
	close(self->port[1]);
	end = pb_state(&self->provider, -1);
	EXPECT_EQ(self->start.available, end.available);
	EXPECT_EQ(self->start.nr_buffers, end.nr_buffers);

	open_port(self, 0);
	open_port(self, 1);
	dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	must(pb_port_import(self->port[0], self->heap, SEND, &self->source));
	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	ready(self);
	must(pb_port_recv(self->port[1], handle, 0, SLOT, 0));
	must(pb_port_send(self->port[0], self->source, 0, FRAME, 0));
	EXPECT_EQ(1, pb_port_wait(self->port[1], self->done, 1, SOON_MS));
	EXPECT_EQ(0, self->done[0].status);
	close(dmabuf);
	close(self->port[0]);
	close(self->port[1]);
	close(self->heap);
	close(self->node);
}

/* A process that sends until it cannot. Returns when frames are on the wire. */
static pid_t keep_sending(FIXTURE_DATA(igb_stop) *self, unsigned int handle)
{
	struct peerbuf_igb_completion done[64];
	struct peerbuf_igb_info before, now;
	pid_t child;
	int ret;

	must(pb_port_info(self->port[0], &before));
	child = pb_fork();
	if (!child) {
		do {
			ret = pb_port_send(self->port[0], handle, 0, FRAME, 0);
			if (ret == -EAGAIN && pb_port_reap(self->port[0], done,
							   64) < 0)
				ret = -ENOLINK;
			/* Leave something of a core for others. */
			if (ret == -EAGAIN)
				sched_yield();
		} while (!ret || ret == -EAGAIN);
		_exit(-ret);
	}
	do {
		must(pb_port_info(self->port[0], &now));
	} while (now.sent_frames < before.sent_frames + 10);
	return child;
}

static void stop_sending(struct __test_metadata *_metadata, pid_t child)
{
	kill(child, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
}

static unsigned int post_slots(int port, unsigned int handle, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		must(pb_port_recv(port, handle, i * SLOT, SLOT, i));
	return nr;
}

static void expect_cancelled(struct __test_metadata *_metadata,
			     FIXTURE_DATA(igb_stop) *self, unsigned int nr,
			     int status)
{
	unsigned int i;

	ASSERT_EQ(nr, pb_port_wait(self->port[1], self->done, nr, SOON_MS));
	for (i = 0; i < nr; i++) {
		EXPECT_EQ(i, self->done[i].cookie);
		EXPECT_EQ(RECV, self->done[i].direction);
		EXPECT_EQ(status, self->done[i].status);
		EXPECT_EQ(0, self->done[i].length);
	}
}

TEST_F(igb_stop, revoke_takes_waiting_slots_back)
{
	struct peerbuf_igb_info info;
	unsigned int handle, i;
	__u64 id, start;
	int dmabuf;

	for (i = 0; i < 20; i++) {
		dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &id));
		must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
		post_slots(self->port[1], handle, SLOTS);
		start = pb_now_ms();
		EXPECT_EQ(0, pb_revoke(self->node, id, 0));
		EXPECT_GT(REVOKE_MS, pb_now_ms() - start);
		expect_cancelled(_metadata, self, SLOTS, -ECANCELED);
		EXPECT_EQ(-ENODEV, pb_port_recv(self->port[1], handle, 0, SLOT,
						0));
		EXPECT_EQ(0, pb_port_release(self->port[1], handle));
		close(dmabuf);
	}
	must(pb_port_info(self->port[1], &info));
	EXPECT_EQ(0, info.resets);
	EXPECT_TRUE(info.flags & PEERBUF_IGB_LINK_UP);
}

/* Slots of others, before, between and behind, stay, and in order. */
TEST_F(igb_stop, revoke_leaves_the_slots_of_others)
{
	int mine = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	unsigned int handle, doomed, i;
	__u64 id;
	int theirs = must(pb_export_at(self->node, 0, MIB(1), LENGTH, &id));
	char *memory = pb_map(mine, 0, LENGTH, RW);

	must(pb_port_import(self->port[1], mine, RECV, &handle));
	must(pb_port_import(self->port[1], theirs, RECV, &doomed));
	memset(memory, 0, LENGTH);
	for (i = 0; i < SLOTS; i++) {
		must(pb_port_recv(self->port[1], handle, i * SLOT, SLOT, i));
		if (i % 3)
			must(pb_port_recv(self->port[1], doomed, i * SLOT, SLOT,
					  1000 + i));
	}
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	for (i = 0; i < SLOTS * 2 / 3; i++) {
		ASSERT_EQ(1, pb_port_wait(self->port[1], self->done, 1,
					  SOON_MS));
		EXPECT_LE(1000, self->done[0].cookie);
		EXPECT_EQ(-ECANCELED, self->done[0].status);
		EXPECT_EQ(doomed, self->done[0].handle);
	}
	for (i = 0; i < SLOTS; i++) {
		must(pb_port_send(self->port[0], self->source, 0, FRAME, i));
		ASSERT_EQ(1, pb_port_wait(self->port[1], self->done, 1,
					  SOON_MS));
		EXPECT_EQ(i, self->done[0].cookie);
		EXPECT_EQ(handle, self->done[0].handle);
		EXPECT_EQ(0, self->done[0].status);
		EXPECT_TRUE(pb_frame_holds(memory + i * SLOT, FRAME, 1));
	}
	munmap(memory, LENGTH);
	close(mine);
	close(theirs);
}

/* Nobody writes to it any more but us. */
static void expect_no_late_write(struct __test_metadata *_metadata, int dmabuf,
				 __u64 seed)
{
	char *memory = pb_map(dmabuf, 0, LENGTH, RW);

	pb_fill(memory, LENGTH, seed);
	pb_sleep_ms(10);
	EXPECT_TRUE(pb_holds(memory, LENGTH, seed));
	munmap(memory, LENGTH);
}

/* The next owner of revoked memory finds nothing that he did not write. */
static void expect_given_back(struct __test_metadata *_metadata,
			      FIXTURE_DATA(igb_stop) *self, __u64 seed)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));

	expect_no_late_write(_metadata, dmabuf, seed);
	close(dmabuf);
}

#define REVOKE_ROUNDS	40

/* Taken back at some point of a stream of frames, over and over */
TEST_F_TIMEOUT(igb_stop, revoke_while_frames_arrive, TIMEOUT)
{
	unsigned int round, posted, arrived = 0, cancelled = 0, handle, i;
	pid_t child = keep_sending(self, self->source);
	int port = self->port[1], dmabuf;
	__u64 id, start;

	for (round = 0; round < REVOKE_ROUNDS; round++) {
		dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &id));
		must(pb_port_import(port, dmabuf, RECV, &handle));
		posted = post_slots(port, handle, 1 + round * 3);
		/* Sometimes at once, sometimes when some have arrived */
		for (i = 0; i < round % 4; i++)
			sched_yield();
		start = pb_now_ms();
		EXPECT_EQ(0, pb_revoke(self->node, id, 0));
		EXPECT_GT(REVOKE_MS, pb_now_ms() - start);
		close(dmabuf);
		expect_given_back(_metadata, self, round);

		ASSERT_EQ(posted, pb_port_wait(port, self->done, posted,
					       SOON_MS));
		for (i = 0; i < posted; i++) {
			EXPECT_TRUE(!self->done[i].status ||
				    self->done[i].status == -ECANCELED);
			if (self->done[i].status)
				cancelled++;
			else
				arrived++;
		}
		EXPECT_EQ(0, pb_port_release(port, handle));
	}
	stop_sending(_metadata, child);
	TH_LOG("%u slots with a frame, %u taken back", arrived, cancelled);
	EXPECT_LT(0, arrived);
	EXPECT_LT(0, cancelled);
}

/* Frames that are being sent are sent, or not; none ends in another way. */
TEST_F_TIMEOUT(igb_stop, revoke_while_frames_are_sent, TIMEOUT)
{
	int port = self->port[0], dmabuf, i;
	struct peerbuf_igb_info info;
	unsigned int handle;
	pid_t child;
	__u64 id, start;

	for (i = 0; i < 15; i++) {
		dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &id));
		pb_write_buffer(dmabuf, 0, FRAME, 1);
		must(pb_port_import(port, dmabuf, SEND, &handle));
		child = keep_sending(self, handle);
		start = pb_now_ms();
		EXPECT_EQ(0, pb_revoke(self->node, id, 0));
		EXPECT_GT(REVOKE_MS, pb_now_ms() - start);
		EXPECT_EQ(ENODEV, pb_join(child));
		while (must(pb_port_reap(port, self->done, 512)))
			EXPECT_EQ(0, self->done[0].status);
		must(pb_port_info(port, &info));
		EXPECT_EQ(0, info.sending);
		EXPECT_EQ(0, info.resets);
		EXPECT_EQ(0, pb_port_release(port, handle));
		close(dmabuf);
	}
}

static int wait_for_fences(int dmabuf)
{
	struct peerbuf_test_wait arg = { dmabuf, REVOKE_MS };
	int test = must(pb_open_test());
	int ret = pb_ioctl(test, PEERBUF_TEST_WAIT, &arg);

	close(test);
	return ret;
}

/*
 * Whoever waits for the memory, as memory management does, gets it, and does not
 * wait for the next frame. That is no revoke: slots can be posted again.
 */
TEST_F(igb_stop, fences_end_when_waited_for)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	int other = must(pb_export_at(self->node, 0, MIB(1), LENGTH, NULL));
	unsigned int handle, spared, i;

	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	must(pb_port_import(self->port[1], other, RECV, &spared));
	for (i = 0; i < 10; i++) {
		post_slots(self->port[1], handle, SLOTS);
		must(pb_port_recv(self->port[1], spared, 0, SLOT, 99));
		EXPECT_EQ(0, wait_for_fences(dmabuf));
		expect_cancelled(_metadata, self, SLOTS, -ECANCELED);
		must(pb_port_send(self->port[0], self->source, 0, FRAME, 0));
		ASSERT_EQ(1, pb_port_wait(self->port[1], self->done, 1,
					  SOON_MS));
		EXPECT_EQ(99, self->done[0].cookie);
		EXPECT_EQ(0, self->done[0].status);
	}
	close(dmabuf);
	close(other);
}

/* Implicit synchronisation is for those who share content: it sees no slots. */
TEST_F(igb_stop, slots_are_no_implicit_fences)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	struct pollfd implicit = { .fd = dmabuf, .events = POLLIN | POLLOUT };
	struct peerbuf_igb_info info;
	unsigned int handle;

	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	post_slots(self->port[1], handle, SLOTS);
	EXPECT_EQ(1, poll(&implicit, 1, 0));
	EXPECT_EQ(POLLIN | POLLOUT, implicit.revents);
	EXPECT_EQ(0, pb_sync(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW));
	EXPECT_EQ(0, pb_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW));
	must(pb_port_info(self->port[1], &info));
	EXPECT_EQ(SLOTS, info.waiting);
	close(dmabuf);
}

/* The pool's last close is a revoke as well. */
TEST_F(igb_stop, pool_is_closed)
{
	int pool = must(pb_pool(self->node, MIB(32), MIB(1)));
	int dmabuf = must(pb_alloc(pool, LENGTH, NULL));
	unsigned int handle;
	__u64 start;

	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	post_slots(self->port[1], handle, SLOTS);
	start = pb_now_ms();
	close(pool);
	EXPECT_GT(REVOKE_MS, pb_now_ms() - start);
	expect_cancelled(_metadata, self, SLOTS, -ECANCELED);
	close(dmabuf);
}

TEST_F(igb_stop, provider_is_unbound)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	pid_t child = keep_sending(self, self->source);
	unsigned int handle;
	__u64 start;

	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	post_slots(self->port[1], handle, 120);
	start = pb_now_ms();
	EXPECT_EQ(0, pb_unbind(&self->provider));
	EXPECT_GT(2 * REVOKE_MS, pb_now_ms() - start);
	EXPECT_EQ(120, pb_port_wait(self->port[1], self->done, 120, SOON_MS));
	EXPECT_EQ(-ENODEV, pb_port_recv(self->port[1], handle, 0, SLOT, 0));
	stop_sending(_metadata, child);
	close(dmabuf);
	close(self->node);
	EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
	self->node = must(pb_open_node(&self->provider, O_RDWR));
}

TEST_F(igb_stop, release_with_slots_waiting)
{
	int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	unsigned int handle, other;

	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	must(pb_port_import(self->port[1], dmabuf, RECV, &other));
	post_slots(self->port[1], handle, SLOTS);
	must(pb_port_recv(self->port[1], other, 0, SLOT, 77));
	EXPECT_EQ(0, pb_port_release(self->port[1], handle));
	expect_cancelled(_metadata, self, SLOTS, -ECANCELED);
	must(pb_port_send(self->port[0], self->source, 0, FRAME, 0));
	EXPECT_EQ(1, pb_port_wait(self->port[1], self->done, 1, SOON_MS));
	EXPECT_EQ(77, self->done[0].cookie);
	close(dmabuf);
}

/* A process dies with slots posted, in the middle of traffic. */
TEST_F_TIMEOUT(igb_stop, process_dies, TIMEOUT)
{
	pid_t child, sender;
	struct pb_state state;
	int i;

	for (i = 0; i < 5; i++) {
		close(self->port[1]);
		sender = keep_sending(self, self->source);
		child = pb_fork();
		if (!child) {
			int dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH,
						       NULL));
			unsigned int handle;

			open_port(self, 1);
			must(pb_port_import(self->port[1], dmabuf, RECV,
					    &handle));
			post_slots(self->port[1], handle, 120);
			pb_port_wait_link(self->port[1], true);
			must(pb_port_wait(self->port[1], self->done, i,
					  SOON_MS));
			raise(SIGKILL);
		}
		EXPECT_EQ(128 + SIGKILL, pb_join(child));
		state = pb_state(&self->provider, -1);
		EXPECT_EQ(self->start.available, state.available);
		open_port(self, 1);
		stop_sending(_metadata, sender);
	}
}

/* The file of a port that has gone */
static void expect_port_gone(struct __test_metadata *_metadata,
			     FIXTURE_DATA(igb_stop) *self, int index,
			     unsigned int handle)
{
	struct pollfd gone = { .fd = self->port[index], .events = POLLOUT };
	struct peerbuf_igb_info info;
	int port = self->port[index];
	unsigned int other;

	EXPECT_EQ(-ENOENT, pb_open_port(&self->devices[index]));
	EXPECT_EQ(-ENODEV, pb_port_info(port, &info));
	EXPECT_EQ(-ENODEV, pb_port_set(port, 0, 0, 0, 0));
	EXPECT_EQ(-ENODEV, pb_port_import(port, self->heap, SEND, &other));
	EXPECT_EQ(-ENODEV, pb_port_send(port, handle, 0, FRAME, 0));
	EXPECT_EQ(-ENODEV, pb_port_recv(port, handle, 0, SLOT, 0));
	EXPECT_EQ(-ENODEV, pb_port_release(port, handle));
	EXPECT_EQ(1, poll(&gone, 1, 0));
	EXPECT_EQ(POLLERR | POLLHUP, gone.revents & (POLLERR | POLLHUP));
	EXPECT_EQ(0, gone.revents & POLLOUT);
}

/* Slots end, one way or the other, and then there is no more. */
static void expect_ended(struct __test_metadata *_metadata,
			 FIXTURE_DATA(igb_stop) *self, unsigned int nr,
			 int status)
{
	unsigned int i;

	EXPECT_EQ(nr, pb_port_wait(self->port[1], self->done, nr, SOON_MS));
	for (i = 0; i < nr; i++)
		EXPECT_TRUE(!self->done[i].status ||
			    self->done[i].status == status)
			TH_LOG("slot %u: %d", i, self->done[i].status);
	EXPECT_EQ(0, pb_port_reap(self->port[1], self->done, 1));
}

TEST_F_TIMEOUT(igb_stop, unbind_receiver_under_traffic, TIMEOUT)
{
	unsigned int handle, i;
	pid_t child;
	int dmabuf;

	for (i = 0; i < 5; i++) {
		dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
		must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
		child = keep_sending(self, self->source);
		post_slots(self->port[1], handle, 120);
		EXPECT_EQ(0, pb_unbind(&self->devices[1]));
		expect_no_late_write(_metadata, dmabuf, i);
		expect_port_gone(_metadata, self, 1, handle);
		expect_ended(_metadata, self, 120, -ENODEV);
		stop_sending(_metadata, child);
		EXPECT_EQ(0, pb_bind(&self->devices[1], "peerbuf_igb"));
		EXPECT_EQ(-ENODEV, pb_port_recv(self->port[1], handle, 0, SLOT,
						0));
		close(self->port[1]);
		close(dmabuf);
		open_port(self, 1);
	}
}

TEST_F_TIMEOUT(igb_stop, unbind_sender_under_traffic, TIMEOUT)
{
	pid_t child;
	int i;

	for (i = 0; i < 5; i++) {
		child = keep_sending(self, self->source);
		EXPECT_EQ(0, pb_unbind(&self->devices[0]));
		EXPECT_EQ(ENODEV, pb_join(child));
		expect_port_gone(_metadata, self, 0, self->source);
		EXPECT_EQ(0, pb_bind(&self->devices[0], "peerbuf_igb"));
		close(self->port[0]);
		open_port(self, 0);
		must(pb_port_import(self->port[0], self->heap, SEND,
				    &self->source));
		EXPECT_TRUE(pb_port_wait_link(self->port[0], true));
	}
}

/* Revoke and unbind at once, each in the middle of the other's work */
TEST_F_TIMEOUT(igb_stop, revoke_races_unbind, TIMEOUT)
{
	unsigned int handle, i;
	int dmabuf, revoked;
	pid_t unbinder;
	__u64 id;

	for (i = 0; i < 8; i++) {
		dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &id));
		must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
		post_slots(self->port[1], handle, 100);
		unbinder = pb_fork();
		if (!unbinder)
			_exit(pb_unbind(&self->devices[1]) ? 1 : 0);
		revoked = pb_revoke(self->node, id, 0);
		EXPECT_EQ(0, revoked);
		EXPECT_EQ(0, pb_join(unbinder));
		EXPECT_EQ(100, pb_port_wait(self->port[1], self->done, 100,
					    SOON_MS));
		EXPECT_EQ(0, pb_bind(&self->devices[1], "peerbuf_igb"));
		close(self->port[1]);
		close(dmabuf);
		open_port(self, 1);
	}
}

static bool is_absent(const void *device)
{
	return !pb_present(device);
}

/*
 * The PCI core shows a new device before drivers may have it, and who has it
 * before its driver is ready.
 */
static bool port_is_ready(const void *device)
{
	int port;

	if (!pb_present(device))
		return false;
	if (!pb_is_bound(device, "peerbuf_igb") &&
	    pb_bind(device, "peerbuf_igb"))
		return false;
	port = pb_open_port(device);
	if (port >= 0)
		close(port);
	return port >= 0;
}

static void plug_port(const char *id, const char *netdev, const char *bus)
{
	__u64 deadline = pb_now_ms() + PATIENCE_MS;
	char command[256], reply[1024];
	int ret;

	snprintf(command, sizeof(command),
		 "device_add igb,id=%s,netdev=%s,mac=52:54:00:be:00:01,bus=%s",
		 id, netdev, bus);
	/* QEMU frees the id some time after the guest has let go. */
	do {
		ret = pb_monitor(command, reply, sizeof(reply));
		if (ret)
			pb_sleep_ms(200);
	} while (ret && pb_now_ms() < deadline);
	must(ret);
}

TEST_F_TIMEOUT(igb_stop, pull_out_receiver_under_traffic, TIMEOUT)
{
	char bus[64], reply[1024];
	unsigned int handle;
	pid_t child;
	int dmabuf;

	if (!pb_expect()->hotplug)
		SKIP(return, "this machine's kernel cannot be hot-unplugged");
	must(pb_plug_path("nic1", bus, sizeof(bus)));
	dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	must(pb_port_import(self->port[1], dmabuf, RECV, &handle));
	child = keep_sending(self, self->source);
	post_slots(self->port[1], handle, 120);
	must(pb_monitor("device_del nic1", reply, sizeof(reply)));
	ASSERT_TRUE(pb_wait_until(is_absent, &self->devices[1], PATIENCE_MS));
	expect_no_late_write(_metadata, dmabuf, 9);
	expect_port_gone(_metadata, self, 1, handle);
	expect_ended(_metadata, self, 120, -ENODEV);
	stop_sending(_metadata, child);
	close(self->port[1]);
	close(dmabuf);

	plug_port("nic1", "net1", bus);
	ASSERT_TRUE(pb_wait_until(port_is_ready, &self->devices[1], PATIENCE_MS));
	open_port(self, 1);
}

TEST_F_TIMEOUT(igb_stop, remove_and_rescan, TIMEOUT)
{
	pid_t child = keep_sending(self, self->source);

	EXPECT_EQ(0, pb_remove(&self->devices[0]));
	EXPECT_EQ(ENODEV, pb_join(child));
	expect_port_gone(_metadata, self, 0, self->source);
	close(self->port[0]);
	EXPECT_EQ(0, pb_rescan());
	ASSERT_TRUE(pb_wait_until(port_is_ready, &self->devices[0], PATIENCE_MS));
	open_port(self, 0);
}

/* A write to config space, as setpci does it */
static void set_command(const struct pb_device *device, __u16 clear, __u16 set)
{
	char path[96];
	__u16 command;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config",
		 device->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || pread(fd, &command, 2, 4) != 2)
		fail("cannot read %s", path);
	command = (command & ~clear) | set;
	if (pwrite(fd, &command, 2, 4) != 2)
		fail("cannot write %s", path);
	close(fd);
}

#define BUS_MASTER	4

/*
 * A port that hangs: without the bus it cannot read its descriptors, nor tell of
 * them. Frames to send time out, slots that wait go on waiting behind the reset.
 */
TEST_F(igb_stop, hung_port_is_reset)
{
	int port = self->port[0], dmabuf, i;
	struct peerbuf_igb_info info;
	unsigned int handle;
	char *memory;

	dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	memory = pb_map(dmabuf, 0, LENGTH, RW);
	memset(memory, 0, LENGTH);
	must(pb_port_import(port, dmabuf, BOTH, &handle));
	must(pb_port_recv(port, handle, KIB(64), SLOT, 500));

	set_command(&self->devices[0], BUS_MASTER, 0);
	for (i = 0; i < 3; i++)
		must(pb_port_send(port, handle, i * KIB(1), FRAME, i));
	ASSERT_EQ(3, pb_port_wait(port, self->done, 3, SOON_MS));
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i, self->done[i].cookie);
		EXPECT_EQ(SEND, self->done[i].direction);
		EXPECT_EQ(0, self->done[i].length);
		EXPECT_EQ(-ETIMEDOUT, self->done[i].status);
	}
	must(pb_port_info(port, &info));
	EXPECT_EQ(1, info.resets);
	EXPECT_EQ(0, info.sending);
	EXPECT_EQ(1, info.waiting);
	EXPECT_EQ(0, info.sent_frames);

	EXPECT_TRUE(pb_port_wait_link(port, true));
	must(pb_port_import(self->port[1], self->heap, SEND, &handle));
	must(pb_port_send(self->port[1], handle, 0, FRAME, 0));
	EXPECT_EQ(1, pb_port_wait(port, self->done, 1, SOON_MS));
	EXPECT_EQ(500, self->done[0].cookie);
	EXPECT_EQ(0, self->done[0].status);
	EXPECT_TRUE(pb_frame_holds(memory + KIB(64), FRAME, 1));
	EXPECT_EQ(0, pb_port_send(port, self->source, 0, FRAME, 9));
	EXPECT_EQ(1, pb_port_wait(port, self->done, 1, SOON_MS));
	EXPECT_EQ(0, self->done[0].status);
	munmap(memory, LENGTH);
	close(dmabuf);
}

/* A revoke does not wait for ever for a port that hangs. */
TEST_F(igb_stop, revoke_from_a_hung_port)
{
	unsigned int send, recv;
	int dmabuf, i, timeouts = 0, cancelled = 0;
	__u64 id;

	dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, &id));
	must(pb_port_import(self->port[0], dmabuf, SEND, &send));
	must(pb_port_import(self->port[0], dmabuf, RECV, &recv));
	for (i = 0; i < 4; i++)
		must(pb_port_recv(self->port[0], recv, i * SLOT, SLOT, i));
	set_command(&self->devices[0], BUS_MASTER, 0);
	must(pb_port_send(self->port[0], send, 0, FRAME, 0));
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	ASSERT_EQ(5, pb_port_wait(self->port[0], self->done, 5, SHORT_MS));
	for (i = 0; i < 5; i++) {
		if (self->done[i].direction == RECV)
			cancelled += self->done[i].status == -ECANCELED;
		else
			timeouts += self->done[i].status == -ETIMEDOUT;
	}
	EXPECT_EQ(4, cancelled);
	EXPECT_EQ(1, timeouts);
	expect_given_back(_metadata, self, 3);
	close(dmabuf);
}

/* The administrator resets the function. */
TEST_F(igb_stop, reset_from_outside)
{
	unsigned int handle, i;

	must(pb_port_import(self->port[1], self->heap, BOTH, &handle));
	for (i = 0; i < 3; i++) {
		must(pb_port_recv(self->port[1], handle, KIB(2), SLOT, 1));
		ASSERT_EQ(0, pb_reset_function(&self->devices[1]));
		ASSERT_EQ(1, pb_port_wait(self->port[1], self->done, 1,
					  SOON_MS));
		EXPECT_EQ(-EIO, self->done[0].status);
		EXPECT_TRUE(pb_port_wait_link(self->port[1], true));
		must(pb_port_recv(self->port[1], handle, KIB(2), SLOT, 2));
		must(pb_port_send(self->port[0], self->source, 0, FRAME, 0));
		ASSERT_EQ(1, pb_port_wait(self->port[1], self->done, 1,
					  SOON_MS));
		EXPECT_EQ(0, self->done[0].status);
		EXPECT_EQ(FRAME, self->done[0].length);
	}

	/* A port that nobody has open stays off. */
	close(self->port[1]);
	EXPECT_EQ(0, pb_reset_function(&self->devices[1]));
	open_port(self, 1);
}

TEST_HARNESS_MAIN
