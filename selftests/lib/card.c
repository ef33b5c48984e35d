// SPDX-License-Identifier: GPL-2.0-only
/*
 * DRM devices by libdrm: PRIME, framebuffers and the legacy mode calls. libdrm
 * repeats what was interrupted. Its mode calls return a negative errno, its others
 * -1.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "display.h"

#define MAX_CARDS	8
#define FLIP_MS		5000

static int or_errno(int ret)
{
	return ret ? -errno : 0;
}

static bool is_driver(int fd, const char *driver)
{
	drmVersionPtr version = drmGetVersion(fd);
	bool is = version && !strcmp(version->name, driver);

	drmFreeVersion(version);
	return is;
}

/* A device that only renders has no resources to ask for. */
static void find_output(struct pb_card *card)
{
	drmModeResPtr res = drmModeGetResources(card->fd);

	if (res && res->count_crtcs)
		card->crtc = res->crtcs[0];
	if (res && res->count_connectors)
		card->connector = res->connectors[0];
	drmModeFreeResources(res);
}

/**
 * pb_card_open() - open the DRM device of a driver
 * @driver: its name, as drmGetVersion() says it
 * @card: the device
 *
 * Return: 0, -ENOENT if there is none, or a negative errno.
 */
int pb_card_open(const char *driver, struct pb_card *card)
{
	char path[32];
	int i;

	for (i = 0; i < MAX_CARDS; i++) {
		*card = (struct pb_card){};
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		card->fd = open(path, O_RDWR | O_CLOEXEC);
		if (card->fd < 0)
			continue;
		if (is_driver(card->fd, driver)) {
			find_output(card);
			return 0;
		}
		close(card->fd);
	}
	return -ENOENT;
}

/* pb_card_import() - drmPrimeFDToHandle(). Return: 0 or a negative errno. */
int pb_card_import(const struct pb_card *card, int dmabuf, __u32 *handle)
{
	return or_errno(drmPrimeFDToHandle(card->fd, dmabuf, handle));
}

/* pb_card_export() - drmPrimeHandleToFD(). Return: a dma-buf or -errno. */
int pb_card_export(const struct pb_card *card, __u32 handle)
{
	int fd;

	return or_errno(drmPrimeHandleToFD(card->fd, handle,
					   DRM_CLOEXEC | DRM_RDWR, &fd)) ?: fd;
}

/* pb_card_close() - drmCloseBufferHandle(). Return: 0 or a negative errno. */
int pb_card_close(const struct pb_card *card, __u32 handle)
{
	return or_errno(drmCloseBufferHandle(card->fd, handle));
}

/* pb_card_dumb() - DRM_IOCTL_MODE_CREATE_DUMB, 32 bits. Return: 0 or -errno. */
int pb_card_dumb(const struct pb_card *card, unsigned int width,
		 unsigned int height, __u32 *handle, __u32 *pitch)
{
	struct drm_mode_create_dumb arg = {
		.width = width,
		.height = height,
		.bpp = 32,
	};
	int ret = drmIoctl(card->fd, DRM_IOCTL_MODE_CREATE_DUMB, &arg);

	*handle = arg.handle;
	*pitch = arg.pitch;
	return or_errno(ret);
}

/* pb_card_map_dumb() - map a dumb buffer. Return: the mapping. */
void *pb_card_map_dumb(const struct pb_card *card, __u32 handle, size_t length)
{
	struct drm_mode_map_dumb arg = { .handle = handle };

	must(or_errno(drmIoctl(card->fd, DRM_IOCTL_MODE_MAP_DUMB, &arg)));
	return pb_map(card->fd, arg.offset, length, PROT_READ | PROT_WRITE);
}

/**
 * pb_card_add_fb() - drmModeAddFB2(), XRGB8888
 * @card: the device
 * @handle: of the buffer
 * @width: pixels
 * @height: pixels
 * @pitch: bytes from line to line
 * @offset: of the first pixel in the buffer
 * @fb: names the framebuffer
 *
 * Return: 0 or a negative errno.
 */
int pb_card_add_fb(const struct pb_card *card, __u32 handle,
		   unsigned int width, unsigned int height, __u32 pitch,
		   __u32 offset, __u32 *fb)
{
	const __u32 handles[4] = { handle };
	const __u32 pitches[4] = { pitch };
	const __u32 offsets[4] = { offset };

	return drmModeAddFB2(card->fd, width, height, DRM_FORMAT_XRGB8888,
			     handles, pitches, offsets, fb, 0);
}

/* pb_card_remove_fb() - drmModeRmFB(). Return: 0 or a negative errno. */
int pb_card_remove_fb(const struct pb_card *card, __u32 fb)
{
	return drmModeRmFB(card->fd, fb);
}

/* The device is virtual: any timing will do that makes sense. */
static drmModeModeInfo timing(unsigned int width, unsigned int height)
{
	drmModeModeInfo mode = {
		.hdisplay = width,
		.hsync_start = width + 8,
		.hsync_end = width + 16,
		.htotal = width + 32,
		.vdisplay = height,
		.vsync_start = height + 2,
		.vsync_end = height + 4,
		.vtotal = height + 8,
		.vrefresh = 60,
		.name = "test",
	};

	mode.clock = mode.htotal * mode.vtotal * mode.vrefresh / 1000;
	return mode;
}

/**
 * pb_card_show() - drmModeSetCrtc(): a framebuffer to the screen
 * @card: the device
 * @fb: the framebuffer
 * @width: of it, and of the mode
 * @height: of it, and of the mode
 *
 * Return: 0 or a negative errno.
 */
int pb_card_show(const struct pb_card *card, __u32 fb, unsigned int width,
		 unsigned int height)
{
	drmModeModeInfo mode = timing(width, height);
	__u32 connector = card->connector;

	return drmModeSetCrtc(card->fd, card->crtc, fb, 0, 0, &connector, 1,
			      &mode);
}

/* pb_card_off() - nothing to the screen. Return: 0 or a negative errno. */
int pb_card_off(const struct pb_card *card)
{
	return drmModeSetCrtc(card->fd, card->crtc, 0, 0, 0, NULL, 0, NULL);
}

/* Not on a stack: a process that forked may hear of a flip of its child. */
static bool flipped;

static void on_flip(int fd __maybe_unused, unsigned int frame __maybe_unused,
		    unsigned int seconds __maybe_unused,
		    unsigned int microseconds __maybe_unused,
		    void *data __maybe_unused)
{
	flipped = true;
}

static int wait_for_flip(int fd)
{
	drmEventContext events = { .version = 2, .page_flip_handler = on_flip };
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	if (poll(&ready, 1, FLIP_MS) <= 0)
		return -ETIMEDOUT;
	if (drmHandleEvent(fd, &events) || !flipped)
		return -EPROTO;
	return 0;
}

/*
 * pb_card_flip() - drmModePageFlip(), and wait for its event.
 * Return: 0 or a negative errno.
 */
int pb_card_flip(const struct pb_card *card, __u32 fb)
{
	flipped = false;
	return drmModePageFlip(card->fd, card->crtc, fb,
			       DRM_MODE_PAGE_FLIP_EVENT, NULL) ?:
	       wait_for_flip(card->fd);
}

/* pb_card_dirty() - drmModeDirtyFB(), all of it. Return: 0 or -errno. */
int pb_card_dirty(const struct pb_card *card, __u32 fb)
{
	return drmModeDirtyFB(card->fd, fb, NULL, 0);
}
