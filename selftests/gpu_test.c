// SPDX-License-Identifier: GPL-2.0-only
/*
 * virtio-gpu, the kernel's own driver, with its framebuffer in the BAR of another
 * device: imported by PRIME, scanned out from where it lies, taken back, and
 * closed in every order. What the screen shows is compared pixel by pixel.
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
#define QEMU_ID		"gpu0"
#define PATIENCE_MS	10000
#define REVOKE_MS	5000	/* without a screen it takes milliseconds */
#define TIMEOUT		120

/* Where in the window frames lie */
#define FIRST		MIB(4)
#define SECOND		MIB(5)

/**
 * struct frame - a buffer that can be shown
 * @dmabuf: the buffer
 * @id: its number
 * @handle: the card's name for it
 * @fb: the card's name for it as a framebuffer
 */
struct frame {
	int dmabuf;
	__u64 id;
	__u32 handle;
	__u32 fb;
};

FIXTURE(gpu) {
	struct pb_device provider;
	struct pb_device gpu;
	struct pb_card card;
	int node;
	struct pb_state start;
};

FIXTURE_SETUP(gpu)
{
	if (!pb_find(PB_VIRTIO_GPU, &self->gpu, 1))
		SKIP(return, "no virtio-gpu in this topology");
	self->provider = pb_provider(0);
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	must(pb_card_open("virtio_gpu", &self->card));
	if (!self->card.crtc)
		SKIP(return, "no CONFIG_DRM_VIRTIO_GPU_KMS in this kernel");
	self->start = pb_state(&self->provider, -1);
}

/* The device ends resources when it gets to it, and then the memory is free. */
static bool same_state(const void *before)
{
	const FIXTURE_DATA(gpu) *self = before;
	struct pb_state now = pb_state(&self->provider, -1);

	return now.available == self->start.available &&
	       now.nr_buffers == self->start.nr_buffers;
}

FIXTURE_TEARDOWN(gpu)
{
	pb_wait_until(same_state, self, PATIENCE_MS);
	EXPECT_TRUE(pb_unchanged(&self->start, &self->provider, -1));
	close(self->card.fd);
	close(self->node);
}

static void add_frame(const FIXTURE_DATA(gpu) *self, struct frame *frame)
{
	must(pb_card_import(&self->card, frame->dmabuf, &frame->handle));
	must(pb_card_add_fb(&self->card, frame->handle, WIDTH, HEIGHT, PITCH, 0,
			    &frame->fb));
}

static struct frame make_frame(const FIXTURE_DATA(gpu) *self, __u64 offset)
{
	struct frame frame;

	frame.dmabuf = must(pb_export_at(self->node, PEERBUF_EXPORT_SHARED,
					 offset, SIZE, &frame.id));
	add_frame(self, &frame);
	return frame;
}

static void drop_frame(const FIXTURE_DATA(gpu) *self, const struct frame *frame)
{
	must(pb_card_remove_fb(&self->card, frame->fb));
	must(pb_card_close(&self->card, frame->handle));
	close(frame->dmabuf);
}

static int show(const FIXTURE_DATA(gpu) *self, const struct frame *frame)
{
	return pb_card_show(&self->card, frame->fb, WIDTH, HEIGHT);
}

static void paint(int dmabuf, unsigned int seed)
{
	pb_paint_buffer(dmabuf, 0, WIDTH, HEIGHT, PITCH, seed);
}

static bool screen_is(unsigned int seed)
{
	return pb_screen_shows(QEMU_ID, WIDTH, HEIGHT, seed);
}

static bool screen_is_off(void)
{
	return pb_screen_is_off(QEMU_ID);
}

static const char *expected_route(void)
{
	return pb_expect()->route == PEERBUF_ROUTE_BUS ? "bus" : "host";
}

TEST_F_TIMEOUT(gpu, picture_in_a_bar_is_on_the_screen, TIMEOUT)
{
	struct pb_attach_seen seen;
	struct frame frame;

	must(pb_watch());
	frame = make_frame(self, FIRST);
	must(pb_seen_attach(self->gpu.name, &seen));
	EXPECT_STREQ(expected_route(), seen.route);
	EXPECT_EQ(1, pb_seen("peerbuf_map", self->gpu.name));

	paint(frame.dmabuf, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	paint(frame.dmabuf, 2);
	EXPECT_EQ(0, pb_card_dirty(&self->card, frame.fb));
	EXPECT_TRUE(screen_is(2));
	EXPECT_EQ(0, pb_seen("peerbuf_unmap", self->gpu.name));
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frame);
	EXPECT_EQ(1, pb_seen("peerbuf_unmap", self->gpu.name));
	EXPECT_EQ(1, pb_seen("peerbuf_detach", self->gpu.name));
}

/*
 * The device reads the BAR when it shows it. Nobody tells the driver that the
 * picture has changed, so nobody can have copied it.
 */
TEST_F_TIMEOUT(gpu, nothing_is_copied, TIMEOUT)
{
	struct frame frame = make_frame(self, FIRST);

	paint(frame.dmabuf, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	paint(frame.dmabuf, 2);
	EXPECT_TRUE(screen_is(2));
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frame);
}

/* Three devices and no CPU: the engine writes to the BAR, and the GPU shows it. */
TEST_F_TIMEOUT(gpu, engine_writes_what_the_screen_shows, TIMEOUT)
{
	struct pb_device engine = pb_importer(0);
	struct frame frame = make_frame(self, FIRST);
	int source = must(pb_export_at(self->node, 0, SECOND, SIZE, NULL));
	int edu = must(pb_open_edu(&engine));
	unsigned int from, to;
	size_t done;

	must(pb_import(edu, source, &from));
	must(pb_import(edu, frame.dmabuf, &to));
	paint(source, 2);
	paint(frame.dmabuf, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	for (done = 0; done < SIZE; done += PAGE) {
		ASSERT_EQ(0, pb_copy(edu, from, PEERBUF_EDU_TO_ENGINE, done, 0,
				     PAGE));
		ASSERT_EQ(0, pb_copy(edu, to, PEERBUF_EDU_FROM_ENGINE, done, 0,
				     PAGE));
	}
	EXPECT_TRUE(screen_is(2));
	EXPECT_EQ(0, pb_card_off(&self->card));
	close(edu);
	close(source);
	drop_frame(self, &frame);
}

/* Pieces of a window in any order, lines with a gap, not from the beginning. */
TEST_F_TIMEOUT(gpu, pieces_and_pitch, TIMEOUT)
{
	static const struct peerbuf_range ranges[] = {
		{ FIRST + MIB(1), PAGE },
		{ FIRST, 7 * PAGE },
		{ FIRST + MIB(2), KIB(256) },
	};
	const __u32 pitch = PITCH + 64, offset = PAGE + 128;
	struct frame frame;

	frame.dmabuf = must(pb_export_ranges(self->node, 0, ranges,
					     ARRAY_SIZE(ranges), 0, &frame.id));
	must(pb_card_import(&self->card, frame.dmabuf, &frame.handle));
	must(pb_card_add_fb(&self->card, frame.handle, WIDTH, HEIGHT, pitch,
			    offset, &frame.fb));
	pb_paint_buffer(frame.dmabuf, offset, WIDTH, HEIGHT, pitch, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frame);
}

/* Each picture is painted while the other one is on the screen. */
TEST_F_TIMEOUT(gpu, page_flips, TIMEOUT)
{
	struct frame frames[] = {
		make_frame(self, FIRST), make_frame(self, SECOND),
	};
	unsigned int i;

	paint(frames[0].dmabuf, 0);
	ASSERT_EQ(0, show(self, &frames[0]));
	for (i = 1; i < 9; i++) {
		const struct frame *hidden = &frames[i % 2];

		paint(hidden->dmabuf, i);
		EXPECT_TRUE(screen_is(i - 1));
		ASSERT_EQ(0, pb_card_flip(&self->card, hidden->fb));
		EXPECT_TRUE(screen_is(i));
	}
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frames[0]);
	drop_frame(self, &frames[1]);
}

TEST_F_TIMEOUT(gpu, back_to_a_buffer_in_memory, TIMEOUT)
{
	struct frame frame = make_frame(self, FIRST);
	__u32 handle, pitch, fb;
	char *memory;
	int i;

	must(pb_card_dumb(&self->card, WIDTH, HEIGHT, &handle, &pitch));
	must(pb_card_add_fb(&self->card, handle, WIDTH, HEIGHT, pitch, 0, &fb));
	memory = pb_card_map_dumb(&self->card, handle, (size_t)pitch * HEIGHT);
	pb_paint(memory, WIDTH, HEIGHT, pitch, 2);
	paint(frame.dmabuf, 1);

	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, show(self, &frame));
		EXPECT_TRUE(screen_is(1));
		ASSERT_EQ(0, pb_card_show(&self->card, fb, WIDTH, HEIGHT));
		EXPECT_TRUE(screen_is(2));
		ASSERT_EQ(0, pb_card_flip(&self->card, frame.fb));
		EXPECT_TRUE(screen_is(1));
		ASSERT_EQ(0, pb_card_flip(&self->card, fb));
		EXPECT_TRUE(screen_is(2));
	}
	EXPECT_EQ(0, pb_card_off(&self->card));
	munmap(memory, (size_t)pitch * HEIGHT);
	EXPECT_EQ(0, pb_card_remove_fb(&self->card, fb));
	EXPECT_EQ(0, pb_card_close(&self->card, handle));
	drop_frame(self, &frame);
}

/* One buffer has one handle, and what is exported again is the same buffer. */
TEST_F(gpu, handles)
{
	struct frame frame = make_frame(self, FIRST);
	struct peerbuf_buffer_info info;
	__u32 handle;
	int again;

	EXPECT_EQ(0, pb_card_import(&self->card, frame.dmabuf, &handle));
	EXPECT_EQ(frame.handle, handle);
	again = must(pb_card_export(&self->card, frame.handle));
	EXPECT_EQ(0, pb_buffer(again, &info, NULL, 0));
	EXPECT_EQ(frame.id, info.id);
	close(again);
	drop_frame(self, &frame);
}

/* What a device without a route gets, here because the export wants a bus. */
TEST_F(gpu, refused_import)
{
	const bool direct = pb_expect()->route == PEERBUF_ROUTE_BUS;
	int dmabuf = must(pb_export_at(self->node, PEERBUF_EXPORT_DIRECT, FIRST,
				       SIZE, NULL));
	struct pb_attach_seen seen;
	__u32 handle;

	must(pb_watch());
	EXPECT_EQ(direct ? 0 : -EOPNOTSUPP,
		  pb_card_import(&self->card, dmabuf, &handle));
	must(pb_seen_attach(self->gpu.name, &seen));
	EXPECT_EQ(direct ? 0 : -EOPNOTSUPP, seen.error);
	EXPECT_STREQ(direct ? "bus" : "none", seen.route);
	EXPECT_STREQ(direct ? "common-bridge" : "direct-required", seen.reason);
	if (direct)
		EXPECT_EQ(0, pb_card_close(&self->card, handle));
	close(dmabuf);
}

/*
 * Closed in every order. The picture stays as long as anybody may see it, and
 * the memory is free when the last one is gone.
 */

enum closing { CLOSE_DMABUF, CLOSE_HANDLE, CLOSE_FB, CLOSE_SCREEN, NR_CLOSING };

static int close_part(const FIXTURE_DATA(gpu) *self, const struct frame *frame,
		      enum closing part)
{
	switch (part) {
	case CLOSE_DMABUF:
		return close(frame->dmabuf);
	case CLOSE_HANDLE:
		return pb_card_close(&self->card, frame->handle);
	case CLOSE_FB:
		return pb_card_remove_fb(&self->card, frame->fb);
	default:
		return pb_card_off(&self->card);
	}
}

/* The number @n of all orders, or false if one comes twice in it. */
static bool nth_order(unsigned int n, enum closing *order)
{
	unsigned int used = 0, i;

	for (i = 0; i < NR_CLOSING; i++, n /= NR_CLOSING) {
		order[i] = n % NR_CLOSING;
		used |= 1 << order[i];
	}
	return used == (1 << NR_CLOSING) - 1;
}

static void close_in_order(struct __test_metadata *_metadata,
			   const FIXTURE_DATA(gpu) *self, unsigned int seed,
			   const enum closing *order)
{
	struct frame frame = make_frame(self, FIRST);
	int i;

	paint(frame.dmabuf, seed);
	ASSERT_EQ(0, show(self, &frame));
	for (i = 0; i < NR_CLOSING; i++) {
		if (order[i] == CLOSE_FB || order[i] == CLOSE_SCREEN)
			break;
		EXPECT_EQ(0, close_part(self, &frame, order[i]));
	}
	EXPECT_TRUE(screen_is(seed));
	for (; i < NR_CLOSING; i++)
		EXPECT_EQ(0, close_part(self, &frame, order[i]));
	EXPECT_TRUE(pb_wait_until(same_state, self, PATIENCE_MS))
		TH_LOG("order %d %d %d %d keeps the buffer", order[0], order[1],
		       order[2], order[3]);
}

TEST_F_TIMEOUT(gpu, closed_in_every_order, TIMEOUT)
{
	enum closing order[NR_CLOSING];
	unsigned int n, orders = 0;

	for (n = 0; n < 1 << (2 * NR_CLOSING); n++) {
		if (nth_order(n, order)) {
			close_in_order(_metadata, self, n, order);
			orders++;
		}
	}
	EXPECT_EQ(24, orders);
}

/* A process that is killed closes everything in the order of the kernel. */
TEST_F_TIMEOUT(gpu, killed_while_it_is_shown, TIMEOUT)
{
	pid_t child;

	close(self->card.fd);
	child = pb_fork();
	if (!child) {
		struct frame frame;

		must(pb_card_open("virtio_gpu", &self->card));
		frame = make_frame(self, FIRST);
		paint(frame.dmabuf, 1);
		must(show(self, &frame));
		if (!screen_is(1))
			fail("the picture is not on the screen");
		raise(SIGKILL);
	}
	EXPECT_EQ(128 + SIGKILL, pb_join(child));
	must(pb_card_open("virtio_gpu", &self->card));
	EXPECT_TRUE(pb_wait_until(same_state, self, PATIENCE_MS));
}

/* Revoke, of what is on the screen. */

static void revoke_in_time(struct __test_metadata *_metadata, int node,
			   __u64 id)
{
	__u64 begin = pb_now_ms();

	EXPECT_EQ(0, pb_revoke(node, id, 0));
	EXPECT_GT(REVOKE_MS, pb_now_ms() - begin);
}

/* Nobody brings it back, neither to the screen nor into the card. */
static void expect_gone(struct __test_metadata *_metadata,
			const FIXTURE_DATA(gpu) *self,
			const struct frame *frame)
{
	EXPECT_EQ(-ENODEV, pb_card_dirty(&self->card, frame->fb));
	EXPECT_EQ(-ENODEV, show(self, frame));
	EXPECT_EQ(-ENODEV, pb_card_flip(&self->card, frame->fb));
}

TEST_F_TIMEOUT(gpu, revoked_on_the_screen, TIMEOUT)
{
	struct frame frame = make_frame(self, FIRST), next;
	char *memory = pb_map(frame.dmabuf, 0, SIZE, RW);
	__u32 handle;

	pb_paint(memory, WIDTH, HEIGHT, PITCH, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	revoke_in_time(_metadata, self->node, frame.id);
	EXPECT_EQ(SIGBUS, pb_touch(memory, false));
	EXPECT_TRUE(screen_is_off());

	/* The next owner of the memory is not on the screen. */
	next = make_frame(self, FIRST);
	paint(next.dmabuf, 2);
	EXPECT_TRUE(screen_is_off());
	expect_gone(_metadata, self, &frame);
	EXPECT_TRUE(screen_is_off());
	ASSERT_EQ(0, show(self, &next));
	EXPECT_TRUE(screen_is(2));

	EXPECT_EQ(0, pb_card_off(&self->card));
	EXPECT_EQ(0, pb_card_remove_fb(&self->card, frame.fb));
	EXPECT_EQ(0, pb_card_close(&self->card, frame.handle));
	EXPECT_EQ(-ENODEV, pb_card_import(&self->card, frame.dmabuf, &handle));
	close(frame.dmabuf);
	munmap(memory, SIZE);
	drop_frame(self, &next);
}

TEST_F_TIMEOUT(gpu, revoked_behind_the_screen, TIMEOUT)
{
	struct frame shown = make_frame(self, FIRST);
	struct frame hidden = make_frame(self, SECOND);

	paint(shown.dmabuf, 1);
	paint(hidden.dmabuf, 2);
	ASSERT_EQ(0, show(self, &hidden));
	ASSERT_EQ(0, pb_card_flip(&self->card, shown.fb));
	revoke_in_time(_metadata, self->node, hidden.id);
	EXPECT_TRUE(screen_is(1));
	EXPECT_EQ(-ENODEV, pb_card_flip(&self->card, hidden.fb));
	EXPECT_EQ(-ENODEV, show(self, &hidden));
	EXPECT_TRUE(screen_is(1));
	paint(shown.dmabuf, 3);
	EXPECT_EQ(0, pb_card_dirty(&self->card, shown.fb));
	EXPECT_TRUE(screen_is(3));
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &shown);
	drop_frame(self, &hidden);
}

/* What is gone is gone for the card of another process as well. */
TEST_F_TIMEOUT(gpu, revoked_while_pages_flip, TIMEOUT)
{
	int round;

	for (round = 0; round < 12; round++) {
		struct frame frames[] = {
			make_frame(self, FIRST), make_frame(self, SECOND),
		};
		pid_t child;
		int ret, i;

		paint(frames[0].dmabuf, 2 * round);
		paint(frames[1].dmabuf, 2 * round + 1);
		ASSERT_EQ(0, show(self, &frames[0]));
		child = pb_fork();
		if (!child) {
			for (i = 1, ret = 0; !ret; i ^= 1)
				ret = pb_card_flip(&self->card, frames[i].fb);
			_exit(-ret);
		}
		pb_sleep_ms(7 * round);
		revoke_in_time(_metadata, self->node, frames[1].id);
		EXPECT_EQ(ENODEV, pb_join(child));
		ASSERT_EQ(0, show(self, &frames[0]));
		EXPECT_TRUE(screen_is(2 * round));
		EXPECT_EQ(0, pb_card_off(&self->card));
		drop_frame(self, &frames[0]);
		drop_frame(self, &frames[1]);
	}
}

TEST_F_TIMEOUT(gpu, pool_closed_on_the_screen, TIMEOUT)
{
	int pool = must(pb_pool(self->node, FIRST, MIB(1)));
	struct frame frame;

	frame.dmabuf = must(pb_alloc(pool, SIZE, &frame.id));
	add_frame(self, &frame);
	paint(frame.dmabuf, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	close(pool);
	EXPECT_TRUE(screen_is_off());
	expect_gone(_metadata, self, &frame);
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frame);
}

/* The driver of the memory goes, without waiting for who looks at it. */
TEST_F_TIMEOUT(gpu, provider_unbound_on_the_screen, TIMEOUT)
{
	struct frame frame = make_frame(self, FIRST);
	__u64 begin;

	paint(frame.dmabuf, 1);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(1));
	begin = pb_now_ms();
	ASSERT_EQ(0, pb_unbind(&self->provider));
	EXPECT_GT(REVOKE_MS, pb_now_ms() - begin);
	EXPECT_TRUE(screen_is_off());
	expect_gone(_metadata, self, &frame);
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frame);
	close(self->node);

	ASSERT_EQ(0, pb_bind(&self->provider, "peerbuf_pci"));
	self->node = must(pb_open_node(&self->provider, O_RDWR));
	frame = make_frame(self, FIRST);
	paint(frame.dmabuf, 2);
	ASSERT_EQ(0, show(self, &frame));
	EXPECT_TRUE(screen_is(2));
	EXPECT_EQ(0, pb_card_off(&self->card));
	drop_frame(self, &frame);
}

TEST_HARNESS_MAIN
