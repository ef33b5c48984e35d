// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every failure (lib/sweep.h) of every call of the importers: peerbuf_edu,
 * peerbuf_nvme but for io_uring, and peerbuf_igb.
 */
#include <errno.h>
#include <fcntl.h>
#include <kselftest_harness.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "sweep.h"

#define LENGTH		(4 * PAGE)
#define FRAME		512
#define SLOT		PEERBUF_IGB_DEFAULT_SLOT_SIZE
#define BLOCKS		8
#define SOON_MS		10000	/* a few milliseconds, on a busy machine */
#define TIMEOUT		300

/*
 * A port has one owner: what opens a file of its own does so at another port. Of
 * the others, one will do.
 */
struct scene {
	const struct pb_importer_calls *calls;
	struct pb_device provider;
	struct pb_device spare;
	int node;
	int file;
	int event;
	int other;
	int dmabuf;
	unsigned int handle;
};

/* Before and after */

static void buffer(struct scene *scene)
{
	scene->dmabuf = must(pb_export_at(scene->node, 0, MIB(4), LENGTH,
					  NULL));
}

static void close_buffer(struct scene *scene)
{
	close(scene->dmabuf);
}

static int import(struct scene *scene)
{
	return scene->calls->import(scene->file, scene->dmabuf,
				    &scene->handle);
}

static int release(struct scene *scene)
{
	return scene->calls->release(scene->file, scene->handle);
}

static void undo_import(struct scene *scene, int ret)
{
	(void)ret;
	must(release(scene));
}

static void buffer_imported(struct scene *scene)
{
	buffer(scene);
	must(import(scene));
}

/* After a release that worked, there is nothing left to release. */
static void end_import(struct scene *scene)
{
	release(scene);
	close(scene->dmabuf);
}

/* What all importers have */

static int open_spare(struct scene *scene)
{
	return scene->calls->open(&scene->spare);
}

static void close_fd(struct scene *scene, int fd)
{
	(void)scene;
	close(fd);
}

static void spare_in_use(struct scene *scene)
{
	buffer(scene);
	scene->other = must(open_spare(scene));
	must(scene->calls->import(scene->other, scene->dmabuf,
				  &scene->handle));
}

static int close_spare(struct scene *scene)
{
	return close(scene->other) ? -errno : 0;
}

/* EIO: the DMA API says no more of a mapping that it could not make. */
static const struct pb_operation common_operations[] = {
	{ "open", .run = open_spare, .undo = close_fd, .least = 2 },
	{ "IMPORT", buffer, import, undo_import, close_buffer, .least = 10,
	  .errors = { EIO } },
	{ "RELEASE", buffer_imported, release, .clean = end_import,
	  .least = 1 },
	{ "close", spare_in_use, close_spare, .clean = close_buffer,
	  .must = true },
};

/* peerbuf_edu */

static int copy(struct scene *scene)
{
	return pb_copy(scene->file, scene->handle, PEERBUF_EDU_TO_ENGINE, 0, 0,
		       64);
}

static int address(struct scene *scene)
{
	__u64 address, contiguous;

	return pb_address(scene->file, scene->handle, 0, &address, &contiguous);
}

static const struct pb_operation edu_operations[] = {
	{ "COPY", buffer_imported, copy, .clean = end_import, .least = 3 },
	{ "ADDRESS", buffer_imported, address, .clean = end_import,
	  .least = 4 },
};

/* peerbuf_nvme */

static int namespace_info(struct scene *scene)
{
	struct peerbuf_nvme_info info;

	return pb_nvme_info(scene->file, 1, &info);
}

static int read_blocks(struct scene *scene)
{
	return pb_nvme_io(scene->file, PEERBUF_NVME_READ, 1, scene->handle, 0,
			  0, BLOCKS);
}

static int write_blocks(struct scene *scene)
{
	return pb_nvme_io(scene->file, PEERBUF_NVME_WRITE, 1, scene->handle, 0,
			  0, BLOCKS);
}

static int flush(struct scene *scene)
{
	return pb_nvme_io(scene->file, PEERBUF_NVME_FLUSH, 1, 0, 0, 0, 0);
}

static int reset(struct scene *scene)
{
	return pb_nvme_reset(scene->file);
}

static const struct pb_operation nvme_operations[] = {
	{ "INFO", .run = namespace_info, .least = 2 },
	{ "IO, read", buffer_imported, read_blocks, .clean = end_import,
	  .least = 4 },
	{ "IO, write", buffer_imported, write_blocks, .clean = end_import,
	  .least = 4 },
	{ "IO, flush", .run = flush, .least = 2 },
	{ "RESET", .run = reset, .least = 1 },
};

/* peerbuf_igb */

static int port_info(struct scene *scene)
{
	struct peerbuf_igb_info info;

	return pb_port_info(scene->file, &info);
}

static int set(struct scene *scene)
{
	return pb_port_set(scene->file,
			   PEERBUF_IGB_SET_LOOPBACK |
			   PEERBUF_IGB_SET_SLOT_SIZE | PEERBUF_IGB_SET_EVENTFD,
			   1, KIB(4), scene->event);
}

static void unset(struct scene *scene, int ret)
{
	(void)ret;
	must(pb_port_set(scene->file,
			 PEERBUF_IGB_SET_SLOT_SIZE | PEERBUF_IGB_SET_EVENTFD, 0,
			 SLOT, -1));
}

static void frame_to_send(struct scene *scene)
{
	buffer_imported(scene);
	if (!pb_port_wait_link(scene->file, true))
		fail("no link in loopback");
}

static int post_send(struct scene *scene)
{
	return pb_port_send(scene->file, scene->handle, 0, FRAME, 1);
}

static int post_recv(struct scene *scene)
{
	return pb_port_recv(scene->file, scene->handle, 0, SLOT, 1);
}

static void expect_sent(struct scene *scene, int ret)
{
	struct peerbuf_igb_completion done;

	(void)ret;
	if (pb_port_wait(scene->file, &done, 1, SOON_MS) != 1 || done.status)
		fail("a frame was posted, and not sent");
}

static void reap_all(struct scene *scene)
{
	struct peerbuf_igb_completion done;

	while (must(pb_port_reap(scene->file, &done, 1)))
		;
}

static void end_slots(struct scene *scene)
{
	end_import(scene);
	reap_all(scene);
}

/* A slot that was taken back is a completion. */
static void something_to_reap(struct scene *scene)
{
	buffer_imported(scene);
	must(post_recv(scene));
	must(release(scene));
}

/* There is room for more than there is, and none may get lost. */
static int reap(struct scene *scene)
{
	struct peerbuf_igb_completion done[2];
	int ret = pb_port_reap(scene->file, done, ARRAY_SIZE(done));

	if (ret < 0)
		return ret;
	return ret == 1 ? 0 : -ENODATA;
}

static void end_reap(struct scene *scene)
{
	reap_all(scene);
	close(scene->dmabuf);
}

static int poll_port(struct scene *scene)
{
	struct pollfd pollfd = { .fd = scene->file, .events = POLLOUT };

	return poll(&pollfd, 1, 0) < 0 ? -errno : 0;
}

static void spare_with_slot(struct scene *scene)
{
	spare_in_use(scene);
	must(pb_port_recv(scene->other, scene->handle, 0, SLOT, 1));
}

static const struct pb_operation igb_operations[] = {
	{ "INFO", .run = port_info, .least = 2 },
	{ "SET", .run = set, .undo = unset, .least = 1 },
	{ "POST_SEND", frame_to_send, post_send, expect_sent, end_slots,
	  .least = 4 },
	{ "POST_RECV", buffer_imported, post_recv, .clean = end_slots,
	  .least = 4 },
	{ "REAP", something_to_reap, reap, .clean = end_reap, .least = 2 },
	{ "poll", .run = poll_port, .least = 1 },
	{ "close with a slot", spare_with_slot, close_spare,
	  .clean = close_buffer, .must = true },
};

static const struct {
	const struct pb_importer_calls *calls;
	const struct pb_operation *operations;
	size_t nr;
} importers[] = {
	{ &pb_edu_calls, edu_operations, ARRAY_SIZE(edu_operations) },
	{ &pb_nvme_calls, nvme_operations, ARRAY_SIZE(nvme_operations) },
	{ &pb_igb_calls, igb_operations, ARRAY_SIZE(igb_operations) },
};

FIXTURE(fault_importers) {
	struct scene scene;
	struct pb_sweep sweep;
};

FIXTURE_VARIANT(fault_importers) {
	unsigned int importer;
};

FIXTURE_VARIANT_ADD(fault_importers, edu) { .importer = 0 };
FIXTURE_VARIANT_ADD(fault_importers, nvme) { .importer = 1 };
FIXTURE_VARIANT_ADD(fault_importers, igb) { .importer = 2 };

FIXTURE_SETUP(fault_importers)
{
	struct scene *scene = &self->scene;
	struct pb_device device;

	scene->calls = importers[variant->importer].calls;
	device = scene->calls->device(0);
	scene->spare = scene->calls->device(1);
	scene->provider = pb_provider(0);
	scene->node = must(pb_open_node(&scene->provider, O_RDWR));
	scene->file = must(scene->calls->open(&device));
	scene->event = must(eventfd(0, EFD_CLOEXEC));
	if (scene->calls == &pb_igb_calls)
		must(pb_port_set(scene->file, PEERBUF_IGB_SET_LOOPBACK, 1, 0,
				 0));
	pb_sweep_begin(&self->sweep, scene, &scene->provider, -1);
}

FIXTURE_TEARDOWN(fault_importers)
{
	pb_sweep_end(&self->sweep);
	close(self->scene.event);
	close(self->scene.file);
	close(self->scene.node);
}

TEST_F_TIMEOUT(fault_importers, every_failure, TIMEOUT)
{
	EXPECT_TRUE(pb_sweep_all(&self->sweep, common_operations,
				 ARRAY_SIZE(common_operations)));
	EXPECT_TRUE(pb_sweep_all(&self->sweep,
				 importers[variant->importer].operations,
				 importers[variant->importer].nr));
}

TEST_HARNESS_MAIN
