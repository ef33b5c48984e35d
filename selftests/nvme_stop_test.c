// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends transfers before their time: the buffer is revoked, the controller
 * is reset, does not answer, is unbound or pulled out. Each ends with the error
 * that says so, nothing is written afterwards, and it works again.
 *
 * The drive of this test is QEMU's nvme1, which its monitor makes slow.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/pci_regs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define READ		PEERBUF_NVME_READ
#define WRITE		PEERBUF_NVME_WRITE
#define FLUSH		PEERBUF_NVME_FLUSH
#define BOTH		PEERBUF_NVME_BOTH
#define LENGTH		MIB(1)
#define BLOCKS		(LENGTH / 512)
#define CHILDREN	3
#define TIMEOUT		110
#define USUAL_MS	30000
#define SHORT_MS	300

FIXTURE(stop) {
	struct pb_device drive;
	struct pb_device provider;
	int node;
	int nvme;
	int dmabuf;
	__u64 id;
	unsigned int handle;
	char *alias;		/* the same memory, by another buffer */
	pid_t children[CHILDREN];
};

static void take(FIXTURE_DATA(stop) *self)
{
	self->dmabuf = must(pb_export_at(self->node, PEERBUF_EXPORT_SHARED, 0,
					 LENGTH, &self->id));
	self->nvme = must(pb_open_nvme(&self->drive, O_RDWR));
	must(pb_nvme_import(self->nvme, self->dmabuf, BOTH, &self->handle));
}

static void give_back(FIXTURE_DATA(stop) *self)
{
	close(self->nvme);
	close(self->dmabuf);
}

/* The drive's operations in a second; 0: no limit. */
static void limit(unsigned int operations)
{
	char command[80], reply[1024];

	snprintf(command, sizeof(command),
		 "block_set_io_throttle nvme1 0 0 0 %u 0 0", operations);
	must(pb_monitor(command, reply, sizeof(reply)));
}

FIXTURE_SETUP(stop)
{
	int alias;

	self->drive = pb_drive(1);
	limit(0);
	must(pb_nvme_parameter("timeout_ms", USUAL_MS));
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	alias = must(pb_export_at(self->node, PEERBUF_EXPORT_SHARED, 0, LENGTH,
				  NULL));
	self->alias = pb_map(alias, 0, LENGTH, RW);
	close(alias);
	take(self);
}

static void expect_good(struct __test_metadata *_metadata,
			FIXTURE_DATA(stop) *self)
{
	pb_fill(self->alias, KIB(64), 91);
	EXPECT_EQ(0, pb_nvme_io(self->nvme, WRITE, 1, self->handle, 0, 5, 128));
	memset(self->alias, 0, KIB(64));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 5, 128));
	EXPECT_TRUE(pb_holds(self->alias, KIB(64), 91));
}

/* Whatever happened to it: it works. */
FIXTURE_TEARDOWN(stop)
{
	give_back(self);
	take(self);
	expect_good(_metadata, self);
	give_back(self);
	munmap(self->alias, LENGTH);
	close(self->node);
}

/* For the order of things. */
static void stay_on_one_cpu(void)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		fail("cannot stay on one CPU");
}

/* Transfers of all lengths, until one ends otherwise than @also. */
static int keep_moving(const FIXTURE_DATA(stop) *self, unsigned int opcode,
		       int also)
{
	unsigned int round = 0;
	int ret;

	do {
		unsigned int blocks = ++round % 4 ? BLOCKS : round % BLOCKS;

		ret = pb_nvme_io(self->nvme, opcode, 1, self->handle, 0, round,
				 blocks ?: 1);
	} while (!ret || ret == also);
	return ret;
}

static void start_children(FIXTURE_DATA(stop) *self, int also)
{
	unsigned int i;

	for (i = 0; i < CHILDREN; i++) {
		self->children[i] = pb_fork();
		if (!self->children[i])
			_exit(-keep_moving(self, i ? READ : WRITE, also));
	}
}

static void expect_children(struct __test_metadata *_metadata,
			    FIXTURE_DATA(stop) *self, int error)
{
	unsigned int i;

	for (i = 0; i < CHILDREN; i++)
		EXPECT_EQ(error, pb_join(self->children[i]));
}

static void kill_children(struct __test_metadata *_metadata,
			  FIXTURE_DATA(stop) *self)
{
	unsigned int i;

	for (i = 0; i < CHILDREN; i++)
		kill(self->children[i], SIGKILL);
	expect_children(_metadata, self, 128 + SIGKILL);
}

/* Nobody writes to the memory any more. */
static void expect_quiet(struct __test_metadata *_metadata,
			 FIXTURE_DATA(stop) *self, unsigned int ms)
{
	pb_fill(self->alias, LENGTH, 77);
	pb_sleep_ms(ms);
	EXPECT_TRUE(pb_holds(self->alias, LENGTH, 77))
		TH_LOG("the controller wrote to memory that is not its own");
}

TEST_F_TIMEOUT(stop, revoke_under_transfers, TIMEOUT)
{
	unsigned int round;

	for (round = 0; round < 60; round++) {
		start_children(self, 0);
		pb_sleep_ms(round % 12);
		ASSERT_EQ(0, pb_revoke(self->node, self->id, 0));
		expect_quiet(_metadata, self, 5);
		expect_children(_metadata, self, ECANCELED);
		EXPECT_EQ(-ECANCELED, pb_nvme_io(self->nvme, READ, 1,
						 self->handle, 0, 0, 1));
		give_back(self);
		take(self);
	}
}

static void queue_reads(const FIXTURE_DATA(stop) *self, struct pb_uring *ring,
			unsigned int nr, unsigned int blocks)
{
	struct peerbuf_nvme_io io = {
		.size = sizeof(io),
		.opcode = READ,
		.nsid = 1,
		.handle = self->handle,
		.blocks = blocks,
	};
	unsigned int i;

	for (i = 0; i < nr; i++) {
		io.lba = i * blocks;
		io.offset = i * blocks * 512;
		pb_uring_queue(ring, self->nvme, PEERBUF_NVME_IOC_IO, &io,
			       sizeof(io), i);
	}
	must(pb_uring_submit(ring, 0));
}

/* Return: a bit for each result: 1 good, 2 late, 4 reset, 8 taken away */
static unsigned int reap_reads(struct pb_uring *ring, unsigned int nr)
{
	unsigned int seen = 0, results = 0;
	int result;
	__u64 tag;

	while (seen < nr) {
		while (pb_uring_reap(ring, &tag, &result)) {
			seen++;
			results |= !result ? 1 :
				   result == -ETIMEDOUT ? 2 :
				   result == -EIO ? 4 :
				   result == -ECANCELED ? 8 : 16;
		}
		if (seen < nr)
			must(pb_uring_submit(ring, 1));
	}
	return results;
}

/* Completions of a ring of ours end the wait, but not the revoke. */
static int revoke_all(const FIXTURE_DATA(stop) *self)
{
	int ret;

	do {
		ret = pb_revoke(self->node, self->id, 0);
	} while (ret == -EINTR);
	return ret;
}

/* The revoke is held up by a drive that does not answer, but not for ever. */
TEST_F_TIMEOUT(stop, revoke_and_timeout, TIMEOUT)
{
	struct pb_uring ring;
	unsigned int results;
	__u64 start;

	must(pb_uring_open(&ring, 64, true));
	must(pb_nvme_parameter("timeout_ms", SHORT_MS));
	limit(1);
	queue_reads(self, &ring, 16, 128);
	start = pb_now_ms();
	EXPECT_EQ(0, revoke_all(self));
	EXPECT_LE(SHORT_MS, pb_now_ms() - start);
	expect_quiet(_metadata, self, 500);
	results = reap_reads(&ring, 16);
	EXPECT_TRUE(results & 2)
		TH_LOG("none was late: %#x", results);
	EXPECT_EQ(0, results & ~15U);
	limit(0);
	must(pb_nvme_parameter("timeout_ms", USUAL_MS));
	pb_uring_close(&ring);
}

/* A command is late, aborting does not help, the controller is reset. */
TEST_F_TIMEOUT(stop, timeout_and_reset, TIMEOUT)
{
	struct pb_uring ring;
	unsigned int results;

	must(pb_uring_open(&ring, 512, true));
	must(pb_nvme_parameter("timeout_ms", SHORT_MS));
	limit(1);
	queue_reads(self, &ring, 512, 4);
	results = reap_reads(&ring, 512);
	EXPECT_TRUE(results & 2);
	EXPECT_EQ(0, results & ~7U);
	limit(0);
	must(pb_nvme_parameter("timeout_ms", USUAL_MS));
	expect_good(_metadata, self);
	pb_uring_close(&ring);
}

static pid_t read_with_signals(const FIXTURE_DATA(stop) *self)
{
	pid_t child = pb_fork();

	if (!child) {
		pb_interrupt_after(100);
		_exit(-pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0, 1));
	}
	return child;
}

/*
 * The queue of this CPU is full: a signal ends the wait for a place in it. The
 * drive makes a place in each second, so that one or two may get in.
 */
TEST_F_TIMEOUT(stop, signal_before_submission, TIMEOUT)
{
	struct peerbuf_nvme_info info;
	unsigned int interrupted = 0, i;
	struct pb_uring ring;
	pid_t readers[6];
	int ret;

	must(pb_nvme_info(self->nvme, 1, &info));
	must(pb_uring_open(&ring, 256, true));
	stay_on_one_cpu();
	limit(1);
	queue_reads(self, &ring, info.depth, 1);
	for (i = 0; i < ARRAY_SIZE(readers); i++)
		readers[i] = read_with_signals(self);
	pb_sleep_ms(500);
	limit(0);
	for (i = 0; i < ARRAY_SIZE(readers); i++) {
		ret = pb_join(readers[i]);
		EXPECT_TRUE(!ret || ret == EINTR);
		interrupted += ret == EINTR;
	}
	EXPECT_LE(3, interrupted);
	EXPECT_EQ(1, reap_reads(&ring, info.depth));
	pb_uring_close(&ring);
}

/* It is with the controller, behind others: a signal ends nothing. */
TEST_F_TIMEOUT(stop, signal_after_submission, TIMEOUT)
{
	struct pb_uring ring;
	pid_t child;
	__u64 start;

	must(pb_uring_open(&ring, 64, true));
	limit(10);
	queue_reads(self, &ring, 32, 1);
	start = pb_now_ms();
	child = read_with_signals(self);
	EXPECT_EQ(0, pb_join(child));
	EXPECT_LE(500, pb_now_ms() - start);
	limit(0);
	EXPECT_EQ(1, reap_reads(&ring, 32));
	pb_uring_close(&ring);
}

/* A long transfer does not keep others out until it has ended. */
TEST_F_TIMEOUT(stop, long_transfer_makes_room, TIMEOUT)
{
	const size_t length = MIB(48);
	struct pb_uring ring;
	unsigned int handle;
	int dmabuf, result;
	__u64 tag;

	must(pb_nvme_parameter("queue_depth", 4));
	must(pb_unbind(&self->drive));
	must(pb_bind(&self->drive, "peerbuf_nvme"));
	give_back(self);
	take(self);
	dmabuf = pb_heap(length);
	must(pb_nvme_import(self->nvme, dmabuf, BOTH, &handle));
	must(pb_uring_open(&ring, 8, true));
	stay_on_one_cpu();
	limit(40);

	const struct peerbuf_nvme_io io = {
		.size = sizeof(io),
		.nsid = 1,
		.handle = handle,
		.blocks = length / 512,
	};

	pb_uring_queue(&ring, self->nvme, PEERBUF_NVME_IOC_IO, &io, sizeof(io),
		       1);
	must(pb_uring_submit(&ring, 0));
	EXPECT_EQ(0, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0, 1));
	EXPECT_FALSE(pb_uring_reap(&ring, &tag, &result))
		TH_LOG("the long one has ended before");
	limit(0);
	EXPECT_EQ(1, reap_reads(&ring, 1));
	close(dmabuf);
	pb_uring_close(&ring);
	must(pb_nvme_parameter("queue_depth", 256));
	must(pb_unbind(&self->drive));
	must(pb_bind(&self->drive, "peerbuf_nvme"));
}

/* Who is killed leaves when its transfers have ended, by the timeout if need be. */
TEST_F_TIMEOUT(stop, killed_with_transfers, TIMEOUT)
{
	struct pb_uring ring;
	__u64 start;
	pid_t child;

	must(pb_nvme_parameter("timeout_ms", SHORT_MS));
	limit(1);
	child = pb_fork();
	if (!child) {
		must(pb_uring_open(&ring, 64, true));
		queue_reads(self, &ring, 64, 16);
		pb_sleep_ms(100000);
	}
	pb_sleep_ms(100);
	start = pb_now_ms();
	kill(child, SIGKILL);
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
	EXPECT_GE(20000, pb_now_ms() - start);
	limit(0);
	must(pb_nvme_parameter("timeout_ms", USUAL_MS));
}

TEST_F_TIMEOUT(stop, reset_under_transfers, TIMEOUT)
{
	unsigned int i;

	start_children(self, -EIO);
	for (i = 0; i < 20; i++) {
		pb_sleep_ms(i * 3);
		EXPECT_EQ(0, pb_nvme_reset(self->nvme));
	}
	kill_children(_metadata, self);
	expect_good(_metadata, self);
}

/* By the PCI core, which puts the configuration back. */
TEST_F_TIMEOUT(stop, function_reset_under_transfers, TIMEOUT)
{
	int i;

	start_children(self, -EIO);
	for (i = 0; i < 5; i++) {
		pb_sleep_ms(50);
		EXPECT_EQ(0, pb_reset_function(&self->drive));
	}
	kill_children(_metadata, self);
	expect_good(_metadata, self);
}

/* The machine suspends as far as to the drivers of devices, and resumes. */
TEST_F_TIMEOUT(stop, suspend_under_transfers, TIMEOUT)
{
	if (pb_write_file("/sys/power/pm_test", "devices"))
		SKIP(return, "this kernel cannot test suspend");
	start_children(self, -EIO);
	pb_sleep_ms(50);
	EXPECT_EQ(0, pb_write_file("/sys/power/state", "freeze"));
	EXPECT_EQ(0, pb_write_file("/sys/power/pm_test", "none"));
	pb_sleep_ms(50);
	kill_children(_metadata, self);
	expect_good(_metadata, self);
}

TEST_F_TIMEOUT(stop, release_under_transfers, TIMEOUT)
{
	unsigned int round;

	for (round = 0; round < 30; round++) {
		start_children(self, 0);
		pb_sleep_ms(round % 10);
		EXPECT_EQ(0, pb_nvme_release(self->nvme, self->handle));
		expect_quiet(_metadata, self, 2);
		expect_children(_metadata, self, ENOENT);
		must(pb_nvme_import(self->nvme, self->dmabuf, BOTH,
				    &self->handle));
	}
}

static void expect_gone(struct __test_metadata *_metadata,
			FIXTURE_DATA(stop) *self)
{
	struct peerbuf_nvme_info info;
	unsigned int handle;

	EXPECT_EQ(-ENOENT, pb_open_nvme(&self->drive, O_RDWR));
	EXPECT_EQ(-ENODEV, pb_nvme_import(self->nvme, self->dmabuf, BOTH,
					  &handle));
	EXPECT_EQ(-ENODEV, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0,
				      1));
	EXPECT_EQ(-ENODEV, pb_nvme_io(self->nvme, FLUSH, 1, 0, 0, 0, 0));
	EXPECT_EQ(-ENODEV, pb_nvme_info(self->nvme, 0, &info));
	EXPECT_EQ(-ENODEV, pb_nvme_reset(self->nvme));
	EXPECT_EQ(-ENODEV, pb_nvme_release(self->nvme, self->handle));
	expect_quiet(_metadata, self, 100);
}

static void come_back(struct __test_metadata *_metadata,
		      FIXTURE_DATA(stop) *self)
{
	EXPECT_EQ(0, pb_bind(&self->drive, "peerbuf_nvme"));
	/* What was open before stays gone. */
	EXPECT_EQ(-ENODEV, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0,
				      1));
	give_back(self);
	take(self);
}

TEST_F_TIMEOUT(stop, unbind_under_transfers, TIMEOUT)
{
	unsigned int round;

	for (round = 0; round < 10; round++) {
		start_children(self, 0);
		pb_sleep_ms(round * 3);
		EXPECT_EQ(0, pb_unbind(&self->drive));
		expect_children(_metadata, self, ENODEV);
		expect_gone(_metadata, self);
		come_back(_metadata, self);
	}
}

/* A drive that does not answer is not waited for. */
TEST_F_TIMEOUT(stop, unbind_slow_drive, TIMEOUT)
{
	struct pb_uring ring;
	unsigned int results;
	__u64 start;
	int result;
	__u64 tag;

	must(pb_uring_open(&ring, 64, true));
	limit(1);
	queue_reads(self, &ring, 64, 16);
	start = pb_now_ms();
	EXPECT_EQ(0, pb_unbind(&self->drive));
	EXPECT_GE(20000, pb_now_ms() - start);
	expect_gone(_metadata, self);
	for (results = 0; results < 64; ) {
		must(pb_uring_submit(&ring, 1));
		while (pb_uring_reap(&ring, &tag, &result)) {
			results++;
			EXPECT_TRUE(!result || result == -ENODEV)
				TH_LOG("%d", result);
		}
	}
	limit(0);
	come_back(_metadata, self);
	pb_uring_close(&ring);
}

/* Provider and importer at once, each in the middle of the other's work */
TEST_F_TIMEOUT(stop, unbind_provider_under_transfers, TIMEOUT)
{
	unsigned int round;

	for (round = 0; round < 5; round++) {
		start_children(self, 0);
		pb_sleep_ms(10 + round);
		EXPECT_EQ(0, pb_unbind(&self->provider));
		expect_children(_metadata, self, ECANCELED);
		EXPECT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
		give_back(self);
		close(self->node);
		munmap(self->alias, LENGTH);
		self->node = must(pb_open_node(&self->provider, O_RDWR));
		take(self);
		self->alias = pb_map(self->dmabuf, 0, LENGTH, RW);
	}
}

#define DRIVE_ARGUMENTS	"nvme,id=nvme1,serial=peerbuf1,drive=disk3,share-rw=on"

TEST_F_TIMEOUT(stop, pull_out_under_transfers, TIMEOUT)
{
	char bus[64];

	if (!pb_expect()->hotplug)
		SKIP(return, "this machine's kernel cannot be hot-unplugged");
	must(pb_plug_path("nvme1", bus, sizeof(bus)));
	start_children(self, 0);
	pb_sleep_ms(50);
	ASSERT_EQ(0, pb_unplug(&self->drive, "nvme1"));
	expect_children(_metadata, self, ENODEV);
	expect_gone(_metadata, self);
	ASSERT_EQ(0, pb_plug(&self->drive, DRIVE_ARGUMENTS, bus));
	ASSERT_EQ(0, pb_bind(&self->drive, "peerbuf_nvme"));
}

/* A controller whose registers all read as ones, but which still does DMA */
TEST_F_TIMEOUT(stop, silent_controller_is_cut_off, TIMEOUT)
{
	unsigned int command = pb_config_read(&self->drive, PCI_COMMAND), now;

	start_children(self, 0);
	pb_sleep_ms(50);
	pb_config_write(&self->drive, PCI_COMMAND,
			command & ~PCI_COMMAND_MEMORY);
	expect_children(_metadata, self, EIO);
	now = pb_config_read(&self->drive, PCI_COMMAND);
	EXPECT_EQ(0, now & (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	expect_quiet(_metadata, self, 200);
	EXPECT_EQ(-EIO, pb_nvme_io(self->nvme, READ, 1, self->handle, 0, 0, 1));
	EXPECT_EQ(-EIO, pb_nvme_reset(self->nvme));

	pb_config_write(&self->drive, PCI_COMMAND, now | PCI_COMMAND_MEMORY);
	EXPECT_EQ(0, pb_nvme_reset(self->nvme));
	EXPECT_EQ(command, pb_config_read(&self->drive, PCI_COMMAND));
	expect_good(_metadata, self);
}

/* No warning: the slot's power goes off, and nobody tells the kernel. */
TEST_F_TIMEOUT(stop, power_fails_under_transfers, TIMEOUT)
{
	struct pb_device port = pb_port_of(&self->drive);

	start_children(self, 0);
	pb_sleep_ms(50);
	pb_slot_power(&port, false);
	/* The watchdog finds out. */
	expect_children(_metadata, self, EIO);
	expect_quiet(_metadata, self, 100);
	EXPECT_EQ(-EIO, pb_nvme_reset(self->nvme));
	EXPECT_EQ(0, pb_remove(&self->drive));
	expect_gone(_metadata, self);
	pb_slot_power(&port, true);
	EXPECT_EQ(0, pb_rescan());
	EXPECT_EQ(0, pb_bind(&self->drive, "peerbuf_nvme"));
}

TEST_HARNESS_MAIN
