// SPDX-License-Identifier: GPL-2.0-only
/* Ports of peerbuf_igb: the ioctls, one short function each, and frames. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peerbuf_lib.h"

#define LINK_MS		10000
#define QUIET_MS	60
#define DRAIN_SLOTS	64
#define SLOT		PEERBUF_IGB_DEFAULT_SLOT_SIZE

/* pb_has_ports() - Return: whether this machine has two ports on a wire. */
bool pb_has_ports(void)
{
	struct pb_device ports[2];

	return pb_find(PB_IGB, ports, 2) == 2;
}

/* pb_open_port() - Return: a descriptor or a negative errno. */
int pb_open_port(const struct pb_device *port)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/peerbuf/igb-%s", port->name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* pb_port_info() - PEERBUF_IGB_IOC_INFO. Return: 0 or a negative errno. */
int pb_port_info(int port, struct peerbuf_igb_info *info)
{
	*info = (struct peerbuf_igb_info){ .size = sizeof(*info) };
	return pb_ioctl(port, PEERBUF_IGB_IOC_INFO, info);
}

/* pb_port_set() - PEERBUF_IGB_IOC_SET. Return: 0 or a negative errno. */
int pb_port_set(int port, unsigned int fields, unsigned int loopback,
		unsigned int slot_size, int eventfd)
{
	struct peerbuf_igb_set arg = {
		.size = sizeof(arg),
		.fields = fields,
		.loopback = loopback,
		.slot_size = slot_size,
		.eventfd = eventfd,
	};

	return pb_ioctl(port, PEERBUF_IGB_IOC_SET, &arg);
}

struct link {
	int port;
	bool up;
};

static bool link_is(const void *arg)
{
	const struct link *link = arg;
	struct peerbuf_igb_info info;

	must(pb_port_info(link->port, &info));
	return !(info.flags & PEERBUF_IGB_LINK_UP) == !link->up;
}

/* pb_port_wait_link() - Return: whether the link comes up, or goes down. */
bool pb_port_wait_link(int port, bool up)
{
	struct link link = { port, up };

	return pb_wait_until(link_is, &link, LINK_MS);
}

/* pb_port_import() - PEERBUF_IGB_IOC_IMPORT. Return: 0 or a negative errno. */
int pb_port_import(int port, int dmabuf, unsigned int flags,
		   unsigned int *handle)
{
	struct peerbuf_igb_import arg = {
		.size = sizeof(arg),
		.flags = flags,
		.fd = dmabuf,
	};
	int ret = pb_ioctl(port, PEERBUF_IGB_IOC_IMPORT, &arg);

	*handle = arg.handle;
	return ret;
}

/* pb_port_release() - PEERBUF_IGB_IOC_RELEASE. Return: 0 or negative errno. */
int pb_port_release(int port, unsigned int handle)
{
	struct peerbuf_igb_release arg = {
		.size = sizeof(arg),
		.handle = handle,
	};

	return pb_ioctl(port, PEERBUF_IGB_IOC_RELEASE, &arg);
}

static int post(int port, unsigned long cmd, unsigned int handle, __u64 offset,
		unsigned int length, __u64 cookie)
{
	struct peerbuf_igb_post arg = {
		.size = sizeof(arg),
		.handle = handle,
		.offset = offset,
		.cookie = cookie,
		.length = length,
	};

	return pb_ioctl(port, cmd, &arg);
}

/* pb_port_send() - PEERBUF_IGB_IOC_POST_SEND. Return: 0 or negative errno. */
int pb_port_send(int port, unsigned int handle, __u64 offset,
		 unsigned int length, __u64 cookie)
{
	return post(port, PEERBUF_IGB_IOC_POST_SEND, handle, offset, length,
		    cookie);
}

/* pb_port_recv() - PEERBUF_IGB_IOC_POST_RECV. Return: 0 or negative errno. */
int pb_port_recv(int port, unsigned int handle, __u64 offset,
		 unsigned int length, __u64 cookie)
{
	return post(port, PEERBUF_IGB_IOC_POST_RECV, handle, offset, length,
		    cookie);
}

/* pb_port_reap() - PEERBUF_IGB_IOC_REAP. Return: count or negative errno. */
int pb_port_reap(int port, struct peerbuf_igb_completion *done,
		 unsigned int nr)
{
	struct peerbuf_igb_reap arg = {
		.size = sizeof(arg),
		.nr = nr,
		.completions = (uintptr_t)done,
	};
	int ret = pb_ioctl(port, PEERBUF_IGB_IOC_REAP, &arg);

	return ret ?: (int)arg.nr;
}

/**
 * pb_port_wait() - poll() and reap until there are enough completions
 * @port: the port
 * @done: room for @nr
 * @nr: how many
 * @timeout_ms: how long to wait for all of them
 *
 * Return: how many there were in time, or a negative errno.
 */
int pb_port_wait(int port, struct peerbuf_igb_completion *done,
		 unsigned int nr, unsigned int timeout_ms)
{
	__u64 deadline = pb_now_ms() + timeout_ms;
	unsigned int count = 0;

	while (count < nr) {
		struct pollfd ready = { .fd = port, .events = POLLIN };
		__u64 now = pb_now_ms();
		int ret;

		if (now >= deadline || poll(&ready, 1, deadline - now) <= 0)
			break;
		ret = pb_port_reap(port, done + count, nr - count);
		if (ret < 0)
			return ret;
		if (!ret && ready.revents & POLLERR)
			break;
		count += ret;
	}
	return count;
}

/**
 * pb_port_drain() - throw away what is still on the wire
 * @port: with a link, and no slot posted
 *
 * QEMU keeps frames for which a port had no slot, and delivers them later.
 */
void pb_port_drain(int port)
{
	struct peerbuf_igb_completion done[DRAIN_SLOTS];
	int heap = pb_heap(DRAIN_SLOTS * SLOT);
	unsigned int handle, i;
	int got;

	must(pb_port_import(port, heap, PEERBUF_IGB_RECV, &handle));
	for (i = 0; i < DRAIN_SLOTS; i++)
		must(pb_port_recv(port, handle, i * SLOT, SLOT, i * SLOT));
	do {
		got = must(pb_port_wait(port, done, 1, QUIET_MS));
		if (got && !done[0].status)
			must(pb_port_recv(port, handle, done[0].cookie, SLOT,
					  done[0].cookie));
	} while (got);
	must(pb_port_release(port, handle));
	while (must(pb_port_reap(port, done, DRAIN_SLOTS)))
		;
	close(heap);
}

static const __u8 frame_header[PB_FRAME_HEADER] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff,	/* to everybody */
	0x02, 0x00, 0x00, 0x00, 0x00, 0x01,	/* from a made-up address */
	0x88, 0xb5,				/* IEEE 802: for local experiments */
};

/* pb_frame_make() - write a frame whose payload is the pattern @seed. */
void pb_frame_make(void *memory, unsigned int length, __u64 seed)
{
	memcpy(memory, frame_header, PB_FRAME_HEADER);
	pb_fill((char *)memory + PB_FRAME_HEADER, length - PB_FRAME_HEADER,
		seed);
}

/* pb_frame_holds() - Return: whether @memory is the frame @seed. */
bool pb_frame_holds(const void *memory, unsigned int length, __u64 seed)
{
	if (memcmp(memory, frame_header, PB_FRAME_HEADER)) {
		fprintf(stderr, "# another frame's header\n");
		return false;
	}
	return pb_holds((const char *)memory + PB_FRAME_HEADER,
			length - PB_FRAME_HEADER, seed);
}
