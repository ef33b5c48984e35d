// SPDX-License-Identifier: MIT
/*
 * The screen: the kernel's virtio-gpu scans buffer B out from where it lies. By libdrm,
 * whose mode calls return a negative errno, and its others -1.
 */
#include <errno.h>
#include <stdio.h>
#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "journey.h"

static __u32 import(int socket, int card, int buffer)
{
	__u32 handle;

	if (drmPrimeFDToHandle(card, buffer, &handle))
		give_up(socket, -errno, "the GPU does not take buffer B");
	return handle;
}

/* The pixels of the first line come after its header, those of others likewise. */
static __u32 add_framebuffer(int socket, int card, __u32 handle)
{
	const __u32 handles[4] = { handle };
	const __u32 pitches[4] = { PITCH };
	const __u32 offsets[4] = { HEADER };
	__u32 framebuffer;
	int err = drmModeAddFB2(card, WIDTH, HEIGHT, DRM_FORMAT_XRGB8888, handles, pitches,
				offsets, &framebuffer, 0);

	if (err)
		give_up(socket, err, "buffer B makes no framebuffer");
	return framebuffer;
}

/* The device is virtual: any timing will do that makes sense. */
static drmModeModeInfo timing(void)
{
	drmModeModeInfo mode = {
		.hdisplay = WIDTH,
		.hsync_start = WIDTH + 48,
		.hsync_end = WIDTH + 80,
		.htotal = WIDTH + 160,
		.vdisplay = HEIGHT,
		.vsync_start = HEIGHT + 3,
		.vsync_end = HEIGHT + 9,
		.vtotal = HEIGHT + 23,
		.vrefresh = 60,
		.name = "journey",
	};

	mode.clock = mode.htotal * mode.vtotal * mode.vrefresh / 1000;
	return mode;
}

static void scan_out(int socket, int card, __u32 framebuffer)
{
	drmModeResPtr resources = drmModeGetResources(card);
	drmModeModeInfo mode = timing();
	int err = -ENODEV;

	if (resources && resources->count_crtcs && resources->count_connectors)
		err = drmModeSetCrtc(card, resources->crtcs[0], framebuffer, 0, 0,
				     resources->connectors, 1, &mode);
	drmModeFreeResources(resources);
	if (err)
		give_up(socket, err, "the GPU does not show the framebuffer");
}

void play_screen(int socket)
{
	int card = take(socket), owner = take(socket), buffer = take(owner);
	struct report report = { };
	__u32 framebuffer;

	framebuffer = add_framebuffer(socket, card, import(socket, card, buffer));
	tell(socket, &report);

	wait_for_go(socket);
	scan_out(socket, card, framebuffer);
	report.bytes = 4ULL * WIDTH * HEIGHT;
	snprintf(report.text, sizeof(report.text), "%u x %u, from byte %u on, pitch %u", WIDTH,
		 HEIGHT, HEADER, PITCH);
	tell(socket, &report);
	wait_for_go(socket);
}
