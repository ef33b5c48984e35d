// SPDX-License-Identifier: MIT
/* The screen: the kernel's virtio-gpu scans buffer B out from where it lies. */
#include <stdio.h>
#include <drm/drm.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_mode.h>

#include "journey.h"

static __u32 import(int socket, int card, int buffer)
{
	struct drm_prime_handle arg = { .fd = buffer };
	int err = call(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &arg);

	if (err)
		give_up(socket, err, "the GPU does not take buffer B");
	return arg.handle;
}

/* The pixels of the first line come after its header, those of others likewise. */
static __u32 add_framebuffer(int socket, int card, __u32 handle)
{
	struct drm_mode_fb_cmd2 arg = {
		.width = WIDTH,
		.height = HEIGHT,
		.pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { handle },
		.pitches = { PITCH },
		.offsets = { HEADER },
	};
	int err = call(card, DRM_IOCTL_MODE_ADDFB2, &arg);

	if (err)
		give_up(socket, err, "buffer B makes no framebuffer");
	return arg.fb_id;
}

/* The device is virtual: any timing will do that makes sense. */
static struct drm_mode_modeinfo mode(void)
{
	struct drm_mode_modeinfo mode = {
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
	__u32 crtc = 0, connector = 0;
	struct drm_mode_card_res resources = {
		.crtc_id_ptr = (unsigned long)&crtc,
		.connector_id_ptr = (unsigned long)&connector,
		.count_crtcs = 1,
		.count_connectors = 1,
	};
	struct drm_mode_crtc arg = {
		.fb_id = framebuffer,
		.set_connectors_ptr = (unsigned long)&connector,
		.count_connectors = 1,
		.mode_valid = 1,
		.mode = mode(),
	};
	int err = call(card, DRM_IOCTL_MODE_GETRESOURCES, &resources);

	arg.crtc_id = crtc;
	if (!err)
		err = call(card, DRM_IOCTL_MODE_SETCRTC, &arg);
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
