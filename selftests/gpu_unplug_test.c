// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory goes, or the GPU, while the GPU shows the memory: pulled out, removed
 * or unbound, with the display still open. Nothing hangs, nothing is left behind,
 * and what comes back works.
 */
#include <fcntl.h>
#include <kselftest_harness.h>
#include <signal.h>
#include <sys/mman.h>

#include "display.h"

#define RW		(PROT_READ | PROT_WRITE)
#define WIDTH		96U
#define HEIGHT		64U
#define PITCH		(4 * WIDTH)
#define SIZE		((size_t)PITCH * HEIGHT)
#define WINDOW		MIB(16)
#define QEMU_ID		"gpu0"
#define PATIENCE_MS	30000
#define TIMEOUT		120

FIXTURE(gpu_unplug) {
	struct pb_device provider;	/* QEMU's mem1 */
	struct pb_device gpu;
	struct pb_card card;
	int node;
	int dmabuf;
	char *memory;
	__u32 handle;
	__u32 fb;
};

/* A picture in the BAR, and on the screen. */
static void begin(struct __test_metadata *_metadata,
		  FIXTURE_DATA(gpu_unplug) *self, unsigned int seed)
{
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	self->dmabuf = must(pb_export_at(self->node, 0, 0, SIZE, NULL));
	self->memory = pb_map(self->dmabuf, 0, SIZE, RW);
	pb_paint(self->memory, WIDTH, HEIGHT, PITCH, seed);
	must(pb_card_open("virtio_gpu", &self->card));
	must(pb_card_import(&self->card, self->dmabuf, &self->handle));
	must(pb_card_add_fb(&self->card, self->handle, WIDTH, HEIGHT, PITCH, 0,
			    &self->fb));
	must(pb_card_show(&self->card, self->fb, WIDTH, HEIGHT));
	EXPECT_TRUE(pb_screen_shows(QEMU_ID, WIDTH, HEIGHT, seed));
}

static void end(const FIXTURE_DATA(gpu_unplug) *self)
{
	munmap(self->memory, SIZE);
	close(self->dmabuf);
	close(self->card.fd);
	close(self->node);
}

static bool is_all_free(const void *device)
{
	struct pb_state state = pb_state(device, -1);

	return state.available == WINDOW && !state.nr_buffers;
}

FIXTURE_SETUP(gpu_unplug)
{
	if (!pb_find(PB_VIRTIO_GPU, &self->gpu, 1))
		SKIP(return, "no virtio-gpu in this topology");
	self->provider = pb_provider(1);
	ASSERT_TRUE(is_all_free(&self->provider));
	must(pb_watch());
	begin(_metadata, self, 1);
}

/* All is closed, the memory is free, and the two work with each other again. */
FIXTURE_TEARDOWN(gpu_unplug)
{
	end(self);
	EXPECT_TRUE(pb_wait_until(is_all_free, &self->provider, PATIENCE_MS));
	begin(_metadata, self, 2);
	end(self);
	EXPECT_TRUE(pb_wait_until(is_all_free, &self->provider, PATIENCE_MS));
}

static void expect_provider_gone(struct __test_metadata *_metadata,
				 const FIXTURE_DATA(gpu_unplug) *self)
{
	__u32 handle;

	EXPECT_EQ(SIGBUS, pb_touch(self->memory, false));
	EXPECT_TRUE(pb_screen_is_off(QEMU_ID));
	EXPECT_EQ(-ENODEV, pb_card_dirty(&self->card, self->fb));
	EXPECT_EQ(-ENODEV, pb_card_flip(&self->card, self->fb));
	EXPECT_EQ(-ENODEV, pb_card_show(&self->card, self->fb, WIDTH, HEIGHT));
	EXPECT_EQ(0, pb_card_close(&self->card, self->handle));
	EXPECT_EQ(-ENODEV,
		  pb_card_import(&self->card, self->dmabuf, &handle));
}

TEST_F_TIMEOUT(gpu_unplug, provider_pulled_out, TIMEOUT)
{
	char bus[64];

	must(pb_plug_path("mem1", bus, sizeof(bus)));
	ASSERT_EQ(0, pb_unplug(&self->provider, "mem1"));
	expect_provider_gone(_metadata, self);
	ASSERT_EQ(0, pb_plug_provider(&self->provider, "mem1", WINDOW, bus));
}

TEST_F_TIMEOUT(gpu_unplug, provider_removed, TIMEOUT)
{
	ASSERT_EQ(0, pb_remove(&self->provider));
	expect_provider_gone(_metadata, self);
	ASSERT_EQ(0, pb_rescan());
	ASSERT_TRUE(pb_wait_present(&self->provider));
	ASSERT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
}

static bool gpu_is_back(const void *arg __maybe_unused)
{
	struct pb_card card;
	bool is = !pb_card_open("virtio_gpu", &card);

	if (is)
		close(card.fd);
	return is;
}

/*
 * Who has the display open is told. The memory has not noticed, but that it was
 * given back before the driver went, with the buffer still open there.
 */
static void expect_gpu_gone(struct __test_metadata *_metadata,
			    const FIXTURE_DATA(gpu_unplug) *self)
{
	__u32 handle;

	EXPECT_FALSE(gpu_is_back(NULL));
	EXPECT_EQ(-ENODEV, pb_card_show(&self->card, self->fb, WIDTH, HEIGHT));
	EXPECT_EQ(-ENODEV,
		  pb_card_import(&self->card, self->dmabuf, &handle));
	EXPECT_EQ(0, pb_touch(self->memory, true));
	EXPECT_EQ(1, pb_seen("peerbuf_unmap", self->gpu.name));
	EXPECT_EQ(0, pb_seen("peerbuf_detach", self->gpu.name));
}

static void bring_gpu_back(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(gpu_unplug) *self)
{
	ASSERT_EQ(0, pb_bind(&self->gpu, "virtio-pci"));
	ASSERT_TRUE(pb_wait_until(gpu_is_back, NULL, PATIENCE_MS));
}

TEST_F_TIMEOUT(gpu_unplug, gpu_unbound, TIMEOUT)
{
	ASSERT_EQ(0, pb_unbind(&self->gpu));
	expect_gpu_gone(_metadata, self);
	bring_gpu_back(_metadata, self);
}

/* As when it is pulled out, for which QEMU's virtio-gpu is not made. */
TEST_F_TIMEOUT(gpu_unplug, gpu_removed, TIMEOUT)
{
	ASSERT_EQ(0, pb_remove(&self->gpu));
	expect_gpu_gone(_metadata, self);
	ASSERT_EQ(0, pb_rescan());
	ASSERT_TRUE(pb_wait_present(&self->gpu));
	ASSERT_TRUE(pb_wait_until(gpu_is_back, NULL, PATIENCE_MS));
}

/* The driver loses its device in the middle of a flip, or of a revoke. */
TEST_F_TIMEOUT(gpu_unplug, gpu_unbound_while_it_flips, TIMEOUT)
{
	pid_t child = pb_fork();
	int ret;

	if (!child) {
		do {
			ret = pb_card_flip(&self->card, self->fb);
		} while (!ret);
		_exit(-ret);
	}
	pb_sleep_ms(300);
	ASSERT_EQ(0, pb_unbind(&self->gpu));
	EXPECT_EQ(ENODEV, pb_join(child));
	expect_gpu_gone(_metadata, self);
	bring_gpu_back(_metadata, self);
}

TEST_F_TIMEOUT(gpu_unplug, both_unbound, TIMEOUT)
{
	pid_t child;
	int i;

	for (i = 0; i < 4; i++) {
		child = pb_fork();
		if (!child)
			_exit(pb_unbind(&self->gpu) ? 1 : 0);
		pb_sleep_ms(20 * i);
		EXPECT_EQ(0, pb_unbind(&self->provider));
		EXPECT_EQ(0, pb_join(child));
		EXPECT_EQ(SIGBUS, pb_touch(self->memory, true));
		EXPECT_EQ(-ENODEV, pb_card_show(&self->card, self->fb, WIDTH,
						HEIGHT));
		bring_gpu_back(_metadata, self);
		ASSERT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
		end(self);
		begin(_metadata, self, 3 + i);
	}
}

TEST_HARNESS_MAIN
