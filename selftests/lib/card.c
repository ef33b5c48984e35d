// SPDX-License-Identifier: GPL-2.0-only
/* DRM devices by their ioctls: PRIME, framebuffers and the legacy mode calls. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>

#include "display.h"

#define MAX_CARDS	8
#define FLIP_MS		5000

static int card_ioctl(int fd, unsigned long cmd, void *arg)
{
	int ret;

	do {
		ret = pb_ioctl(fd, cmd, arg);
	} while (ret == -EINTR || ret == -EAGAIN);
	return ret;
}

static bool is_driver(int fd, const char *driver)
{
	char name[32] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return !card_ioctl(fd, DRM_IOCTL_VERSION, &version) &&
	       !strcmp(name, driver);
}

/* A device that only renders has no resources to ask for. */
static void find_output(struct pb_card *card)
{
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)&card->crtc,
		.connector_id_ptr = (uintptr_t)&card->connector,
		.count_crtcs = 1,
		.count_connectors = 1,
	};

	card_ioctl(card->fd, DRM_IOCTL_MODE_GETRESOURCES, &res);
}

/**
 * pb_card_open() - open the DRM device of a driver
 * @driver: its name, as DRM_IOCTL_VERSION says it
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

/* pb_card_import() - DRM_IOCTL_PRIME_FD_TO_HANDLE. Return: 0 or -errno. */
int pb_card_import(const struct pb_card *card, int dmabuf, __u32 *handle)
{
	struct drm_prime_handle arg = { .fd = dmabuf };
	int ret = card_ioctl(card->fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);

	*handle = arg.handle;
	return ret;
}

/* pb_card_export() - DRM_IOCTL_PRIME_HANDLE_TO_FD. Return: dma-buf or -errno. */
int pb_card_export(const struct pb_card *card, __u32 handle)
{
	struct drm_prime_handle arg = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};

	return card_ioctl(card->fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &arg) ?:
	       arg.fd;
}

/* pb_card_close() - DRM_IOCTL_GEM_CLOSE. Return: 0 or a negative errno. */
int pb_card_close(const struct pb_card *card, __u32 handle)
{
	struct drm_gem_close arg = { .handle = handle };

	return card_ioctl(card->fd, DRM_IOCTL_GEM_CLOSE, &arg);
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
	int ret = card_ioctl(card->fd, DRM_IOCTL_MODE_CREATE_DUMB, &arg);

	*handle = arg.handle;
	*pitch = arg.pitch;
	return ret;
}

/* pb_card_map_dumb() - map a dumb buffer. Return: the mapping. */
void *pb_card_map_dumb(const struct pb_card *card, __u32 handle, size_t length)
{
	struct drm_mode_map_dumb arg = { .handle = handle };

	must(card_ioctl(card->fd, DRM_IOCTL_MODE_MAP_DUMB, &arg));
	return pb_map(card->fd, arg.offset, length, PROT_READ | PROT_WRITE);
}

/**
 * pb_card_add_fb() - DRM_IOCTL_MODE_ADDFB2, XRGB8888
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
	struct drm_mode_fb_cmd2 arg = {
		.width = width,
		.height = height,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { handle },
		.pitches = { pitch },
		.offsets = { offset },
	};
	int ret = card_ioctl(card->fd, DRM_IOCTL_MODE_ADDFB2, &arg);

	*fb = arg.fb_id;
	return ret;
}

/* pb_card_remove_fb() - DRM_IOCTL_MODE_RMFB. Return: 0 or a negative errno. */
int pb_card_remove_fb(const struct pb_card *card, __u32 fb)
{
	return card_ioctl(card->fd, DRM_IOCTL_MODE_RMFB, &fb);
}

/* The device is virtual: any timing will do that makes sense. */
static struct drm_mode_modeinfo timing(unsigned int width, unsigned int height)
{
	struct drm_mode_modeinfo mode = {
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
 * pb_card_show() - DRM_IOCTL_MODE_SETCRTC: a framebuffer to the screen
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
	struct drm_mode_crtc arg = {
		.crtc_id = card->crtc,
		.fb_id = fb,
		.set_connectors_ptr = (uintptr_t)&card->connector,
		.count_connectors = 1,
		.mode_valid = 1,
		.mode = timing(width, height),
	};

	return card_ioctl(card->fd, DRM_IOCTL_MODE_SETCRTC, &arg);
}

/* pb_card_off() - nothing to the screen. Return: 0 or a negative errno. */
int pb_card_off(const struct pb_card *card)
{
	struct drm_mode_crtc arg = { .crtc_id = card->crtc };

	return card_ioctl(card->fd, DRM_IOCTL_MODE_SETCRTC, &arg);
}

static int wait_for_flip(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	struct drm_event_vblank event;

	if (poll(&ready, 1, FLIP_MS) <= 0)
		return -ETIMEDOUT;
	if (read(fd, &event, sizeof(event)) != sizeof(event) ||
	    event.base.type != DRM_EVENT_FLIP_COMPLETE)
		return -EPROTO;
	return 0;
}

/*
 * pb_card_flip() - DRM_IOCTL_MODE_PAGE_FLIP, and wait for its event.
 * Return: 0 or a negative errno.
 */
int pb_card_flip(const struct pb_card *card, __u32 fb)
{
	struct drm_mode_crtc_page_flip arg = {
		.crtc_id = card->crtc,
		.fb_id = fb,
		.flags = DRM_MODE_PAGE_FLIP_EVENT,
	};

	return card_ioctl(card->fd, DRM_IOCTL_MODE_PAGE_FLIP, &arg) ?:
	       wait_for_flip(card->fd);
}

/* pb_card_dirty() - DRM_IOCTL_MODE_DIRTYFB, all of it. Return: 0 or -errno. */
int pb_card_dirty(const struct pb_card *card, __u32 fb)
{
	struct drm_mode_fb_dirty_cmd arg = { .fb_id = fb };

	return card_ioctl(card->fd, DRM_IOCTL_MODE_DIRTYFB, &arg);
}
