// SPDX-License-Identifier: MIT
/* The owner of the memory: has a pool, makes two buffers, and hands them out. */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-buf.h>

#include "journey.h"

#define SPOILED_LINE (HEIGHT / 2)

/* In system memory: what is spoiled there. Nobody reads it but the judge. */
static __u8 stolen[FRAME];

static int make_buffer(int control, int pool, struct report *report, int which)
{
	struct peerbuf_buffer_info info = { .size = sizeof(info) };
	int fd = peerbuf_export_pooled(pool, ROOM, 0, 0, &report->id[which]);
	struct peerbuf_range range;
	int err;

	if (fd < 0)
		return fd;
	err = peerbuf_get_buffer(control, fd, &info, &range, 1);
	report->offset[which] = range.offset;
	return err ? err : fd;
}

static void hand_out(int socket, int to, int fd)
{
	int err = peerbuf_send_fd(to, fd);

	if (err)
		give_up(socket, err, "cannot pass a buffer on");
}

/* What no demo should do: look at the picture, or change it. */
static void spoil(int buffer)
{
	__u8 *line, *map;
	__u32 i;

	map = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, buffer, 0);
	if (map == MAP_FAILED)
		_exit(1);
	line = map + SPOILED_LINE * PITCH;
	if (sabotaged("pixel"))
		line[HEADER + 4 * (WIDTH / 2)] ^= 1;
	for (i = 0; i < FRAME && sabotaged("ram"); i++)
		__atomic_store_n(&stolen[i], line[i], __ATOMIC_RELAXED);
	munmap(map, LENGTH);
}

void play_owner(int socket)
{
	int control = peerbuf_open_control(), pool = take(socket), disk = take(socket),
	    wire = take(socket), screen = take(socket), heap = take(socket);
	struct report report = { .bytes = LENGTH };
	int buffers[2], i;

	for (i = 0; i < 2; i++) {
		buffers[i] = make_buffer(control, pool, &report, i);
		if (buffers[i] < 0)
			give_up(socket, buffers[i], "cannot make a buffer");
	}
	if (sabotaged("heap"))
		buffers[0] = heap;
	hand_out(socket, disk, buffers[0]);
	hand_out(socket, wire, buffers[0]);
	hand_out(socket, wire, buffers[1]);
	hand_out(socket, screen, buffers[1]);
	tell(socket, &report);

	wait_for_go(socket);
	spoil(buffers[1]);
	tell(socket, &report);
	wait_for_go(socket);
}
