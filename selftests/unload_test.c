// SPDX-License-Identifier: GPL-2.0-only
/*
 * The modules go while somebody holds the fence of a job: which is theirs to
 * signal, but not theirs to free.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <linux/sync_file.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "peerbuf_lib.h"

#define TIMEOUT		120
#define PATIENCE_MS	10000
#define TO_ENGINE	PEERBUF_EDU_TO_ENGINE

/* In the order in which they can go; they come back in the other. */
static const char * const modules[] = {
	"peerbuf_nvme", "peerbuf_igb", "peerbuf_edu", "peerbuf_pci", "peerbuf",
};

static int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int load(const char *name)
{
	const char *parameters = getenv("PEERBUF_PARAMETERS");
	char path[64];
	int fd, ret;

	if (!parameters || strcmp(name, "peerbuf"))
		parameters = "";
	snprintf(path, sizeof(path), "/modules/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return ret;
}

static bool is_unloaded(const void *name)
{
	return unload(name) == 0;
}

FIXTURE(unload) {
	struct pb_device provider;
	struct pb_device engine;
	int node;
	int edu;
	int test;
	int dmabuf;
	unsigned int handle;
};

FIXTURE_SETUP(unload)
{
	self->provider = pb_provider(0);
	self->engine = pb_importer(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->edu = must(pb_open_edu(&self->engine));
	self->test = must(pb_open_test());
	self->dmabuf = must(pb_export_at(self->node, 0, 0, PAGE, NULL));
	must(pb_import(self->edu, self->dmabuf, &self->handle));
}

FIXTURE_TEARDOWN(unload)
{
	close(self->test);
}

/* The fence of a copy that is going on. */
static int fence_of_a_copy(const FIXTURE_DATA(unload) *self)
{
	struct peerbuf_test_fence arg = { .dmabuf = self->dmabuf };
	struct pollfd pollfd = { .events = POLLIN };
	unsigned int tries;
	pid_t child;

	for (tries = 0; tries < 50; tries++) {
		child = pb_fork();
		if (!child)
			_exit(pb_copy(self->edu, self->handle, TO_ENGINE, 0, 0,
				      PAGE) ? 1 : 0);
		pb_sleep_ms(5 + 5 * (tries % 10));
		if (pb_ioctl(self->test, PEERBUF_TEST_FENCE, &arg) == 0) {
			pollfd.fd = arg.fd;
			if (poll(&pollfd, 1, 0) == 0) {
				/* not signalled: nobody takes the modules now */
				if (unload("peerbuf_edu") != -EWOULDBLOCK)
					fail("unloaded under a job");
				if (pb_join(child))
					fail("the copy failed");
				return arg.fd;
			}
			close(arg.fd);
		}
		if (pb_join(child))
			fail("the copy failed");
	}
	fail("no copy could be caught while it was going on");
}

TEST_F_TIMEOUT(unload, with_a_live_fence, TIMEOUT)
{
	struct sync_fence_info info = {};
	struct sync_file_info file = {
		.num_fences = 1,
		.sync_fence_info = (uintptr_t)&info,
	};
	struct pollfd pollfd = { .events = POLLIN };
	int i, last = ARRAY_SIZE(modules) - 1;
	int fence = fence_of_a_copy(self);

	/* Each open file keeps its module, and so those below. */
	EXPECT_EQ(-EWOULDBLOCK, unload("peerbuf"));
	close(self->dmabuf);
	close(self->edu);
	close(self->node);
	/* where KUnit's cases have been run, their module uses peerbuf */
	unload("peerbuf_kunit");
	for (i = 0; i <= last; i++)
		EXPECT_TRUE(pb_wait_until(is_unloaded, modules[i], PATIENCE_MS))
			TH_LOG("number %d cannot be unloaded", i);

	pollfd.fd = fence;
	EXPECT_EQ(1, poll(&pollfd, 1, 0));
	EXPECT_EQ(0, pb_ioctl(fence, SYNC_IOC_FILE_INFO, &file));
	EXPECT_EQ(1, info.status);
	EXPECT_EQ(0, close(fence));

	for (i = last; i >= 0; i--)
		EXPECT_EQ(0, load(modules[i]))
			TH_LOG("number %d cannot be loaded", i);
	EXPECT_TRUE(pb_is_bound(&self->provider, "peerbuf_pci"));
	EXPECT_TRUE(pb_is_bound(&self->engine, "peerbuf_edu"));
}

TEST_HARNESS_MAIN
