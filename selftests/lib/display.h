/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of displays share: DRM devices, by libdrm, and the screen, as QEMU
 * sees it. Calls return as those of peerbuf_lib.h do.
 */
#ifndef _PEERBUF_DISPLAY_H
#define _PEERBUF_DISPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "peerbuf_lib.h"

/* card.c: DRM devices */

/**
 * struct pb_card - a DRM device; who opens it first may change its mode
 * @fd: its primary node
 * @crtc: its first, or 0
 * @connector: its first, or 0
 */
struct pb_card {
	int fd;
	__u32 crtc;
	__u32 connector;
};

int pb_card_open(const char *driver, struct pb_card *card);
int pb_card_import(const struct pb_card *card, int dmabuf, __u32 *handle);
int pb_card_export(const struct pb_card *card, __u32 handle);
int pb_card_close(const struct pb_card *card, __u32 handle);
int pb_card_dumb(const struct pb_card *card, unsigned int width,
		 unsigned int height, __u32 *handle, __u32 *pitch);
void *pb_card_map_dumb(const struct pb_card *card, __u32 handle, size_t length);
int pb_card_add_fb(const struct pb_card *card, __u32 handle,
		   unsigned int width, unsigned int height, __u32 pitch,
		   __u32 offset, __u32 *fb);
int pb_card_remove_fb(const struct pb_card *card, __u32 fb);
int pb_card_show(const struct pb_card *card, __u32 fb, unsigned int width,
		 unsigned int height);
int pb_card_off(const struct pb_card *card);
int pb_card_flip(const struct pb_card *card, __u32 fb);
int pb_card_dirty(const struct pb_card *card, __u32 fb);

/* screen.c: pictures, and the screen */

void pb_paint(void *memory, unsigned int width, unsigned int height,
	      __u32 pitch, unsigned int seed);
void pb_paint_buffer(int dmabuf, __u32 offset, unsigned int width,
		     unsigned int height, __u32 pitch, unsigned int seed);
bool pb_screen_shows(const char *device, unsigned int width,
		     unsigned int height, unsigned int seed);
bool pb_screen_is_off(const char *device);

#endif /* _PEERBUF_DISPLAY_H */
