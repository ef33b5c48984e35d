// SPDX-License-Identifier: GPL-2.0-only
/*
 * Display drivers that attach without the peer-to-peer contract: bochs, a PCI
 * function, and vgem, which is no device at all. Both of the kernel, by PRIME.
 *
 * Neither does DMA. bochs copies a framebuffer to its own memory, by the CPU and
 * through a kernel mapping; vgem gives buffers to whoever asks for them.
 */
#include <fcntl.h>
#include <kselftest_harness.h>

#include "display.h"

#define WIDTH		96U
#define HEIGHT		64U
#define PITCH		(4 * WIDTH)
#define SIZE		((size_t)PITCH * HEIGHT)
#define OFFSET		MIB(4)
#define QEMU_ID		"gpu1"
#define TIMEOUT		120

#define PINNED		PEERBUF_EXPORT_ALLOW_PINNED
#define STATIC		PEERBUF_EXPORT_ALLOW_STATIC

FIXTURE(gpu_static) {
	struct pb_device provider;
	struct pb_card card;
	char importer[24];	/* the device that attaches */
	int node;
	struct pb_state start;
};

FIXTURE_VARIANT(gpu_static) {
	const char *driver;
	bool pci;
};

FIXTURE_VARIANT_ADD(gpu_static, bochs) { .driver = "bochs-drm", .pci = true };
FIXTURE_VARIANT_ADD(gpu_static, vgem) { .driver = "vgem", .pci = false };

FIXTURE_SETUP(gpu_static)
{
	struct pb_device bochs;

	if (!pb_find(PB_BOCHS, &bochs, 1))
		SKIP(return, "no bochs display in this topology");
	snprintf(self->importer, sizeof(self->importer), "%s",
		 variant->pci ? bochs.name : "vgem");
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	must(pb_card_open(variant->driver, &self->card));
	must(pb_allow_static(&self->provider, 0, 0));
	self->start = pb_state(&self->provider, -1);
}

FIXTURE_TEARDOWN(gpu_static)
{
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	must(pb_allow_static(&self->provider, 0, 0));
	close(self->card.fd);
	close(self->node);
}

static int import(const FIXTURE_DATA(gpu_static) *self, unsigned int flags,
		  int *dmabuf, __u64 *id, __u32 *handle)
{
	*dmabuf = must(pb_export_at(self->node, flags, OFFSET, SIZE, id));
	must(pb_watch());
	return pb_card_import(&self->card, *dmabuf, handle);
}

static void expect_refusal(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(gpu_static) *self,
			   unsigned int flags, const char *reason)
{
	struct pb_attach_seen seen;
	__u32 handle;
	int dmabuf;

	EXPECT_EQ(-EOPNOTSUPP, import(self, flags, &dmabuf, NULL, &handle));
	must(pb_seen_attach(self->importer, &seen));
	EXPECT_STREQ("none", seen.route);
	EXPECT_STREQ(reason, seen.reason);
	EXPECT_EQ(-EOPNOTSUPP, seen.error);
	close(dmabuf);
}

TEST_F(gpu_static, refused_without_both_permissions)
{
	const char *reason = variant->pci ? "static" : "not-pci";

	expect_refusal(_metadata, self, 0, reason);
	expect_refusal(_metadata, self, STATIC, reason);
	expect_refusal(_metadata, self, STATIC | PINNED, reason);
	must(pb_allow_static(&self->provider, 0, 1));
	expect_refusal(_metadata, self, 0, reason);
	expect_refusal(_metadata, self, PINNED, reason);
}

/* There is no way from a PCI function to what is not on a PCI bus. */
TEST_F(gpu_static, vgem_has_no_route_with_permission_either)
{
	if (variant->pci)
		SKIP(return, "bochs is a PCI function");
	must(pb_allow_static(&self->provider, 0, 1));
	expect_refusal(_metadata, self, STATIC, "not-pci");
	expect_refusal(_metadata, self, STATIC | PINNED, "not-pci");
}

static __u32 import_accepted(struct __test_metadata *_metadata,
			     const FIXTURE_DATA(gpu_static) *self,
			     unsigned int flags, int *dmabuf, __u64 *id)
{
	const bool bus = pb_expect()->route == PEERBUF_ROUTE_BUS;
	struct pb_attach_seen seen;
	__u32 handle;

	must(pb_allow_static(&self->provider, 0, 1));
	EXPECT_EQ(0, import(self, STATIC | flags, dmabuf, id, &handle));
	must(pb_seen_attach(self->importer, &seen));
	EXPECT_STREQ(bus ? "bus" : "host", seen.route);
	EXPECT_EQ(0, seen.error);
	return handle;
}

/* Without permission for kernel mappings there is a buffer, but no picture. */
TEST_F(gpu_static, accepted_with_both_permissions)
{
	__u32 handle, fb;
	int dmabuf;

	if (!variant->pci)
		SKIP(return, "vgem has no route");
	handle = import_accepted(_metadata, self, 0, &dmabuf, NULL);
	EXPECT_EQ(0, pb_card_add_fb(&self->card, handle, WIDTH, HEIGHT, PITCH,
				    0, &fb));
	EXPECT_EQ(-EINVAL, pb_card_show(&self->card, fb, WIDTH, HEIGHT));
	EXPECT_EQ(0, pb_seen("peerbuf_map", self->importer));
	EXPECT_EQ(0, pb_card_remove_fb(&self->card, fb));
	EXPECT_EQ(0, pb_card_close(&self->card, handle));
	EXPECT_EQ(1, pb_seen("peerbuf_detach", self->importer));
	close(dmabuf);
}

/* The driver copies when it is told to, and does not look in between. */
TEST_F_TIMEOUT(gpu_static, bochs_copies_by_the_cpu, TIMEOUT)
{
	__u32 handle, fb;
	int dmabuf;

	if (!variant->pci)
		SKIP(return, "vgem has no screen");
	handle = import_accepted(_metadata, self, PINNED, &dmabuf, NULL);
	must(pb_card_add_fb(&self->card, handle, WIDTH, HEIGHT, PITCH, 0, &fb));
	pb_paint_buffer(dmabuf, 0, WIDTH, HEIGHT, PITCH, 1);
	ASSERT_EQ(0, pb_card_show(&self->card, fb, WIDTH, HEIGHT));
	EXPECT_TRUE(pb_screen_shows(QEMU_ID, WIDTH, HEIGHT, 1));
	pb_paint_buffer(dmabuf, 0, WIDTH, HEIGHT, PITCH, 2);
	EXPECT_TRUE(pb_screen_shows(QEMU_ID, WIDTH, HEIGHT, 1));
	EXPECT_EQ(0, pb_card_dirty(&self->card, fb));
	EXPECT_TRUE(pb_screen_shows(QEMU_ID, WIDTH, HEIGHT, 2));
	EXPECT_EQ(0, pb_seen("peerbuf_map", self->importer));
	EXPECT_EQ(0, pb_card_off(&self->card));
	EXPECT_EQ(0, pb_card_remove_fb(&self->card, fb));
	EXPECT_EQ(0, pb_card_close(&self->card, handle));
	close(dmabuf);
}

/*
 * While the picture is shown, the driver keeps its kernel mapping, which cannot
 * be taken back: the export allows that, and a revoke waits for the end of it.
 */
TEST_F_TIMEOUT(gpu_static, bochs_keeps_a_revoke_waiting, TIMEOUT)
{
	__u32 handle, fb;
	int dmabuf, next;
	__u64 id;

	if (!variant->pci)
		SKIP(return, "vgem has no screen");
	handle = import_accepted(_metadata, self, PINNED, &dmabuf, &id);
	must(pb_card_add_fb(&self->card, handle, WIDTH, HEIGHT, PITCH, 0, &fb));
	pb_paint_buffer(dmabuf, 0, WIDTH, HEIGHT, PITCH, 1);
	ASSERT_EQ(0, pb_card_show(&self->card, fb, WIDTH, HEIGHT));
	EXPECT_EQ(-EINPROGRESS,
		  pb_revoke(self->node, id, PEERBUF_REVOKE_NOWAIT));
	EXPECT_EQ(-EBUSY, pb_export_at(self->node, 0, OFFSET, SIZE, NULL));
	EXPECT_EQ(-EINVAL, pb_card_dirty(&self->card, fb));
	EXPECT_EQ(-EINVAL, pb_card_flip(&self->card, fb));
	EXPECT_TRUE(pb_screen_shows(QEMU_ID, WIDTH, HEIGHT, 1));

	EXPECT_EQ(0, pb_card_off(&self->card));
	EXPECT_EQ(0, pb_revoke(self->node, id, 0));
	next = must(pb_export_at(self->node, 0, OFFSET, SIZE, NULL));
	EXPECT_EQ(0, pb_card_remove_fb(&self->card, fb));
	EXPECT_EQ(0, pb_card_close(&self->card, handle));
	close(next);
	close(dmabuf);
}

/* A kernel mapping that is asked for too late fails, and nothing more. */
TEST_F_TIMEOUT(gpu_static, bochs_after_a_revoke, TIMEOUT)
{
	__u32 handle, fb;
	int dmabuf;
	__u64 id;

	if (!variant->pci)
		SKIP(return, "vgem has no screen");
	handle = import_accepted(_metadata, self, PINNED, &dmabuf, &id);
	must(pb_card_add_fb(&self->card, handle, WIDTH, HEIGHT, PITCH, 0, &fb));
	ASSERT_EQ(0, pb_card_show(&self->card, fb, WIDTH, HEIGHT));
	ASSERT_EQ(0, pb_card_off(&self->card));
	EXPECT_EQ(0, pb_revoke(self->node, id, PEERBUF_REVOKE_NOWAIT));
	EXPECT_EQ(-EINVAL, pb_card_show(&self->card, fb, WIDTH, HEIGHT));
	EXPECT_EQ(0, pb_card_remove_fb(&self->card, fb));
	EXPECT_EQ(0, pb_card_close(&self->card, handle));
	close(dmabuf);
}

TEST_HARNESS_MAIN
