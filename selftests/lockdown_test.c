// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel is locked down (kernel_lockdown.7): what was lent before goes on, and
 * ends as ever, importers come and go; but peerbuf_pci binds to nothing any more.
 *
 * Needs a machine of its own, which has not been locked down yet: nothing takes
 * that back.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "peerbuf_lib.h"

#define RW		(PROT_READ | PROT_WRITE)
#define LENGTH		KIB(64)
#define SECURITY	"/sys/kernel/security"
#define LOCKDOWN	SECURITY "/lockdown"

FIXTURE(lockdown) {
	struct pb_device provider;	/* QEMU's mem0, which stays bound */
	struct pb_device other;		/* QEMU's mem1 */
	struct pb_device engine;	/* QEMU's edu0 */
	int node;
	int pool;
	int dmabuf;
	int edu;
	unsigned int handle;
	char *memory;
};

static void lend(FIXTURE_DATA(lockdown) *self, const struct pb_device *provider)
{
	self->node = must(pb_open_node(provider, O_RDWR));
	self->pool = must(pb_pool(self->node, MIB(8), MIB(1)));
	self->dmabuf = must(pb_export_at(self->node, 0, 0, LENGTH, NULL));
	self->memory = pb_map(self->dmabuf, 0, LENGTH, RW);
	pb_fill(self->memory, LENGTH, 1);
	self->edu = must(pb_open_edu(&self->engine));
	must(pb_import(self->edu, self->dmabuf, &self->handle));
}

static void give_back(FIXTURE_DATA(lockdown) *self)
{
	munmap(self->memory, LENGTH);
	close(self->edu);
	close(self->dmabuf);
	close(self->pool);
	close(self->node);
}

FIXTURE_SETUP(lockdown)
{
	self->provider = pb_provider(0);
	self->other = pb_provider(1);
	self->engine = pb_importer(0);
	lend(self, &self->provider);
}

FIXTURE_TEARDOWN(lockdown)
{
	give_back(self);
}

static bool is_locked_down(void)
{
	char levels[80];
	ssize_t length;
	int fd;

	if (access(LOCKDOWN, F_OK) &&
	    mount("securityfs", SECURITY, "securityfs", 0, NULL))
		fail("cannot mount securityfs: %s", strerror(errno));
	fd = open(LOCKDOWN, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail("this kernel has no lockdown");
	length = read(fd, levels, sizeof(levels) - 1);
	close(fd);
	if (length <= 0)
		fail("cannot read " LOCKDOWN);
	levels[length] = '\0';
	return !strstr(levels, "[none]");
}

static void lock_down(void)
{
	if (is_locked_down())
		return;
	must(pb_write_file(LOCKDOWN, "integrity"));
	if (!is_locked_down())
		fail("the kernel is not locked down");
}

static void expect_works(struct __test_metadata *_metadata,
			 const FIXTURE_DATA(lockdown) *self)
{
	pb_fill(self->memory, LENGTH, 2);
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, PEERBUF_EDU_TO_ENGINE, 0,
			     0, 64));
	EXPECT_EQ(0, pb_copy(self->edu, self->handle, PEERBUF_EDU_FROM_ENGINE,
			     PAGE, 0, 64));
	EXPECT_EQ(0, memcmp(self->memory, self->memory + PAGE, 64));
}

static void expect_gone(struct __test_metadata *_metadata,
			const FIXTURE_DATA(lockdown) *self)
{
	unsigned int handle;

	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
	EXPECT_EQ(-ENODEV, pb_copy(self->edu, self->handle,
				   PEERBUF_EDU_TO_ENGINE, 0, 0, 64));
	EXPECT_EQ(-ENODEV, pb_import(self->edu, self->dmabuf, &handle));
}

/* Before all others: they find the kernel locked down. */
TEST_F(lockdown, what_was_lent_goes_on)
{
	int watch = must(pb_watch_buffer(self->dmabuf, O_NONBLOCK, NULL));
	struct peerbuf_event event;

	ASSERT_FALSE(is_locked_down());
	expect_works(_metadata, self);
	lock_down();
	EXPECT_TRUE(pb_is_bound(&self->provider, "peerbuf_pci"));
	expect_works(_metadata, self);
	EXPECT_EQ(-EAGAIN, pb_watch_read(watch, &event));
	close(watch);
}

TEST_F(lockdown, a_bound_provider_lends_more)
{
	int pooled;

	lock_down();
	give_back(self);
	lend(self, &self->provider);
	expect_works(_metadata, self);
	pooled = must(pb_alloc(self->pool, LENGTH, NULL));
	EXPECT_EQ(0, pb_try_map(pooled, 0, LENGTH, RW, MAP_SHARED));
	close(pooled);
	EXPECT_EQ(0, pb_allow_static(&self->provider, 0, 1));
	EXPECT_EQ(0, pb_allow_static(&self->provider, 0, 0));
}

TEST_F(lockdown, revoke_and_reset)
{
	struct peerbuf_buffer_info info;
	__u64 generation;

	lock_down();
	generation = pb_generation(self->dmabuf);
	EXPECT_EQ(0, pb_reset(&self->provider));
	EXPECT_EQ(generation + 1, pb_generation(self->dmabuf));
	expect_works(_metadata, self);

	must(pb_buffer(self->dmabuf, &info, NULL, 0));
	EXPECT_EQ(0, pb_revoke(self->node, info.id, 0));
	expect_gone(_metadata, self);
}

/* debugfs shows only files that nobody can write. */
TEST_F(lockdown, who_holds_what_is_told)
{
	struct peerbuf_buffer_info info;
	char path[128], text[1024];
	int fd;

	lock_down();
	must(pb_buffer(self->dmabuf, &info, NULL, 0));
	EXPECT_EQ(1, pb_holders(self->node, info.id, NULL, 0));
	snprintf(path, sizeof(path), "/sys/kernel/debug/peerbuf/%s/buffers",
		 self->provider.name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_LT(0, read(fd, text, sizeof(text)));
	close(fd);
}

/* The kernel's own way to a BAR, for which there is lockdown. */
static int map_resource(const struct pb_device *device)
{
	char path[128];
	void *memory;
	int fd, ret;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2",
		 device->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	memory = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	ret = memory == MAP_FAILED ? -errno : 0;
	close(fd);
	if (!ret)
		munmap(memory, PAGE);
	return ret;
}

TEST_F(lockdown, peerbuf_pci_unbinds_and_does_not_bind)
{
	static const char reason[] =
		"Lockdown: lockdown_test: direct PCI access is restricted";
	unsigned int reasons, failures;
	char failure[128];

	lock_down();
	give_back(self);
	lend(self, &self->other);
	expect_works(_metadata, self);
	EXPECT_EQ(0, pb_unbind(&self->other));
	expect_gone(_metadata, self);
	EXPECT_EQ(-ENODEV, pb_export_at(self->node, 0, MIB(4), PAGE, NULL));

	EXPECT_EQ(-EPERM, map_resource(&self->other));
	snprintf(failure, sizeof(failure),
		 "%s: probe with driver peerbuf_pci failed with error -1",
		 self->other.name);
	reasons = pb_count_log(reason);
	failures = pb_count_log(failure);
	EXPECT_EQ(-EPERM, pb_probe(&self->other, "peerbuf_pci"));
	/* by drivers_probe, which has no errors of probe() */
	EXPECT_EQ(-ENODEV, pb_bind(&self->other, "peerbuf_pci"));
	EXPECT_EQ(reasons + 2, pb_count_log(reason));
	EXPECT_EQ(failures + 2, pb_count_log(failure));
	EXPECT_EQ(-ENOENT, pb_open_node(&self->other, O_RDWR));

	/* the one that has stayed bound */
	give_back(self);
	lend(self, &self->provider);
	expect_works(_metadata, self);
}

static void expect_rebinds(struct __test_metadata *_metadata, unsigned int id,
			   const char *driver)
{
	struct pb_device devices[4];
	int i, nr = pb_find(id, devices, ARRAY_SIZE(devices));

	EXPECT_LT(0, nr);
	for (i = 0; i < nr; i++) {
		EXPECT_TRUE(pb_is_bound(&devices[i], driver));
		EXPECT_EQ(0, pb_unbind(&devices[i]));
		EXPECT_EQ(0, pb_bind(&devices[i], driver)) {
			TH_LOG("%s to %s", devices[i].name, driver);
		}
	}
}

/* Their drivers drive the device, not their users. */
TEST_F_TIMEOUT(lockdown, importers_bind, 120)
{
	lock_down();
	give_back(self);
	expect_rebinds(_metadata, PB_EDU, "peerbuf_edu");
	expect_rebinds(_metadata, PB_NVME, "peerbuf_nvme");
	expect_rebinds(_metadata, PB_IGB, "peerbuf_igb");
	lend(self, &self->provider);
	expect_works(_metadata, self);
}

TEST_HARNESS_MAIN
