// SPDX-License-Identifier: GPL-2.0-only
/*
 * The screen, as QEMU sees it. QEMU writes a screendump to a file of its own, and
 * the test machine has a serial line that such a file can be read from.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include <linux/dma-buf.h>

#include "display.h"

#define LINE		"/dev/ttyS3"
#define FILE_NAME	"/tmp/screen"	/* of QEMU, not of the guest */
#define LINE_MS		60000
#define MAX_SIDE	4096

/**
 * struct picture - what a screen shows
 * @width: pixels
 * @height: pixels
 * @rgb: three bytes for each
 */
struct picture {
	unsigned int width;
	unsigned int height;
	__u8 *rgb;
};

static int open_line(void)
{
	struct termios mode;
	int fd = open(LINE, O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!tcgetattr(fd, &mode)) {
		cfmakeraw(&mode);
		tcsetattr(fd, TCSANOW, &mode);
	}
	tcflush(fd, TCIFLUSH);
	return fd;
}

static int read_all(int fd, void *data, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char *at = data;
	ssize_t got;

	while (size) {
		if (poll(&ready, 1, LINE_MS) <= 0)
			return -ETIMEDOUT;
		got = read(fd, at, size);
		if (got <= 0)
			return got ? -errno : -EPIPE;
		at += got;
		size -= got;
	}
	return 0;
}

/* "P6", width, height and 255, a line break after each but the width. */
static int read_header(int fd, struct picture *picture)
{
	char text[32];
	unsigned int lines = 0;
	size_t used = 0;
	int ret;

	while (lines < 3 && used < sizeof(text) - 1) {
		ret = read_all(fd, &text[used], 1);
		if (ret)
			return ret;
		lines += text[used++] == '\n';
	}
	text[used] = '\0';
	if (sscanf(text, "P6 %u %u 255", &picture->width,
		   &picture->height) != 2 ||
	    picture->width > MAX_SIDE || picture->height > MAX_SIDE)
		return -EPROTO;
	return 0;
}

static int read_picture(int fd, struct picture *picture)
{
	size_t size;
	int ret;

	ret = read_header(fd, picture);
	if (ret)
		return ret;
	size = 3UL * picture->width * picture->height;
	picture->rgb = malloc(size);
	if (!picture->rgb)
		return -ENOMEM;
	ret = read_all(fd, picture->rgb, size);
	if (ret)
		free(picture->rgb);
	return ret;
}

static int dump(const char *device)
{
	char command[128], reply[1024];

	snprintf(command, sizeof(command), "screendump " FILE_NAME " %s",
		 device);
	return pb_monitor(command, reply, sizeof(reply)) ?:
	       pb_monitor("chardev-change fetch file,path=/dev/null,input-path="
			  FILE_NAME, reply, sizeof(reply));
}

/* What a display of QEMU shows now; to be freed. */
static struct picture screendump(const char *device)
{
	struct picture picture;
	int fd = must(open_line());

	must(dump(device));
	must(read_picture(fd, &picture));
	close(fd);
	return picture;
}

/* A colour that says which picture it is of, and where in it. */
static __u32 colour(unsigned int seed, unsigned int x, unsigned int y)
{
	__u64 mixed = (((__u64)seed << 32 | y << 16 | x) + 1) *
		      0x9e3779b97f4a7c15ULL;

	return (mixed ^ mixed >> 29) & 0xffffff;
}

/**
 * pb_paint() - a picture of which no two are alike in more than chance pixels
 * @memory: XRGB8888
 * @width: pixels
 * @height: pixels
 * @pitch: bytes from line to line
 * @seed: which picture
 */
void pb_paint(void *memory, unsigned int width, unsigned int height,
	      __u32 pitch, unsigned int seed)
{
	unsigned int x, y;

	for (y = 0; y < height; y++) {
		__u32 *line = memory + (size_t)y * pitch;

		for (x = 0; x < width; x++)
			__atomic_store_n(&line[x], colour(seed, x, y),
					 __ATOMIC_RELAXED);
	}
}

/* pb_paint_buffer() - pb_paint(), in a dma-buf, from @offset. */
void pb_paint_buffer(int dmabuf, __u32 offset, unsigned int width,
		     unsigned int height, __u32 pitch, unsigned int seed)
{
	size_t size = (offset + pitch * height + PAGE - 1) & ~(PAGE - 1);
	char *memory = pb_map(dmabuf, 0, size, PROT_READ | PROT_WRITE);

	must(pb_sync(dmabuf, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE));
	pb_paint(memory + offset, width, height, pitch, seed);
	must(pb_sync(dmabuf, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE));
	munmap(memory, size);
}

static bool shows(const struct picture *picture, unsigned int seed)
{
	const __u8 *rgb = picture->rgb;
	unsigned int x, y;

	for (y = 0; y < picture->height; y++) {
		for (x = 0; x < picture->width; x++, rgb += 3) {
			__u32 seen = rgb[0] << 16 | rgb[1] << 8 | rgb[2];

			if (seen == colour(seed, x, y))
				continue;
			fprintf(stderr, "# pixel %u, %u is #%06x, not #%06x\n",
				x, y, seen, colour(seed, x, y));
			return false;
		}
	}
	return true;
}

/**
 * pb_screen_shows() - compare each pixel of a screen with a picture
 * @device: QEMU's id of the display
 * @width: that the screen has to have
 * @height: that the screen has to have
 * @seed: of the picture
 *
 * Return: whether they are equal.
 */
bool pb_screen_shows(const char *device, unsigned int width,
		     unsigned int height, unsigned int seed)
{
	struct picture picture = screendump(device);
	bool same = picture.width == width && picture.height == height;

	if (same)
		same = shows(&picture, seed);
	else
		fprintf(stderr, "# the screen is %u x %u, not %u x %u\n",
			picture.width, picture.height, width, height);
	free(picture.rgb);
	return same;
}

/* What QEMU writes on a screen that has nothing to show. */
#define MESSAGE_COLOUR	0xaaaaaa

/**
 * pb_screen_is_off() - whether a screen shows nobody's memory
 * @device: QEMU's id of the display
 *
 * It is black then, but for QEMU's message that says so.
 *
 * Return: whether it is.
 */
bool pb_screen_is_off(const char *device)
{
	struct picture picture = screendump(device);
	size_t pixels = (size_t)picture.width * picture.height;
	size_t i, message = 0;

	for (i = 0; i < pixels; i++) {
		const __u8 *rgb = &picture.rgb[3 * i];
		__u32 seen = rgb[0] << 16 | rgb[1] << 8 | rgb[2];

		if (seen && seen != MESSAGE_COLOUR)
			break;
		message += !!seen;
	}
	if (i < pixels || message > pixels / 10)
		fprintf(stderr, "# the screen of %u x %u shows something\n",
			picture.width, picture.height);
	free(picture.rgb);
	return i == pixels && message <= pixels / 10;
}
